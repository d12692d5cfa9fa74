/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How requests go on. disco_disk_go_on() takes one as far as it comes without waiting; when a transfer
 * is over, all that waited for it, or for the store to take more, go on again. A request waits for one thing at a
 * time, and for nothing that waits for it: a transfer that is at the store comes to an end by itself.
 */
#include "disk_private.h"

void disco_disk_enter(struct request *r)
{
    r->state = WORKING;
    disco_store_release(&r->port->working, disco_load(&r->port->working) + 1);
}

void disco_disk_leave(struct request *r, enum request_state state)
{
    r->state = state;
    disco_store_release(&r->port->working, disco_load(&r->port->working) - 1);
}

void disco_disk_count(const struct request *r, bool failed)
{
    struct disco_disk_stats *s = &r->port->disk->stats;
    uint64_t *asked = is_read(r) ? &s->reads : is_write(r) ? &s->writes : &s->flushes;

    disco_count_own(asked, r->checked);
    disco_count_own(&s->errors, failed);
    disco_count_own(&s->mapped, r->mapped);
    disco_count_own(&s->copied, r->copied);
    disco_count_own(&s->lent, r->lent);
}

void disco_disk_give_slot(struct request *r)
{
    append(&r->port->free, r);
    disco_disk_leave(r, FREE);
}

void disco_disk_set_line(struct disco_disk_port *p)
{
    if (p->line.set)
        p->line.set(p->line.ctx, p->done.first != NULL);
}

/* --- transfers --- */

static void wake(struct disco_disk *d, struct request *moved, struct request_list *over);

/* The requests that waited go on at once, before anybody else comes. */
static void on_done(struct disco_store_io *io, int status)
{
    struct request *r = io->ctx;
    struct disco_disk *d = r->port->disk;
    struct request_list over = {NULL, NULL};

    lock(d);
    d->moving--;
    disco_disk_enter(r); /* nobody may join it any more */
    if (status < 0)
        r->status = status;
    else if (!is_direct(d))
        disco_disk_keep(r, r->moved);
    r->at += r->moved;
    wake(d, r, &over);
    unlock(d);
    disco_disk_end(&over);
}

/*
 * The page of block @p i as a part of the transfer: what is written is cut to the sectors that are asked for, what is
 * read to those that the disk has. What is behind them in the last page is never shown, for no request can ask for
 * it, and a page is mapped only where all of it is asked for. @return the first sector.
 */
static uint64_t fill_seg(struct request *r, unsigned i, uint32_t op, struct disco_store_seg *seg)
{
    struct disco_disk *d = r->port->disk;
    uint64_t begin = (r->block + i) * BLOCK_SECTORS, first = begin, end = begin + BLOCK_SECTORS;

    if (end > d->c.store->sectors)
        end = d->c.store->sectors;
    if (op == DISCO_DISK_WRITE)
        disco_disk_span(r, i, &first, &end);
    seg->mpn = *disco_disk_place(r, i);
    seg->offset = (uint32_t)((first - begin) * DISCO_SECTOR);
    seg->len = (uint32_t)((end - first) * DISCO_SECTOR);
    return first;
}

static void fill(struct request *r, uint32_t op, unsigned n)
{
    struct disco_store_io *io = &r->io;

    io->op = op;
    io->segs = op == DISCO_DISK_FLUSH ? 0 : n;
    io->sector = 0;
    io->done = on_done;
    io->ctx = r;
    for (unsigned i = 0; i < io->segs; i++) {
        uint64_t sector = fill_seg(r, r->at + i, op, &io->seg[i]);

        if (!i)
            io->sector = sector;
    }
}

/*
 * A store that takes no more has something of ours, whose end makes the others go on. A store that says so of an idle
 * disk is asked again by the guest, for nothing would make us ask.
 */
static int stall(struct request *r)
{
    struct disco_disk *d = r->port->disk;

    if (!d->moving)
        return DISCO_ERR_BUSY;
    disco_disk_leave(r, STALLED);
    d->stalled++;
    return WAITS;
}

int disco_disk_submit(struct request *r, uint32_t op, unsigned n)
{
    struct disco_disk *d = r->port->disk;
    int err;

    fill(r, op, n);
    r->moved = n;
    err = d->stalled ? DISCO_ERR_BUSY : d->c.store->submit(d->c.store, &r->io);
    if (err == DISCO_ERR_BUSY)
        return stall(r);
    if (err)
        return err < 0 ? err : DISCO_OK;
    disco_disk_leave(r, MOVING);
    d->moving++;
    return WAITS;
}

