/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entering a pair of pages (Disco, section 4.1.2): the guest wrote a TLB entry that names physical
 * pages; what goes into the hardware names machine pages, with the rights that both the guest
 * and the monitor grant. Both pages stay held while the caller loads the result, so that a
 * revocation comes either before, and then the merged word was never made, or after, and then it
 * finds the place in the backmap. In tests/model/pmap_entry.pml: n1 the pages are held, the lower
 * first; n2 noted, and loaded by the caller; n3 let go.
 */
#include "pmap_private.h"

static int usable(const struct disco_pmap *pm, const struct disco_pmap_pair *p, unsigned i)
{
    if (p->vcpu >= DISCO_MAX_VCPUS)
        return DISCO_ERR_BAD_ARG;
    return p->m->ppn[i].v < pm->pages ? DISCO_OK : DISCO_ERR_BAD_ADDRESS;
}

/* The entry of half @p i, if the guest wants it and the VM has it. */
static struct disco_pmap_entry *wanted(struct disco_pmap *pm, struct disco_pmap_pair *p, unsigned i)
{
    p->e[i] = 0;
    p->err[i] = p->m->want[i] ? usable(pm, p, i) : DISCO_OK;
    return p->m->want[i] && !p->err[i] ? &pm->entry[p->m->ppn[i].v] : NULL;
}

static void hold(struct disco_pmap *pm, struct disco_pmap_entry *e)
{
    (void)disco_lock_word(&e->meta, META_LOCK, pm->backend);
}

/*
 * Seldom needed: the page of half @p i, which is held, is made if there is none, and its place noted. 0: see err. The lock
 * stays with the entry, and the changed meta under it.
 */
__attribute__((noinline)) static disco_tlbe prepare(struct disco_pmap *pm,
                                                    struct disco_pmap_pair *p, unsigned i)
{
    struct hold h = disco_entry_held(p->held[i], p->m->ppn[i]);

    p->err[i] = disco_entry_touch(pm, &h, p->node);
    if (p->err[i])
        return 0;
    if (p->record)
        disco_backmap_record(pm, &h, p->vcpu, p->m->pair);
    disco_store(&h.e->meta, h.meta | META_LOCK);
    return word_of(&h);
}

/* Does the backmap say already what is to be noted? */
static bool is_noted(uint64_t meta, uint64_t place)
{
    return (meta & META_MAP_MASK) == place || (meta & META_MAP_MASK) == META_MAP_ALL;
}

/* For who reads here: the nearest copy of a page that may have some. */
static disco_tlbe nearest(const struct disco_pmap *pm, struct disco_pmap_pair *p, disco_tlbe word)
{
    const struct disco_backend_ops *ops = pm->backend->ops;
    disco_mpn master = ops->tlbe_mpn(word);

    if (!disco_memmap_replicated(pm->mm, master))
        return word;
    p->copied = true;
    return ops->tlbe_make(disco_memmap_nearest(pm->mm, master, p->node), RIGHTS_SHARED);
}

/* Most often the page is there and noted. Where there is one node, no page has a copy. */
static void enter_half(struct disco_pmap *pm, struct disco_pmap_pair *p, unsigned i, uint64_t place)
{
    const struct disco_pmap_entry *e = p->held[i];
    disco_tlbe word = disco_load(&e->tlbe);

    if (!word || !is_noted(disco_load(&e->meta), place))
        word = prepare(pm, p, i);
    if (!word)
        return;
    if (pm->backend->nodes > 1 && meta_reason(disco_load(&e->meta)) != DISCO_PMAP_WRITABLE)
        word = nearest(pm, p, word);
    p->e[i] = pm->backend->ops->tlbe_merge(p->m->want[i], word);
}

/* The lower page comes first; one that is both halves is held once. */
void disco_pmap_enter(struct disco_pmap *pm, struct disco_pmap_pair *p)
{
    unsigned i = p->m->ppn[0].v <= p->m->ppn[1].v ? 0 : 1;
    uint64_t place = p->record ? map_one(p->vcpu, p->m->pair) : 0;
    struct disco_pmap_entry *lower, *upper;

    p->copied = false;
    p->held[0] = wanted(pm, p, 0);
    p->held[1] = wanted(pm, p, 1);
    lower = p->held[i];
    upper = p->held[1 - i];
    if (lower)
        hold(pm, lower);
    if (upper && upper != lower)
        hold(pm, upper);
    for (unsigned n = 0; n < 2; n++, i = 1 - i) {
        if (p->held[i])
            enter_half(pm, p, i, place);
    }
}

static void let_go(struct disco_pmap_entry *e)
{
    disco_unlock_word(&e->meta, disco_load(&e->meta) & ~META_LOCK);
}

void disco_pmap_leave(struct disco_pmap *pm, struct disco_pmap_pair *p)
{
    struct disco_pmap_entry *even = p->held[0], *odd = p->held[1];

    (void)pm;
    if (even)
        let_go(even);
    if (odd && odd != even)
        let_go(odd);
    p->held[0] = p->held[1] = NULL;
}
