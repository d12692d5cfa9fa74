/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving pages between nodes (Disco, section 4.2.1). The guest cannot see it: its physical page
 * stays what it was, and only the machine page behind it changes. Both calls refuse to fall back
 * on a third node, for a page there is no gain.
 */
#include "pmap_private.h"

static int migrate(struct disco_pmap *pm, struct hold *h, unsigned node)
{
    disco_mpn old, mpn;
    int err;

    if (!word_of(h))
        return DISCO_ERR_NOT_FOUND;
    old = page_of(pm, h);
    if (disco_memmap_node(pm->mm, old) == node)
        return DISCO_OK;
    if (disco_memmap_refs(pm->mm, old) != 1)
        return DISCO_ERR_BUSY;
    err = disco_entry_page_on(pm, node, &mpn);
    if (!err)
        err = disco_memmap_adopt(pm->mm, mpn, user_of(pm, h->ppn));
    if (err)
        return err;
    disco_entry_revoke(pm, h);
    pm->backend->ops->page_copy(pm->backend, mpn, old);
    disco_memmap_del_user(pm->mm, old, user_of(pm, h->ppn));
    disco_entry_publish(pm, h, mpn, DISCO_PMAP_WRITABLE);
    return DISCO_OK;
}

int disco_pmap_migrate(struct disco_pmap *pm, disco_ppn ppn, unsigned node)
{
    struct hold h;
    int err;

    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, ppn);
    err = migrate(pm, &h, node);
    disco_entry_let_go(&h);
    return err;
}

/* Revoked first: the copy must be of a page that nobody writes, and `node` must look anew. */
static int replicate(struct disco_pmap *pm, struct hold *h, unsigned node)
{
    enum disco_pmap_reason reason = meta_reason(h->meta);
    disco_mpn master, copy;
    int err;

    if (!word_of(h))
        return DISCO_ERR_NOT_FOUND;
    if (disco_dead_is_map(pm, h))
        return DISCO_ERR_BUSY;
    master = page_of(pm, h);
    if (disco_memmap_node(pm->mm, disco_memmap_nearest(pm->mm, master, node)) == node)
        return DISCO_OK;
    err = disco_entry_page_on(pm, node, &copy);
    if (err)
        return err;
    disco_entry_revoke(pm, h);
    pm->backend->ops->page_copy(pm->backend, copy, master);
    err = disco_memmap_add_replica(pm->mm, master, copy);
    if (err)
        disco_memmap_put(pm->mm, copy);
    else if (reason == DISCO_PMAP_WRITABLE)
        reason = DISCO_PMAP_REPLICA;
    disco_entry_publish(pm, h, master, reason);
    return err == DISCO_ERR_BUSY ? DISCO_OK : err;
}

int disco_pmap_replicate(struct disco_pmap *pm, disco_ppn ppn, unsigned node)
{
    struct hold h;
    int err;

    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, ppn);
    err = replicate(pm, &h, node);
    disco_entry_let_go(&h);
    return err;
}
