/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which way an entry goes to, and aliases of global entries.
 *
 * A pair never has a global entry and one of some address space at once, for look-ups would then
 * find the older when the newer is replaced: each kind, when inserted, throws the other out.
 *
 * Replacement keeps no history, because assembly answers most look-ups and would have to write
 * it: an empty way, else a global entry whose alias is the other way (the alias serves the
 * current address space, and the guest supplies the rest again), else one of the two in turn.
 */
#include "l2tlb_private.h"

static bool is_alias_of(const struct disco_l2tlb_entry *a, const struct disco_l2tlb_entry *g)
{
    uint64_t key = key_of(g);

    return key && a->note & g->note & DISCO_L2TLB_GLOBAL &&
           same_pair(key_of(a), key & ~CONTEXT_MASK);
}

static struct disco_l2tlb_entry *victim(const struct disco_l2tlb *t, struct disco_l2tlb_entry *set)
{
    struct disco_l2tlb_entry *empty = find_key(set, 0);

    if (empty)
        return empty;
    if (is_alias_of(&set[0], &set[1]))
        return (key_of(&set[0]) & CONTEXT_MASK) == t->global_context ? &set[0] : &set[1];
    return &set[disco_load(&t->inserts) & 1];
}

static void fill(struct disco_l2tlb_entry *to, uint64_t key, const disco_tlbe e[2], uint64_t note)
{
    to->e[0] = e[0];
    to->e[1] = e[1];
    to->note = note;
    set_key(to, key);
}

/*
 * An alias is the one thing that is inserted without the page's pmap entry, by a mere look-up, so
 * a page may be forgotten between the reading of the global entry and the writing of its alias.
 * The owner therefore looks again once the alias stands; whoever forgets, clears the keys it sees
 * and then looks again too. Between the two writes and the two second looks lies a full
 * fence on each side, so that at least one sees the other's write, and no alias outlives its page.
 */
struct disco_l2tlb_entry *disco_l2set_alias(struct disco_l2tlb_entry *set,
                                            struct disco_l2tlb_entry *g, uint64_t key)
{
    struct disco_l2tlb_entry *a = g == &set[0] ? &set[1] : &set[0];
    uint64_t global_key = key_of(g);

    if (!global_key)
        return g;
    fill(a, key, g->e, g->note);
    disco_fence();
    if (key_of(g) != global_key)
        set_key(a, 0);
    return a;
}

int disco_l2tlb_insert(struct disco_l2tlb *t, disco_va va, uint32_t asid, bool global,
                       const disco_tlbe e[2], uint64_t note)
{
    uint64_t bits = pair_bits(t, va.v), context;
    struct disco_l2tlb_entry *set = set_of(t, va.v), *to;

    if (asid >= t->asids || note & DISCO_L2TLB_GLOBAL)
        return DISCO_ERR_BAD_ARG;
    context = disco_context_get(t, asid);
    if (global) {
        disco_l2set_clear_pair(set, bits);
        context = t->global_context;
        note |= DISCO_L2TLB_GLOBAL;
    } else {
        disco_l2set_forget_global(set, bits);
    }
    to = find_key(set, bits | context);
    fill(to ? to : victim(t, set), bits | context, e, note);
    disco_count_own(&t->inserts, 1);
    return DISCO_OK;
}
