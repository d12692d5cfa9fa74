/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_MEMORY_H
#define MONITOR_MEMORY_H

/*
 * The machine's memory:
 *
 *   0 .. 1 MiB           left alone: boot parameters
 *   1 MiB .. image end   the monitor
 *   then                 boot-time storage, taken front to back (tables, whose size is known)
 *   then                 pages for guests
 *   .. archive ..        kept as the boot loader left it: guests are loaded from it again and again
 */

#include <stddef.h>
#include <stdint.h>

/* Storage may be taken from behind the monitor's image on. */
void memory_begin(void);
/* 64-byte aligned and zeroed. There is enough, or the monitor dies: before anything runs. */
void *memory_storage(size_t size);
/* The memory map, without any page yet. */
void memory_make_map(void);
/* All storage has been taken: the rest of RAM becomes pages. */
void memory_share_out(void);
/* Pages of the machine that guests may use, and those that nobody uses now. */
uint64_t memory_pages(void);
uint64_t memory_free(void);
/* Pages that the monitor keeps for itself: its image and its tables. */
uint64_t memory_monitor(void);

#endif
