/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's own TLB (64 pairs, pure/vtlb.h) on top of the L2TLB, which remembers more.
 *
 * What a guest may conclude from its TLB must stay true:
 *   - TLBP finds what the L2TLB would answer. If only the L2TLB has the pair, it is brought back
 *     into a slot, so that the guest can then overwrite it there;
 *   - an indexed write purges what stood in the slot; a random one does not, the victim lives on
 *     in the L2TLB: that is what makes the TLB look large;
 *   - no two entries for one address: older ones are dropped, and purged.
 */
#include "internal.h"

/*
 * An L2TLB note is the pair as the guest wrote it. Of an EntryLo 32 bits are in use, two at the top (RI, XI) and thirty at
 * the bottom; the last, G, is the same in both, and kept once.
 */
#define LO_PFN_MASK ((UINT64_C(1) << 24) - 1)
#define LO_BOTTOM ((UINT64_C(1) << 30) - 1)

static uint64_t note_make(const struct mips_vtlb_entry *e)
{
    uint64_t even = (uint32_t)(e->lo0 | e->lo0 >> 32), odd = (uint32_t)(e->lo1 | e->lo1 >> 32);

    return even | odd >> 1 << 32;
}

static uint64_t note_lo(uint64_t half) { return (half & LO_BOTTOM) | half >> 30 << 62; }

static uint64_t note_even(uint64_t note) { return note_lo((uint32_t)note); }

static uint64_t note_odd(uint64_t note)
{
    return note_lo(note >> 32 << 1 | (note & MIPS_ENTRYLO_G));
}

static struct mips_vtlb_entry registers(const struct mips_vcpu *a)
{
    return (struct mips_vtlb_entry){
        .hi = mips_cp0_get(a->cp0, MIPS_CP0_ENTRYHI),
        .lo0 = mips_cp0_get(a->cp0, MIPS_CP0_ENTRYLO0),
        .lo1 = mips_cp0_get(a->cp0, MIPS_CP0_ENTRYLO1),
    };
}

/* Forget a pair below the guest's TLB: L2TLB first, then the hardware. */
static void purge(struct mips_vcpu *a, const struct mips_vtlb_entry *e)
{
    uint64_t va = mips_hi_to_va(e->hi), asid = e->hi & MIPS_ENTRYHI_ASID;

    disco_l2tlb_forget(a->vcpu->l2tlb, (disco_va){va}, (uint32_t)asid);
    if (e->lo0 & e->lo1 & MIPS_ENTRYLO_G && mips_is_tagged()) {
        mips_tags_drop(a); /* it may stand there under every ASID */
        mips_set_asid(a, a->asid);
    } else {
        mips_tlb_forget(a, va, asid);
    }
}

/* Of entries that overlapped with a new one; mostly there is none. */
ASIDE static void purge_dropped(struct mips_vcpu *a, uint64_t dropped)
{
    for (; dropped; dropped &= dropped - 1)
        purge(a, &a->vtlb.entry[__builtin_ctzll(dropped)]);
}

/* Write a slot of the guest's TLB. The entry as it stands there now; NULL if there is no such slot. */
static const struct mips_vtlb_entry *write_slot(struct mips_vcpu *a, uint64_t index,
                                                const struct mips_vtlb_entry *regs)
{
    uint64_t dropped;

    if (!mips_vtlb_write(&a->vtlb, index, regs, &dropped))
        return NULL;
    if (dropped)
        purge_dropped(a, dropped);
    return &a->vtlb.entry[(uint32_t)index];
}

static void describe(const struct mips_vtlb_entry *e, struct disco_guest_map *m)
{
    m->pair = disco_va_page((disco_va){mips_hi_to_va(e->hi)});
    m->asid = (uint32_t)(e->hi & MIPS_ENTRYHI_ASID);
    m->global = e->lo0 & MIPS_ENTRYLO_G;
    m->ppn[0].v = e->lo0 >> LO_PFN_SHIFT & LO_PFN_MASK;
    m->ppn[1].v = e->lo1 >> LO_PFN_SHIFT & LO_PFN_MASK;
    m->want[0] = e->lo0 & MIPS_ENTRYLO_V ? e->lo0 : 0;
    m->want[1] = e->lo1 & MIPS_ENTRYLO_V ? e->lo1 : 0;
    m->note = note_make(e);
}

