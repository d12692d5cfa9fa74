/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending from a guest. The request is copied out of the guest's memory once, and everything follows from that copy:
 * first where in the frame the pages lie that can be shared (the *spots*), then head, parts and gaps between spots.
 * What the guest writes to its memory meanwhile changes the bytes of its frame and nothing else.
 */
#include "net_private.h"

#include <string.h>

/* Bytes that a frame shared from end to end has pages for. */
#define SPOTS (DISCO_NET_FRAME_MAX / DISCO_PAGE_SIZE)
_Static_assert((DISCO_NET_FRAME_MAX - DISCO_NET_HEAD) / DISCO_PAGE_SIZE + 1 <= DISCO_NET_FRAGS,
               "a dense frame has not too many parts");
_Static_assert(SPOTS <= DISCO_PMAP_MANY, "one revocation for a frame");

struct gather {
    struct disco_net *n;
    struct disco_pmap *pmap;
    unsigned node;
    uint32_t len; /* of the frame */
    uint32_t spots, parts;
    uint32_t seg; /* where the next byte is taken */
    uint64_t off;
    uint32_t remapped;
    struct disco_frame f;
    uint32_t spot[SPOTS]; /* the byte of the frame where a whole page of the guest's begins */
    struct disco_pmap_place page[SPOTS]; /* and that page: lent if there is no err */
    struct disco_io_seg s[DISCO_NET_SEGS];
};

static uint64_t seg_len(const struct disco_io_seg *s) { return s->len & ~DISCO_NET_STABLE; }

static int read_request(struct gather *g, const struct disco_buf *in)
{
    static const struct disco_segs_limits limits = {DISCO_NET_SEGS, DISCO_NET_FRAME_MAX, 1,
                                                    DISCO_NET_STABLE};
    struct disco_net_send req;
    uint64_t len;
    int err = disco_buf_read(in, 0, &req, sizeof req);

    if (!err)
        err = disco_segs_read(in, sizeof req, req.segs, &limits, g->s, &len);
    if (err)
        return err;
    if (len < DISCO_NET_HEADER ||
        disco_frame_csum_bad(req.csum_start, req.csum_offset,
                             len < DISCO_NET_HEAD ? (uint32_t)len : DISCO_NET_HEAD))
        return DISCO_ERR_BAD_ARG;
    g->len = (uint32_t)len;
    g->f.csum_start = req.csum_start;
    g->f.csum_offset = req.csum_offset;
    return DISCO_OK;
}

/* --- the plan --- */

/* The first byte at which a page may be shared: what comes before must be in the head. */
static uint32_t headers_end(const struct disco_frame *f)
{
    uint32_t csum_end = (uint32_t)f->csum_start + f->csum_offset + sizeof(uint16_t);

    return csum_end > DISCO_NET_HEADER ? csum_end : DISCO_NET_HEADER;
}

static void find_spots(struct gather *g)
{
    uint32_t first = headers_end(&g->f);
    uint64_t at = 0;

    for (uint32_t left = g->len, i = 0; left; left -= (uint32_t)seg_len(&g->s[i]), i++) {
        uint64_t len = seg_len(&g->s[i]), skip = -g->s[i].pa & DISCO_PAGE_MASK;

        for (; g->s[i].len & DISCO_NET_STABLE && skip + DISCO_PAGE_SIZE <= len;
             skip += DISCO_PAGE_SIZE) {
            if (at + skip < first)
                continue;
            g->spot[g->spots] = (uint32_t)(at + skip);
            g->page[g->spots++].ppn = disco_pa_page((disco_pa){g->s[i].pa + skip});
        }
        at += len;
    }
}

/* Where the gap before spot @p i ends; that behind the last ends with the frame. */
static uint32_t gap_end(const struct gather *g, uint32_t i)
{
    return i < g->spots ? g->spot[i] : g->len;
}

static uint32_t head_len(const struct gather *g)
{
    uint32_t end = gap_end(g, 0);

    return end < DISCO_NET_HEAD ? end : DISCO_NET_HEAD;
}

static uint32_t count_parts(const struct gather *g)
{
    uint32_t at = head_len(g), parts = g->spots;

    for (uint32_t i = 0; i <= g->spots; i++) {
        parts += (gap_end(g, i) - at + DISCO_PAGE_MASK) >> DISCO_PAGE_SHIFT;
        at = gap_end(g, i) + DISCO_PAGE_SIZE;
    }
    return parts;
}

