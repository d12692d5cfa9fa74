/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_VIRTIO_NET_H
#define MONITOR_VIRTIO_NET_H

/*
 * A virtio network device: frames out, from where they lie; frames in, into buffers of its own. Processor 0 alone. A
 * device that talks nonsense is stopped: nothing comes in any more, and what goes out is refused.
 */

#include <disco/net.h>

#include "virtio.h"

/* Frames that can come in before somebody looks. */
#define VNIC_RECEIVE_RING 64
/* Descriptors to send with: a frame takes two, and one for each part. */
#define VNIC_SEND_RING VIRTQ_MAX
/* What stands before each frame; nothing is asked of the device, so all of it is zero when we send. */
#define VNIC_HEADER 12
/* Bytes of a received frame at most: an Ethernet's, with a VLAN tag. */
#define VNIC_RECEIVE_MAX 1518

struct vnic_in {
    uint8_t header[VNIC_HEADER];
    uint8_t frame[VNIC_RECEIVE_MAX];
    uint8_t unused[6];
};

struct vnic_out {
    uint8_t header[VNIC_HEADER];
    struct disco_frame frame;
};

struct virtio_net {
    struct virtio dev;
    struct virtq receive, send;
    uint8_t mac[6];
    bool dead;
    const char *why;      /* it is dead */
    struct vnic_in *in;   /* by id */
    struct vnic_out *out; /* by id */
};

/* `n->dev.pci` is filled in, the rest zeroed. NULL, or what is wrong. */
const char *virtio_net_start(struct virtio_net *n);

/* Begin to send: the frame's references are the device's until virtio_net_sent(). 0; DISCO_ERR_BUSY; DISCO_ERR_STATE. */
int virtio_net_send(struct virtio_net *n, const struct disco_frame *f);
/* Take back a frame that is out, or, when the device is dead, lost. Whether there is one. */
bool virtio_net_sent(struct virtio_net *n, struct disco_frame *f);

/*
 * Take the next received frame, without the device's header: its length, or 0: none. It lies in a buffer of the
 * driver's until virtio_net_reuse() gives that back to the device; the two go in turn.
 */
uint32_t virtio_net_received(struct virtio_net *n, const uint8_t **frame);
void virtio_net_reuse(struct virtio_net *n);

/* Stop the device. `why`: static text for the log, or NULL. */
void virtio_net_stop(struct virtio_net *n, const char *why);

#endif
