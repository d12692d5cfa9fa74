/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All virtual CPUs read the same pages, over and over, in the segment that a kernel believes unmapped: more pages than the
 * TLB holds. One of them wrote them, once. The best that can become of them is a copy on each node.
 */
#include "tree.h"
#include "vcpus.h"

#define DIRECT UINT64_C(0x4000000000000000)
#define PAGE 4096
#define FIRST UINT64_C(0x800000) /* guest-physical, beyond everything of this guest */
#define PAGES 512

static struct barrier meeting;
static volatile uint64_t wrong;
static unsigned vcpus;
static uint64_t rounds;

static volatile uint64_t *page(uint64_t i) { return (volatile uint64_t *)(DIRECT + FIRST + i * PAGE); }

/* Lines of a page are read in turn, so that its node is asked for one each time. */
static uint64_t sum(uint64_t round)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < PAGES; i++)
        n += page(i)[round * 16 % 512];
    return n;
}

static void member(void)
{
    barrier_wait(&meeting, vcpus);
    for (uint64_t round = 0; round < rounds; round++)
        add(&wrong, sum(round) != PAGES * (PAGES - 1) / 2);
    barrier_wait(&meeting, vcpus);
}

int guest_main(void)
{
    vcpus = tree_vcpus();
    rounds = tree_number("rounds", 50);
    for (uint64_t i = 0; i < PAGES; i++) {
        for (unsigned word = 0; word < 512; word++)
            page(i)[word] = i;
    }
    if (!vcpu_start_all(member))
        return 1;
    member();
    print(load(&wrong) ? "readers: a sum is wrong\n" : "readers: all sums are right\n");
    return load(&wrong) != 0;
}
