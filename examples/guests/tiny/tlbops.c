/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The TLB that a guest believes to have, through the architecture's own instructions: what is
 * written is found, read back and used; what is replaced, invalidated or of another address space
 * is gone, although the monitor remembers more pairs than the guest has entries.
 */
#include "tiny.h"

#define ENTRIES 64
#define VA UINT64_C(0x100000000)
#define PAIR UINT64_C(0x2000)
#define LO(pa, flags) ((pa) >> 12 << 6 | 3 << 3 | (flags))
#define D 4
#define V 2
#define G 1
#define XI (UINT64_C(1) << 62)
#define EHINV 0x400
#define PAIRS 100

static uint64_t page[2 * PAIRS][512] __attribute__((aligned(8192)));
static volatile uint64_t faults, code, vector_of;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    (void)badvaddr;
    faults++;
    code = EXC_CODE(cause);
    vector_of = vector;
    return epc + 4;
}

static void set_hi(uint64_t hi) { __asm__ volatile("dmtc0 %0, $10; ehb" ::"r"(hi) : "memory"); }

static void set(unsigned index, uint64_t hi, uint64_t lo0, uint64_t lo1)
{
    __asm__ volatile("mtc0 %0, $0; dmtc0 %1, $10; dmtc0 %2, $2; dmtc0 %3, $3; ehb" ::"r"(index),
                     "r"(hi), "r"(lo0), "r"(lo1)
                     : "memory");
}

static void tlbwi(void) { __asm__ volatile("tlbwi; ehb" ::: "memory"); }
static void tlbwr(void) { __asm__ volatile("tlbwr; ehb" ::: "memory"); }

static int64_t probe(uint64_t hi)
{
    int64_t index;

    set_hi(hi);
    __asm__ volatile("tlbp; ehb; mfc0 %0, $0" : "=r"(index)::"memory");
    return index;
}

/* What stands in an entry: EntryHi, EntryLo0, EntryLo1. */
static void read_entry(unsigned index, uint64_t e[3])
{
    __asm__ volatile("mtc0 %3, $0; ehb; tlbr; ehb; dmfc0 %0, $10; dmfc0 %1, $2; dmfc0 %2, $3"
                     : "=&r"(e[0]), "=&r"(e[1]), "=&r"(e[2])
                     : "r"(index)
                     : "memory");
}

/* Map pair `n` of our pages at VA + n pairs in address space `asid`. */
static void map(unsigned index, unsigned n, uint64_t asid, uint64_t flags, int random)
{
    uint64_t pa = physical(page[2 * n]);

    set(index, (VA + n * PAIR) | asid, LO(pa, flags), LO(pa + 4096, flags));
    if (random)
        tlbwr();
    else
        tlbwi();
}

static uint64_t at(unsigned n, unsigned half) { return VA + n * PAIR + half * 4096; }

/* Does a load at pair `n` fault? */
static int load_faults(unsigned n)
{
    uint64_t before = faults;

    (void)tiny_load(at(n, 0));
    return faults != before;
}

static int failed(const char *what)
{
    print("tlbops: ");
    print(what);
    print("\n");
    return 1;
}

static int indexed(void)
{
    uint64_t e[3];

    map(5, 0, 7, D | V, 0);
    if (probe(VA | 7) != 5 || probe(VA | 8) >= 0 || probe(VA + PAIR) >= 0)
        return failed("probe");
    set(5, 0, 0, 0);
    read_entry(5, e);
    if (e[0] != (VA | 7) || e[1] != LO(physical(page[0]), D | V) ||
        e[2] != LO(physical(page[1]), D | V))
        return failed("read back");
    tiny_store(at(0, 0), 1);
    tiny_store(at(0, 1), 2);
    if (faults || page[0][0] != 1 || page[1][0] != 2)
        return failed("use");
    map(5, 1, 7, D | V, 0);
    set_hi(7);
    if (!load_faults(0) || code != 2 || vector_of != 0x80)
        return failed("replaced entry");
    tiny_store(at(1, 0), 1);
    set(5, (VA + PAIR) | EHINV | 7, 0, 0);
    tlbwi();
    set_hi(7);
    return load_faults(1) && code == 2 && vector_of == 0x80 ? 0 : failed("entry made invalid");
}

static int rights(void)
{
    map(6, 2, 7, V, 0);
    faults = 0;
    (void)tiny_load(at(2, 0));
    if (faults)
        return failed("read-only page cannot be read");
    tiny_store(at(2, 0), 1);
    if (faults != 1 || code != 1)
        return failed("store to a read-only page");
    map(6, 2, 7, D | V, 0);
    tiny_store(at(2, 0), 1);
    if (faults != 1)
        return failed("store after the upgrade");
    map(6, 2, 7, 0, 0);
    return load_faults(2) && code == 2 && vector_of == 0x180 ? 0 : failed("invalid entry");
}

static int spaces(void)
{
    map(7, 3, 7, D | V, 0);
    map(8, 4, 7, D | V | G, 0);
    set_hi(9);
    if (!load_faults(3) || load_faults(4))
        return failed("another address space");
    set_hi(7);
    if (load_faults(3) || load_faults(4))
        return failed("back in the first address space");
    __asm__ volatile("tlbinv; ehb" ::: "memory");
    if (!load_faults(3) || load_faults(4))
        return failed("tlbinv");
    __asm__ volatile("tlbinvf; ehb" ::: "memory");
    return load_faults(4) ? 0 : failed("tlbinvf");
}

/* Does the entry hold what many() writes for pair `n`? */
static int is_as_written(unsigned index, unsigned n)
{
    uint64_t pa = physical(page[2 * n]), e[3];

    read_entry(index, e);
    return e[0] == ((VA + n * PAIR) | 7) && e[1] == LO(pa, D | V) &&
           e[2] == (LO(pa + 4096, V) | XI);
}

/* More pairs than entries: those that the guest lost may still work, and a probe finds them then. */
static int many(void)
{
    unsigned found = 0;

    for (unsigned n = 0; n < PAIRS; n++) {
        uint64_t pa = physical(page[2 * n]);

        page[2 * n][0] = n;
        set(0, (VA + n * PAIR) | 7, LO(pa, D | V), LO(pa + 4096, V) | XI);
        tlbwr();
    }
    set_hi(7);
    for (unsigned n = 0; n < PAIRS; n++) {
        int fault = load_faults(n);
        int64_t index = probe((VA + n * PAIR) | 7);

        if (!fault && (tiny_load(at(n, 0)) != n || index < 0 || index >= ENTRIES))
            return failed("a pair that works is not found");
        if (index >= 0 && !is_as_written((unsigned)index, n))
            return failed("a pair is found, and not as it was written");
        found += !fault;
        if (index >= 0) {
            set((unsigned)index, 0xffffffff80000000 | EHINV, 0, 0);
            tlbwi();
            set_hi(7);
            if (!load_faults(n))
                return failed("a pair works after it was overwritten");
        }
    }
    return found >= ENTRIES / 2 ? 0 : failed("too few pairs found");
}

int guest_main(void)
{
    int bad = indexed() || rights() || spaces() || many();

    print(bad ? "tlbops: FAILED\n" : "tlbops: as the architecture says\n");
    return bad;
}
