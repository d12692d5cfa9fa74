/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_VIRTIO_H
#define MONITOR_VIRTIO_H

/*
 * A virtio 1.x device on the PCI bus: finding its registers, agreeing on features, giving it its queues. Memory for
 * queues is boot-time storage: memory.h.
 */

#include "pci.h"
#include "virtq.h"

/* A part of the device's registers. */
struct virtio_registers {
    volatile uint8_t *at;
    uint32_t len;
};

struct virtio {
    struct pci_device pci;
    struct virtio_registers common, isr, config, bells;
    uint32_t bell_step; /* bytes from one queue's bell to the next */
};

/* What a device is, whatever its number on the bus says. */
enum virtio_kind { VIRTIO_OTHER, VIRTIO_NET = 1, VIRTIO_BLK = 2 };
enum virtio_kind virtio_kind(const struct pci_device *d);

/*
 * These return NULL, or what is wrong. In this order: find the registers (v->pci is filled in); reset the device and
 * agree on features, those of `need` and of `like` that it has, into *got; its queues; and go.
 */
const char *virtio_find(struct virtio *v);
const char *virtio_begin(struct virtio *v, uint64_t need, uint64_t like, uint64_t *got);
/* At most `size` descriptors. */
const char *virtio_queue(struct virtio *v, unsigned index, struct virtq *q, unsigned size);
void virtio_go(struct virtio *v);
/* It touches no memory any more. */
void virtio_stop(struct virtio *v);

enum virtio_ask { VIRTIO_ASK_NOTHING, VIRTIO_ASK_LOOK, VIRTIO_ASK_RESET };
/* Does it ask for attention? It stops asking: look at its queues after this. Or does it say that it has failed? */
enum virtio_ask virtio_asks(struct virtio *v);
/* Bytes of its configuration, read as one piece; `len` of a field: 1, 2, 4 or 8. 0 beyond its end. */
uint64_t virtio_config(struct virtio *v, unsigned offset, unsigned len);

/* Where a device finds boot-time storage. */
uint64_t virtio_bus(const void *storage);

#endif
