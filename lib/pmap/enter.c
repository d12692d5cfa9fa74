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

/* What to load for half @p i. The page is held. */
static int merge(struct disco_pmap *pm, struct disco_pmap_pair *p, unsigned i, struct hold *h)
{
    const struct disco_backend_ops *ops = pm->backend->ops;
    disco_mpn master;
    disco_tlbe word;
    int err = disco_entry_touch(pm, h, p->node);

    if (err)
        return err;
    word = word_of(h);
    master = ops->tlbe_mpn(word);
    if (meta_reason(h->meta) != DISCO_PMAP_WRITABLE && disco_memmap_replicated(pm->mm, master)) {
        word = ops->tlbe_make(disco_memmap_nearest(pm->mm, master, p->node), RIGHTS_SHARED);
        p->copied = true;
    }
    p->e[i] = ops->tlbe_merge(p->m->want[i], word);
    if (p->record)
        disco_backmap_record(pm, h, p->vcpu, p->m->pair);
    return DISCO_OK;
}

/* The lock stays with the entry; the changed copy of meta must be there for disco_pmap_leave(). */
static void keep(struct hold *h)
{
    disco_store(&h->e->meta, h->meta | META_LOCK);
}

static void enter_half(struct disco_pmap *pm, struct disco_pmap_pair *p, unsigned i)
{
    struct hold h = disco_entry_hold(pm, p->m->ppn[i]);

    p->err[i] = merge(pm, p, i, &h);
    p->held[i] = !p->err[i];
    if (p->held[i])
        keep(&h);
    else
        disco_entry_let_go(&h);
}

/* The other half is the same page, and held: nothing to lock, touch or record. */
static void enter_same(struct disco_pmap *pm, struct disco_pmap_pair *p, unsigned i)
{
    struct hold h = {.e = &pm->entry[p->m->ppn[i].v], .ppn = p->m->ppn[i]};

    h.meta = disco_load(&h.e->meta) & ~META_LOCK;
    p->err[i] = merge(pm, p, i, &h);
    keep(&h);
}

void disco_pmap_enter(struct disco_pmap *pm, struct disco_pmap_pair *p)
{
    unsigned first = p->m->ppn[0].v <= p->m->ppn[1].v ? 0 : 1, second = 1 - first;
    bool wanted[2];

    p->copied = false;
    for (unsigned i = 0; i < 2; i++) {
        p->e[i] = 0;
        p->held[i] = false;
        p->err[i] = p->m->want[i] ? usable(pm, p, i) : DISCO_OK;
        wanted[i] = p->m->want[i] && !p->err[i];
    }
    if (wanted[first])
        enter_half(pm, p, first);
    if (wanted[second] && p->held[first] && p->m->ppn[0].v == p->m->ppn[1].v)
        enter_same(pm, p, second);
    else if (wanted[second])
        enter_half(pm, p, second);
}

void disco_pmap_leave(struct disco_pmap *pm, struct disco_pmap_pair *p)
{
    for (unsigned i = 0; i < 2; i++) {
        uint64_t *meta;

        if (!p->held[i])
            continue;
        meta = &pm->entry[p->m->ppn[i].v].meta;
        disco_unlock_word(meta, disco_load(meta) & ~META_LOCK);
        p->held[i] = false;
    }
}
