/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest asks of a disk. The request is copied out of its memory once and refused as a whole, or is right in
 * every respect: nothing behind this file looks at a length or an address again.
 */
#include "disk_private.h"

#include <string.h>

static int read_segs(struct request *r, const struct disco_buf *in)
{
    const struct disco_segs_limits limits = {DISCO_DISK_SEGS, DISCO_DISK_BYTES, DISCO_SECTOR, 0};
    uint64_t bytes;
    int err;

    err = disco_segs_read(in, sizeof r->ask, r->ask.segs, &limits, r->seg, &bytes);
    if (err)
        return err;
    for (uint32_t i = 0; i < r->ask.segs; i++) {
        if (!r->seg[i].len)
            return DISCO_ERR_BAD_ARG;
    }
    r->sectors = bytes / DISCO_SECTOR;
    return DISCO_OK;
}

/* Shell's sort: lists of pages are mostly in order, or in the opposite order. */
static void sort(const struct disco_io_seg *seg, uint8_t *order, unsigned n)
{
    static const uint8_t gap[] = {23, 10, 4, 1};

    for (unsigned g = 0; g < sizeof gap; g++) {
        for (unsigned i = gap[g]; i < n; i++) {
            uint8_t x = order[i];
            unsigned at = i;

            for (; at >= gap[g] && seg[order[at - gap[g]]].pa > seg[x].pa; at -= gap[g])
                order[at] = order[at - gap[g]];
            order[at] = x;
        }
    }
}

/* A place that is read into twice would show the one or the other, as it happens: no guest means that. */
static bool overlap(const struct disco_io_seg *seg, unsigned n)
{
    uint8_t order[DISCO_DISK_SEGS];

    for (unsigned i = 0; i < n; i++)
        order[i] = (uint8_t)i;
    sort(seg, order, n);
    for (unsigned i = 1; i < n; i++) {
        const struct disco_io_seg *before = &seg[order[i - 1]];

        if (before->pa + before->len > seg[order[i]].pa)
            return true;
    }
    return false;
}

static int check_transfer(struct request *r, const struct disco_buf *in)
{
    const struct disco_disk *d = r->port->disk;
    int err = r->ask.segs ? read_segs(r, in) : DISCO_ERR_BAD_ARG;

    if (err)
        return err;
    if (r->sectors > d->c.store->sectors || r->ask.sector > d->c.store->sectors - r->sectors)
        return DISCO_ERR_BAD_ARG;
    if (is_read(r))
        return overlap(r->seg, r->ask.segs) ? DISCO_ERR_BAD_ARG : DISCO_OK;
    return is_direct(d) && d->c.store->read_only ? DISCO_ERR_READ_ONLY : DISCO_OK;
}

/* A shared disk has nothing to flush: what is kept lies in memory, and is lost with the machine. */
static int check(struct request *r, const struct disco_buf *in)
{
    int err = disco_buf_read(in, 0, &r->ask, sizeof r->ask);

    if (err || in->pmap != r->port->pmap)
        return err ? err : DISCO_ERR_BAD_ARG;
    if (r->ask.op == DISCO_DISK_FLUSH) {
        r->blocks = is_direct(r->port->disk);
        return r->ask.segs ? DISCO_ERR_BAD_ARG : DISCO_OK;
    }
    if (!is_read(r) && !is_write(r))
        return DISCO_ERR_BAD_ARG;
    err = check_transfer(r, in);
    if (err)
        return err;
    r->block = r->ask.sector / BLOCK_SECTORS;
    r->blocks = (unsigned)((r->ask.sector + r->sectors - 1) / BLOCK_SECTORS - r->block + 1);
    return DISCO_OK;
}

struct walk disco_disk_walk(const struct request *r)
{
    return (struct walk){.r = r, .at = r->ask.sector % BLOCK_SECTORS * DISCO_SECTOR};
}

bool disco_disk_piece(struct walk *w, struct piece *p)
{
    const struct disco_io_seg *s = &w->r->seg[w->seg];
    uint64_t len;

    if (w->seg == w->r->ask.segs)
        return false;
    p->pa.v = s->pa + w->done;
    p->block = (unsigned)(w->at / DISCO_PAGE_SIZE);
    p->offset = (uint32_t)(w->at % DISCO_PAGE_SIZE);
    len = DISCO_PAGE_SIZE - p->offset;
    if (len > s->len - w->done)
        len = s->len - w->done;
    p->len = (uint32_t)len;
    w->at += len;
    w->done += len;
    if (w->done == s->len) {
        w->seg++;
        w->done = 0;
    }
    return true;
}

bool disco_disk_whole(const struct request *r, const struct piece *p)
{
    return p->len == DISCO_PAGE_SIZE && !(p->pa.v & DISCO_PAGE_MASK) && !r->port->disk->c.copy;
}

bool disco_disk_span(const struct request *r, unsigned i, uint64_t *first, uint64_t *end)
{
    uint64_t begin = (r->block + i) * BLOCK_SECTORS, stop = begin + BLOCK_SECTORS;
    uint64_t sectors = r->port->disk->c.store->sectors, last = r->ask.sector + r->sectors;

    if (stop > sectors)
        stop = sectors;
    *first = begin > r->ask.sector ? begin : r->ask.sector;
    *end = stop < last ? stop : last;
    return *first == begin && *end == stop;
}

/* A port that is being closed gives no slots any more. */
static int take_slot(struct disco_disk_port *p, unsigned node, struct request **out)
{
    struct request *r = NULL;
    int err = DISCO_ERR_STATE;

    lock(p->disk);
    if (p->pmap && !p->closing) {
        r = take_first(&p->free);
        err = r ? DISCO_OK : DISCO_ERR_BUSY;
    }
    if (r)
        disco_disk_enter(r);
    unlock(p->disk);
    if (err)
        return err;
    r->forgotten = r->checked = false;
    r->status = DISCO_OK;
    r->node = node;
    r->sectors = 0;
    r->block = r->blocks = r->at = r->moved = 0;
    r->mapped = r->copied = r->lent = 0;
    memset(r->page, 0xff, sizeof r->page);
    memset(r->base, 0xff, sizeof r->base);
    *out = r;
    return DISCO_OK;
}

/* From here on it may be over at any moment, on another processor, if it waits. */
static bool begin(struct request *r)
{
    struct disco_disk *d = r->port->disk;
    bool waits;

    lock(d);
    waits = disco_disk_go_on(r);
    if (waits)
        append(&d->waiting, r);
    unlock(d);
    return waits;
}

/* A request that does not wait: its slot is free again, its result the call's. */
static int end_now(struct request *r)
{
    struct disco_disk *d = r->port->disk;
    int status;

    disco_disk_finish(r);
    status = r->status;
    lock(d);
    disco_disk_count(r, status && status != DISCO_ERR_BUSY && status != DISCO_ERR_NO_MEMORY);
    disco_disk_give_slot(r);
    unlock(d);
    return status ? status : 1;
}

int disco_disk_request(struct disco_disk_port *p, const struct disco_buf *in, unsigned node)
{
    struct request *r;
    int err = take_slot(p, node, &r);

    if (err)
        return err;
    r->status = check(r, in);
    r->checked = !r->status;
    if (!r->status && is_write(r))
        r->status = disco_disk_gather(r);
    if (!r->status && begin(r))
        return 0;
    return end_now(r);
}
