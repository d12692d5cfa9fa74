/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLB entries for physical pages that the guest does not own: writing one is allowed, as on a real
 * machine; using it is a bus error. Its own pages go on working through the same slots.
 */
#include "tiny.h"

#define VA UINT64_C(0x10000000)
#define LO(pfn) ((uint64_t)(pfn) << 6 | 0x1e) /* cached, dirty, valid */
#define EXC_DBE 7

static volatile int bus_errors;
static uint64_t page[1024] __attribute__((aligned(8192)));

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if (EXC_CODE(cause) != EXC_DBE)
        tiny_unexpected(cause, epc, badvaddr, vector);
    bus_errors++;
    return epc + 4;
}

static void write_entry(unsigned index, uint64_t va, uint64_t lo0, uint64_t lo1)
{
    __asm__ volatile("dmtc0 %0, $10; dmtc0 %1, $2; dmtc0 %2, $3; mtc0 %3, $0; ehb; tlbwi; ehb" ::"r"(va),
                     "r"(lo0), "r"(lo1), "r"(index)
                     : "memory");
}

static int touch(uint64_t pfn)
{
    int before = bus_errors;

    write_entry(3, VA, LO(pfn), LO(pfn + 1));
    tiny_store(VA, 1);
    return bus_errors == before + 1;
}

int guest_main(void)
{
    uint64_t mine = physical(page) >> 12;
    int ok = 1;

    ok &= touch(0x80000);  /* where the machine's RAM really is */
    ok &= touch(0xffffff); /* the last page a frame number can name */
    ok &= touch(0x1fbf8);  /* a device of the board */
    write_entry(3, VA, LO(mine), LO(mine + 1));
    tiny_store(VA, 42);
    ok &= *(volatile uint64_t *)page == 42;
    print(ok ? "badtlb: foreign pages are bus errors, own pages work\n" : "badtlb: FAILED\n");
    return !ok;
}
