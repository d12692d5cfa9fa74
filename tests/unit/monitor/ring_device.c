/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring_device.h"

#include <stdlib.h>
#include <string.h>

#define DESC 16
#define NEXT 1
#define WRITE 2

static uint64_t get(const uint8_t *at, unsigned bytes)
{
    uint64_t v = 0;

    while (bytes--)
        v = v << 8 | at[bytes];
    return v;
}

static void put(uint8_t *at, uint64_t v, unsigned bytes)
{
    for (; bytes--; v >>= 8)
        *at++ = (uint8_t)v;
}

void ring_make(struct ring_device *d, struct virtq *q, unsigned size)
{
    *d = (struct ring_device){.size = size, .at = virtq_layout(size)};
    d->memory = aligned_alloc(64, (d->at.size + 63) & ~(size_t)63);
    memset(d->memory, 0, d->at.size);
    virtq_init(q, d->memory, size);
    q->bell = &d->bell;
    q->bell_value = 77;
}

void ring_free(struct ring_device *d) { free(d->memory); }

static void walk(struct ring_device *d, struct ring_request *r)
{
    unsigned at = r->id, flags;

    r->out = r->in = 0;
    do {
        const uint8_t *desc = d->memory + DESC * at;

        CHECK(at < d->size);
        CHECK(r->out + r->in < RING_SEGS);
        flags = (unsigned)get(desc + 12, 2);
        CHECK(flags & WRITE || !r->in); /* what it reads comes first */
        r->seg[r->out + r->in] = (struct virtq_seg){get(desc, 8), (uint32_t)get(desc + 8, 4)};
        *(flags & WRITE ? &r->in : &r->out) += 1;
        at = (unsigned)get(desc + 14, 2);
    } while (flags & NEXT);
}

bool ring_next(struct ring_device *d, struct ring_request *r)
{
    const uint8_t *avail = d->memory + d->at.avail;

    if (get(avail + 2, 2) == d->seen)
        return false;
    r->id = (uint16_t)get(avail + 4 + 2 * (d->seen % d->size), 2);
    d->seen++;
    walk(d, r);
    return true;
}

void ring_end(struct ring_device *d, uint32_t id, uint32_t len)
{
    uint8_t *entry = d->memory + d->at.used + 4 + 8 * (d->used % d->size);

    put(entry, id, 4);
    put(entry + 4, len, 4);
    ring_jump(d, 1);
}

void ring_jump(struct ring_device *d, uint16_t more)
{
    d->used += more;
    put(d->memory + d->at.used + 2, d->used, 2);
}
