/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_DISKS_H
#define MONITOR_DISKS_H

/*
 * The disks of vms.conf, each over one of the machine's real disks, and who has them. All but
 * disks_evict() on processor 0.
 */

#include <stdbool.h>
#include <stdint.h>

#include "stats.h"

struct vm;

/* Make every disk; storage is taken here, and the monitor dies if a real disk is missing. */
void disks_make(void);
/* Give the VM its disks. 0 or an enum disco_err, which has been said. */
int disks_open(struct vm *vm);
/* Take them back. False: transfers of its are under way, call again. */
bool disks_close(struct vm *vm);
/* Throw out cached pages that nobody maps, as many as `pages` if there are so many. Any processor. */
uint64_t disks_evict(uint64_t pages);
/* No VM is left: give all pages back. */
void disks_fini(void);
void disks_stats(stats_put *put);

#endif
