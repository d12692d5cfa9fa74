/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_NETWORK_H
#define MONITOR_NETWORK_H

/*
 * The virtual subnet: a port for each VM, by its number, and one more for the gateway to the
 * machine's real network, if there is one.
 */

#include <stdbool.h>
#include <stdint.h>

#include "stats.h"

struct vm;

/* Port of the gateway. */
#define NETWORK_GATEWAY CONFIG_VMS

/* Make the subnet, if any VM is to be on it; storage is taken here. */
void network_make(void);
/* Plug the VM in, or out. */
int network_open(struct vm *vm);
void network_close(struct vm *vm);
/* The Ethernet address of the VM's interface. */
void network_address(const struct vm *vm, uint8_t mac[6]);
/* A person pulls the cable, or puts it back. NULL, or why not. */
const char *network_link(struct vm *vm, bool up);
/* No VM is left: the frames that still wait go. */
void network_fini(void);
void network_stats(struct vm *vm, stats_put *put);

#endif
