/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Write faults: the one place where a page that the monitor keeps read-only becomes writable.
 *
 *   COW, NET   others use the page too: a copy of one's own, or zeros if the guest has no use for the
 *              contents (dead.c). Nobody else: just take it.
 *              "Nobody else" means one reference, our own: a disk cache or a log that
 *              refers to the page counts as somebody. Nobody can start to refer to it meanwhile
 *              either, for that takes a reference of one's own, or this entry (disco_pmap_lend).
 *              The entry's lock keeps others from coming, not from going: of two users that write at the same
 *              moment each may find the other still there, and then both copy. One of the copies was in vain
 *              (the last to finish frees the old page), none is wrong; to know better, a page's users would have
 *              to wait for each other over the whole of a copy. So of n users that write, all but one copy at
 *              least, and each counts once, as a copy or as the one that took the page over.
 *   REPLICA    collapse: the copies go, the master stays.
 *
 * In tests/model/pmap_entry.pml: f1 is it the last user, else a new page; f2 the old one is revoked;
 * f3 and given up.
 */
#include "pmap_private.h"

static void take_over(struct disco_pmap *pm, struct hold *h)
{
    bool replica = meta_reason(h->meta) == DISCO_PMAP_REPLICA;
    disco_mpn mpn = page_of(pm, h);
    struct disco_pmap_stats *s;

    disco_entry_revoke(pm, h);
    disco_memmap_drop_replicas(pm->mm, mpn);
    disco_entry_publish(pm, h, mpn, DISCO_PMAP_WRITABLE);
    s = stats_here(pm);
    disco_count_own(replica ? &s->collapses : &s->write_reused, 1);
}

static int copy_out(struct disco_pmap *pm, struct hold *h, unsigned node)
{
    bool net = meta_reason(h->meta) == DISCO_PMAP_NET, dead;
    disco_mpn old = page_of(pm, h), mpn;
    int err = disco_entry_new_page(pm, h->ppn, node, &mpn);
    struct disco_pmap_stats *s;

    if (err)
        return err;
    dead = disco_dead_marked(pm, h->ppn);
    disco_entry_revoke(pm, h);
    if (dead)
        pm->backend->ops->page_zero(pm->backend, mpn);
    else
        pm->backend->ops->page_copy(pm->backend, mpn, disco_memmap_nearest(pm->mm, old, node));
    disco_memmap_del_user(pm->mm, old, user_of(pm, h->ppn));
    disco_entry_publish(pm, h, mpn, DISCO_PMAP_WRITABLE);
    s = stats_here(pm);
    disco_count_own(dead ? &s->dead : net ? &s->net_copies : &s->cow_copies, 1);
    return DISCO_OK;
}

int disco_entry_own(struct disco_pmap *pm, struct hold *h, unsigned node)
{
    int err = disco_entry_touch(pm, h, node);

    if (err || meta_reason(h->meta) == DISCO_PMAP_WRITABLE)
        return err;
    if (meta_reason(h->meta) == DISCO_PMAP_REPLICA ||
        disco_memmap_refs(pm->mm, page_of(pm, h)) == 1) {
        take_over(pm, h);
        return DISCO_OK;
    }
    return copy_out(pm, h, node);
}

int disco_pmap_write_fault(struct disco_pmap *pm, disco_ppn ppn, unsigned node)
{
    struct hold h;
    int err;

    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, ppn);
    err = disco_entry_own(pm, &h, node);
    disco_entry_let_go(&h);
    return err;
}
