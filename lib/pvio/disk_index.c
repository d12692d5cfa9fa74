/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The indexes of a disk: its cache and its logs (Disco, section 4.2.1). They share the nodes of one pool, for most logs
 * are small. But a guest that writes here and there, to have an index of many ranges, must not take what others
 * need: half of the nodes is promised to the logs, in equal parts, and a quarter to the cache. An index may have more
 * than it is promised, as long as what is left does for what others are promised and have not.
 */
#include "disk_private.h"

/* Pages that are given back while the lock is held. */
#define BATCH 32

struct index *disco_disk_log(struct disco_disk_port *p)
{
    return p->disk->c.mode & DISCO_DISK_VISIBLE ? &p->disk->log : &p->log;
}

static void init(struct disco_disk *d, struct index *x, uint64_t share)
{
    x->map.pool = &d->pool;
    x->share = share;
    d->promised += share;
}

void disco_disk_index_init(struct disco_disk *d)
{
    bool visible = d->c.mode & DISCO_DISK_VISIBLE;
    uint64_t logs = d->c.nodes / 2;

    init(d, &d->cache, d->c.nodes / 4);
    init(d, &d->log, visible ? logs : 0);
    for (unsigned i = 0; i < d->c.ports; i++)
        init(d, &d->port[i].log, visible ? 0 : logs / d->c.ports);
}

unsigned disco_disk_look(const struct index *x, uint64_t block, unsigned max, bool *has,
                         uint64_t *page)
{
    struct disco_range r;
    uint64_t n = max;

    *has = false;
    if (!disco_ranges_find(&x->map, block, &r))
        return max;
    if (r.first > block)
        return r.first - block < n ? (unsigned)(r.first - block) : max;
    *has = true;
    *page = r.value + (block - r.first);
    return r.first + r.count - block < n ? (unsigned)(r.first + r.count - block) : max;
}

static uint64_t owed(const struct index *x)
{
    return x->nodes < x->share ? x->share - x->nodes : 0;
}

/* The pool had @p left nodes before @p x was changed. */
static void settle(struct disco_disk *d, struct index *x, uint32_t left)
{
    d->promised -= owed(x);
    x->nodes += (uint64_t)left - d->pool.left;
    d->promised += owed(x);
}

/* Nodes that @p x may take now. */
static uint64_t within_reach(const struct disco_disk *d, const struct index *x)
{
    uint64_t others = d->promised - owed(x);

    return d->pool.left > others ? d->pool.left - others : 0;
}

/* What a change takes at most: a node at each level, and a new root. Mostly there is more, and nothing to reckon. */
static bool plenty(const struct disco_disk *d, const struct index *x)
{
    return within_reach(d, x) > x->map.height;
}

int disco_disk_index_set(struct disco_disk *d, struct index *x, uint64_t block, uint64_t n,
                         uint64_t page)
{
    uint32_t left = d->pool.left;
    int err;

    if (!plenty(d, x) && disco_ranges_cost(&x->map, block, n, page) > within_reach(d, x))
        return DISCO_ERR_NO_SPACE;
    err = disco_ranges_set(&x->map, block, n, page);
    settle(d, x, left);
    return err;
}

/* Only to cut a range in two takes nodes. */
int disco_disk_index_clear(struct disco_disk *d, struct index *x, uint64_t block, uint64_t n)
{
    uint32_t left = d->pool.left;
    struct disco_range r;
    int err;

    if (!plenty(d, x) && disco_ranges_find(&x->map, block, &r) && r.first < block &&
        r.first + r.count > block + n)
        return DISCO_ERR_NO_SPACE;
    err = disco_ranges_clear(&x->map, block, n);
    settle(d, x, left);
    return err;
}

/* The first few pages, which *counter counts no longer. @return how many. */
static uint64_t take_some(struct disco_disk *d, struct index *x, struct disco_ranges *map,
                          uint64_t *counter, uint64_t *page)
{
    uint32_t left;
    struct disco_range r;
    uint64_t n = 0;

    lock(d);
    if (disco_ranges_find(map, 0, &r)) {
        left = d->pool.left;
        n = r.count < BATCH ? r.count : BATCH;
        *page = r.value;
        disco_ranges_clear(map, r.first, n);
        settle(d, x, left);
        disco_count_own(counter, -n);
    }
    unlock(d);
    return n;
}

void disco_disk_drop(struct disco_disk *d, struct index *x, struct disco_ranges *map,
                     uint64_t *counter)
{
    uint64_t page, n;

    while ((n = take_some(d, x, map, counter, &page))) {
        for (uint64_t i = 0; i < n; i++)
            disco_memmap_put(d->c.mm, (disco_mpn){page + i});
    }
}
