/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What waits for a port, and who waits for it. A sender that is refused is written down and told when the
 * queue is half empty, so that it sends a batch then and not one frame for each that is taken. A receiver that
 * takes nothing at all is not waited for: a VM that has stopped must not stop those who talk to it.
 */
#include "net_private.h"

#include <string.h>

void disco_port_set_line(struct port *p)
{
    if (p->line.set)
        p->line.set(p->line.ctx, p->asked && (p->news || p->head != p->tail));
}

bool disco_port_room(const struct port *p, uint32_t parts)
{
    return p->tail - p->head < DISCO_NET_QUEUE && p->pages + parts <= DISCO_NET_QUEUE_PAGES;
}

/* No more than the frame has: most are small. */
static void move(struct disco_frame *to, const struct disco_frame *from)
{
    memcpy(to, from, offsetof(struct disco_frame, part) + from->parts * sizeof from->part[0]);
    memcpy(to->head, from->head, from->head_len);
}

void disco_port_push(struct port *p, const struct disco_frame *f)
{
    move(&p->queue[p->tail++ % DISCO_NET_QUEUE], f);
    p->pages += f->parts;
    disco_port_set_line(p);
}

/* Those who wait for @p p may try again. */
static void wake(struct disco_net *n, struct port *p)
{
    for (; p->waiting; p->waiting &= p->waiting - 1) {
        struct port *sender = &n->port[__builtin_ctzll(p->waiting)];

        if (sender->open) {
            sender->news = true;
            disco_port_set_line(sender);
        }
    }
}

void disco_port_pop(struct disco_net *n, struct port *p, struct disco_frame *f)
{
    move(f, &p->queue[p->head++ % DISCO_NET_QUEUE]);
    p->pages -= f->parts;
    p->refused_at = 0;
    if (p->tail - p->head <= DISCO_NET_QUEUE / 2 && p->pages <= DISCO_NET_QUEUE_PAGES / 2)
        wake(n, p);
    disco_port_set_line(p);
}

void disco_port_received(struct port *p, const struct disco_frame *f)
{
    disco_count_own(&p->stats.received, 1);
    disco_count_own(&p->stats.received_bytes, disco_frame_len(f));
}

bool disco_port_refuse(struct disco_net *n, struct port *p, unsigned from)
{
    uint64_t now = n->backend->ops->now(n->backend);

    if (!p->refused_at)
        p->refused_at = now | 1;
    if (now > p->refused_at && now - p->refused_at > DISCO_NET_STUCK_NS)
        return false;
    p->waiting |= port_bit(from);
    disco_count_own(&n->port[from].stats.refused, 1);
    return true;
}
