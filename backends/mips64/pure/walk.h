/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The virtual CPU's page-table walker: on a miss it finds the pair in the guest's own tables (MIPS64 Privileged
 * Resource Architecture, chapter "Hardware Page Table Walking").
 *
 * A guest that has told it where its tables are hears of no miss that they can answer. Loading their words is the
 * caller's business:
 *
 *     if (mips_tables_walked(&t, cp0, va)) {
 *         uint64_t at = PWBase;
 *         for (level = 0; level < t.last; level++)
 *             at = load(mips_tables_entry(&t, level, at, va));
 *         at = mips_tables_entry(&t, level, at, va);
 *         mips_tables_pair(&t, va, load(at), load(at + 8), &pair);
 *     }
 *
 * What it has of the architecture: directory pointers and entries of 64 bits (PS is 1 whatever is written, PTEW 0), user
 * addresses (PWCtl.XU), no base directory, no huge pages. The registers lie in a page that the guest writes: any contents
 * lead somewhere, in a bounded number of steps, and the caller checks every address. Pure.
 */
#ifndef MIPS64_PURE_WALK_H
#define MIPS64_PURE_WALK_H

#include "cp0.h"
#include "vtlb.h"

/** Reset values: levels whose widths are 0 are not there. */
#define MIPS_PWFIELD_RESET UINT64_C(0x0c30c300) /* GDI, UDI, MDI, PTI 12; PTEI 0 */
#define MIPS_PWSIZE_PS UINT64_C(0x40000000)
#define MIPS_PWCTL_EN UINT64_C(0x80000000)
#define MIPS_PWCTL_XU UINT64_C(0x04000000)

/** How a guest's tables are built: what PWField and PWSize say, taken apart once. */
struct mips_tables {
    /** The registers that the rest was made of; zeroed: of none that has levels. */
    uint64_t field, size;
    uint64_t mask[4]; /**< by level: numbers of entries in a table */
    uint8_t shift[4]; /**< by level: where in an address the number begins */
    uint8_t last;     /**< the level of the entries, at most 3; those before are directories */
};

/** @return whether the walker is on and @p va (BadVAddr) is an address that it walks for; if so, @p t is up to date. */
bool mips_tables_walked(struct mips_tables *t, const struct mips_cp0 *cp0, uint64_t va);

/** Where the entry for @p va is in the table at @p table of this level; of the last one, that of the pair's even page. */
static inline uint64_t mips_tables_entry(const struct mips_tables *t, unsigned level,
                                         uint64_t table, uint64_t va)
{
    return table + ((va >> t->shift[level] & t->mask[level]) << 3);
}

/** The pair as TLBWR would enter it. @p even and @p odd: the entries' contents. ASID 0. */
void mips_tables_pair(const struct mips_tables *t, uint64_t va, uint64_t even, uint64_t odd,
                      struct mips_vtlb_entry *out);

#endif
