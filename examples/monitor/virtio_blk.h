/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_VIRTIO_BLK_H
#define MONITOR_VIRTIO_BLK_H

/*
 * A virtio disk as a store (disco/disk.h). Requests are submitted from any processor and end on the one that polls. A
 * device that talks nonsense is stopped: what it had at work fails, and all that comes later.
 */

#include <disco/disk.h>

#include "virtio.h"

/* What the device reads and writes beside the data. */
struct blk_frame {
    uint32_t type, reserved;
    uint64_t sector;
    uint8_t status, unused[15];
};

struct virtio_blk {
    struct disco_store store; /* first */
    struct virtio dev;
    struct disco_backend *backend;
    struct disco_lock lock; /* a device's, inside others of the kind; nothing is called under it */
    struct virtq q;
    bool dead;
    const char *why;         /* it is dead */
    struct blk_frame *frame; /* by id of the request, as the two below */
    struct disco_store_io *io[VIRTQ_MAX];
    uint64_t done, failed; /* requests; accessed atomically */
};

/* `b->dev.pci` is filled in, the rest zeroed. NULL, or what is wrong. */
const char *virtio_blk_start(struct virtio_blk *b, struct disco_backend *backend);
/* End what has come back, a bounded number of requests. Whether there may be more. One processor. */
bool virtio_blk_poll(struct virtio_blk *b);
/* Stop the device; what is at work fails. `why`: static text for the log, or NULL. */
void virtio_blk_stop(struct virtio_blk *b, const char *why);

#endif
