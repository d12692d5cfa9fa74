/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_VIRTQ_H
#define MONITOR_VIRTQ_H

/*
 * A split ring of virtio 1.x, the driver's side, in plain memory. What the device says in it is checked: after
 * nonsense the ring is broken, and nothing is taken from it any more. Locking is the caller's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Descriptors at most. */
#define VIRTQ_MAX 256

/* Memory as the device sees it. */
struct virtq_seg {
    uint64_t bus;
    uint32_t len;
};

/* A request that the device is done with. */
struct virtq_done {
    uint16_t id;
    uint32_t len; /* bytes it wrote, from the first segment it may write on */
};

/* Our own notes, by descriptor: the table itself is the device's to read, and no place to look things up. */
struct virtq_note {
    uint32_t room;  /* of the whole request, at its first descriptor: bytes the device may write */
    uint16_t next;  /* of the request, or of the free ones */
    uint16_t count; /* at its first descriptor: how many; 0: no request begins here */
};

struct virtq {
    uint16_t size, free, first_free;
    uint16_t given, taken; /* requests ever, as the ring counts them */
    bool broken;
    struct virtq_desc *desc;
    struct virtq_avail *avail;
    struct virtq_used *used;
    volatile uint16_t *bell; /* where the device is told; what is written there */
    uint16_t bell_value;
    struct virtq_note note[VIRTQ_MAX];
};

/* Where the device finds the three parts, from the beginning of the memory of a ring. */
struct virtq_layout {
    size_t avail, used, size; /* the descriptors stand first */
};
/* For `size` descriptors, a power of two. */
struct virtq_layout virtq_layout(unsigned size);

/* `memory`: virtq_layout().size bytes, zeroed, 16-byte aligned. */
void virtq_init(struct virtq *q, void *memory, unsigned size);

/* The id that the next request gets: below `size`, and nobody else's until it is taken. */
static inline uint16_t virtq_next(const struct virtq *q) { return q->first_free; }
/*
 * Give the device a request: `out` segments that it reads, then `in` that it writes. 0; DISCO_ERR_BUSY: no
 * descriptors now; DISCO_ERR_STATE: broken.
 */
int virtq_add(struct virtq *q, const struct virtq_seg *seg, unsigned out, unsigned in);
/* Tell the device that there is something for it. */
void virtq_ring(struct virtq *q);
/* Take a finished request: 1, *done filled in; 0: none; DISCO_ERR_STATE: broken. */
int virtq_take(struct virtq *q, struct virtq_done *done);
/* The device has been stopped: take back a request that it has not finished. Whether there is one. */
bool virtq_take_back(struct virtq *q, uint16_t *id);

#endif
