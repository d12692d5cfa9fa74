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

_Static_assert(DISCO_L2TLB_WAYS == 2, "inserting is written for two ways");

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

/*
 * Is this way the one to write to, because the key stands there already? Else it is cleared if it holds the pair by a global
 * translation, or by any when a global one is entered.
 */
static bool is_own(struct disco_l2tlb_entry *e, uint64_t bits, uint64_t key, bool global)
{
    uint64_t there = key_of(e);

    if (there == key)
        return true;
    if (same_pair(there, bits) && (global || e->note & DISCO_L2TLB_GLOBAL))
        set_key(e, 0);
    return false;
}

/* By itself, so that those after the first are short. */
__attribute__((noinline)) static int insert_first(struct disco_l2tlb *t, disco_va va, uint32_t asid,
                                                  bool global, const disco_tlbe e[2], uint64_t note)
{
    disco_context_new(t, asid);
    return disco_l2tlb_insert(t, va, asid, global, e, note);
}

int disco_l2tlb_insert(struct disco_l2tlb *t, disco_va va, uint32_t asid, bool global,
                       const disco_tlbe e[2], uint64_t note)
{
    uint64_t bits = pair_bits(t, va.v), key;
    struct disco_l2tlb_entry *set = set_of(t, va.v), *to;
    bool first, second;

    if (asid >= t->asids || note & DISCO_L2TLB_GLOBAL)
        return DISCO_ERR_BAD_ARG;
    if (!t->context_of[asid])
        return insert_first(t, va, asid, global, e, note);
    key = bits | (global ? t->global_context : t->context_of[asid]);
    first = is_own(&set[0], bits, key, global);
    second = is_own(&set[1], bits, key, global);
    to = first ? &set[0] : second ? &set[1] : victim(t, set);
    fill(to, key, e, global ? note | DISCO_L2TLB_GLOBAL : note);
    disco_count_own(&t->inserts, 1);
    return DISCO_OK;
}
