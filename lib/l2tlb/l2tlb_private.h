/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_L2TLB_PRIVATE_H
#define DISCO_L2TLB_PRIVATE_H

/*
 * What the files of this library share: where an address lies, and how keys are read and written.
 *
 * Who writes what: the owner alone writes an entry's translations and note, and reads them; any
 * processor may clear its key. So keys are atomic and the rest is not. Relaxed order is enough
 * for keys: the owner sees its own writes in order, and a processor that forgets a page learns of
 * earlier inserts through the page's pmap entry, which both held. The one exception, aliases,
 * is explained at disco_l2set_alias().
 */

#include <disco/atomic.h>
#include <disco/l2tlb.h>

#define CONTEXT_MASK ((UINT64_C(1) << DISCO_L2TLB_CONTEXT_BITS) - 1)
#define SET_SHIFT 6 /* log2 of the size of a set */

_Static_assert(sizeof(struct disco_l2tlb_entry) == 32, "assembly relies on the size of an entry");
_Static_assert(sizeof(struct disco_l2tlb_entry) * DISCO_L2TLB_WAYS == 1 << SET_SHIFT,
               "a set is a cache line");
_Static_assert(offsetof(struct disco_l2tlb_entry, e) == 8, "assembly relies on it");
_Static_assert(offsetof(struct disco_l2tlb, set_mask) == 8, "assembly relies on it");
_Static_assert(offsetof(struct disco_l2tlb, hits) == 16, "assembly relies on it");
_Static_assert(offsetof(struct disco_l2tlb, sets) == 24, "assembly relies on it");

static inline struct disco_l2tlb_entry *set_of(const struct disco_l2tlb *t, uint64_t va)
{
    uint64_t offset = va >> (DISCO_PAIR_SHIFT - SET_SHIFT) & t->set_mask;

    return (struct disco_l2tlb_entry *)(void *)((uint8_t *)t->sets + offset);
}

/* The address part of a key. */
static inline uint64_t pair_bits(const struct disco_l2tlb *t, uint64_t va)
{
    return va & t->va_mask & ~CONTEXT_MASK;
}

static inline uint64_t key_of(const struct disco_l2tlb_entry *e) { return disco_load(&e->key); }
static inline void set_key(struct disco_l2tlb_entry *e, uint64_t key) { disco_store(&e->key, key); }

static inline bool same_pair(uint64_t key, uint64_t bits)
{
    return key && (key & ~CONTEXT_MASK) == bits;
}

/* The way of @p set that holds @p key, or NULL. */
static inline struct disco_l2tlb_entry *find_key(struct disco_l2tlb_entry *set, uint64_t key)
{
    for (unsigned w = 0; w < DISCO_L2TLB_WAYS; w++) {
        if (key_of(&set[w]) == key)
            return &set[w];
    }
    return NULL;
}

/* context.c: a fresh context for @p asid, which has none (this may wipe the table). */
void disco_context_new(struct disco_l2tlb *t, uint32_t asid);
/* After this @p asid has one. */
static inline void disco_context_ensure(struct disco_l2tlb *t, uint32_t asid)
{
    if (!t->context_of[asid])
        disco_context_new(t, asid);
}
/* context.c: from now on @p asid's entries match no more. */
void disco_context_drop(struct disco_l2tlb *t, uint32_t asid);
/* context.c: the same for every ASID and for global entries. */
void disco_context_drop_all(struct disco_l2tlb *t);
/* insert.c: leave a copy of the global entry @p g under @p key; the copy, or @p g. */
struct disco_l2tlb_entry *disco_l2set_alias(struct disco_l2tlb_entry *set,
                                            struct disco_l2tlb_entry *g, uint64_t key);

#endif
