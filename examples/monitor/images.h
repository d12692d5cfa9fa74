/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_IMAGES_H
#define MONITOR_IMAGES_H

/*
 * Kernels in machine memory, once each: every VM that boots one maps the same pages, copy-on-write.
 * The paper has its IRIX kernels from one shared disk, to the same effect (section 5.1: the text of
 * eight kernels is one text).
 */

#include <stdint.h>

struct vm;

/* Take the storage of the table for this VM's kernel, if no VM before had the same. At boot. */
void images_reserve(struct vm *vm);
/* Map the kernel into the VM, which has no page there yet. 0 or an enum disco_err. Processor 0. */
int images_load(struct vm *vm);
/* Pages of kernels that are in memory, and those of them that some VM maps now. */
uint64_t images_pages(void);
uint64_t images_used(void);
/* Give all of them back; no VM is left. */
void images_fini(void);

#endif
