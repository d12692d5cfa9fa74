/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_L2TLB_H
#define DISCO_L2TLB_H

/**
 * @file l2tlb.h
 * @brief Second-level software TLB: one virtual CPU's recent virtual-to-machine translations.
 *
 * The hardware TLB is small, and a guest kernel that was moved into mapped memory needs more of
 * it. The monitor therefore looks here first on every hardware miss; only when nothing is found
 * does the guest hear of it (Disco, section 4.1.2). To the guest it seems that the machine had a
 * much larger TLB.
 *
 * Shape: two ways a set, an entry is 32 bytes, a set is one cache line. A look-up reads one set:
 * that of @c va lies `(va >> 7) & set_mask` bytes from `sets`.
 * The layout is public because backends look entries up in assembly.
 *
 * Key: `(va & va_mask & ~pair) | context`, where the context (13 bits) is a small number that
 * stands for the guest's address space identifier *until its translations are dropped*: dropping
 * an ASID gives it a fresh context, in O(1), and its old entries can no longer match. When the
 * contexts run out, the table is wiped once.
 *
 * Global translations match every ASID. They are kept under a context of their own; a look-up
 * under an ASID that finds one leaves a copy (an alias) under the ASID's context, so that
 * assembly need probe only one key. Forgetting a page forgets its aliases.
 *
 * Concurrency: one owner (the processor that runs the virtual CPU) looks up and inserts.
 * Any processor may call disco_l2tlb_forget_vpn() and disco_l2tlb_wipe(); the rule that keeps a
 * forgotten page from coming back is the caller's: insert only while the page's pmap entry is
 * held. Hardware TLBs are purged *after* the L2TLB, so that a look-up that overtook the purge is
 * caught there.
 */

#include <disco/arch.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Entries of a set, which together fill a cache line. */
#define DISCO_L2TLB_WAYS 2
/** Width of a context: the bits of a key that a pair's address leaves free. */
#define DISCO_L2TLB_CONTEXT_BITS DISCO_PAIR_SHIFT
/** In an entry's note: the translation is global, or an alias of a global one. */
#define DISCO_L2TLB_GLOBAL (UINT64_C(1) << 63)

/** One pair of pages; key 0 = empty. 32 bytes: assembly relies on it. */
struct disco_l2tlb_entry {
    uint64_t key;
    disco_tlbe e[2]; /**< even and odd page, ready to load; 0 = not valid */
    uint64_t note;   /**< bits 62..0 the caller's, bit 63 DISCO_L2TLB_GLOBAL */
};

/**
 * The table's head; assembly reads the first three words and the sets.
 *
 * A processor that presents `tag` (address bits and *hardware* ASID in one word, as MIPS EntryHi)
 * finds the key of the current address space as `tag ^ flip`.
 */
struct disco_l2tlb {
    uint64_t flip;     /**< hardware ASID ^ context of the current address space */
    uint64_t set_mask; /**< (sets - 1) * sizeof set: mask for a byte offset */
    uint64_t hits;     /**< look-ups answered; the assembly path counts here too */
    struct disco_l2tlb_entry *sets;
    uint64_t misses; /**< look-ups not answered */
    uint64_t inserts;
    uint64_t wipes;
    uint64_t va_mask;
    uint16_t *context_of; /**< by ASID; 0 = none handed out yet */
    uint32_t asids;
    uint32_t next_context;
    uint32_t global_context;
    uint32_t current_asid;
    uint64_t hw_asid;
};

/** Bytes of storage for @p sets sets (a power of two) and @p asids address spaces. */
size_t disco_l2tlb_size(size_t sets, unsigned asids);

/**
 * Make an empty table in @p storage (64-byte aligned, @p size bytes, owned by the caller until it
 * no longer uses @p t). @p va_mask: the address bits that a TLB compares.
 * @return 0, DISCO_ERR_BAD_ARG, DISCO_ERR_NO_SPACE.
 */
int disco_l2tlb_init(struct disco_l2tlb *t, void *storage, size_t size, size_t sets, unsigned asids,
                     uint64_t va_mask);

/**
 * The guest's current ASID is @p asid, for which the hardware holds @p hw_asid (in the context's
 * bits: below 2^13). Owner only. @return 0 or DISCO_ERR_BAD_ARG.
 */
int disco_l2tlb_set_asid(struct disco_l2tlb *t, uint32_t asid, uint64_t hw_asid);

/**
 * Look @p va up under @p asid. The pointer stays good until the owner's next insert.
 * @return the entry, or NULL. Counts a hit or a miss. Owner only; O(1), one cache line.
 */
const struct disco_l2tlb_entry *disco_l2tlb_lookup(struct disco_l2tlb *t, disco_va va,
                                                   uint32_t asid);

/** The same without counting and without leaving an alias: what would a look-up find? */
const struct disco_l2tlb_entry *disco_l2tlb_peek(const struct disco_l2tlb *t, disco_va va,
                                                 uint32_t asid);

/**
 * Enter a pair, replacing what was there: the address space's own entry and a global one; a global
 * entry replaces those of all address spaces. The caller holds the pmap entries of both pages.
 * Owner only.
 * @return 0, or DISCO_ERR_BAD_ARG for an ASID out of range or a note with bit 63 set.
 */
int disco_l2tlb_insert(struct disco_l2tlb *t, disco_va va, uint32_t asid, bool global,
                       const disco_tlbe e[2], uint64_t note);

/** Forget the pair of @p va under @p asid, and a global one with its aliases. Owner only. O(1). */
void disco_l2tlb_forget(struct disco_l2tlb *t, disco_va va, uint32_t asid);
/** Forget the pair of @p vpn under every ASID. Any processor. O(1). */
void disco_l2tlb_forget_vpn(struct disco_l2tlb *t, disco_vpn vpn);
/** Forget everything of @p asid that is not global. Owner only. O(1). */
void disco_l2tlb_forget_asid(struct disco_l2tlb *t, uint32_t asid);
/** Forget everything. Owner only. O(1) but for the table of contexts. */
void disco_l2tlb_forget_all(struct disco_l2tlb *t);
/** Forget everything, from any processor. O(size). */
void disco_l2tlb_wipe(struct disco_l2tlb *t);

#ifdef __cplusplus
}
#endif
#endif
