/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of disks and of their ports. */
#include "disk_private.h"

#include <string.h>

#define ALIGN DISCO_CACHE_LINE

struct layout {
    size_t port, node, end;
};

static size_t align(size_t n) { return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

static bool valid(const struct disco_disk_config *c)
{
    return c && c->store && c->store->submit && c->mm && c->backend && c->ports && c->ports <= 64 &&
           c->mode <= (DISCO_DISK_VISIBLE | DISCO_DISK_KEPT) && c->nodes < UINT32_MAX &&
           c->nodes <= SIZE_MAX / 2 / sizeof(struct disco_ranges_node) &&
           c->store->sectors <= UINT64_MAX - BLOCK_SECTORS;
}

static struct layout lay_out(const struct disco_disk_config *c)
{
    struct layout l;

    l.port = align(sizeof(struct disco_disk));
    l.node = align(l.port + c->ports * sizeof(struct disco_disk_port));
    l.end = align(l.node + (size_t)c->nodes * sizeof(struct disco_ranges_node));
    return l;
}

size_t disco_disk_size(const struct disco_disk_config *c) { return valid(c) ? lay_out(c).end : 0; }

static void init_port(struct disco_disk *d, struct disco_disk_port *p)
{
    p->disk = d;
    for (unsigned i = 0; i < DISCO_DISK_DEPTH; i++) {
        p->request[i].port = p;
        append(&p->free, &p->request[i]);
    }
}

int disco_disk_init(struct disco_disk **out, void *storage, size_t size,
                    const struct disco_disk_config *c)
{
    struct disco_disk *d = storage;
    uint8_t *base = storage;
    struct layout l;

    if (!out || !storage || (uintptr_t)storage % ALIGN || !valid(c))
        return DISCO_ERR_BAD_ARG;
    l = lay_out(c);
    if (size < l.end)
        return DISCO_ERR_NO_SPACE;
    memset(storage, 0, l.node);
    d->c = *c;
    d->port = (struct disco_disk_port *)(void *)(base + l.port);
    disco_ranges_pool_init(&d->pool, (struct disco_ranges_node *)(void *)(base + l.node),
                           (uint32_t)c->nodes);
    for (unsigned i = 0; i < c->ports; i++)
        init_port(d, &d->port[i]);
    disco_disk_index_init(d);
    *out = d;
    return DISCO_OK;
}

/* Ports that are open, or would be but for an end that is still to come. Lock held. */
static unsigned open_ports(const struct disco_disk *d)
{
    unsigned n = 0;

    for (unsigned i = 0; i < d->c.ports; i++)
        n += d->port[i].pmap != NULL;
    return n;
}

int disco_disk_fini(struct disco_disk *d)
{
    bool busy;

    lock(d);
    busy = d->moving || open_ports(d);
    for (unsigned i = 0; i < d->c.ports; i++)
        busy |= d->port[i].working != 0;
    unlock(d);
    if (busy)
        return DISCO_ERR_BUSY;
    disco_disk_drop(d, &d->cache, &d->cache.map, &d->stats.cached);
    disco_disk_drop(d, &d->log, &d->log.map, &d->stats.logged);
    for (unsigned i = 0; i < d->c.ports; i++) {
        struct index *log = &d->port[i].log;

        disco_disk_drop(d, log, &log->map, &d->stats.logged);
    }
    return DISCO_OK;
}

uint64_t disco_disk_sectors(const struct disco_disk *d) { return d->c.store->sectors; }

void disco_disk_stats(const struct disco_disk *d, struct disco_disk_stats *out)
{
    const uint64_t *from = (const uint64_t *)&d->stats;
    uint64_t *to = (uint64_t *)out;

    for (size_t i = 0; i < sizeof *out / sizeof *to; i++)
        to[i] = disco_load(&from[i]);
}

/* --- ports --- */

int disco_disk_open(struct disco_disk *d, unsigned port, struct disco_pmap *pmap,
                    struct disco_line line, struct disco_disk_port **out)
{
    struct disco_disk_port *p;
    int err = DISCO_OK;

    if (!d || !out || !pmap || port >= d->c.ports)
        return DISCO_ERR_BAD_ARG;
    p = &d->port[port];
    lock(d);
    if (p->pmap || (is_direct(d) && open_ports(d)))
        err = DISCO_ERR_BUSY;
    if (!err) {
        p->pmap = pmap;
        p->line = line;
        *out = p;
    }
    unlock(d);
    return err;
}

/* Those that wait, in the order they came, without those of @p p. */
static void forget_waiting(struct disco_disk_port *p, struct request_list *over)
{
    struct request_list old = p->disk->waiting;
    struct request *r;

    p->disk->waiting.first = NULL;
    while ((r = take_first(&old))) {
        if (r->port == p)
            r->forgotten = true;
        if (r->port != p || r->state == MOVING) {
            append(&p->disk->waiting, r);
            continue;
        }
        p->disk->stalled -= r->state == STALLED;
        disco_disk_enter(r);
        append(over, r);
    }
}

/* Lock held. Those whose end is not taken are over, those that wait are to end now, those that move end alone. */
static void forget(struct disco_disk_port *p, struct request_list *over)
{
    struct request *r;

    p->closing = true;
    while ((r = take_first(&p->done))) {
        disco_disk_enter(r);
        disco_disk_give_slot(r);
    }
    forget_waiting(p, over);
    disco_disk_set_line(p);
}

static bool moves(const struct disco_disk_port *p)
{
    for (const struct request *r = p->disk->waiting.first; r; r = r->next) {
        if (r->port == p)
            return true;
    }
    return false;
}

/* Lock held. The port is closed, unless transfers of its own would come between those of its next owner. */
static int shut(struct disco_disk_port *p, struct disco_ranges *lost)
{
    struct disco_disk *d = p->disk;
    struct index *log = disco_disk_log(p);

    if (is_direct(d) && moves(p))
        return DISCO_ERR_BUSY;
    p->pmap = NULL;
    p->closing = false;
    if (!(d->c.mode & DISCO_DISK_KEPT) && (log == &p->log || !open_ports(d))) {
        *lost = log->map;
        log->map = (struct disco_ranges){.pool = &d->pool};
    }
    return DISCO_OK;
}

/*
 * Those who worked for the guest when the port began to close may have made ends of requests: these go, too. What
 * moves has its pages and no need of the guest, and gives its slot back when it is over.
 */
int disco_disk_close(struct disco_disk_port *p)
{
    struct disco_disk *d = p->disk;
    struct request_list over = {NULL, NULL};
    struct disco_ranges lost = {.pool = &d->pool};
    int err = DISCO_OK;

    lock(d);
    if (p->pmap)
        forget(p, &over);
    unlock(d);
    disco_disk_end(&over);
    while (disco_load_acquire(&p->working))
        d->c.backend->ops->relax(d->c.backend);
    lock(d);
    if (p->pmap) {
        forget(p, &over);
        err = shut(p, &lost);
    }
    unlock(d);
    disco_disk_end(&over);
    disco_disk_drop(d, disco_disk_log(p), &lost, &d->stats.logged);
    return err;
}
