/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk.h"

/*
 * Where a level's fields lie in PWField (its lowest address bit) and PWSize (how many there are): from the global directory
 * by way of the upper and the middle one to the entries.
 */
#define GLOBAL 24
#define ENTRIES 6
#define WIDTH 6 /* bits of each */
#define WORD_SHIFT 3

static unsigned field_at(uint64_t reg, unsigned shift)
{
    return (unsigned)(reg >> shift) & ((1u << WIDTH) - 1);
}

/* Its number in the table of this level. */
static uint64_t number(const struct mips_walk *w)
{
    return w->va >> field_at(w->field, w->shift) & ((UINT64_C(1) << field_at(w->size, w->shift)) - 1);
}

/* Levels of width 0 are skipped. */
static void look_in(struct mips_walk *w, uint64_t table)
{
    while (w->shift > ENTRIES && !field_at(w->size, w->shift))
        w->shift -= WIDTH;
    if (mips_walk_at_end(w))
        w->at = table + ((number(w) & ~UINT64_C(1)) << WORD_SHIFT);
    else
        w->at = table + (number(w) << WORD_SHIFT);
}

bool mips_walk_begin(struct mips_walk *w, const struct mips_cp0 *cp0, uint64_t va)
{
    const uint64_t on = MIPS_PWCTL_EN | MIPS_PWCTL_XU;

    if ((mips_cp0_get(cp0, MIPS_CP0_PWCTL) & on) != on || va >> MIPS_SEGBITS)
        return false;
    w->va = va;
    w->field = mips_cp0_get(cp0, MIPS_CP0_PWFIELD);
    w->size = mips_cp0_get(cp0, MIPS_CP0_PWSIZE);
    w->shift = GLOBAL;
    look_in(w, mips_cp0_get(cp0, MIPS_CP0_PWBASE));
    return true;
}

bool mips_walk_at_end(const struct mips_walk *w) { return w->shift == ENTRIES; }

void mips_walk_on(struct mips_walk *w, uint64_t word)
{
    w->shift -= WIDTH;
    look_in(w, word);
}

/* Software's bits lie below PTEI; RI and XI, the highest of EntryLo, are next below the others. */
static uint64_t entrylo(uint64_t pte, unsigned ptei)
{
    return (pte >> ptei | pte << (-ptei & 63)) & MIPS_ENTRYLO_MASK;
}

/* One bit G for both, as in any pair. */
void mips_walk_pair(const struct mips_walk *w, uint64_t even, uint64_t odd, struct mips_vtlb_entry *out)
{
    unsigned ptei = field_at(w->field, 0);
    uint64_t lo0 = entrylo(even, ptei), lo1 = entrylo(odd, ptei), global = lo0 & lo1 & MIPS_ENTRYLO_G;

    *out = (struct mips_vtlb_entry){
        .hi = w->va & MIPS_ENTRYHI_VPN2,
        .lo0 = (lo0 & ~MIPS_ENTRYLO_G) | global,
        .lo1 = (lo1 & ~MIPS_ENTRYLO_G) | global,
    };
}
