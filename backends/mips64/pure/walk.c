/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk.h"

/*
 * Where a level's fields lie in PWField (its lowest address bit) and PWSize (how many there are): from the global directory
 * by way of the upper and the middle one to the entries.
 */
#define GLOBAL 24
#define ENTRIES 6
#define WIDTH 6 /* bits of each */

static unsigned field_at(uint64_t reg, unsigned shift)
{
    return (unsigned)(reg >> shift) & ((1u << WIDTH) - 1);
}

/* Levels of width 0 are not there; the entries always are, in pairs. */
static void learn(struct mips_tables *t, uint64_t field, uint64_t size)
{
    t->field = field;
    t->size = size;
    t->last = 0;
    for (unsigned shift = GLOBAL; shift >= ENTRIES; shift -= WIDTH) {
        unsigned width = field_at(size, shift);

        if (!width && shift != ENTRIES)
            continue;
        t->shift[t->last] = (uint8_t)field_at(field, shift);
        t->mask[t->last++] = (UINT64_C(1) << width) - 1;
    }
    t->mask[--t->last] &= ~UINT64_C(1);
}

bool mips_tables_walked(struct mips_tables *t, const struct mips_cp0 *cp0, uint64_t va)
{
    const uint64_t on = MIPS_PWCTL_EN | MIPS_PWCTL_XU;
    uint64_t field = mips_cp0_get(cp0, MIPS_CP0_PWFIELD), size = mips_cp0_get(cp0, MIPS_CP0_PWSIZE);

    if ((mips_cp0_get(cp0, MIPS_CP0_PWCTL) & on) != on || va >> MIPS_SEGBITS)
        return false;
    if (t->field != field || t->size != size)
        learn(t, field, size);
    return true;
}

/* Software's bits lie below PTEI; RI and XI, the highest of EntryLo, are next below the others. */
static uint64_t entrylo(uint64_t pte, unsigned ptei)
{
    return (pte >> ptei | pte << (-ptei & 63)) & MIPS_ENTRYLO_MASK;
}

/* One bit G for both, as in any pair. */
void mips_tables_pair(const struct mips_tables *t, uint64_t va, uint64_t even, uint64_t odd,
                      struct mips_vtlb_entry *out)
{
    unsigned ptei = field_at(t->field, 0);
    uint64_t lo0 = entrylo(even, ptei), lo1 = entrylo(odd, ptei),
             global = lo0 & lo1 & MIPS_ENTRYLO_G;

    *out = (struct mips_vtlb_entry){
        .hi = va & MIPS_ENTRYHI_VPN2,
        .lo0 = (lo0 & ~MIPS_ENTRYLO_G) | global,
        .lo1 = (lo1 & ~MIPS_ENTRYLO_G) | global,
    };
}
