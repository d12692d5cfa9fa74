/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a shared disk (Disco, section 4.2.1): each block from the log, else from the cache, else from the store. With
 * a page for every block the request leaves the lock and shows them to its guest: mapped where a whole page goes to a
 * whole page, copied elsewhere.
 */
#include "disk_private.h"

/* The pages become the request's too. A place that it had made for one of them is not needed. */
static int pin(struct request *r, unsigned n, uint64_t page)
{
    struct disco_disk *d = r->port->disk;

    for (unsigned i = 0; i < n; i++) {
        disco_mpn *place = disco_disk_place(r, r->at + i), from = {page + i};
        int err = disco_memmap_get(d->c.mm, from);

        if (err)
            return err;
        if (place->v != NO_PAGE)
            disco_memmap_put(d->c.mm, *place);
        *place = from;
    }
    r->at += n;
    disco_count_own(&d->stats.hits, n);
    return DISCO_OK;
}

/* Somebody who reads the block at this moment; else *n ends before the first that somebody reads. */
static struct request *reader(const struct disco_disk *d, uint64_t block, unsigned *n)
{
    for (struct request *q = d->waiting.first; q; q = q->next) {
        uint64_t first = q->block + q->at;

        if (q->state != MOVING)
            continue;
        if (first <= block && block < first + q->moved)
            return q;
        if (first > block && first - block < *n)
            *n = (unsigned)(first - block);
    }
    return NULL;
}

/* Up to @p n blocks that are nowhere: all in one transfer, if it takes them. */
static int fetch(struct request *r, unsigned n)
{
    int pages, err;

    if (n > DISCO_STORE_SEGS)
        n = DISCO_STORE_SEGS;
    r->joined = reader(r->port->disk, r->block + r->at, &n);
    if (r->joined) {
        disco_disk_leave(r, JOINED);
        return WAITS;
    }
    pages = disco_disk_pages(r, n);
    if (pages < 0)
        return pages;
    err = disco_disk_submit(r, DISCO_DISK_READ, (unsigned)pages);
    if (!err) {
        disco_disk_keep(r, (unsigned)pages);
        r->at += (unsigned)pages;
    }
    return err;
}

/* At most @p n blocks from `at` on, and at least one. */
static int have(struct request *r, unsigned n)
{
    struct disco_disk *d = r->port->disk;
    uint64_t block = r->block + r->at, page;
    bool has;

    n = disco_disk_look(disco_disk_log(r->port), block, n, &has, &page);
    if (!has)
        n = disco_disk_look(&d->cache, block, n, &has, &page);
    return has ? pin(r, n, page) : fetch(r, n);
}

/* Blocks from `at` on whose contents are needed: all of a read; of a write those that it covers in part. */
static unsigned wanted(const struct request *r)
{
    uint64_t first, end;

    if (is_read(r))
        return r->blocks - r->at;
    return !disco_disk_span(r, r->at, &first, &end);
}

int disco_disk_collect(struct request *r)
{
    int err = DISCO_OK;

    while (!err && r->at < r->blocks) {
        unsigned n = wanted(r);

        if (n)
            err = have(r, n);
        else
            r->at++;
    }
    return err;
}

/* --- to the guest --- */

static int copy(struct request *r, disco_pa pa, disco_mpn mpn, uint32_t offset, uint32_t len)
{
    struct disco_disk *d = r->port->disk;
    const uint8_t *from = d->c.backend->ops->page(d->c.backend, mpn);
    int err = disco_pmap_write(r->port->pmap, pa, from + offset, len, r->node);

    if (err == DISCO_ERR_NO_MEMORY && disco_disk_evict(d, DISCO_PMAP_MANY))
        err = disco_pmap_write(r->port->pmap, pa, from + offset, len, r->node);
    if (!err)
        r->copied += len;
    return err;
}

/* Whole pages, with one revocation for all. Where one cannot be mapped, for want of a record of its users, it is copied. */
static int map(struct request *r, struct disco_pmap_place *place, size_t n)
{
    int err = DISCO_OK;

    disco_pmap_share_many(r->port->pmap, place, n, DISCO_PMAP_COW);
    for (size_t i = 0; i < n && !err; i++) {
        if (place[i].err)
            err = copy(r, disco_ppn_base(place[i].ppn), place[i].mpn, 0, DISCO_PAGE_SIZE);
        else
            r->mapped++;
    }
    return err;
}

int disco_disk_deliver(struct request *r)
{
    struct disco_pmap_place place[DISCO_PMAP_MANY];
    struct walk w = disco_disk_walk(r);
    struct piece p;
    size_t n = 0;
    int err = DISCO_OK;

    while (!err && disco_disk_piece(&w, &p)) {
        disco_mpn mpn = r->page[p.block];

        if (!disco_disk_whole(r, &p)) {
            err = copy(r, p.pa, mpn, p.offset, p.len);
            continue;
        }
        place[n++] = (struct disco_pmap_place){disco_pa_page(p.pa), mpn, DISCO_OK};
        if (n == DISCO_PMAP_MANY) {
            err = map(r, place, n);
            n = 0;
        }
    }
    return err || !n ? err : map(r, place, n);
}
