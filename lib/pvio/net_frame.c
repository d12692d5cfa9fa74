/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames in the monitor's own hands: to read them, to send and take them without a guest, and the checksum that
 * a guest leaves to its network.
 */
#include "net_private.h"

#include <string.h>

const uint8_t *disco_frame_piece(struct disco_net *n, const struct disco_frame *f, uint32_t i,
                                 uint32_t *len)
{
    const struct disco_net_part *part;

    if (!i) {
        *len = f->head_len;
        return f->head;
    }
    part = &f->part[i - 1];
    *len = part->len;
    return (const uint8_t *)n->backend->ops->page(n->backend, part->mpn) + part->off;
}

uint32_t disco_frame_len(const struct disco_frame *f)
{
    uint32_t len = f->head_len;

    for (uint32_t i = 0; i < f->parts; i++)
        len += f->part[i].len;
    return len;
}

int disco_frame_read(struct disco_net *n, const struct disco_frame *f, uint32_t off, void *to,
                     uint32_t len)
{
    uint32_t total = disco_frame_len(f);
    uint8_t *at = to;

    if (off > total || len > total - off)
        return DISCO_ERR_BAD_ARG;
    for (uint32_t i = 0; len; i++) {
        uint32_t have, now;
        const uint8_t *from = disco_frame_piece(n, f, i, &have);

        if (off >= have) {
            off -= have;
            continue;
        }
        now = have - off < len ? have - off : len;
        memcpy(at, from + off, now);
        at += now;
        len -= now;
        off = 0;
    }
    return DISCO_OK;
}

/* --- checksums (RFC 1071): the sum does not care for byte order, as long as it is the same everywhere --- */

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint16_t sum_of(const uint8_t *at, uint32_t len)
{
    uint64_t sum = 0;
    uint32_t word;

    for (; len >= sizeof word; at += sizeof word, len -= sizeof word) {
        memcpy(&word, at, sizeof word);
        sum += word;
    }
    word = 0;
    memcpy(&word, at, len);
    return fold(sum + word);
}

/* The sum from @p start to the end. A piece that begins at an odd place has its bytes the other way round. */
static uint16_t sum_from(struct disco_net *n, const struct disco_frame *f, uint32_t start)
{
    uint64_t sum = 0;
    bool odd = false;

    for (uint32_t i = 0; i <= f->parts; i++) {
        uint32_t len, skip = i ? 0 : start;
        const uint8_t *at = disco_frame_piece(n, f, i, &len);
        uint16_t s = sum_of(at + skip, len - skip);

        sum += odd ? __builtin_bswap16(s) : s;
        odd ^= (len - skip) & 1;
    }
    return fold(sum);
}

bool disco_frame_csum_bad(uint16_t start, uint16_t offset, uint32_t len)
{
    return (start || offset) && (uint32_t)start + offset + sizeof(uint16_t) > len;
}

int disco_frame_checksum(struct disco_net *n, struct disco_frame *f)
{
    uint16_t sum;

    if (!f->csum_start && !f->csum_offset)
        return DISCO_OK;
    if (disco_frame_csum_bad(f->csum_start, f->csum_offset, f->head_len))
        return DISCO_ERR_BAD_ARG;
    sum = (uint16_t)~sum_from(n, f, f->csum_start);
    if (!sum)
        sum = 0xffff; /* to UDP 0 means that there is none */
    memcpy(&f->head[f->csum_start + f->csum_offset], &sum, sizeof sum);
    f->csum_start = f->csum_offset = 0;
    return DISCO_OK;
}

/* --- the monitor as a port's owner --- */

void disco_frame_put(struct disco_net *n, const struct disco_frame *f)
{
    for (uint32_t i = 0; i < f->parts; i++)
        disco_memmap_put(n->mm, f->part[i].mpn);
}

void disco_net_free_frame(struct disco_net *n, struct disco_frame *f)
{
    disco_frame_put(n, f);
    f->parts = 0;
}

static bool is_frame(const struct disco_frame *f)
{
    if (f->head_len < DISCO_NET_HEADER || f->head_len > DISCO_NET_HEAD ||
        f->parts > DISCO_NET_FRAGS)
        return false;
    for (uint32_t i = 0; i < f->parts; i++) {
        const struct disco_net_part *p = &f->part[i];

        if (!p->len || p->off >= DISCO_PAGE_SIZE || p->len > DISCO_PAGE_SIZE - p->off)
            return false;
    }
    return disco_frame_len(f) <= DISCO_NET_FRAME_MAX &&
           !disco_frame_csum_bad(f->csum_start, f->csum_offset, f->head_len);
}

void disco_port_bad(struct disco_net *n, unsigned port)
{
    disco_lock(&n->lock, n->backend);
    disco_count_own(&n->port[port].stats.bad, 1);
    disco_unlock(&n->lock);
}

int disco_net_send_frame(struct disco_net *n, unsigned port, const struct disco_frame *f)
{
    if (port >= n->ports)
        return DISCO_ERR_BAD_ARG;
    if (!is_frame(f)) {
        disco_port_bad(n, port);
        return DISCO_ERR_BAD_ARG;
    }
    return disco_switch_pass(n, port, f, 0, 0);
}

bool disco_net_take_frame(struct disco_net *n, unsigned port, struct disco_frame *f)
{
    struct port *p = &n->port[port];
    bool any;

    if (port >= n->ports)
        return false;
    disco_lock(&n->lock, n->backend);
    any = p->head != p->tail;
    if (any) {
        disco_port_pop(n, p, f);
        disco_port_received(p, f);
    }
    disco_unlock(&n->lock);
    return any;
}
