/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Status values that a guest may not have: reserved mode, CU0, every bit at once. Whatever it
 * writes, a guest stays where it is, and privileged instructions still go through the monitor.
 */
#include "tiny.h"

static volatile int exceptions;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    (void)cause, (void)badvaddr, (void)vector;
    exceptions++;
    return epc + 4;
}

static uint64_t status(void)
{
    uint64_t v;

    __asm__ volatile("mfc0 %0, $12" : "=r"(v));
    return v;
}

static void set_status(uint64_t v)
{
    __asm__ volatile("mtc0 %0, $12; ehb" ::"r"(v) : "memory");
}

int guest_main(void)
{
    uint64_t good = status();
    int ok = 1;

    set_status(good | 0x18); /* KSU = 3, reserved */
    ok &= (status() & 0x18) != 0x18;
    set_status(good | 0x10000000); /* CU0: in supervisor mode it would open the real CP0 */
    (void)tiny_load(0xffffffff80100000); /* the monitor's own text */
    ok &= exceptions == 1;
    set_status(good | UINT64_C(0xfa380000)); /* reserved, reset and vendor bits; not BEV, which moves the vectors */
    (void)tiny_load(0xffffffff80100000);
    ok &= exceptions == 2;
    set_status(good);
    print(ok ? "badstatus: no value opened anything\n" : "badstatus: FAILED\n");
    return !ok;
}
