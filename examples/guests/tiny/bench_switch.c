/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Virtual CPUs that share a processor: each touches "entries=" pairs of pages, then gives the processor
 * up, "rounds=" times; or, with "ms=", touches them so long, and the monitor takes the processor away.
 * tests/bench tells what a switch costs, and what the TLB lost by it.
 */
#include "mark.h"
#include "tree.h"
#include "vcpus.h"

#define MAPPED UINT64_C(0x10000000)
#define SPARE UINT64_C(0x800000) /* guest-physical: from here on nothing else is in memory */
#define PAIR UINT64_C(0x2000)
#define LO(pfn) ((pfn) << 6 | 0x1e) /* cached, dirty, valid */
#define WARM 16                     /* rounds before the time is taken */
#define AT_ONCE 64                  /* passes between two looks at the clock */

#define EXC_TLBL 2

static struct barrier meeting;
static uint64_t entries, rounds, until;
static unsigned vcpus;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    uint64_t hi = badvaddr & ~(PAIR - 1), pfn = (hi - MAPPED + SPARE) >> 12;

    if (EXC_CODE(cause) != EXC_TLBL || vector != 0x80)
        tiny_unexpected(cause, epc, badvaddr, vector);
    __asm__ volatile("dmtc0 %0, $10; dmtc0 %1, $2; dmtc0 %2, $3; ehb; tlbwr; ehb" ::"r"(hi),
                     "r"(LO(pfn)), "r"(LO(pfn + 1))
                     : "memory");
    return epc;
}

/* All pages: with every second one alone, half of QEMU's own translation cache stands empty. */
static void touch_all(void)
{
    for (uint64_t at = 0; at < entries * PAIR; at += PAIR / 2)
        (void)*(volatile uint64_t *)(MAPPED + at);
}

static void give_up(uint64_t times)
{
    for (uint64_t i = 0; i < times; i++) {
        touch_all();
        relax();
    }
}

static uint64_t compute(void)
{
    uint64_t passes = 0;

    for (; now() < until; passes += AT_ONCE) {
        for (unsigned i = 0; i < AT_ONCE; i++)
            touch_all();
    }
    return passes;
}

static void tell(const char *what, uint64_t number)
{
    print(what);
    print_hex(number);
    print("\n");
}

static void member(void)
{
    uint64_t begin, passes = 0;

    barrier_wait(&meeting, vcpus);
    give_up(WARM);
    begin = now();
    mark_begin();
    give_up(rounds);
    mark_end();
    if (until)
        passes = compute();
    tell(until ? "passes " : "ns ", until ? passes : now() - begin);
    barrier_wait(&meeting, vcpus);
}

int guest_main(void)
{
    vcpus = tree_vcpus();
    entries = tree_number("entries", 0);
    rounds = tree_number("rounds", 0);
    until = tree_number("ms", 0) * 1000000;
    if (!vcpu_start_all(member))
        return 1;
    member();
    return 0;
}
