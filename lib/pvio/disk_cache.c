/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cache of a shared disk: blocks that were read from the store once, for whichever VM. Its pages are never changed.
 * Two requests never read the same block at once: the second joins the first, and looks again when that is over.
 */
#include "disk_private.h"

/* Pages looked at for eviction while the lock is held: at most. */
#define SCAN 256
/* Pages thrown out when one is needed: the next ones are needed soon. */
#define BATCH 32

/* --- eviction --- */

/* The range at the hand, or the first one, if the hand has come to the end. */
static bool at_hand(struct disco_disk *d, struct disco_range *x)
{
    if (!disco_ranges_find(&d->cache.map, d->hand, x)) {
        d->hand = 0;
        if (!disco_ranges_find(&d->cache.map, 0, x))
            return false;
    }
    if (d->hand < x->first)
        d->hand = x->first;
    return true;
}

/* Our reference is the only one: nobody maps the page, or copies out of it. Nobody can begin to without our lock. */
static uint64_t unused(const struct disco_disk *d, uint64_t page, uint64_t max)
{
    uint64_t n = 0;

    while (n < max && disco_memmap_refs(d->c.mm, (disco_mpn){page + n}) == 1)
        n++;
    return n;
}

/*
 * Pages from the hand on. What lies within a range takes a node to forget; where there is none, as many at the
 * range's end may do, which take none.
 */
static uint64_t evict_some(struct disco_disk *d, const struct disco_range *x, uint64_t max,
                           uint64_t *seen)
{
    uint64_t page = x->value + (d->hand - x->first), rest = x->first + x->count - d->hand;
    uint64_t n = unused(d, page, rest < max ? rest : max);

    *seen = n ? n : 1;
    if (!n || disco_disk_index_clear(d, &d->cache, d->hand, n)) {
        d->hand += n && n < rest ? rest - n : 1;
        return 0;
    }
    for (uint64_t i = 0; i < n; i++)
        disco_memmap_put(d->c.mm, (disco_mpn){page + i});
    return n;
}

static uint64_t evict(struct disco_disk *d, uint64_t want, uint64_t scan)
{
    uint64_t gone = 0, seen;
    struct disco_range x;

    while (gone < want && scan && at_hand(d, &x)) {
        uint64_t max = want - gone < scan ? want - gone : scan;

        gone += evict_some(d, &x, max, &seen);
        scan -= seen;
    }
    disco_count_own(&d->stats.evicted, gone);
    disco_store(&d->stats.cached, d->cache.map.values);
    return gone;
}

/* Once around: the lock is given up now and then, for others to go on. */
uint64_t disco_disk_evict(struct disco_disk *d, uint64_t pages)
{
    uint64_t gone = 0, left = disco_load(&d->stats.cached);

    while (left && gone < pages) {
        uint64_t scan = left < SCAN ? left : SCAN;

        lock(d);
        gone += evict(d, pages - gone, scan);
        unlock(d);
        left -= scan;
    }
    return gone;
}

/* --- pages --- */

int disco_disk_page(struct disco_disk *d, unsigned node, disco_mpn *out)
{
    int err = disco_memmap_alloc(d->c.mm, node, DISCO_PAGE_MONITOR, out);

    if (err == DISCO_ERR_NO_MEMORY && evict(d, BATCH, SCAN))
        err = disco_memmap_alloc(d->c.mm, node, DISCO_PAGE_MONITOR, out);
    return err;
}

disco_mpn *disco_disk_place(struct request *r, unsigned i)
{
    if (is_write(r) && !is_direct(r->port->disk))
        return &r->base[i > 0];
    return &r->page[i];
}

/* A request that was stalled may have some already. */
int disco_disk_pages(struct request *r, unsigned n)
{
    struct disco_disk *d = r->port->disk;
    int err = DISCO_OK;
    unsigned i = 0;

    while (i < n && !err) {
        disco_mpn *place = disco_disk_place(r, r->at + i);

        if (place->v == NO_PAGE)
            err = disco_disk_page(d, r->node, place);
        i += !err;
    }
    return i ? (int)i : err;
}

/* --- what was read --- */

/* Room in the cache for @p n pages, or for fewer. */
static uint64_t room(struct disco_disk *d, uint64_t n)
{
    uint64_t max = d->c.cache_pages, have = d->cache.map.values;

    if (!max || n <= max - have)
        return n;
    evict(d, n - (max - have), SCAN);
    return n < max - d->cache.map.values ? n : max - d->cache.map.values;
}

/* The pages of @p n blocks follow each other. */
static void keep_run(struct disco_disk *d, uint64_t block, disco_mpn page, uint64_t n)
{
    n = room(d, n);
    if (!n || disco_disk_index_set(d, &d->cache, block, n, page.v))
        return;
    for (uint64_t i = 0; i < n; i++)
        disco_memmap_get(d->c.mm, (disco_mpn){page.v + i});
}

void disco_disk_keep(struct request *r, unsigned n)
{
    struct disco_disk *d = r->port->disk;

    for (unsigned i = r->at, end = r->at + n; i < end;) {
        disco_mpn first = *disco_disk_place(r, i);
        unsigned run = 1;

        while (i + run < end && disco_disk_place(r, i + run)->v == first.v + run)
            run++;
        keep_run(d, r->block + i, first, run);
        i += run;
    }
    disco_store(&d->stats.cached, d->cache.map.values);
    disco_count_own(&d->stats.misses, n);
}
