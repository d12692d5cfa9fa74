/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VIRTIO_FAKE_H
#define VIRTIO_FAKE_H

/*
 * In place of the monitor's virtio.c and memory.c: a device that has nothing but rings, at the other end of which the
 * test stands.
 */

#include "monitor/virtio.h"
#include "ring_device.h"

struct fake {
    struct ring_device queue[2];
    unsigned size;      /* descriptors that it offers */
    uint64_t features;  /* that it has */
    uint64_t config[4]; /* its configuration, by offset / 4 */
    bool stopped;
    void *storage[16];
    unsigned storages;
};

extern struct fake fake;

/* Give back what was taken; zero everything. */
void fake_reset(void);

#endif
