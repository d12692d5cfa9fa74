/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_GATEWAY_H
#define MONITOR_GATEWAY_H

/*
 * The way out: a port of the virtual subnet (disco/net.h) whose receiver is a real network device. Frames go both
 * ways as they are; several addresses of the subnet stand behind the one device. What finds no room is lost, as on
 * any network.
 */

#include "virtio_net.h"

struct gateway {
    struct disco_net *net;
    struct disco_memmap *mm;
    struct disco_backend *backend;
    unsigned port;
    struct virtio_net *nic;
    bool holds; /* `held` waits for room in the device's queue */
    struct disco_frame held;
    uint64_t sent, received, lost; /* frames; accessed atomically */
};

/* *g is filled in up to its port, the rest zeroed. 0, DISCO_ERR_NOT_FOUND (no device), or disco_net_open()'s error. */
int gateway_open(struct gateway *g);
/* The port is closed, the device stopped, all pages are given back. */
void gateway_close(struct gateway *g);

#endif
