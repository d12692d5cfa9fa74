/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Look-up: one set, which is one cache line, probed for the address space's own key and then for
 * the key of a global translation. Assembly probes only the first; that is why a global entry
 * that was found leaves an alias.
 */
#include "l2tlb_private.h"

static struct disco_l2tlb_entry *find_global(const struct disco_l2tlb *t,
                                             struct disco_l2tlb_entry *set, uint64_t bits)
{
    return find_key(set, bits | t->global_context);
}

const struct disco_l2tlb_entry *disco_l2tlb_lookup(struct disco_l2tlb *t, disco_va va,
                                                   uint32_t asid)
{
    uint64_t bits = pair_bits(t, va.v), context = asid < t->asids ? t->context_of[asid] : 0;
    struct disco_l2tlb_entry *set = set_of(t, va.v);
    struct disco_l2tlb_entry *e = context ? find_key(set, bits | context) : NULL;

    if (!e && asid < t->asids) {
        e = find_global(t, set, bits);
        if (e && context)
            e = l2tlb_alias(set, e, bits | context);
    }
    disco_count_own(e ? &t->hits : &t->misses, 1);
    return e;
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
