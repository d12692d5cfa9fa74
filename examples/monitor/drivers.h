/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_DRIVERS_H
#define MONITOR_DRIVERS_H

/*
 * The real devices of the machine: virtio disks, in the order of their slots, and one virtio network device. A
 * machine without any is as good.
 *
 * They interrupt processor 0, which asks them in drivers_poll(). Storage is taken at the start: memory.h.
 */

#include "virtio_blk.h"
#include "virtio_net.h"

#define DRIVERS_DISKS 8

/* Find and start them; a device that will not do is a last word. Before memory is shared out. */
void drivers_start(struct disco_backend *backend);

/* Disk `unit`; NULL: there is none. */
struct disco_store *drivers_disk(unsigned unit);
/* The network device; NULL: there is none. */
struct virtio_net *drivers_net(void);

/*
 * Who works with the network device: `look` is called by drivers_poll() when the device has asked for attention, and
 * after drivers_wake(), which any processor may call. It does a bounded amount and says whether there may be more.
 * NULL: nobody any more.
 */
void drivers_serve_net(bool (*look)(void *ctx), void *ctx);
void drivers_wake(void);

/*
 * End what the devices are done with: a bounded amount of work. When to call again, ns;
 * UINT64_MAX: when something happens, which brings processor 0 out of its guest. Processor 0.
 */
uint64_t drivers_poll(uint64_t now);
/* No device touches memory any more; what disks have at work fails. Processor 0, when guests have ended. */
void drivers_stop(void);

#endif
