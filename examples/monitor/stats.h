/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_STATS_H
#define MONITOR_STATS_H

/*
 * Counters, in sets of log lines: "stat OF.NAME VALUE" each, "stat end NS" behind the last. OF is
 * machine, cpuN, a VM's name (sums over its virtual CPUs) or VM.vcpuN.
 */

#include "vm.h"

/* Everything. */
void stats_all(void);
/* One VM, and the machine: when it ends. */
void stats_of_vm(struct vm *vm);
/* The VM's own counters, sums over its virtual CPUs. */
typedef void stats_put(const char *of, const char *name, uint64_t value);
void stats_walk(struct vm *vm, stats_put *put);

#endif
