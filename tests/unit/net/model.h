/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NET_MODEL_H
#define NET_MODEL_H

/*
 * The network, naively: a frame is a copy of its bytes, a queue an array that is moved up, the switch a table without
 * bounds, and how a frame is cut into parts is found by a look at each byte.
 */

#include "world.h"

#define MACS 8 /* addresses in use; so few that the switch forgets none. Number MACS: broadcast */

struct copy {
    uint8_t *bytes;
    uint32_t len, parts;
    uint16_t start, offset;
};

struct place {
    struct copy queue[DISCO_NET_QUEUE];
    uint32_t n, pages;
    unsigned waiting;
    bool up, news;
};

struct model {
    struct place place[PORTS];
    int port_of[MACS]; /* -1: not known */
    unsigned busy, flooded;
};

void model_init(struct model *m);
void model_fini(struct model *m);
/* Its frames and addresses are gone, and nothing reaches it. */
void model_down(struct model *m, unsigned port);
/* The first frame in the queue has been taken. */
void model_shift(struct model *m, unsigned port);
/* A frame from address @p as to address @p to; the result of the call. */
int model_pass(struct model *m, unsigned from, unsigned to, unsigned as, const struct copy *c);
/* How many parts the frame has, in c->parts; @return how many of them are shared pages. */
uint32_t model_plan(const struct disco_io_seg *seg, uint32_t n, bool copy, struct copy *c);

static inline uint64_t seg_len(const struct disco_io_seg *s) { return s->len & ~DISCO_NET_STABLE; }

#endif
