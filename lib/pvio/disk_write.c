/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing (Disco, section 4.2.1). First, without the lock, what the guest writes becomes pages, a block each: the guest's
 * own where it writes whole pages, lent with one revocation for many and read-only from then on; copies elsewhere. What
 * the guest does with its memory after that changes nothing. On a shared disk, blocks that are written in part are then
 * completed with what they were, and all go into the log in the place of older ones. On a disk that is written through,
 * they go to the store.
 */
#include "disk_private.h"

#include <string.h>

/* --- from the guest --- */

static uint8_t *bytes_of(struct disco_disk *d, disco_mpn mpn)
{
    return d->c.backend->ops->page(d->c.backend, mpn);
}

/* A page for block @p i, whose contents will be written or completed. */
static int new_page(struct request *r, unsigned i)
{
    struct disco_disk *d = r->port->disk;
    int err;

    lock(d);
    err = disco_disk_page(d, r->node, &r->page[i]);
    unlock(d);
    return err;
}

static int copy(struct request *r, const struct piece *p)
{
    struct disco_disk *d = r->port->disk;
    disco_mpn *page = &r->page[p->block];
    int err = page->v == NO_PAGE ? new_page(r, p->block) : DISCO_OK;

    if (err)
        return err;
    return disco_pmap_read(r->port->pmap, p->pa, bytes_of(d, *page) + p->offset, p->len, r->node);
}

/* Whole pages that are to be lent together. */
struct batch {
    size_t n;
    struct disco_pmap_place place[DISCO_PMAP_MANY];
    uint8_t block[DISCO_PMAP_MANY]; /* for which each is */
};
_Static_assert(BLOCKS <= UINT8_MAX, "a block's number fits in a byte");

/* A page that cannot be lent can still be copied. Those that are lent are the request's, whatever becomes of others. */
static int lend(struct request *r, struct batch *b)
{
    int err = DISCO_OK;

    disco_pmap_lend_many(r->port->pmap, b->place, b->n, r->node, DISCO_PMAP_COW);
    for (size_t i = 0; i < b->n; i++) {
        const struct disco_pmap_place *p = &b->place[i];

        if (!p->err) {
            r->page[b->block[i]] = p->mpn;
            r->lent++;
        } else if (!err) {
            err = copy(r, &(struct piece){disco_ppn_base(p->ppn), b->block[i], 0, DISCO_PAGE_SIZE});
        }
    }
    b->n = 0;
    return err;
}

static int add(struct request *r, struct batch *b, const struct piece *p)
{
    b->place[b->n].ppn = disco_pa_page(p->pa);
    b->block[b->n++] = (uint8_t)p->block;
    return b->n < DISCO_PMAP_MANY ? DISCO_OK : lend(r, b);
}

int disco_disk_gather(struct request *r)
{
    struct walk w = disco_disk_walk(r);
    struct batch b;
    struct piece p;
    int err = DISCO_OK;

    b.n = 0;
    while (!err && disco_disk_piece(&w, &p))
        err = disco_disk_whole(r, &p) ? add(r, &b, &p) : copy(r, &p);
    return err ? err : lend(r, &b);
}

/* --- to the log --- */

/* Block @p i gets what it was around the sectors that are written. The log may have it by now, from another request. */
static void complete(struct request *r, unsigned i)
{
    struct disco_disk *d = r->port->disk;
    uint64_t first, end, begin = (r->block + i) * BLOCK_SECTORS;
    uint8_t *to = bytes_of(d, r->page[i]);
    disco_mpn base = r->base[i > 0];
    const uint8_t *from;
    size_t head, tail;

    if (disco_disk_span(r, i, &first, &end))
        return;
    (void)disco_ranges_get(&disco_disk_log(r->port)->map, r->block + i, &base.v);
    from = bytes_of(d, base);
    head = (size_t)(first - begin) * DISCO_SECTOR;
    tail = (size_t)(end - begin) * DISCO_SECTOR;
    memcpy(to, from, head);
    memcpy(to + tail, from + tail, DISCO_PAGE_SIZE - tail);
}

/* Would the log be too big? */
static bool full(struct request *r, const struct index *log)
{
    uint64_t sum = log->map.values, page;
    unsigned n;
    bool has;

    for (unsigned i = 0; i < r->blocks; i += n) {
        n = disco_disk_look(log, r->block + i, r->blocks - i, &has, &page);
        sum += has ? 0 : n;
    }
    return sum > r->port->disk->c.log_pages;
}

/* What the log has of blocks [i, i + n) goes to `page`. */
static void take_old(struct request *r, const struct index *log, unsigned i, unsigned n)
{
    for (unsigned end = i + n, k; i < end; i += k) {
        uint64_t page;
        bool has;

        k = disco_disk_look(log, r->block + i, end - i, &has, &page);
        for (unsigned j = 0; j < k; j++)
            r->page[i + j].v = has ? page + j : NO_PAGE;
    }
}

/* Blocks [i, i + n), whose pages follow each other. Where it fails they stay the request's. */
static int put_run(struct request *r, struct index *log, unsigned i, unsigned n)
{
    uint64_t page = r->page[i].v;
    int err;

    take_old(r, log, i, n);
    err = disco_disk_index_set(r->port->disk, log, r->block + i, n, page);
    for (unsigned k = 0; err && k < n; k++)
        r->page[i + k].v = page + k;
    return err;
}

int disco_disk_commit(struct request *r)
{
    struct index *log = disco_disk_log(r->port);
    uint64_t before = log->map.values;
    int err = DISCO_OK;

    if (full(r, log))
        return DISCO_ERR_NO_SPACE;
    complete(r, 0);
    if (r->blocks > 1)
        complete(r, r->blocks - 1);
    for (unsigned i = 0, n; !err && i < r->blocks; i += n) {
        for (n = 1; i + n < r->blocks && r->page[i + n].v == r->page[i].v + n; n++)
            ;
        err = put_run(r, log, i, n);
    }
    disco_count_own(&r->port->disk->stats.logged, log->map.values - before);
    return err;
}
