/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The real TLB, and the form of its entries: EntryLo of MIPS64 Release 6.
 *
 * Revoking goes by tlbp and tlbwi, or by TLBINVF, and never by bookkeeping alone: an entry that
 * was overwritten by tlbwr may still translate (QEMU keeps such entries in a hidden area).
 *
 * Index 0 is wired: the privileged-register page of the virtual CPU that runs here.
 */
#include "internal.h"

#define LO_G 1u
#define LO_V 2u
#define LO_D 4u
#define LO_CACHED (5u << 3)
#define LO_XI (UINT64_C(1) << 62)
#define LO_RI (UINT64_C(1) << 63)
/* Marks in words of a pmap, which are never loaded as they are then: vectors.S looks at bit 63 first. */
#define LO_COPIED LO_RI
#define LO_SUPERPAGE (LO_RI | UINT64_C(1) << 61)
#define INDEX_MISS 0x80000000u
#define PAIR_MASK UINT64_C(0xffffffffffffe000)

disco_tlbe mips_tlbe_make(disco_mpn mpn, unsigned rights)
{
    return mpn.v << LO_PFN_SHIFT | LO_CACHED | LO_V | (rights & DISCO_WRITE ? LO_D : 0) |
           (rights & DISCO_EXEC ? 0 : LO_XI) | (rights & DISCO_COPIED ? LO_COPIED : 0) |
           (rights & DISCO_SUPERPAGE ? LO_SUPERPAGE : 0) | (rights & DISCO_GLOBAL ? LO_G : 0);
}

disco_tlbe mips_tlbe_merge(disco_tlbe guest, disco_tlbe monitor)
{
    uint64_t both = guest & monitor;

    uint64_t taken = LO_XI | LO_RI | (mips_is_tagged() ? 0 : LO_G);

    if (!(both & LO_V))
        return 0;
    return (monitor & ~(LO_D | LO_G | LO_COPIED | LO_SUPERPAGE)) | (both & LO_D) | (guest & taken);
}

disco_mpn mips_tlbe_mpn(disco_tlbe e)
{
    return (disco_mpn){e >> LO_PFN_SHIFT & ((UINT64_C(1) << LO_PFN_BITS) - 1)};
}

unsigned mips_tlbe_rights(disco_tlbe e)
{
    if (!(e & LO_V))
        return 0;
    return (e & LO_RI ? 0 : DISCO_READ) | (e & LO_D ? DISCO_WRITE : 0) |
           (e & LO_XI ? 0 : DISCO_EXEC);
}

static inline void tlbp(void) { __asm__ volatile("ehb; tlbp; ehb" ::: "memory"); }
static inline void tlbwi(void) { __asm__ volatile("ehb; tlbwi; ehb" ::: "memory"); }
static inline void tlbwr(void) { __asm__ volatile("ehb; tlbwr; ehb" ::: "memory"); }

/*
 * QEMU's hidden area takes up to 112 pairs, and gives none up for a new one: full, it leaves 16 places to those that
 * come. A tlbr empties it, here, where most of what it holds is of an address space that is left. Index 0, whose PageMask is
 * that of all; EntryHi is the caller's business.
 */
static inline void forget_overwritten(void)
{
    mips_set32(C0_INDEX, 0);
    __asm__ volatile("ehb; tlbr; ehb" ::: "memory");
}

void mips_set_asid(struct mips_vcpu *a, uint64_t asid)
{
    a->asid = asid;
    a->tag = mips_tag(a, asid);
    a->missed = 0;
    forget_overwritten();
    disco_l2tlb_set_asid(a->vcpu->l2tlb, (uint32_t)asid, a->tag);
    mips_set(C0_ENTRYHI, a->tag);
    mips_ehb();
}

/*
 * After a refill there is nothing to replace (`missed` knows the pair, for the current ASID);
 * whatever else loads must look first, for two entries that match are an error.
 */
static inline void load(struct mips_vcpu *a, uint64_t va, uint64_t tag, uint64_t g,
                        const disco_tlbe e[2])
{
    bool absent = a->missed == (va | 1) && tag == a->tag;

    mips_set(C0_ENTRYHI, va | tag);
    mips_set(C0_ENTRYLO0, e[0] | g);
    mips_set(C0_ENTRYLO1, e[1] | g);
    if (!absent)
        tlbp();
    if (absent || mips_get32(C0_INDEX) & INDEX_MISS)
        tlbwr();
    else
        tlbwi();
    if (tag != a->tag)
        mips_set(C0_ENTRYHI, a->tag);
    if (absent)
        a->missed = 0;
}

/* For another address space than the current one. */
ASIDE static void load_other(struct mips_vcpu *a, uint64_t va, uint32_t asid, uint64_t g,
                             const disco_tlbe e[2])
{
    load(a, va, mips_tag(a, asid), g, e);
}

void mips_tlb_load(struct disco_vcpu *v, disco_vpn pair, uint32_t asid, bool global,
                   const disco_tlbe e[2])
{
    struct mips_vcpu *a = mips_of(v);
    uint64_t va = disco_vpn_base(pair).v & PAIR_MASK;
    uint64_t g = global && !mips_is_tagged() ? LO_G : 0;

    a->user_globals |= global && va >> 62 == 0;
    if (asid == a->asid)
        load(a, va, a->tag, g, e);
    else
        load_other(a, va, asid, g, e);
}

/*
 * An entry that matches nothing; each index has its own address, so that no two are equal. EntryHi
 * keeps the guest's ASID throughout: changing it costs more than the rest.
 */
static void write_empty(unsigned index, uint64_t asid)
{
    mips_set32(C0_INDEX, index);
    mips_set(C0_ENTRYHI, (MIPS_XKPHYS + ((uint64_t)index << DISCO_PAIR_SHIFT)) | asid);
    mips_set(C0_ENTRYLO0, 0);
    mips_set(C0_ENTRYLO1, 0);
    tlbwi();
}

void mips_tlb_forget(struct mips_vcpu *a, uint64_t va, uint64_t asid)
{
    uint32_t index;
    uint64_t tag;

    if (!mips_tag_known(a, asid, &tag)) /* then nothing was ever entered under it */
        return;
    mips_set(C0_ENTRYHI, (va & PAIR_MASK) | tag);
    tlbp();
    index = mips_get32(C0_INDEX);
    if (!(index & INDEX_MISS))
        write_empty(index, a->tag);
    mips_set(C0_ENTRYHI, a->tag);
    mips_ehb();
}

/* The one global entry of both regimes; index 0, which tlbwr leaves alone. EntryHi gets the page's ASID, 0. */
static void write_wired(const struct mips_vcpu *a)
{
    mips_set32(C0_PAGEMASK, 0);
    mips_set32(C0_WIRED, 1);
    mips_set32(C0_INDEX, 0);
    mips_set(C0_ENTRYHI, DISCO_PAGE_ADDR);
    mips_set(C0_ENTRYLO0, mips_tlbe_make(a->page, DISCO_READ | DISCO_WRITE) | LO_G);
    mips_set(C0_ENTRYLO1, LO_G);
    tlbwi();
}

void mips_tlb_flush(const struct mips_vcpu *a)
{
    __asm__ volatile("ehb; tlbinvf; ehb" ::: "memory");
    if (a)
        write_wired(a);
    mips_set(C0_ENTRYHI, a ? a->tag : 0);
    mips_ehb();
}

void mips_tlb_wire(const struct mips_vcpu *a)
{
    write_wired(a);
    mips_set(C0_ENTRYHI, a->tag);
    mips_ehb();
}
