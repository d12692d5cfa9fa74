/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All virtual CPUs map the same addresses, each as it likes, and change that all the time while the
 * others use theirs: each sees the page that it mapped itself, and the pages beside them stay as
 * they are.
 */
#include "dice.h"
#include "tree.h"
#include "vcpus.h"

#define STEPS 1500
#define VA UINT64_C(0x10000000)
#define SPACES 4 /* address spaces of each virtual CPU */
#define LO(pa, global) ((pa) >> 12 << 6 | 0x1e | (global)) /* cached, dirty, valid */
#define EHINV 0x400
#define SLOT 3

#define EXC_TLBL 2
#define EXC_TLBS 3

static struct barrier meeting;
static uint64_t page[4][512] __attribute__((aligned(8192)));
static volatile uint64_t bad;
static unsigned vcpus;
/* Each virtual CPU's page table: which page both halves of the pair at VA lead to. */
static uint8_t table[MAX_VCPUS][SPACES][2];

static uint64_t name_of(unsigned n) { return UINT64_C(0x1234567800000000) + n; }

static void set(uint64_t hi, uint64_t lo0, uint64_t lo1)
{
    __asm__ volatile("mtc0 %0, $0; dmtc0 %1, $10; dmtc0 %2, $2; dmtc0 %3, $3; ehb" ::"r"(SLOT),
                     "r"(hi), "r"(lo0), "r"(lo1)
                     : "memory");
}
static void set_hi(uint64_t hi) { __asm__ volatile("dmtc0 %0, $10; ehb" ::"r"(hi) : "memory"); }
static void tlbwi(void) { __asm__ volatile("tlbwi; ehb" ::: "memory"); }
static void tlbwr(void) { __asm__ volatile("tlbwr; ehb" ::: "memory"); }

static uint64_t space(void)
{
    uint64_t hi;

    __asm__ volatile("dmfc0 %0, $10" : "=r"(hi));
    return hi & 0xff;
}

static void set_entry(uint64_t asid)
{
    const uint8_t *half = table[vcpu_id()][asid];

    set(VA | asid, LO(physical(page[half[0]]), 0), LO(physical(page[half[1]]), 0));
}

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if ((EXC_CODE(cause) != EXC_TLBL && EXC_CODE(cause) != EXC_TLBS) || vector != 0x80)
        tiny_unexpected(cause, epc, badvaddr, vector);
    set_entry(space());
    tlbwr();
    return epc;
}

/* Drop the entry of this address space, wherever it stands. */
static void drop(uint64_t asid)
{
    int64_t index;

    set_hi(VA | asid);
    __asm__ volatile("tlbp; ehb; mfc0 %0, $0" : "=r"(index)::"memory");
    if (index >= 0) {
        __asm__ volatile("dmtc0 %0, $10; dmtc0 $0, $2; dmtc0 $0, $3; ehb; tlbwi; ehb" ::"r"(
                             VA | EHINV | asid)
                         : "memory");
    }
    set_hi(asid);
}

/* Change this address space: in place, or by forgetting what was and letting a miss fill it in. */
static void change(uint64_t asid, uint64_t how)
{
    uint8_t *half = table[vcpu_id()][asid];

    half[0] = 1 + (how & 1);
    half[1] = 1 + (how >> 1 & 1);
    drop(asid);
    if (how & 4) {
        set_entry(asid);
        tlbwi();
    } else if (how & 8) {
        __asm__ volatile("tlbinv; ehb" ::: "memory");
    }
}

/* Both halves lead where this virtual CPU's table says, for loads and for stores. */
static int right(uint64_t asid, uint64_t value)
{
    unsigned me = vcpu_id();
    int ok = 1;

    for (unsigned h = 0; h < 2; h++) {
        unsigned n = table[me][asid][h];
        uint64_t va = VA + h * 4096;

        ok &= tiny_load(va) == name_of(n);
        tiny_store(va + 64 + 8 * me, value + h);
        ok &= load(&page[n][8 + me]) == value + h;
    }
    return ok;
}

static void member(void)
{
    uint64_t seed = vcpu_id() + 1;

    barrier_wait(&meeting, vcpus);
    for (uint64_t i = 0; i < STEPS; i++) {
        uint64_t asid = dice(&seed) % SPACES;

        set_hi(asid);
        if (dice(&seed) % 2)
            change(asid, dice(&seed));
        add(&bad, !right(asid, i << 8));
        if (i % 64 == 0)
            relax();
        reset_sometime();
    }
    barrier_wait(&meeting, vcpus);
}

static int guards_touched(void)
{
    int touched = 0;

    for (unsigned n = 0; n < 4; n += 3) { /* the first and the last are mapped by nobody */
        for (unsigned i = 0; i < 512; i++)
            touched |= page[n][i] != name_of(n);
    }
    return touched;
}

int guest_main(void)
{
    vcpus = tree_vcpus();
    for (unsigned n = 0; n < 4; n++) {
        for (unsigned i = 0; i < 512; i++)
            page[n][i] = name_of(n);
    }
    for (unsigned n = 0; n < sizeof table; n++)
        ((uint8_t *)table)[n] = 1;
    add(&bad, !vcpu_start_all(member));
    member();
    add(&bad, (uint64_t)guards_touched());
    print(bad ? "remap: FAILED\n" : "remap: each saw its own pages\n");
    return bad != 0;
}
