/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tries to get at the memory of others (keeper.c) in every way its TLB and the monitor's calls offer.
 * Whatever it names, it finds its own memory or an exception, and never the others' secret.
 */
#include "dice.h"
#include "keeper.h"
#include "tree.h"
#include "vcpus.h"

#define VA UINT64_C(0x10000000)
#define DIRECT UINT64_C(0x4000000000000000)
#define PAGE 4096
#define LO(pfn, flags) ((pfn) << 6 | (flags))
#define PFNS UINT64_C(0xffffff)  /* the virtual CPU has 36 bits of physical address: the rest is ignored */
#define BIG UINT64_C(0x1fffe000) /* PageMask of 256 MiB */

static volatile uint64_t exceptions, stolen, bad;
static uint64_t memory;
static uint64_t mine[2][512] __attribute__((aligned(8192)));

/* Any exception: the access is skipped. */
uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    (void)cause, (void)badvaddr, (void)vector;
    exceptions++;
    return epc + 4;
}

static void expect(int good, const char *what)
{
    if (good || bad++ >= 4)
        return;
    print("steal: ");
    print(what);
    print("\n");
}

static void set(uint64_t index, uint64_t hi, uint64_t lo0, uint64_t lo1, uint64_t mask)
{
    __asm__ volatile("mtc0 %0, $0; dmtc0 %1, $10; dmtc0 %2, $2; dmtc0 %3, $3; mtc0 %4, $5; ehb" ::"r"(
                         index),
                     "r"(hi), "r"(lo0), "r"(lo1), "r"(mask)
                     : "memory");
}
static void tlbwi(void) { __asm__ volatile("tlbwi; ehb" ::: "memory"); }
static void set_wired(uint64_t n) { __asm__ volatile("mtc0 %0, $6; ehb" ::"r"(n) : "memory"); }

/* Read some words of a page; true if the first access already failed. A secret is counted. */
static int look(uint64_t va)
{
    uint64_t before = exceptions, failed;

    (void)tiny_load(va);
    failed = exceptions != before;
    for (unsigned i = 0; i < PAGE && !failed; i += 512)
        stolen += IS_SECRET(tiny_load(va + i));
    return (int)failed;
}

static int spoil(uint64_t va)
{
    uint64_t before = exceptions;

    tiny_store(va, UINT64_C(0xbadbadbadbad));
    return exceptions != before;
}

/* A page frame beyond its memory: a bus error, whatever the flags. */
static void foreign(uint64_t pfn, uint64_t flags)
{
    set(3, VA, LO(pfn, flags), LO(pfn ^ 1, flags), 0);
    tlbwi();
    expect(look(VA) & look(VA + PAGE), "a foreign page could be read");
    expect(spoil(VA) & spoil(VA + PAGE), "a foreign page could be written");
}

static void frames(void)
{
    uint64_t first = memory >> 12;

    for (uint64_t bit = 1; bit < UINT64_C(1) << 58; bit <<= 1) {
        if ((bit & PFNS) >= first)
            foreign(bit, 0x1e);
        foreign(bit | first, 0x1e);
    }
    for (uint64_t pfn = 0x80000; pfn < 0x90000; pfn += 0x80) /* the machine's memory */
        foreign(pfn, 0x1e);
    foreign(first, 0x1f); /* the next page; global */
    foreign(first, 0x16); /* other cache attributes */
    foreign(first, 0x3e);
    foreign(UINT64_MAX >> 6, UINT64_C(0xc00000000000001f));
}

static void wired(void)
{
    set_wired(16);
    for (uint64_t index = 0; index < 64; index += 5) {
        set(index, VA, LO(0x80000 + index, 0x1f), LO(0x88000 + index, 0x1f), 0);
        tlbwi();
        expect(look(VA) & look(VA + PAGE), "a wired entry led to foreign memory");
    }
    set_wired(0);
    __asm__ volatile("tlbinvf; ehb" ::: "memory");
}