/* With the page held. */
ASIDE static bool load_held(struct mips_vcpu *a, uint64_t va, uint64_t *words, size_t n)
{
    struct disco_vcpu *v = a->vcpu;
    disco_ppn ppn;
    disco_pa pa;

    if (!mips_unmapped((disco_va){va}, &ppn))
        return false;
    pa.v = disco_ppn_base(ppn).v | (va & DISCO_PAGE_MASK);
    return !disco_pmap_peek(v->vm->pmap, pa, words, n,
                            v->vm->backend->node_of_cpu[mips_this_cpu()->id]);
}

/*
 * Words (1 or 2) of the guest's page tables, which lie where its kernel believes that nothing is mapped. On an exit they are
 * read as the guest would read them.
 */
static inline bool load_words(struct mips_vcpu *a, bool in_guest, uint64_t va, uint64_t *words,
                              size_t n)
{
    bool aligned = !(va & (n * sizeof *words - 1));
    const uint64_t *at = in_guest && aligned ? mips_find(a, (disco_va){va}) : NULL;

    if (!at)
        return load_held(a, va, words, n);
    for (size_t i = 0; i < n; i++)
        words[i] = disco_load(&at[i]);
    return true;
}

/* What the guest's page tables say, if it has a walker look there. */
static bool walk(struct mips_vcpu *a, uint64_t va, struct mips_vtlb_entry *e)
{
    bool in_guest = __atomic_load_n(&mips_this_cpu()->where, __ATOMIC_RELAXED) == MIPS_IN_GUEST;
    const struct mips_tables *t = &a->tables;
    uint64_t table, word[2];
    unsigned level;

    if (!mips_tables_walked(&a->tables, a->cp0, va))
        return false;
    table = mips_cp0_get(a->cp0, MIPS_CP0_PWBASE);
    for (level = 0; level < t->last; level++) {
        if (!load_words(a, in_guest, mips_tables_entry(t, level, table, va), &table, 1))
            return false;
    }
    if (!load_words(a, in_guest, mips_tables_entry(t, level, table, va), word, 2))
        return false;
    mips_tables_pair(t, va, word[0], word[1], e);
    e->hi |= a->asid;
    a->stats.walks++;
    return true;
}

/*
 * A pair that the walker has found is not written to the guest's TLB, where a processor would put it: the L2TLB keeps it,
 * and what the L2TLB would answer is in the guest's TLB as far as the guest can tell (recall()). One that says
 * "not valid" is kept nowhere; a guest with a walker knows that the probe in its handler may fail.
 */
int mips_guest_lookup(struct disco_vcpu *v, disco_va va, struct disco_guest_map *m)
{
    struct mips_vcpu *a = mips_of(v);
    int slot = mips_vtlb_match(&a->vtlb, va.v, a->asid);
    struct mips_vtlb_entry walked;

    if (slot < 0 && !walk(a, va.v, &walked))
        return DISCO_ERR_NOT_FOUND;
    describe(slot < 0 ? &walked : &a->vtlb.entry[slot], m);
    return DISCO_OK;
}

/* Bring a pair that only the L2TLB remembers back into the guest's TLB; the slot, or -1. */
static int recall(struct mips_vcpu *a, uint64_t hi)
{
    uint64_t va = mips_hi_to_va(hi);
    const struct disco_l2tlb_entry *e =
        disco_l2tlb_peek(a->vcpu->l2tlb, (disco_va){va}, (uint32_t)(hi & MIPS_ENTRYHI_ASID));
    struct mips_vtlb_entry back;
    unsigned slot;

    if (!e)
        return -1;
    slot = mips_vtlb_random(&a->random, mips_cp0_get(a->cp0, MIPS_CP0_WIRED));
    back = (struct mips_vtlb_entry){.hi = hi & ~MIPS_ENTRYHI_EHINV,
                                    .lo0 = note_even(e->note),
                                    .lo1 = note_odd(e->note)};
    write_slot(a, slot, &back);
    return (int)slot;
}

/*
 * The guest is told that it has no such entry, and relies on it: it will not invalidate what is not there.
 * The hardware may have one all the same, whose pair was lost from slot and L2TLB both. A global one
 * may stand under every tag; where guests have global pages, tell by the segment.
 */
