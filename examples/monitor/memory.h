/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_MEMORY_H
#define MONITOR_MEMORY_H

/*
 * The machine's memory:
 *
 *   0 .. 256 KiB         left alone: boot parameters
 *   256 KiB .. 1 MiB     where the node controllers write what is hot (numa=...)
 *   1 MiB .. image end   the monitor
 *   then                 boot-time storage, taken front to back (tables, whose size is known)
 *   then                 pages for guests
 *   other nodes          each begins with storage of its own processors and of what runs there, then pages
 *   .. archive ..        kept as the boot loader left it: guests are loaded from it again and again
 */

#include <stddef.h>
#include <stdint.h>

#define MEMORY_FLASH UINT64_C(0x40000)
#define MEMORY_FLASH_SIZE UINT64_C(0xc0000)

/* Storage may be taken from behind the monitor's image on. Nodes, RAM and archive are known. */
void memory_begin(void);
/* Lines of its own, zeroed. There is enough, or the monitor dies: before anything runs. */
void *memory_storage(size_t size);
/* The same, in the memory of `node` if there is room. */
void *memory_storage_on(unsigned node, size_t size);
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
