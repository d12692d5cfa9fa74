/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RING_DEVICE_H
#define RING_DEVICE_H

/*
 * A naive virtio device that knows of a split ring only what the specification says of its bytes. Its bus addresses
 * are this program's own. It can also lie.
 */

#include <check.h>

#include "monitor/virtq.h"

#define RING_SEGS 64

/* As ck_assert(), which writes a line to a file each time that all is well: too slow for millions. */
#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("not: %s", #condition);                                                   \
    } while (0)

struct ring_device {
    uint8_t *memory;
    unsigned size;
    struct virtq_layout at;
    uint16_t seen, used; /* requests taken from the driver, given back */
    uint16_t bell;       /* the driver writes here */
};

/* A request as the device finds it. */
struct ring_request {
    uint16_t id;
    unsigned out, in;
    struct virtq_seg seg[RING_SEGS];
};

/* A ring of `size` in memory of its own, for both sides. */
void ring_make(struct ring_device *d, struct virtq *q, unsigned size);
void ring_free(struct ring_device *d);
/* The next request. Whether there is one. */
bool ring_next(struct ring_device *d, struct ring_request *r);
/* One is over, or so it says. */
void ring_end(struct ring_device *d, uint32_t id, uint32_t len);
/* Say that so many more are over than are. */
void ring_jump(struct ring_device *d, uint16_t more);

#endif
