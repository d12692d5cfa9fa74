/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sharing by provenance (Disco, sections 4.2.2 and 5): pages that come from one disk block or one
 * network buffer are one machine page, read-only in every VM. `lend` gives a page of this map
 * away for sharing, `share` maps one that was lent, `drop` gives one back. In
 * tests/model/pmap_entry.pml: l1 the lent page is referred to; l2 revoked; l3 read-only from then on.
 */
#include "pmap_private.h"

int disco_pmap_touch(struct disco_pmap *pm, disco_ppn ppn, unsigned node)
{
    struct hold h;
    int err;

    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, ppn);
    err = disco_entry_touch(pm, &h, node);
    disco_entry_let_go(&h);
    return err;
}

static bool shares(enum disco_pmap_reason r)
{
    return r == DISCO_PMAP_COW || r == DISCO_PMAP_NET;
}

/* Revoke the page and end our use of it, which frees it if nobody else has one. */
static void remove(struct disco_pmap *pm, struct hold *h)
{
    disco_mpn old;

    if (!word_of(h))
        return;
    old = page_of(pm, h);
    disco_entry_revoke(pm, h);
    disco_memmap_del_user(pm->mm, old, user_of(pm, h->ppn));
}

int disco_pmap_share(struct disco_pmap *pm, disco_ppn ppn, disco_mpn mpn,
                     enum disco_pmap_reason reason)
{
    struct hold h;
    int err;

    if (!shares(reason))
        return DISCO_ERR_BAD_ARG;
    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    mpn = disco_memmap_master(pm->mm, mpn);
    h = disco_entry_hold(pm, ppn);
    err = disco_memmap_add_user(pm->mm, mpn, user_of(pm, ppn));
    if (!err) {
        remove(pm, &h);
        disco_entry_publish(pm, &h, mpn, reason);
    }
    disco_entry_let_go(&h);
    return err;
}

/* A page that was read-only before has no writable translation: nothing to revoke. */
static int lend(struct disco_pmap *pm, struct hold *h, unsigned node,
                enum disco_pmap_reason reason, disco_mpn *out)
{
    int err = disco_entry_touch(pm, h, node);
    disco_mpn mpn;

    if (err)
        return err;
    mpn = page_of(pm, h);
    err = disco_memmap_get(pm->mm, mpn);
    if (err)
        return err;
    if (meta_reason(h->meta) == DISCO_PMAP_WRITABLE)
        disco_entry_revoke(pm, h);
    disco_entry_publish(pm, h, mpn, reason);
    *out = mpn;
    return DISCO_OK;
}

int disco_pmap_lend(struct disco_pmap *pm, disco_ppn ppn, unsigned node,
                    enum disco_pmap_reason reason, disco_mpn *out)
{
    struct hold h;
    int err;

    if (!shares(reason))
        return DISCO_ERR_BAD_ARG;
    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, ppn);
    err = lend(pm, &h, node, reason, out);
    disco_entry_let_go(&h);
    return err;
}

int disco_pmap_drop(struct disco_pmap *pm, disco_ppn ppn)
{
    struct hold h;

    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, ppn);
    remove(pm, &h);
    disco_entry_let_go(&h);
    return DISCO_OK;
}

/*
 * In place if nobody else has the page: a page taken back would have to be revoked, allocated and
 * zeroed all the same. A page that others share is not ours to write: give it back.
 */
int disco_pmap_zero(struct disco_pmap *pm, disco_ppn ppn)
{
    struct hold h;

    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, ppn);
    if (word_of(&h) && meta_reason(h.meta) == DISCO_PMAP_WRITABLE)
        pm->backend->ops->page_zero(pm->backend, page_of(pm, &h));
    else
        remove(pm, &h);
    disco_entry_let_go(&h);
    return DISCO_OK;
}
