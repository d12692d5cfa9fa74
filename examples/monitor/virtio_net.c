/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio 1.1, section 5.1. */
#include "virtio_net.h"

#include "device.h"
#include "memory.h"

#define FEATURE_MAC (UINT64_C(1) << 5)

enum { QUEUE_RECEIVE, QUEUE_SEND };
#define ETHERNET_HEADER 14

/* --- sending --- */

static unsigned segments(const struct vnic_out *o, struct virtq_seg *to)
{
    unsigned n = 0;

    to[n++] = (struct virtq_seg){virtio_bus(o->header), VNIC_HEADER};
    if (o->frame.head_len)
        to[n++] = (struct virtq_seg){virtio_bus(o->frame.head), o->frame.head_len};
    for (uint32_t i = 0; i < o->frame.parts; i++) {
        const struct disco_net_part *p = &o->frame.part[i];

        to[n++] = (struct virtq_seg){disco_mpn_base(p->mpn).v + p->off, p->len};
    }
    return n;
}

int virtio_net_send(struct virtio_net *n, const struct disco_frame *f)
{
    struct virtq_seg seg[2 + DISCO_NET_FRAGS];
    struct vnic_out *o = &n->out[virtq_next(&n->send)];
    int err;

    if (n->dead)
        return DISCO_ERR_STATE;
    if (f->parts > DISCO_NET_FRAGS || f->head_len > DISCO_NET_HEAD)
        return DISCO_ERR_BAD_ARG;
    if (n->send.free < 2 + f->parts)
        return DISCO_ERR_BUSY;
    o->frame = *f;
    err = virtq_add(&n->send, seg, segments(o, seg), 0);
    if (!err)
        virtq_ring(&n->send);
    return err;
}

bool virtio_net_sent(struct virtio_net *n, struct disco_frame *f)
{
    struct virtq_done done = {0};
    int got = n->dead ? virtq_take_back(&n->send, &done.id) : virtq_take(&n->send, &done);

    if (got < 0)
        virtio_net_stop(n, "it ends frames that nobody sent");
    if (got == 1)
        *f = n->out[done.id].frame;
    return got == 1;
}

/* --- receiving --- */

/* The ring was empty, or holds one less than it can: there are descriptors. */
static void offer(struct virtio_net *n)
{
    struct vnic_in *in = &n->in[virtq_next(&n->receive)];
    struct virtq_seg seg = {virtio_bus(in), VNIC_HEADER + VNIC_RECEIVE_MAX};

    (void)virtq_add(&n->receive, &seg, 0, 1);
}

uint32_t virtio_net_received(struct virtio_net *n, const uint8_t **frame)
{
    struct virtq_done done = {0};
    int got = n->dead ? 0 : virtq_take(&n->receive, &done);

    if (got < 0 || (got == 1 && done.len < VNIC_HEADER + ETHERNET_HEADER)) {
        virtio_net_stop(n, "it brings frames that are none");
        return 0;
    }
    if (!got)
        return 0;
    *frame = n->in[done.id].frame;
    return done.len - VNIC_HEADER;
}

/* A free buffer's id is that of the request it last was: the first of the free ones is the one just taken. */
void virtio_net_reuse(struct virtio_net *n)
{
    if (n->dead)
        return;
    offer(n);
    virtq_ring(&n->receive);
}

void virtio_net_stop(struct virtio_net *n, const char *why)
{
    if (n->dead)
        return;
    n->dead = true;
    n->why = why;
    virtio_stop(&n->dev);
}

/* --- starting --- */

static const char *make_queues(struct virtio_net *n)
{
    const char *wrong = virtio_queue(&n->dev, QUEUE_RECEIVE, &n->receive, VNIC_RECEIVE_RING);

    wrong = wrong ? wrong : virtio_queue(&n->dev, QUEUE_SEND, &n->send, VNIC_SEND_RING);
    if (!wrong && n->send.size < 2 + DISCO_NET_FRAGS)
        wrong = "its queue is too short";
    if (wrong)
        return wrong;
    n->in = memory_storage(n->receive.size * sizeof *n->in);
    n->out = memory_storage(n->send.size * sizeof *n->out);
    return NULL;
}

const char *virtio_net_start(struct virtio_net *n)
{
    uint64_t got = 0;
    const char *wrong = virtio_find(&n->dev);

    wrong = wrong ? wrong : virtio_begin(&n->dev, FEATURE_MAC, 0, &got);
    wrong = wrong ? wrong : make_queues(n);
    if (wrong)
        return wrong;
    for (unsigned i = 0; i < 6; i++)
        n->mac[i] = (uint8_t)virtio_config(&n->dev, i, 1);
    virtio_go(&n->dev);
    while (n->receive.free)
        offer(n);
    virtq_ring(&n->receive);
    return NULL;
}
