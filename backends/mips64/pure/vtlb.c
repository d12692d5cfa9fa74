/* SPDX-License-Identifier: BSD-2-Clause */
#include "vtlb.h"

#include <stddef.h>

#include "cp0.h"

#define HI_MASK (MIPS_ENTRYHI_VPN2 | MIPS_ENTRYHI_ASID | MIPS_ENTRYHI_EHINV)

static bool is_global(const struct mips_vtlb_entry *e) { return e->lo0 & MIPS_ENTRYLO_G; }

static bool is_valid(const struct mips_vtlb_entry *e) { return (e->hi & MIPS_ENTRYHI_EHINV) == 0; }

static unsigned hash(uint64_t hi) { return hi >> 13 & (MIPS_VTLB_HASHES - 1); }

/* The place in the chain that names this slot, which is in it. */
static uint8_t *link_to(struct mips_vtlb *tlb, size_t slot)
{
    uint8_t *link = &tlb->first[hash(tlb->entry[slot].hi)];

    while (*link != slot + 1) {
        link = &tlb->next[*link - 1];
    }
    return link;
}

/* Every change of an entry begins like this, so that valid entries are those in the chains. */
static inline void take_out(struct mips_vtlb *tlb, size_t slot)
{
    if (is_valid(&tlb->entry[slot])) {
        *link_to(tlb, slot) = tlb->next[slot];
    }
}

__attribute__((noinline)) static void invalidate(struct mips_vtlb *tlb, size_t slot)
{
    take_out(tlb, slot);
    tlb->entry[slot].hi |= MIPS_ENTRYHI_EHINV;
}

static void put(struct mips_vtlb *tlb, size_t slot, const struct mips_vtlb_entry *e)
{
    uint8_t *first = &tlb->first[hash(e->hi)];

    take_out(tlb, slot);
    tlb->entry[slot] = *e;
    if (is_valid(e)) {
        tlb->next[slot] = *first;
        *first = (uint8_t)(slot + 1);
    }
}

static struct mips_vtlb_entry no_entry(void)
{
    return (struct mips_vtlb_entry){.hi = MIPS_ENTRYHI_EHINV};
}

/* What the hardware keeps of the four registers. An entry is global only if both halves say so. */
static struct mips_vtlb_entry legal_entry(const struct mips_vtlb_entry *regs)
{
    struct mips_vtlb_entry e = {
        .hi = regs->hi & HI_MASK,
        .lo0 = regs->lo0 & MIPS_ENTRYLO_MASK & ~MIPS_ENTRYLO_G,
        .lo1 = regs->lo1 & MIPS_ENTRYLO_MASK & ~MIPS_ENTRYLO_G,
        .mask = 0,
    };
    uint64_t global = regs->lo0 & regs->lo1 & MIPS_ENTRYLO_G;

    e.lo0 |= global;
    e.lo1 |= global;
    return e;
}

bool mips_va_is_implemented(uint64_t va)
{
    uint64_t between = ((uint64_t)1 << 62) - ((uint64_t)1 << MIPS_SEGBITS);

    return (va & between) == 0 || va >= UINT64_C(0xffffffff80000000);
}

void mips_vtlb_reset(struct mips_vtlb *tlb)
{
    for (unsigned i = 0; i < MIPS_VTLB_ENTRIES; i++) {
        tlb->entry[i] = no_entry();
        tlb->next[i] = 0;
    }
    for (unsigned i = 0; i < MIPS_VTLB_HASHES; i++) {
        tlb->first[i] = 0;
    }
}

/* Whether the entry, which is in a chain, answers for this VPN2 and, unless `any_asid`, this ASID. */
static inline bool answers(const struct mips_vtlb_entry *e, uint64_t hi, bool any_asid)
{
    uint64_t different = e->hi ^ hi;

    if (different & MIPS_ENTRYHI_VPN2) {
        return false;
    }
    return (different & MIPS_ENTRYHI_ASID) == 0 || any_asid || is_global(e);
}

int mips_vtlb_match(const struct mips_vtlb *tlb, uint64_t va, uint64_t asid)
{
    uint64_t hi = (va & MIPS_ENTRYHI_VPN2) | (asid & MIPS_ENTRYHI_ASID);

    for (unsigned n = tlb->first[hash(hi)]; n; n = tlb->next[n - 1]) {
        if (answers(&tlb->entry[n - 1], hi, false)) {
            return (int)n - 1;
        }
    }
    return -1;
}

uint64_t mips_vtlb_probe(const struct mips_vtlb *tlb, uint64_t entryhi)
{
    int index = mips_vtlb_match(tlb, entryhi, entryhi);

    return index < 0 ? MIPS_VTLB_MISS : (uint64_t)index;
}

bool mips_vtlb_read(const struct mips_vtlb *tlb, uint64_t index, struct mips_vtlb_entry *out)
{
    uint32_t slot = (uint32_t)index;

    *out = no_entry();
    if (slot >= MIPS_VTLB_ENTRIES) {
        return false;
    }
    if (is_valid(&tlb->entry[slot])) {
        *out = tlb->entry[slot];
    }
    return true;
}

/* Entries of one page under several ASIDs are in one chain; few of them overlap. */
static uint64_t drop_overlaps(struct mips_vtlb *tlb, size_t keep,
                              const struct mips_vtlb_entry *new_entry)
{
    uint64_t dropped = 0;

    for (unsigned n = tlb->first[hash(new_entry->hi)], next; n; n = next) {
        next = tlb->next[n - 1];
        if (n - 1 != keep && answers(&tlb->entry[n - 1], new_entry->hi, is_global(new_entry))) {
            invalidate(tlb, n - 1);
            dropped |= (uint64_t)1 << (n - 1);
        }
    }
    return dropped;
}

bool mips_vtlb_write(struct mips_vtlb *tlb, uint64_t index, const struct mips_vtlb_entry *regs,
                     uint64_t *dropped)
{
    size_t slot = (uint32_t)index;
    struct mips_vtlb_entry e = legal_entry(regs);

    *dropped = 0;
    if (slot >= MIPS_VTLB_ENTRIES) {
        return false;
    }
    if (is_valid(&e)) {
        *dropped = drop_overlaps(tlb, slot, &e);
    }
    put(tlb, slot, &e);
    return true;
}

uint64_t mips_vtlb_invf(struct mips_vtlb *tlb)
{
    uint64_t dropped = 0;

    for (unsigned i = 0; i < MIPS_VTLB_ENTRIES; i++) {
        dropped |= (uint64_t)is_valid(&tlb->entry[i]) << i;
        invalidate(tlb, i);
    }
    return dropped;
}

uint64_t mips_vtlb_inv(struct mips_vtlb *tlb, uint64_t entryhi)
{
    uint64_t dropped = 0;

    for (unsigned i = 0; i < MIPS_VTLB_ENTRIES; i++) {
        struct mips_vtlb_entry *e = &tlb->entry[i];
        bool same_asid = ((e->hi ^ entryhi) & MIPS_ENTRYHI_ASID) == 0;

        if (is_valid(e) && same_asid && !is_global(e)) {
            invalidate(tlb, i);
            dropped |= (uint64_t)1 << i;
        }
    }
    return dropped;
}

unsigned mips_vtlb_random(uint32_t *state, uint64_t wired)
{
    unsigned first = (unsigned)(wired & (MIPS_VTLB_ENTRIES - 1));

    /* A linear congruence has good high bits only: scale instead of taking the remainder. */
    *state = *state * 1664525u + 1013904223u;
    return first + (unsigned)(((uint64_t)*state * (MIPS_VTLB_ENTRIES - first)) >> 32);
}
