/* SPDX-License-Identifier: BSD-2-Clause */
#include "net_private.h"

#include <string.h>

static bool config_ok(const struct disco_net_config *c)
{
    return c && c->mm && c->backend && c->ports && c->ports <= DISCO_NET_PORTS;
}

size_t disco_net_size(const struct disco_net_config *c)
{
    return config_ok(c) ? sizeof(struct disco_net) + c->ports * sizeof(struct port) : 0;
}

int disco_net_init(struct disco_net **out, void *storage, size_t size,
                   const struct disco_net_config *c)
{
    struct disco_net *n = storage;

    if (!out || !config_ok(c) || !storage || (uintptr_t)storage % DISCO_CACHE_LINE)
        return DISCO_ERR_BAD_ARG;
    if (size < disco_net_size(c))
        return DISCO_ERR_NO_SPACE;
    memset(n, 0, disco_net_size(c));
    n->ports = c->ports;
    n->copy = c->copy;
    n->mm = c->mm;
    n->backend = c->backend;
    *out = n;
    return DISCO_OK;
}

int disco_net_open(struct disco_net *n, unsigned port, struct disco_line line)
{
    struct port *p = &n->port[port];
    int err = DISCO_ERR_BUSY;

    if (port >= n->ports)
        return DISCO_ERR_BAD_ARG;
    disco_lock(&n->lock, n->backend);
    if (!p->open) {
        p->open = true;
        p->asked = p->news = false;
        p->line = line;
        n->linked |= port_bit(port);
        disco_port_set_line(p);
        err = DISCO_OK;
    }
    disco_unlock(&n->lock);
    return err;
}

/* Nothing comes to the port any more. The lock is held. */
static void unlink(struct disco_net *n, unsigned port)
{
    n->linked &= ~port_bit(port);
    disco_switch_forget(n, port);
}

/*
 * What waited for a port that is not linked; senders that waited for it are told as the queue empties. Pages are
 * given back without the lock, so a frame at a time.
 */
static void forget_frames(struct disco_net *n, unsigned port)
{
    struct port *p = &n->port[port];
    struct disco_frame f;
    bool any;

    do {
        disco_lock(&n->lock, n->backend);
        any = !(n->linked & port_bit(port)) && p->head != p->tail;
        if (any)
            disco_port_pop(n, p, &f);
        disco_count_own(&p->stats.dropped, any);
        disco_unlock(&n->lock);
        if (any)
            disco_frame_put(n, &f);
    } while (any);
}

void disco_net_close(struct disco_net *n, unsigned port)
{
    struct port *p = &n->port[port];

    if (port >= n->ports)
        return;
    disco_lock(&n->lock, n->backend);
    unlink(n, port);
    p->open = false;
    disco_unlock(&n->lock);
    forget_frames(n, port);
}

void disco_net_link(struct disco_net *n, unsigned port, bool up)
{
    struct port *p = &n->port[port];

    if (port >= n->ports)
        return;
    disco_lock(&n->lock, n->backend);
    if (p->open && up != (n->linked >> port & 1)) {
        p->news = true;
        if (up)
            n->linked |= port_bit(port);
        else
            unlink(n, port);
        disco_port_set_line(p);
    }
    disco_unlock(&n->lock);
    forget_frames(n, port);
}

bool disco_net_is_up(struct disco_net *n, unsigned port)
{
    struct port *p = &n->port[port];
    bool up;

    if (port >= n->ports)
        return false;
    disco_lock(&n->lock, n->backend);
    up = n->linked >> port & 1;
    p->news = false;
    p->asked = true;
    if (p->open)
        disco_port_set_line(p);
    disco_unlock(&n->lock);
    return up;
}

int disco_net_stats(const struct disco_net *n, unsigned port, struct disco_net_stats *out)
{
    const uint64_t *from = (const uint64_t *)&n->port[port].stats;
    uint64_t *to = (uint64_t *)out;

    if (port >= n->ports)
        return DISCO_ERR_BAD_ARG;
    for (size_t i = 0; i < sizeof *out / sizeof *to; i++)
        to[i] = disco_load(&from[i]);
    return DISCO_OK;
}
