/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads, stores and jumps where a guest has nothing: each is an exception of its own, nothing more. */
#include "tiny.h"

#define EXC_TLBL 2
#define EXC_TLBS 3
#define EXC_ADEL 4
#define EXC_ADES 5
#define EXC_DBE 7
#define EXC_RI 10

static volatile uint64_t code, where, resume;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    uint64_t to = resume ? resume : epc + 4;

    (void)vector;
    code = EXC_CODE(cause);
    where = badvaddr;
    resume = 0;
    return to;
}

/* Says what went wrong; true if nothing did. */
static int check(int good, uint64_t va, uint64_t want)
{
    if (good)
        return 1;
    print("wild: at ");
    print_hex(va);
    print(" wanted exception ");
    print_hex(want);
    print(", got ");
    print_hex(code);
    print(" at ");
    print_hex(where);
    print("\n");
    return 0;
}

static int load(uint64_t va, uint64_t want)
{
    code = 99;
    (void)tiny_load(va);
    return check(code == want && (want == EXC_DBE || where == va), va, want);
}

static int store(uint64_t va, uint64_t want)
{
    code = 99;
    tiny_store(va, 1);
    return check(code == want && (want == EXC_DBE || where == va), va, want);
}

/* Jump to `va`; the handler comes back behind the jump. */
static int jump(uint64_t va, uint64_t want)
{
    code = 99;
    __asm__ volatile("dla $8, 1f; sd $8, %0; jalr %1; nop; 1:"
                     : "=m"(resume)
                     : "r"(va)
                     : "$8", "$31", "memory");
    return check(code == want, va, want);
}

static int reserved(void)
{
    code = 99;
    __asm__ volatile(".word 0x7000003f");
    return check(code == EXC_RI, 0, EXC_RI);
}

int guest_main(void)
{
    int ok = 1;

    ok &= load(UINT64_C(0xffffffff80100000), EXC_ADEL);  /* the monitor, CKSEG0 */
    ok &= store(UINT64_C(0x9800000080100000), EXC_ADES); /* the monitor, XKPHYS */
    ok &= load(UINT64_C(0x90000000180003f8), EXC_ADEL);  /* the board's UART */
    ok &= load(UINT64_C(0xc000000000000000), EXC_ADEL);  /* XKSEG */
    ok &= load(0x1000, EXC_TLBL);
    ok &= store(UINT64_C(0xffffffffd0000000), EXC_TLBS);
    ok &= load(UINT64_C(0x4000008000000000), EXC_DBE);   /* direct map, beyond memory */
    ok &= load(UINT64_C(0x400000001f000900), EXC_DBE);   /* a UART that this guest was not given */
    ok &= load(UINT64_C(0x0000010000000000), EXC_ADEL);  /* beyond the virtual CPU's 40 bits */
    ok &= jump(0x2000, EXC_TLBL);
    ok &= jump(UINT64_C(0xffffffff80100000), EXC_ADEL);
    ok &= jump(UINT64_C(0xffffffffc0100002), EXC_ADEL);
    ok &= reserved();
    print(ok ? "wild: every access was stopped\n" : "wild: FAILED\n");
    return !ok;
}
