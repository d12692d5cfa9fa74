/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs to take one page back that every virtual CPU has in its TLB: "rounds=" times one gives
 * it back, between marks, while the others run ("run=1") or sleep. Prints the nanoseconds of each.
 */
#include "mark.h"
#include "tree.h"
#include "vcpus.h"

#define PAGE UINT64_C(0x800000) /* guest-physical */
#define DIRECT UINT64_C(0x4000000000000000)
#define SETTLE UINT64_C(20000) /* ns from when the others say that they will spin or sleep */

static struct barrier meeting;
static volatile uint64_t ready, gone, woken[MAX_VCPUS], bad;
static uint64_t rounds, running;
static unsigned vcpus;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if (EXC_CODE(cause) != 0 || !(cause & CAUSE_LINE(DISCO_LINE_IPI)))
        tiny_unexpected(cause, epc, badvaddr, vector);
    (void)hypcall(DISCO_CALL_IPI_ACK, 0, 0, 0, 0, 0);
    woken[vcpu_id()]++;
    return epc;
}

static volatile uint64_t *page(void) { return (volatile uint64_t *)(DIRECT + PAGE); }

static void look_on(uint64_t round)
{
    volatile uint64_t *mine = &woken[vcpu_id()];

    add(&bad, *page() != round);
    open_lines(CAUSE_LINE(DISCO_LINE_IPI));
    add(&ready, 1);
    while (running && load(&gone) < round)
        ;
    while (!running && load(mine) < round) {
        interrupts_off();
        if (load(mine) < round)
            wait();
        interrupts_on();
    }
    interrupts_off();
    add(&bad, *page() != 0);
}

static void settle(uint64_t round)
{
    uint64_t until;

    while (load(&ready) < round * (vcpus - 1))
        relax();
    until = now() + SETTLE;
    while (now() < until)
        ;
}

static void give_back(uint64_t round)
{
    int64_t had;
    uint64_t begin;

    settle(round);
    begin = now();
    mark_begin();
    had = hypcall(DISCO_CALL_PAGES_FREE, PAGE, 4096, 0, 0, 0);
    mark_end();
    begin = now() - begin;
    store(&gone, round);
    if (!running)
        (void)send_ipi((UINT64_C(1) << vcpus) - 2);
    add(&bad, had != 1 || *page() != 0);
    print("ns ");
    print_hex(begin);
    print("\n");
}

static void member(void)
{
    for (uint64_t round = 1; round <= rounds; round++) {
        if (vcpu_id() == 0)
            store(page(), round);
        barrier_wait(&meeting, vcpus);
        if (vcpu_id() == 0)
            give_back(round);
        else
            look_on(round);
        barrier_wait(&meeting, vcpus);
    }
}

int guest_main(void)
{
    rounds = tree_number("rounds", 10);
    running = tree_number("run", 0);
    vcpus = tree_vcpus();
    if (!vcpu_start_all(member))
        return 1;
    member();
    return bad != 0;
}
