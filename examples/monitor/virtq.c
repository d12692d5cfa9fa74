/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio 1.1, section 2.6: split virtqueues. All numbers in the ring are little-endian. */
#include "virtq.h"

#include <disco/atomic.h>

#include "device.h"

#define DESC_NEXT 1u
#define DESC_WRITE 2u
#define USED_NO_BELL 1u

struct virtq_desc {
    uint64_t bus;
    uint32_t len;
    uint16_t flags, next;
};

struct virtq_avail {
    uint16_t flags, index, ring[];
};

struct virtq_used {
    uint16_t flags, index;
    struct {
        uint32_t id, len;
    } ring[];
};

struct virtq_layout virtq_layout(unsigned size)
{
    struct virtq_layout l;

    l.avail = size * sizeof(struct virtq_desc);
    l.used = (l.avail + sizeof(struct virtq_avail) + size * sizeof(uint16_t) + 63) & ~(size_t)63;
    l.size = l.used + sizeof(struct virtq_used) + size * 2 * sizeof(uint32_t);
    return l;
}

void virtq_init(struct virtq *q, void *memory, unsigned size)
{
    struct virtq_layout l = virtq_layout(size);

    *q = (struct virtq){.size = (uint16_t)size, .free = (uint16_t)size};
    q->desc = memory;
    q->avail = (struct virtq_avail *)(void *)((uint8_t *)memory + l.avail);
    q->used = (struct virtq_used *)(void *)((uint8_t *)memory + l.used);
    for (unsigned i = 0; i < size; i++)
        q->note[i].next = (uint16_t)((i + 1) % size);
}

/* --- giving --- */

static void describe(struct virtq *q, uint16_t at, const struct virtq_seg *seg, unsigned flags)
{
    q->desc[at] = (struct virtq_desc){.bus = le64(seg->bus),
                                      .len = le32(seg->len),
                                      .flags = le16((uint16_t)flags),
                                      .next = le16(flags & DESC_NEXT ? q->note[at].next : 0)};
}

int virtq_add(struct virtq *q, const struct virtq_seg *seg, unsigned out, unsigned in)
{
    uint16_t first = q->first_free, at = first;
    uint32_t room = 0;

    if (q->broken)
        return DISCO_ERR_STATE;
    if (out + in > q->free || !(out + in))
        return DISCO_ERR_BUSY;
    for (unsigned i = 0; i < out + in; i++) {
        describe(q, at, &seg[i], (i < out ? 0 : DESC_WRITE) | (i + 1 < out + in ? DESC_NEXT : 0));
        room += i < out ? 0 : seg[i].len;
        at = q->note[at].next;
    }
    q->first_free = at;
    q->free -= (uint16_t)(out + in);
    q->note[first].room = room;
    q->note[first].count = (uint16_t)(out + in);
    q->avail->ring[q->given++ % q->size] = le16(first);
    __atomic_store_n(&q->avail->index, le16(q->given), __ATOMIC_RELEASE);
    return DISCO_OK;
}

/* The device looks into the ring after it has said that it wants the bell: so must we, the other way round. */
void virtq_ring(struct virtq *q)
{
    disco_fence();
    if (!(le16(__atomic_load_n(&q->used->flags, __ATOMIC_RELAXED)) & USED_NO_BELL))
        *q->bell = q->bell_value;
}

/* --- taking --- */

/* The descriptors of a request are free again. The last of them leads to those that were free before. */
static void release(struct virtq *q, uint16_t id)
{
    uint16_t last = id, count = q->note[id].count;

    for (unsigned i = 1; i < count; i++)
        last = q->note[last].next;
    q->note[last].next = q->first_free;
    q->first_free = id;
    q->free += count;
    q->note[id].count = 0;
}

static int broken(struct virtq *q)
{
    q->broken = true;
    return DISCO_ERR_STATE;
}

int virtq_take(struct virtq *q, struct virtq_done *done)
{
    uint16_t index = le16(__atomic_load_n(&q->used->index, __ATOMIC_ACQUIRE));
    uint32_t id, len;

    if (q->broken)
        return DISCO_ERR_STATE;
    if (index == q->taken)
        return 0;
    if ((uint16_t)(index - q->taken) > (uint16_t)(q->given - q->taken))
        return broken(q);
    id = le32(__atomic_load_n(&q->used->ring[q->taken % q->size].id, __ATOMIC_RELAXED));
    len = le32(__atomic_load_n(&q->used->ring[q->taken % q->size].len, __ATOMIC_RELAXED));
    if (id >= q->size || !q->note[id].count || len > q->note[id].room)
        return broken(q);
    q->taken++;
    release(q, (uint16_t)id);
    *done = (struct virtq_done){(uint16_t)id, len};
    return 1;
}

bool virtq_take_back(struct virtq *q, uint16_t *id)
{
    q->broken = true;
    for (uint16_t i = 0; i < q->size; i++) {
        if (q->note[i].count) {
            release(q, i);
            *id = i;
            return true;
        }
    }
    return false;
}