/* Each address space is tried with nothing in it: what others left there must not be found. */
static void address_spaces(void)
{
    for (uint64_t asid = 0; asid < 1024; asid++) {
        uint64_t before = exceptions;

        set(0, asid, 0, 0, 0);
        (void)tiny_load(VA);
        (void)tiny_load(0x10000);
        expect(exceptions == before + 2, "an address space was not empty");
    }
}

/* Large pages: what lies beyond the first 4 KiB is ours too, or nothing. */
static void large_pages(void)
{
    set(3, VA, LO(physical(mine) >> 12, 0x1e), LO((physical(mine) >> 12) + 1, 0x1e), BIG);
    tlbwi();
    mine[0][0] = 1;
    expect(tiny_load(VA) == 1, "its own page could not be read");
    for (uint64_t at = 8192; at < UINT64_C(0x20000000); at += 0x7fe000)
        expect(look(VA + at), "a large page reached beyond its first pair");
    set(0, 0, 0, 0, 0);
}

/* Entries for addresses that belong to the monitor: they may be written, and are never used. */
static void segments(void)
{
    static const uint64_t va[] = {
        UINT64_C(0xffffffff80100000), UINT64_C(0xffffffffa0100000), UINT64_C(0x9800000080000000),
        UINT64_C(0x9000000018000000), UINT64_C(0xc000000000000000), UINT64_C(0xffffffffe0000000),
        UINT64_C(0xc00000ff80000000), UINT64_C(0x4000010000000000), UINT64_C(0x0000010000000000),
    };

    for (unsigned i = 0; i < sizeof va / sizeof *va; i++) {
        set(i, va[i], LO(physical(mine) >> 12, 0x1f), LO(physical(mine) >> 12, 0x1f), 0);
        tlbwi();
        expect(look(va[i]), "an address of the monitor could be read");
        expect(spoil(va[i]), "an address of the monitor could be written");
    }
    set(0, 0, 0, 0, 0);
}

/* Beyond its memory there is nothing, for loads and for the monitor's calls. */
static void beyond(void)
{
    for (uint64_t pa = memory; pa < UINT64_C(1) << 47; pa += pa >> 3 & ~UINT64_C(0xfff))
        expect(look(DIRECT + pa) & spoil(DIRECT + pa), "there was memory beyond the end");
    for (uint64_t pa = memory; pa < UINT64_C(1) << 47; pa += pa >> 1) {
        expect(hypcall(DISCO_CALL_CONSOLE_WRITE, pa, 8, 0, 0, 0) < 0, "foreign memory was shown");
        expect(hypcall(DISCO_CALL_PAGES_FREE, pa, PAGE, 0, 0, 0) < 0, "a foreign page was freed");
        expect(hypcall(DISCO_CALL_PAGE_ZERO, pa, 0, 0, 0, 0) < 0, "a foreign page was zeroed");
    }
    expect(hypcall(DISCO_CALL_PAGES_FREE, memory - PAGE, 2 * PAGE, 0, 0, 0) < 0,
           "a range could reach beyond the end");
}

/* What nobody thought of. Frames of its own memory are left alone: it could only harm itself there. */
static void at_random(uint64_t seed)
{
    for (unsigned i = 0; i < 2000; i++) {
        uint64_t pfn = dice(&seed) >> dice(&seed) % 40, va = dice(&seed) << 13 >> dice(&seed) % 30;

        if ((pfn & PFNS) < memory >> 12)
            pfn |= memory >> 12;
        set(dice(&seed) % 80, va, LO(pfn, dice(&seed) & 0x3f), LO(pfn, dice(&seed) & 0x3f),
            dice(&seed));
        tlbwi();
        (void)look(va & ~UINT64_C(0xfff));
    }
}

/* Its own memory was somebody else's before: it is clean. */
static void leftovers(void)
{
    for (uint64_t pa = 8 << 20; pa < memory; pa += PAGE)
        (void)look(DIRECT + pa);
}

int guest_main(void)
{
    memory = tree_memory();
    leftovers();
    frames();
    wired();
    address_spaces();
    large_pages();
    segments();
    beyond();
    at_random(tree_number("seed", 1));
    expect(!stolen, "the secret was read");
    print(bad ? "steal: FAILED\n" : "steal: nothing to be had\n");
    return bad != 0;
}
