/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The TLB that a guest believes to have: 64 pairs of 4 KiB pages, all fully associative.
 *
 * Pure; the caller owns the storage and serialises the callers. A plain array without pointers, so
 * it can be saved as it is. Entries are brought into legal form when written; arguments that come
 * from the guest (index, EntryHi, Wired) may have any value.
 */
#ifndef MIPS64_PURE_VTLB_H
#define MIPS64_PURE_VTLB_H

#include <stdbool.h>
#include <stdint.h>

#define MIPS_VTLB_ENTRIES 64
#define MIPS_VTLB_HASHES 256
/** Index register after a TLBP that finds nothing. */
#define MIPS_VTLB_MISS UINT64_C(0xffffffff80000000)

/** One pair in the form of the privileged registers it is loaded from. */
struct mips_vtlb_entry {
    uint64_t hi;   /**< region, VPN2, ASID, EHINV; invalidation only sets EHINV */
    uint64_t lo0;  /**< even page; G is equal in both */
    uint64_t lo1;  /**< odd page */
    uint64_t mask; /**< PageMask; always 0, 4 KiB, whatever the guest asked for */
};

struct mips_vtlb {
    struct mips_vtlb_entry entry[MIPS_VTLB_ENTRIES];
    /** Chains of the valid entries whose VPN2 have the same hash, by slot + 1; 0 ends one. */
    uint8_t first[MIPS_VTLB_HASHES];
    uint8_t next[MIPS_VTLB_ENTRIES];
};

/**
 * Whether the virtual CPU implements @p va at all; if not, using it is an address error.
 *
 * Bits 61..40 have to be clear, or the address is one of the sign-extended 32-bit segments. The
 * real CPU has more bits, so the monitor has to ask; the functions below ignore these bits.
 */
bool mips_va_is_implemented(uint64_t va);

/** Invalidate everything, contents included. */
void mips_vtlb_reset(struct mips_vtlb *tlb);

/** Slot that translates @p va under @p asid (low 8 bits), or -1. V is not looked at. */
int mips_vtlb_match(const struct mips_vtlb *tlb, uint64_t va, uint64_t asid);

/** TLBP: the new value of Index for this EntryHi, MIPS_VTLB_MISS if nothing matches. */
uint64_t mips_vtlb_probe(const struct mips_vtlb *tlb, uint64_t entryhi);

/** TLBR: fill @p out for the registers. An invalidated entry reads as EHINV and zeros, as does,
 * with result false, a slot that does not exist. */
bool mips_vtlb_read(const struct mips_vtlb *tlb, uint64_t index, struct mips_vtlb_entry *out);

/**
 * TLBWI, TLBWR: write slot @p index (the Index register as it is) from the four registers.
 *
 * With EHINV set in `hi` the slot becomes invalid. An entry of another slot which the new one
 * overlaps (same VPN2; same ASID, or one of them global) is invalidated, and is bit n of @p dropped: no
 * two valid entries ever match one address. Its `hi` still tells what it was, and its translations must be
 * purged from below. For a slot that does not exist (P bit set, 64 and more) nothing changes, and the
 * result is false.
 */
bool mips_vtlb_write(struct mips_vtlb *tlb, uint64_t index, const struct mips_vtlb_entry *regs,
                     uint64_t *dropped);

/** TLBINVF: invalidate all. @return bit n: entry n was valid */
uint64_t mips_vtlb_invf(struct mips_vtlb *tlb);

/** TLBINV: invalidate what is not global and has the ASID of @p entryhi. @return as above */
uint64_t mips_vtlb_inv(struct mips_vtlb *tlb, uint64_t entryhi);

/** Slot for TLBWR, in [Wired, 63] with the low 6 bits of @p wired; advances the caller's @p state,
 * for which any initial value does. */
unsigned mips_vtlb_random(uint32_t *state, uint64_t wired);

#endif