static void plan(struct gather *g)
{
    g->spots = 0;
    if (!g->n->copy)
        find_spots(g);
    g->parts = count_parts(g);
    if (g->parts > DISCO_NET_FRAGS) {
        g->spots = 0;
        g->parts = count_parts(g);
    }
    g->f.head_len = head_len(g);
}

/* --- taking bytes in order --- */

/* The next @p len bytes, to @p to or (NULL) nowhere. */
static int take(struct gather *g, uint8_t *to, uint32_t len)
{
    int err = DISCO_OK;

    while (!err && len) {
        const struct disco_io_seg *s = &g->s[g->seg];
        uint64_t rest = seg_len(s) - g->off;
        uint32_t now = rest < len ? (uint32_t)rest : len;

        if (to) {
            err = disco_pmap_read(g->pmap, (disco_pa){s->pa + g->off}, to, now, g->node);
            to += now;
        }
        len -= now;
        g->off += now;
        if (g->off == seg_len(s)) {
            g->seg++;
            g->off = 0;
        }
    }
    return err;
}

/* A page of the monitor's. It is the frame's as soon as it exists, so that the frame's end is its end. */
static int copy_part(struct gather *g, uint32_t len)
{
    struct disco_net_part part = {{0}, 0, len};
    uint8_t *at;
    int err = disco_memmap_alloc(g->n->mm, g->node, DISCO_PAGE_MONITOR, &part.mpn);

    if (err)
        return err;
    g->f.part[g->f.parts++] = part;
    at = g->n->backend->ops->page(g->n->backend, part.mpn);
    memset(at + len, 0, DISCO_PAGE_SIZE - len);
    return take(g, at, len);
}

static int copy_gap(struct gather *g, uint32_t len)
{
    int err = DISCO_OK;

    while (!err && len) {
        uint32_t now = len < DISCO_PAGE_SIZE ? len : (uint32_t)DISCO_PAGE_SIZE;

        err = copy_part(g, now);
        len -= now;
    }
    return err;
}

/* A page that cannot be lent can still be copied. One that was lent is the frame's from now on. */
static int share_part(struct gather *g, struct disco_pmap_place *p)
{
    if (p->err)
        return copy_part(g, DISCO_PAGE_SIZE);
    g->f.part[g->f.parts++] = (struct disco_net_part){p->mpn, 0, DISCO_PAGE_SIZE};
    p->err = DISCO_ERR_STATE;
    g->remapped++;
    return take(g, NULL, DISCO_PAGE_SIZE);
}

/* All that can be shared is taken from the guest at once; what an error left over is given back. */
static int build(struct gather *g)
{
    uint32_t at = g->f.head_len;
    int err = DISCO_OK;

    disco_pmap_lend_many(g->pmap, g->page, g->spots, g->node, DISCO_PMAP_NET);
    for (uint32_t i = 0; !err && i <= g->spots; i++) {
        err = copy_gap(g, gap_end(g, i) - at);
        if (!err && i < g->spots)
            err = share_part(g, &g->page[i]);
        at = gap_end(g, i) + DISCO_PAGE_SIZE;
    }
    for (uint32_t i = 0; i < g->spots; i++) {
        if (!g->page[i].err)
            disco_memmap_put(g->n->mm, g->page[i].mpn);
    }
    return err;
}

/* Whether the receiver has room is asked before pages are copied and taken away from the sender, too. */
static int send(struct gather *g, unsigned port)
{
    int err;

    plan(g);
    err = take(g, g->f.head, g->f.head_len);
    if (!err && g->parts)
        err = disco_switch_ready(g->n, port, g->f.head, g->parts);
    if (!err)
        err = build(g);
    if (!err)
        err = disco_switch_pass(g->n, port, &g->f, g->remapped,
                                g->len - g->remapped * (uint32_t)DISCO_PAGE_SIZE);
    if (err)
        disco_net_free_frame(g->n, &g->f);
    return err;
}

int disco_net_send(struct disco_net *n, unsigned port, const struct disco_buf *in, unsigned node)
{
    struct gather g;
    int err;

    if (port >= n->ports)
        return DISCO_ERR_BAD_ARG;
    g.n = n;
    g.pmap = in->pmap;
    g.node = node;
    g.seg = g.remapped = g.f.parts = 0;
    g.off = 0;
    err = read_request(&g, in);
    if (err) {
        disco_port_bad(n, port);
        return err;
    }
    return send(&g, port);
}