static void forget_lost(struct mips_vcpu *a, uint64_t hi)
{
    uint64_t va = mips_hi_to_va(hi);

    if (mips_is_tagged() && (va >> 62 == 3 || a->user_globals)) {
        mips_tags_drop(a);
        mips_set_asid(a, a->asid);
    } else {
        mips_tlb_forget(a, va, hi & MIPS_ENTRYHI_ASID);
    }
}

void mips_guest_tlbp(struct mips_vcpu *a)
{
    uint64_t hi = mips_cp0_get(a->cp0, MIPS_CP0_ENTRYHI);
    uint64_t index = mips_vtlb_probe(&a->vtlb, hi);
    int slot;

    if (index == MIPS_VTLB_MISS) {
        slot = recall(a, hi);
        if (slot >= 0)
            index = (uint64_t)slot;
        else
            forget_lost(a, hi);
    }
    mips_cp0_set(a->cp0, MIPS_CP0_INDEX_REG, index);
}

void mips_guest_tlbr(struct mips_vcpu *a)
{
    struct mips_vtlb_entry e;

    mips_vtlb_read(&a->vtlb, mips_cp0_get(a->cp0, MIPS_CP0_INDEX_REG), &e);
    mips_cp0_set(a->cp0, MIPS_CP0_ENTRYHI, e.hi);
    mips_cp0_set(a->cp0, MIPS_CP0_ENTRYLO0, e.lo0);
    mips_cp0_set(a->cp0, MIPS_CP0_ENTRYLO1, e.lo1);
    mips_cp0_set(a->cp0, MIPS_CP0_PAGEMASK, e.mask);
}

/* The same pages under the same ASID; an entry that was invalidated, whatever its EntryHi, is not what was valid. */
static bool same_pair(const struct mips_vtlb_entry *a, const struct mips_vtlb_entry *b)
{
    return !((a->hi ^ b->hi) & (MIPS_ENTRYHI_VPN2 | MIPS_ENTRYHI_ASID | MIPS_ENTRYHI_EHINV)) &&
           !((a->lo0 ^ b->lo0) & MIPS_ENTRYLO_G);
}

/*
 * Make the new pair usable at once: the access that missed comes next. An entry for a segment that
 * is unmapped to the guest may stand in its TLB, as on a real CPU, and is never looked at.
 */
static void enter(struct mips_vcpu *a, const struct mips_vtlb_entry *e)
{
    struct disco_guest_map m;

    describe(e, &m);
    if (!mips_is_unmapped(disco_vpn_base(m.pair)))
        (void)disco_vcpu_enter_pair(a->vcpu, disco_vpn_base(m.pair), &m);
}

static void use(struct mips_vcpu *a, const struct mips_vtlb_entry *e)
{
    if (e->hi & MIPS_ENTRYHI_EHINV)
        return;
    if ((e->lo0 | e->lo1) & MIPS_ENTRYLO_V)
        enter(a, e);
    else
        purge(a, e);
}

void mips_guest_tlbwr(struct mips_vcpu *a)
{
    struct mips_vtlb_entry regs = registers(a);
    uint64_t wired = mips_cp0_get(a->cp0, MIPS_CP0_WIRED);

    use(a, write_slot(a, mips_vtlb_random(&a->random, wired), &regs));
}

void mips_guest_tlbwi(struct mips_vcpu *a)
{
    uint64_t index = mips_cp0_get(a->cp0, MIPS_CP0_INDEX_REG);
    struct mips_vtlb_entry regs = registers(a), before;
    const struct mips_vtlb_entry *now;

    mips_vtlb_read(&a->vtlb, index, &before);
    now = write_slot(a, index, &regs);
    if (!now)
        return;
    if (!(before.hi & MIPS_ENTRYHI_EHINV) && !same_pair(&before, now))
        purge(a, &before);
    use(a, now);
}

COLD void mips_guest_tlbinv(struct mips_vcpu *a, bool everything)
{
    if (everything) {
        mips_vtlb_invf(&a->vtlb);
        disco_l2tlb_forget_all(a->vcpu->l2tlb);
    } else {
        uint64_t hi = mips_cp0_get(a->cp0, MIPS_CP0_ENTRYHI);

        mips_vtlb_inv(&a->vtlb, hi);
        disco_l2tlb_forget_asid(a->vcpu->l2tlb, (uint32_t)(hi & MIPS_ENTRYHI_ASID));
    }
    mips_set_asid(a, a->asid);
    mips_tlb_flush(a);
    a->missed = 0;
}