/* Written through: all blocks, as many at a time as fit a transfer. */
static int transfer(struct request *r)
{
    int err = DISCO_OK;

    while (!err && r->at < r->blocks) {
        unsigned rest = r->blocks - r->at;
        int n = (int)(rest < DISCO_STORE_SEGS ? rest : DISCO_STORE_SEGS);

        if (is_read(r))
            n = disco_disk_pages(r, (unsigned)n);
        err = n < 0 ? n : disco_disk_submit(r, r->ask.op, (unsigned)n);
        if (!err)
            r->at += (unsigned)n;
    }
    return err;
}

/* --- going on --- */

bool disco_disk_go_on(struct request *r)
{
    struct disco_disk *d = r->port->disk;
    int err = is_direct(d) ? transfer(r) : disco_disk_collect(r);

    if (err == WAITS)
        return true;
    if (!err && is_write(r) && !is_direct(d))
        err = disco_disk_commit(r);
    r->status = err;
    return false;
}

/* Does @p r wait for the end of @p moved, or for any? Then it works again, as @p moved does already. */
static bool concerned(struct request *r, const struct request *moved)
{
    if ((r->state == JOINED && r->joined == moved) || r->state == STALLED)
        disco_disk_enter(r);
    return r->state == WORKING;
}

/* One that failed, or whose VM is gone, goes no further. */
static bool waits_on(struct request *r)
{
    return !r->status && !r->forgotten && disco_disk_go_on(r);
}

/*
 * In the order they came. All that are stalled try again: from the first on that the store does not take, the others
 * are behind it. Who goes on must find everybody in the list who reads what it wants.
 */
static void wake(struct disco_disk *d, struct request *moved, struct request_list *over)
{
    struct request **at = &d->waiting.first, *r;

    d->waiting.last = NULL;
    d->stalled = 0;
    while ((r = *at)) {
        if (!concerned(r, moved) || waits_on(r)) {
            d->waiting.last = r;
            at = &r->next;
        } else {
            *at = r->next;
            append(over, r);
        }
    }
}

static void put(struct disco_disk *d, disco_mpn *page, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (page[i].v != NO_PAGE)
            disco_memmap_put(d->c.mm, page[i]);
    }
}

void disco_disk_finish(struct request *r)
{
    struct disco_disk *d = r->port->disk;

    if (is_read(r) && !r->status && !r->forgotten)
        r->status = disco_disk_deliver(r);
    put(d, r->page, r->blocks);
    put(d, r->base, 2);
}

/* Its VM may have gone meanwhile: then nobody waits for the end. */
static void end(struct request *r)
{
    struct disco_disk *d = r->port->disk;

    disco_disk_finish(r);
    lock(d);
    disco_disk_count(r, r->status != DISCO_OK);
    if (r->forgotten) {
        disco_disk_give_slot(r);
    } else {
        append(&r->port->done, r);
        disco_disk_leave(r, DONE);
        disco_disk_set_line(r->port);
    }
    unlock(d);
}

void disco_disk_end(struct request_list *over)
{
    struct request *r;

    while ((r = take_first(over)))
        end(r);
}

/* --- ends --- */

/* Lock held. */
static void take_end(struct disco_disk_port *p)
{
    struct request *r = take_first(&p->done);

    disco_disk_enter(r);
    disco_disk_give_slot(r);
    disco_disk_set_line(p);
}

bool disco_disk_done(struct disco_disk_port *p, uint64_t *tag, int *status)
{
    const struct request *r;

    lock(p->disk);
    r = p->done.first;
    if (r) {
        *tag = r->ask.tag;
        *status = r->status;
        take_end(p);
    }
    unlock(p->disk);
    return r != NULL;
}

int disco_disk_tell(struct disco_disk_port *p, uint32_t n, const struct disco_buf *b, uint64_t at)
{
    int err = DISCO_ERR_NOT_FOUND;

    lock(p->disk);
    if (p->done.first) {
        const struct request *r = p->done.first;
        const struct disco_disk_done end = {n, r->status, r->ask.tag};

        err = disco_buf_write(b, at, &end, sizeof end);
        if (!err)
            take_end(p);
    }
    unlock(p->disk);
    return err;
}
