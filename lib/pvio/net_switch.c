/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch: where an address was last seen as a sender, there frames for it go; others go everywhere.
 *
 * The table is set-associative: an address has four places. A new one takes a free place, else that of the sender's own
 * port which was seen longest ago, else of any port: a guest that invents addresses displaces few of others'.
 */
#include "net_private.h"

#define WAYS 4
#define SETS_SHIFT 6
_Static_assert(WAYS << SETS_SHIFT == DISCO_NET_ADDRESSES, "the table is as large as it says");

#define KEY_VALID (UINT64_C(1) << 63)
#define KEY_PORT_SHIFT 48
#define KEY_ADDRESS ((UINT64_C(1) << KEY_PORT_SHIFT) - 1)
#define GROUP (UINT64_C(1) << 40) /* of an address: multicast or broadcast */

/* The destination leads a frame, the source follows. */
#define SOURCE 6

static uint64_t address_at(const uint8_t *b)
{
    uint64_t a = 0;

    for (unsigned i = 0; i < 6; i++)
        a = a << 8 | b[i];
    return a;
}

static unsigned port_of(const struct address *a) { return a->key >> KEY_PORT_SHIFT & 63; }

static struct address *places_of(struct disco_net *n, uint64_t address)
{
    return &n->address[WAYS * (address * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SETS_SHIFT))];
}

static bool holds(const struct address *a, uint64_t address)
{
    return a->key && (a->key & KEY_ADDRESS) == address;
}

static const struct address *find(struct disco_net *n, uint64_t address)
{
    const struct address *a = places_of(n, address);

    for (unsigned i = 0; i < WAYS; i++) {
        if (holds(&a[i], address))
            return &a[i];
    }
    return NULL;
}

/* What the place is worth to those who have it, as @p port sees it: the least goes first. */
static uint64_t worth(const struct address *a, unsigned port)
{
    if (!a->key)
        return 0;
    return (port_of(a) == port ? UINT64_C(1) << 62 : UINT64_C(1) << 63) | a->seen;
}

static void learn(struct disco_net *n, unsigned port, uint64_t address)
{
    struct address *a = places_of(n, address), *at = a;

    if (address & GROUP)
        return;
    for (unsigned i = 0; i < WAYS; i++) {
        if (holds(&a[i], address)) {
            at = &a[i];
            break;
        }
        if (worth(&a[i], port) < worth(at, port))
            at = &a[i];
    }
    at->key = KEY_VALID | (uint64_t)port << KEY_PORT_SHIFT | address;
    at->seen = ++n->clock;
}

void disco_switch_forget(struct disco_net *n, unsigned port)
{
    for (unsigned i = 0; i < DISCO_NET_ADDRESSES; i++) {
        if (n->address[i].key && port_of(&n->address[i]) == port)
            n->address[i].key = 0;
    }
}

/* To whom does it go? One receiver who is full makes the sender wait; where there are several nobody waits. */
static int route(struct disco_net *n, unsigned from, const uint8_t *head, uint32_t parts,
                 uint64_t *to)
{
    uint64_t address = address_at(head);
    const struct address *a;
    struct port *p;

    if (!(n->linked & port_bit(from)))
        return DISCO_ERR_STATE;
    learn(n, from, address_at(head + SOURCE));
    a = address & GROUP ? NULL : find(n, address);
    *to = (a ? port_bit(port_of(a)) : n->linked) & ~port_bit(from);
    if (!a || !*to)
        return DISCO_OK;
    p = &n->port[port_of(a)];
    if (!disco_port_room(p, parts) && disco_port_refuse(n, p, from))
        return DISCO_ERR_BUSY;
    return DISCO_OK;
}

int disco_switch_ready(struct disco_net *n, unsigned from, const uint8_t *head, uint32_t parts)
{
    uint64_t to;
    int err;

    disco_lock(&n->lock, n->backend);
    err = route(n, from, head, parts, &to);
    disco_unlock(&n->lock);
    return err;
}

/* One more reference to each part, or to none. */
static bool refer(struct disco_net *n, const struct disco_frame *f)
{
    for (uint32_t i = 0; i < f->parts; i++) {
        if (disco_memmap_get(n->mm, f->part[i].mpn)) {
            while (i--)
                disco_memmap_put(n->mm, f->part[i].mpn);
            return false;
        }
    }
    return true;
}

/* A copy to each of @p to that has room. The last gets the frame's own references; false: there was none. */
static bool hand_out(struct disco_net *n, uint64_t to, const struct disco_frame *f)
{
    struct port *last = NULL;

    for (; to; to &= to - 1) {
        struct port *p = &n->port[__builtin_ctzll(to)];

        if (!disco_port_room(p, f->parts) || (last && !refer(n, f))) {
            disco_count_own(&p->stats.dropped, 1);
            continue;
        }
        if (last)
            disco_port_push(last, f);
        last = p;
    }
    if (last)
        disco_port_push(last, f);
    return last;
}

static void count_sent(struct disco_net_stats *s, const struct disco_frame *f, uint32_t remapped,
                       uint32_t copied)
{
    disco_count_own(&s->sent, 1);
    disco_count_own(&s->sent_bytes, disco_frame_len(f));
    disco_count_own(&s->remapped, remapped);
    disco_count_own(&s->copied_bytes, copied);
}

int disco_switch_pass(struct disco_net *n, unsigned from, const struct disco_frame *f,
                      uint32_t remapped, uint32_t copied)
{
    bool taken = false;
    uint64_t to;
    int err;

    disco_lock(&n->lock, n->backend);
    err = route(n, from, f->head, f->parts, &to);
    if (!err) {
        taken = hand_out(n, to, f);
        count_sent(&n->port[from].stats, f, remapped, copied);
    }
    disco_unlock(&n->lock);
    if (err)
        return err;
    if (!taken)
        disco_frame_put(n, f);
    return DISCO_OK;
}
