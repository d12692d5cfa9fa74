/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forgetting: a page, an address space, everything. A page's own entries, its global one and the
 * aliases all lie in one set, so forgetting it reads one cache line.
 */
#include "l2tlb_private.h"

/* The global entry of a pair, and every alias of it. */
static void forget_global(struct disco_l2tlb_entry *set, uint64_t bits)
{
    for (unsigned w = 0; w < DISCO_L2TLB_WAYS; w++) {
        if (same_pair(key_of(&set[w]), bits) && set[w].note & DISCO_L2TLB_GLOBAL)
            set_key(&set[w], 0);
    }
}

void disco_l2tlb_forget(struct disco_l2tlb *t, disco_va va, uint32_t asid)
{
    uint64_t bits = pair_bits(t, va.v);
    struct disco_l2tlb_entry *set = set_of(t, va.v), *own = NULL;

    if (asid >= t->asids)
        return;
    if (t->context_of[asid])
        own = find_key(set, bits | t->context_of[asid]);
    if (own)
        set_key(own, 0);
    forget_global(set, bits);
}

static void clear_pair(struct disco_l2tlb_entry *set, uint64_t bits)
{
    for (unsigned w = 0; w < DISCO_L2TLB_WAYS; w++) {
        if (same_pair(key_of(&set[w]), bits))
            set_key(&set[w], 0);
    }
}

/* Twice, for the sake of aliases made meanwhile: see disco_l2set_alias(). */
void disco_l2tlb_forget_vpn(struct disco_l2tlb *t, disco_vpn vpn)
{
    uint64_t va = disco_vpn_base(vpn).v, bits = pair_bits(t, va);
    struct disco_l2tlb_entry *set = set_of(t, va);

    clear_pair(set, bits);
    disco_fence();
    clear_pair(set, bits);
}

void disco_l2tlb_forget_asid(struct disco_l2tlb *t, uint32_t asid)
{
    if (asid < t->asids)
        disco_context_drop(t, asid);
}

void disco_l2tlb_forget_all(struct disco_l2tlb *t) { disco_context_drop_all(t); }

static void clear_all(struct disco_l2tlb *t)
{
    size_t entries = ((t->set_mask >> SET_SHIFT) + 1) * DISCO_L2TLB_WAYS;

    for (size_t i = 0; i < entries; i++) {
        if (key_of(&t->sets[i]))
            set_key(&t->sets[i], 0);
    }
}

void disco_l2tlb_wipe(struct disco_l2tlb *t)
{
    clear_all(t);
    disco_fence();
    clear_all(t);
    disco_count(&t->wipes, 1);
}
