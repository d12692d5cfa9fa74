/* SPDX-License-Identifier: BSD-2-Clause */
#include "model.h"

void model_init(struct model *m)
{
    memset(m, 0, sizeof *m);
    for (unsigned i = 0; i < MACS; i++)
        m->port_of[i] = -1;
    for (unsigned i = 0; i < PORTS; i++)
        m->place[i].up = true;
}

void model_fini(struct model *m)
{
    for (unsigned i = 0; i < PORTS; i++)
        model_down(m, i);
}

/* --- queues --- */

static bool room(const struct place *p, uint32_t parts)
{
    return p->n < DISCO_NET_QUEUE && p->pages + parts <= DISCO_NET_QUEUE_PAGES;
}

static void push(struct place *p, const struct copy *c)
{
    struct copy *to = &p->queue[p->n++];

    *to = *c;
    to->bytes = malloc(c->len);
    MUST(to->bytes);
    memcpy(to->bytes, c->bytes, c->len);
    p->pages += c->parts;
}

static void wake(struct model *m, struct place *p)
{
    for (unsigned i = 0; i < PORTS; i++)
        m->place[i].news |= p->waiting >> i & 1;
    p->waiting = 0;
}

void model_shift(struct model *m, unsigned port)
{
    struct place *p = &m->place[port];

    p->pages -= p->queue[0].parts;
    free(p->queue[0].bytes);
    memmove(&p->queue[0], &p->queue[1], --p->n * sizeof p->queue[0]);
    if (p->n <= DISCO_NET_QUEUE / 2 && p->pages <= DISCO_NET_QUEUE_PAGES / 2)
        wake(m, p);
}

/* --- the switch --- */

void model_down(struct model *m, unsigned port)
{
    struct place *p = &m->place[port];

    for (unsigned i = 0; i < MACS; i++) {
        if (m->port_of[i] == (int)port)
            m->port_of[i] = -1;
    }
    p->up = false;
    wake(m, p);
    while (p->n)
        model_shift(m, port);
}

int model_pass(struct model *m, unsigned from, unsigned to, unsigned as, const struct copy *c)
{
    int at;

    if (!m->place[from].up)
        return DISCO_ERR_STATE;
    m->port_of[as] = (int)from;
    at = to < MACS ? m->port_of[to] : -1;
    if (at == (int)from)
        return 0;
    if (at >= 0 && !room(&m->place[at], c->parts)) {
        m->place[at].waiting |= 1u << from;
        m->busy++;
        return DISCO_ERR_BUSY;
    }
    m->flooded += at < 0;
    for (unsigned i = 0; i < PORTS; i++) {
        struct place *p = &m->place[i];

        if (i != from && p->up && (at < 0 || at == (int)i) && room(p, c->parts))
            push(p, c);
    }
    return 0;
}

/* --- how a frame is cut --- */

/* Which bytes of the frame begin a page that is shared? */
static uint32_t find_shared(const struct disco_io_seg *seg, uint32_t n, uint32_t first,
                            bool *begins)
{
    uint32_t at = 0, pages = 0;

    for (uint32_t i = 0; i < n; i++) {
        for (uint64_t k = 0; k < seg_len(&seg[i]); k++, at++) {
            begins[at] = seg[i].len & DISCO_NET_STABLE && (seg[i].pa + k) % PAGE == 0 &&
                         seg_len(&seg[i]) - k >= PAGE && at >= first;
            pages += begins[at];
        }
    }
    return pages;
}

static uint32_t count_parts(const bool *begins, uint32_t len)
{
    uint32_t at = 0, parts = 0, left = 0; /* in the page that is being filled */

    while (at < len && at < DISCO_NET_HEAD && !begins[at])
        at++;
    while (at < len) {
        if (begins[at] || !left)
            parts++;
        if (begins[at]) {
            at += (uint32_t)PAGE;
            left = 0;
            continue;
        }
        left = (left ? left : (uint32_t)PAGE) - 1;
        at++;
    }
    return parts;
}

uint32_t model_plan(const struct disco_io_seg *seg, uint32_t n, bool copy, struct copy *c)
{
    static bool begins[DISCO_NET_FRAME_MAX];
    uint32_t csum_end = c->start + c->offset + 2u, shared = 0;

    memset(begins, 0, sizeof begins);
    if (!copy)
        shared = find_shared(seg, n, csum_end > 14 ? csum_end : 14, begins);
    c->parts = count_parts(begins, c->len);
    if (c->parts <= DISCO_NET_FRAGS)
        return shared;
    memset(begins, 0, sizeof begins);
    c->parts = count_parts(begins, c->len);
    return 0;
}
