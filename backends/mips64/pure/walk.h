/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The virtual CPU's page-table walker: on a miss it finds the pair in the guest's own tables (MIPS64 Privileged
 * Resource Architecture, chapter "Hardware Page Table Walking").
 *
 * A guest that has told it where its tables are hears of no miss that they can answer. A program says which word of the
 * tables to load next; loading it is the caller's:
 *
 *     if (mips_walk_begin(&w, cp0, va)) {
 *         while (!mips_walk_at_end(&w))
 *             mips_walk_on(&w, load(w.at));
 *         mips_walk_pair(&w, load(w.at), load(w.at + 8), &pair);
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

/** A walk under way. */
struct mips_walk {
    uint64_t at;    /**< virtual address of the word that is needed now; at the end, of the even page's entry */
    uint64_t va, field, size;
    unsigned shift; /**< of the level's fields in both registers; 6 at the end */
};

/** @return whether the walker is on and @p va (BadVAddr) is an address that it walks for. */
bool mips_walk_begin(struct mips_walk *w, const struct mips_cp0 *cp0, uint64_t va);
/** Are the pair's entries next? */
bool mips_walk_at_end(const struct mips_walk *w);
/** On to the next level, whose table is at @p word, the contents of `at`. */
void mips_walk_on(struct mips_walk *w, uint64_t word);
/** The pair as TLBWR would enter it. @p even and @p odd: contents of `at` and of the word behind it. ASID 0. */
void mips_walk_pair(const struct mips_walk *w, uint64_t even, uint64_t odd, struct mips_vtlb_entry *out);

#endif
