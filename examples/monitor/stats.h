/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_STATS_H
#define MONITOR_STATS_H

#include "vm.h"

/* Every counter of a VM, one a line: put(ctx, name, value). */
void stats_walk(struct vm *vm, void (*put)(void *ctx, const char *name, uint64_t value), void *ctx);

#endif
