/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-up: one set, which is one cache line, probed for the address space's own key and then for
 * the key of a global translation. Assembly probes only the first; that is why a global entry
 * that was found leaves an alias.
 */
#include "l2tlb_private.h"

_Static_assert(DISCO_L2TLB_WAYS == 2, "the look-up is written for two ways");

static struct disco_l2tlb_entry *find_global(const struct disco_l2tlb *t,
                                             struct disco_l2tlb_entry *set, uint64_t bits)
{
    return find_key(set, bits | t->global_context);
}

/* Neither way held the address space's own entry. */
__attribute__((noinline)) static const struct disco_l2tlb_entry *lookup_global(
    struct disco_l2tlb *t, struct disco_l2tlb_entry *set, uint64_t bits, uint64_t context)
{
    struct disco_l2tlb_entry *e = find_global(t, set, bits);

    if (e && context)
        e = disco_l2set_alias(set, e, bits | context);
    disco_count_own(e ? &t->hits : &t->misses, 1);
    return e;
}

static inline const struct disco_l2tlb_entry *hit(struct disco_l2tlb *t,
                                                  const struct disco_l2tlb_entry *e)
{
    disco_count_own(&t->hits, 1);
    return e;
}

/* Written out, way by way: this is the path that should be short. */
const struct disco_l2tlb_entry *disco_l2tlb_lookup(struct disco_l2tlb *t, disco_va va,
                                                   uint32_t asid)
{
    uint64_t bits = pair_bits(t, va.v), context;
    struct disco_l2tlb_entry *set = set_of(t, va.v);

    if (asid >= t->asids) {
        disco_count_own(&t->misses, 1);
        return NULL;
    }
    context = t->context_of[asid];
    if (!context)
        return lookup_global(t, set, bits, 0);
    if (key_of(&set[0]) == (bits | context))
        return hit(t, &set[0]);
    if (key_of(&set[1]) == (bits | context))
        return hit(t, &set[1]);
    return lookup_global(t, set, bits, context);
}

const struct disco_l2tlb_entry *disco_l2tlb_peek(const struct disco_l2tlb *t, disco_va va,
                                                 uint32_t asid)
{
    uint64_t bits = pair_bits(t, va.v);
    struct disco_l2tlb_entry *set = set_of(t, va.v), *e = NULL;

    if (asid >= t->asids)
        return NULL;
    if (t->context_of[asid])
        e = find_key(set, bits | t->context_of[asid]);
    return e ? e : find_global(t, set, bits);
}
