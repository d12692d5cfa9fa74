/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_NUMA_H
#define MONITOR_NUMA_H

/*
 * Pages go to where they are used (Disco, section 4.2.1): what the node controllers tell is handed to lib/numa, and every
 * processor does its share of the moves. With the option numa=... only; otherwise every call below does nothing.
 */

#include "stats.h"
#include "vm.h"

/* Find the node controllers' area, take the engine's storage. Before memory is shared out. */
void numa_make(void);
/* A VM has its pmap; it is about to lose it. The second waits for moves under way. */
int numa_attach(struct vm *vm);
void numa_detach(struct vm *vm);
/* A processor, after most exits: when it wants to be called again, ns. */
uint64_t numa_poll(void *ctx);
/* Free up to `pages` replicas, wherever they lie. How many it were. Any processor. */
uint64_t numa_give_back(uint64_t pages);
void numa_stats(stats_put *put);

#endif
