/* SPDX-License-Identifier: BSD-2-Clause */
#include "tiny.h"

void print(const char *text)
{
    uint64_t n = 0;

    while (text[n])
        n++;
    (void)hypcall(DISCO_CALL_CONSOLE_WRITE, physical(text), n, 0, 0, 0);
}

void print_hex(uint64_t value)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        (void)hypcall(DISCO_CALL_CONSOLE_PUTC, (uint64_t)"0123456789abcdef"[value >> shift & 15], 0,
                      0, 0, 0);
}

void power_off(int code)
{
    for (;;)
        (void)hypcall(DISCO_CALL_POWEROFF, (uint64_t)code, 0, 0, 0, 0);
}

void tiny_unexpected(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    print("exception: cause ");
    print_hex(cause);
    print(" epc ");
    print_hex(epc);
    print(" badvaddr ");
    print_hex(badvaddr);
    print(" vector ");
    print_hex(vector);
    print("\n");
    power_off(100 + (int)EXC_CODE(cause));
}

__attribute__((weak)) uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr,
                                              uint64_t vector)
{
    tiny_unexpected(cause, epc, badvaddr, vector);
}
