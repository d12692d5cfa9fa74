/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replicas are memory that can be had back: they are dropped first when a node runs short. Which pages have one there
 * is remembered in a ring for each node, by their masters. An entry may be out of date (its replicas went with a
 * store, or with the page) and is then passed over; when a ring is full it forgets the oldest.
 */
#include "numa_private.h"

/* Replicas looked at while the work lock is held, at most. */
#define LOOKS 256

static uint64_t *place(struct disco_numa *n, unsigned node, uint64_t number)
{
    return &n->ring[node].master[number & (n->replicas - 1)];
}

void disco_numa_remember(struct disco_numa *n, unsigned node, disco_mpn master)
{
    struct ring *ring = &n->ring[node];

    if (ring->head - ring->tail == n->replicas) {
        ring->tail++;
        disco_count_own(&n->stats.forgotten, 1);
    }
    *place(n, node, ring->head++) = master.v;
}

/* Has the master of @p t a replica on @p node that could be dropped? */
static bool droppable(struct disco_numa *n, disco_mpn master, unsigned node, struct target *t)
{
    struct disco_numa_view v;

    disco_numa_look(n, master, node, t, &v);
    t->action = DISCO_NUMA_DO_COLLAPSE;
    return v.page == DISCO_NUMA_PAGE_GUEST && v.copy_here && t->master.v == master.v;
}

/* Those that could not be dropped are remembered again. @return the replicas that are gone. */
static uint64_t run(struct disco_numa *n, unsigned node)
{
    size_t count = n->round.n;
    uint64_t gone = 0;

    disco_numa_run(n);
    for (size_t i = 0; i < count; i++) {
        if (n->round.target[i].err)
            disco_numa_remember(n, node, n->round.target[i].master);
        else
            gone++;
    }
    disco_count_own(&n->stats.dropped, gone);
    return gone;
}

/* Look at the oldest. @return false: the round has to run first. */
static bool gather(struct disco_numa *n, unsigned node)
{
    struct ring *ring = &n->ring[node];
    disco_mpn master = {*place(n, node, ring->tail)};
    struct target t;

    if (droppable(n, master, node, &t)) {
        if (!disco_numa_joins(&n->round, &t))
            return false;
        n->round.pm = t.pm;
        n->round.target[n->round.n++] = t;
    }
    ring->tail++;
    return true;
}

static uint64_t free_pages(const struct disco_numa *n, unsigned node)
{
    struct disco_memmap_node_stats s;

    return disco_memmap_node_stats(n->mm, node, &s) ? UINT64_MAX : s.free;
}

/* One round, so that nobody waits long for the lock. *left: how many have not been looked at yet. */
static uint64_t drop_some(struct disco_numa *n, unsigned node, uint64_t pages, uint64_t *left)
{
    uint64_t had = free_pages(n, node);

    for (unsigned looks = LOOKS; looks && *left && had + n->round.n < pages; looks--) {
        if (!gather(n, node))
            break;
        --*left;
    }
    return run(n, node);
}

uint64_t disco_numa_drop_replicas(struct disco_numa *n, unsigned node, uint64_t pages)
{
    uint64_t left = n->replicas, gone = 0;

    if (node >= n->nodes)
        return 0;
    while (left && free_pages(n, node) < pages) {
        disco_numa_lock(n);
        if (left > n->ring[node].head - n->ring[node].tail)
            left = n->ring[node].head - n->ring[node].tail;
        gone += drop_some(n, node, pages, &left);
        disco_numa_unlock(n);
    }
    return gone;
}
