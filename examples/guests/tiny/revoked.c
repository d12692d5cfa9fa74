/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages given back to the monitor while every virtual CPU has them in its hardware TLB, by several
 * addresses each, and of two address spaces in turn. Once PAGES_FREE has returned nobody sees the
 * old contents any more, at any of them; who reads meanwhile sees the old contents or zeros, and after
 * zeros never the old contents again. The machine pages go to somebody else at once: a store through
 * an old entry would be found there.
 */
#include "tree.h"
#include "vcpus.h"

#define ROUNDS 10
#define PAGES 32u
#define POOL UINT64_C(0x800000)   /* guest-physical: the pages that are given back */
#define OTHERS UINT64_C(0xa00000) /* these get their machine pages afterwards */
#define IMAGE UINT64_C(0xffffffffc0000000)
#define DIRECT UINT64_C(0x4000000000000000)
#define MAPPED UINT64_C(0x10000000)
#define PAGE 4096
#define PAIR UINT64_C(0x2000)
#define LO(pfn) ((pfn) << 6 | 0x1e) /* cached, dirty, valid */

#define EXC_TLBL 2
#define EXC_TLBS 3

/*
 * Two sets of pages take turns. Those of the odd rounds are used through the guest's TLB, too; those of
 * the even ones never are, so that the monitor has noted nowhere who uses them.
 */
static const uint64_t alias[] = {IMAGE + POOL, DIRECT + POOL, MAPPED};
static unsigned aliases(uint64_t round) { return round % 2 ? 3 : 2; }
static uint64_t set_of(uint64_t round) { return round % 2 * PAGES * PAGE; }

static struct barrier meeting;
static volatile uint64_t freed, bad;
static unsigned vcpus;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    uint64_t va = badvaddr & ~(PAIR - 1), pfn = (va - MAPPED + POOL) >> 12;

    if ((EXC_CODE(cause) != EXC_TLBL && EXC_CODE(cause) != EXC_TLBS) || vector != 0x80)
        tiny_unexpected(cause, epc, badvaddr, vector);
    /* EntryHi has the address and the address space already. */
    __asm__ volatile("dmtc0 %0, $2; dmtc0 %1, $3; ehb; tlbwr; ehb" ::"r"(LO(pfn)), "r"(LO(pfn + 1))
                     : "memory");
    return epc;
}

static void enter_space(uint64_t asid)
{
    __asm__ volatile("dmtc0 %0, $10; ehb" ::"r"(asid) : "memory");
}

static uint64_t *at(uint64_t round, unsigned a, unsigned page, unsigned word)
{
    return (uint64_t *)(alias[a] + set_of(round) + page * PAGE) + word;
}

static uint64_t old(uint64_t round, unsigned page) { return round << 32 | (page + 1); }

static void write_all(uint64_t round)
{
    for (unsigned page = 0; page < PAGES; page++)
        *at(round, 0, page, 0) = old(round, page);
}

/* How many pages do not read as `want` says, at all their addresses. */
static uint64_t wrong(uint64_t round, int zeros)
{
    uint64_t n = 0;

    for (unsigned page = 0; page < PAGES; page++) {
        for (unsigned a = 0; a < aliases(round); a++)
            n += load(at(round, a, page, 0)) != (zeros ? 0 : old(round, page));
    }
    return n;
}

/* Read while the pages go. */
static void watch(uint64_t round)
{
    uint64_t gone = 0;

    for (unsigned i = 0; load(&freed) != round; i++) {
        unsigned page = i % PAGES;
        uint64_t value = load(at(round, i / PAGES % aliases(round), page, 0));

        add(&bad, value && (value != old(round, page) || (gone >> page & 1)));
        gone |= (uint64_t)!value << page;
        if (page == 0)
            relax();
        reset_sometime();
    }
}

static void take_others(uint64_t round)
{
    for (unsigned page = 0; page < PAGES; page++) {
        for (unsigned word = 0; word < 2 * MAX_VCPUS; word++)
            ((volatile uint64_t *)(DIRECT + OTHERS + page * PAGE))[word] = old(~round, page);
    }
}

static uint64_t others_touched(uint64_t round)
{
    uint64_t n = 0;

    for (unsigned page = 0; page < PAGES; page++) {
        for (unsigned word = 0; word < 2 * MAX_VCPUS; word++)
            n += ((volatile uint64_t *)(DIRECT + OTHERS + page * PAGE))[word] != old(~round, page);
    }
    return n;
}

static int64_t give_back(uint64_t gpa)
{
    return hypcall(DISCO_CALL_PAGES_FREE, gpa, PAGES * PAGE, 0, 0, 0);
}

/* Every virtual CPU stores to words of its own by each address, and finds it by the others. */
static uint64_t stores_lost(uint64_t round)
{
    unsigned word = MAX_VCPUS + vcpu_id();
    uint64_t n = 0;

    for (unsigned page = 0; page < PAGES; page++) {
        for (unsigned a = 0; a < aliases(round); a++) {
            store(at(round, a, page, word), round + a);
            n += load(at(round, (a + 1) % aliases(round), page, word)) != round + a;
        }
    }
    return n;
}

/* The two halves of a round that differ: number 0 writes and gives back, the others read. */
static void lead(uint64_t round)
{
    relax();
    add(&bad, give_back(POOL + set_of(round)) != PAGES);
    take_others(round);
    store(&freed, round);
}

static void member(void)
{
    int first = vcpu_id() == 0;

    for (uint64_t round = 1; round <= ROUNDS; round++) {
        enter_space(round / 2 % 2);
        if (first)
            write_all(round);
        barrier_wait(&meeting, vcpus);
        add(&bad, wrong(round, 0));
        barrier_wait(&meeting, vcpus);
        if (first)
            lead(round);
        else
            watch(round);
        add(&bad, wrong(round, 1));
        barrier_wait(&meeting, vcpus);
        add(&bad, stores_lost(round));
        barrier_wait(&meeting, vcpus);
        if (first)
            add(&bad, others_touched(round) + (give_back(OTHERS) != PAGES));
        barrier_wait(&meeting, vcpus);
    }
}

int guest_main(void)
{
    vcpus = tree_vcpus();
    add(&bad, !vcpu_start_all(member));
    member();
    print(bad ? "revoked: FAILED\n" : "revoked: what was given back was gone\n");
    return bad != 0;
}
