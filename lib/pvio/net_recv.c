/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handing a frame to a guest. What the guest offers is copied once, and checked before the frame is taken, so that one
 * who offers nonsense keeps its frames. Only as many pages are looked at as the frame has parts; they are replaced, not
 * written, so it does not matter what they were: the guest's alone, shared, replicated, or not yet there.
 */
#include "net_private.h"

#include <string.h>

/* What the guest fills in, what we tell in any case, what only a frame has. */
#define TOLD offsetof(struct disco_net_recv, frags)
#define OFFERED offsetof(struct disco_net_recv, frag)
_Static_assert(offsetof(struct disco_net_recv, head) == OFFERED + DISCO_NET_FRAGS * 8,
               "fragments and head are written in one piece");

/* Can the pages that are needed be what is offered? 1, or an error. */
static int pages_ok(const struct disco_buf *io, const struct disco_net_recv *r)
{
    int err = r->frags <= r->pages ? DISCO_OK : DISCO_ERR_NO_SPACE;

    for (uint32_t i = 0; !err && i < r->frags; i++) {
        err = r->page[i] & DISCO_PAGE_MASK
                  ? DISCO_ERR_BAD_ARG
                  : disco_pmap_check(io->pmap, (disco_pa){r->page[i]}, DISCO_PAGE_SIZE);
    }
    return err ? err : 1;
}

/* The next frame, if the pages offered do: 1; 0: none; or an error, with the frame still waiting. Under the lock. */
static int next_frame(struct disco_net *n, struct port *p, const struct disco_buf *io,
                      struct disco_net_recv *r, struct disco_frame *f)
{
    int got;

    if (!p->open)
        return DISCO_ERR_STATE;
    p->asked = true;
    if (p->head == p->tail)
        return 0;
    r->frags = p->queue[p->head % DISCO_NET_QUEUE].parts;
    got = pages_ok(io, r);
    if (got == 1) {
        disco_port_pop(n, p, f);
        disco_port_received(p, f);
    }
    return got;
}

/* One part by copying; the rest of the page stays the guest's own. */
static int copy_part(struct disco_net *n, const struct disco_buf *io, uint64_t page,
                     const struct disco_frame *f, uint32_t i)
{
    uint32_t len;
    const uint8_t *from = disco_frame_piece(n, f, i + 1, &len);

    return disco_pmap_write(io->pmap, (disco_pa){page + f->part[i].off}, from, len, io->node);
}

static int copy_parts(struct disco_net *n, const struct disco_buf *io,
                      const struct disco_net_recv *r, const struct disco_frame *f)
{
    int err = DISCO_OK;

    for (uint32_t i = 0; !err && i < f->parts; i++)
        err = copy_part(n, io, r->page[i], f, i);
    return err;
}

/* Where the machine has no place to write down one user more of a page, it is copied. */
static int map_parts(struct disco_net *n, const struct disco_buf *io,
                     const struct disco_net_recv *r, const struct disco_frame *f)
{
    struct disco_pmap_place place[DISCO_NET_FRAGS];
    int err = DISCO_OK;

    for (uint32_t i = 0; i < f->parts; i++)
        place[i] = (struct disco_pmap_place){disco_pa_page((disco_pa){r->page[i]}), f->part[i].mpn,
                                             DISCO_OK};
    disco_pmap_share_many(io->pmap, place, f->parts, DISCO_PMAP_NET);
    for (uint32_t i = 0; !err && i < f->parts; i++) {
        err = place[i].err;
        if (err == DISCO_ERR_NO_SPACE)
            err = copy_part(n, io, r->page[i], f, i);
    }
    return err;
}

static bool to_be_copied(const struct disco_net *n, const struct disco_frame *f)
{
    return n->copy || (f->parts == 1 && f->part[0].len <= DISCO_NET_LONE);
}

/* Unused fragments are written as zeros: nothing of the monitor's stack goes out. */
static int tell(const struct disco_buf *io, struct disco_net_recv *r, const struct disco_frame *f)
{
    int err;

    r->frags = f->parts;
    r->head_len = f->head_len;
    r->csum_start = f->csum_start;
    r->csum_offset = f->csum_offset;
    memset(r->frag, 0, sizeof r->frag);
    for (uint32_t i = 0; i < f->parts; i++)
        r->frag[i] = (struct disco_net_frag){(uint16_t)i, (uint16_t)f->part[i].off, f->part[i].len};
    memcpy(r->head, f->head, f->head_len);
    err = disco_buf_write(io, TOLD, &r->frags, offsetof(struct disco_net_recv, page) - TOLD);
    if (err)
        return err;
    return disco_buf_write(io, OFFERED, (const uint8_t *)r + OFFERED, sizeof r->frag + f->head_len);
}

/* It was taken, and has not arrived. */
static void lost(struct disco_net *n, struct port *p, const struct disco_frame *f)
{
    disco_lock(&n->lock, n->backend);
    disco_count_own(&p->stats.received, UINT64_MAX);
    disco_count_own(&p->stats.received_bytes, -(uint64_t)disco_frame_len(f));
    disco_count_own(&p->stats.dropped, 1);
    disco_unlock(&n->lock);
}

static int deliver(struct disco_net *n, struct port *p, const struct disco_buf *io,
                   struct disco_net_recv *r, const struct disco_frame *f)
{
    int err = to_be_copied(n, f) ? copy_parts(n, io, r, f) : map_parts(n, io, r, f);

    if (!err)
        err = tell(io, r, f);
    if (err)
        lost(n, p, f);
    return err ? err : 1;
}

int disco_net_recv(struct disco_net *n, unsigned port, const struct disco_buf *io, unsigned node)
{
    const struct disco_buf b = {io->pmap, io->pa, io->len, node, io->access};
    struct disco_net_recv r;
    struct disco_frame f;
    int got;

    if (port >= n->ports)
        return DISCO_ERR_BAD_ARG;
    got = disco_buf_read(&b, 0, &r, OFFERED);
    if (got)
        return got;
    if (r.pages > DISCO_NET_FRAGS)
        return DISCO_ERR_BAD_ARG;
    disco_lock(&n->lock, n->backend);
    got = next_frame(n, &n->port[port], &b, &r, &f);
    disco_unlock(&n->lock);
    if (got == DISCO_ERR_NO_SPACE) {
        int err = disco_buf_write(&b, TOLD, &r.frags, sizeof r.frags);

        return err ? err : got;
    }
    if (got != 1)
        return got;
    got = deliver(n, &n->port[port], &b, &r, &f);
    disco_frame_put(n, &f);
    return got;
}
