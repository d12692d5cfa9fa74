/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replicas (Disco, section 4.2.1): read-only copies of a page on nodes that read it a lot. They
 * are chained from their master through LINK; a replica names its master. Users are recorded with
 * the master alone: a replica is the master, seen from one node. At most one per node, so a chain
 * is no longer than there are nodes.
 *
 * disco_memmap_nearest() walks the chain without a lock. What it reads may be changing under it,
 * so it believes nothing but an entry that names this master: such an entry was its replica when
 * it was read. Anything else ends the walk, and the master is always a right answer. In tests/model/replica.pml:
 * r1 the master's link is read; r2 each replica's; c1 a copy's link is written; c2 the master's, which shows it.
 */
#include "memmap_private.h"

static uint32_t next_replica(const struct disco_memmap *mm, uint32_t link)
{
    return low_half(disco_load(&page_of_link(mm, link)->word[LINK]));
}

/* The copy must be its owner's alone, and no master; from here on nobody can get or adopt it. */
static int claim(struct disco_memmap *mm, struct disco_memmap_page *copy, unsigned *node)
{
    uint64_t head = page_lock(mm, copy);
    bool ok = head_state(head) == DISCO_PAGE_PRIVATE && head_refs(head) == 1 &&
              !disco_load(&copy->word[MORE]) && !disco_load(&copy->word[LINK]);

    *node = head_node(head);
    page_unlock(copy, ok ? head_with_state(head, DISCO_PAGE_REPLICA) : head);
    return ok ? DISCO_OK : DISCO_ERR_STATE;
}

static void unclaim(struct disco_memmap *mm, struct disco_memmap_page *copy)
{
    page_unlock(copy, head_with_state(page_lock(mm, copy), DISCO_PAGE_PRIVATE));
}

/* The master is locked and has @p head. */
static int chain_up(struct disco_memmap *mm, struct disco_memmap_page *master, uint64_t head,
                    struct disco_memmap_page *copy, unsigned node)
{
    uint32_t chain = low_half(disco_load(&master->word[LINK]));

    if (!in_use(head) || head_state(head) == DISCO_PAGE_REPLICA)
        return DISCO_ERR_STATE;
    if (head_node(head) == node)
        return DISCO_ERR_BUSY;
    for (uint32_t i = chain; i; i = next_replica(mm, i)) {
        if (head_node(disco_load(&page_of_link(mm, i)->word[HEAD])) == node)
            return DISCO_ERR_BUSY;
    }
    disco_store(&copy->word[LINK], halves(link_of_page(mm, master), chain)); /* c1 */
    /* c2. Release: who finds the copy through the chain finds its contents and its entry whole. */
    disco_store_release(&master->word[LINK], link_of_page(mm, copy));
    return DISCO_OK;
}

int disco_memmap_add_replica(struct disco_memmap *mm, disco_mpn master, disco_mpn copy)
{
    struct disco_memmap_page *m = page_at(mm, master), *c = page_at(mm, copy);
    unsigned node;
    uint64_t head;
    int err;

    if (!m || !c || m == c)
        return DISCO_ERR_BAD_ARG;
    err = claim(mm, c, &node);
    if (err)
        return err;
    head = page_lock(mm, m);
    err = chain_up(mm, m, head, c, node);
    page_unlock(m, head);
    if (err)
        unclaim(mm, c);
    return err;
}

disco_mpn disco_memmap_nearest(const struct disco_memmap *mm, disco_mpn master, unsigned node)
{
    const struct disco_memmap_page *pg = page_at(mm, master);
    uint64_t link = pg ? disco_load_acquire(&pg->word[LINK]) : 0; /* r1 */
    uint32_t self;

    if (!link || high_half(link))
        return master;
    self = link_of_page(mm, pg);
    for (unsigned steps = 0; low_half(link) && steps < mm->nodes; steps++) {
        const struct disco_memmap_page *r = page_of_link(mm, low_half(link));

        link = disco_load_acquire(&r->word[LINK]); /* r2 */
        if (high_half(link) != self)
            return master;
        if (head_node(disco_load(&r->word[HEAD])) == node)
            return mpn_of_page(mm, r);
    }
    return master;
}

disco_mpn disco_memmap_master(const struct disco_memmap *mm, disco_mpn mpn)
{
    const struct disco_memmap_page *pg = page_at(mm, mpn);
    uint32_t master = pg ? high_half(disco_load(&pg->word[LINK])) : 0;

    if (!master || disco_memmap_state(mm, mpn) != DISCO_PAGE_REPLICA)
        return mpn;
    return mpn_of_page(mm, page_of_link(mm, master));
}

void disco_replica_free_chain(struct disco_memmap *mm, uint32_t link)
{
    while (link) {
        struct disco_memmap_page *pg = page_of_link(mm, link);

        link = next_replica(mm, link);
        disco_page_release(mm, pg, page_lock(mm, pg));
    }
}

/* Who looks after this finds no replica; who looks at this moment holds an entry of a user, or may be wrong. */
static int detach(struct disco_memmap *mm, disco_mpn master, uint32_t *chain)
{
    struct disco_memmap_page *pg = page_at(mm, master);
    uint64_t head;
    int err = DISCO_ERR_STATE;

    *chain = 0;
    if (!pg)
        return DISCO_ERR_BAD_ARG;
    head = page_lock(mm, pg);
    if (in_use(head) && head_state(head) != DISCO_PAGE_REPLICA) {
        *chain = low_half(disco_load(&pg->word[LINK]));
        disco_store(&pg->word[LINK], 0);
        err = DISCO_OK;
    }
    page_unlock(pg, head);
    return err;
}

int disco_memmap_drop_replicas(struct disco_memmap *mm, disco_mpn master)
{
    uint32_t chain;
    int err = detach(mm, master, &chain);

    disco_replica_free_chain(mm, chain);
    return err;
}

int disco_memmap_detach_replicas(struct disco_memmap *mm, disco_mpn master, disco_mpn *first)
{
    uint32_t chain;
    int err = detach(mm, master, &chain);

    if (err)
        return err;
    if (!chain)
        return DISCO_ERR_NOT_FOUND;
    *first = mpn_of_page(mm, page_of_link(mm, chain));
    return DISCO_OK;
}

void disco_memmap_free_replicas(struct disco_memmap *mm, disco_mpn first)
{
    struct disco_memmap_page *pg = page_at(mm, first);

    if (pg)
        disco_replica_free_chain(mm, link_of_page(mm, pg));
}

bool disco_memmap_replicated(const struct disco_memmap *mm, disco_mpn master)
{
    const struct disco_memmap_page *pg = page_at(mm, master);
    uint64_t link = pg ? disco_load(&pg->word[LINK]) : 0;

    return link && !high_half(link) && disco_memmap_state(mm, master) != DISCO_PAGE_FREE;
}
