/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of whole pages that the monitor turns into mappings: see arch/mips/disco/remap.c. */
#ifndef _ASM_MACH_DISCO_REMAP_H
#define _ASM_MACH_DISCO_REMAP_H

#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/string.h>

void disco_copy_page(void *to, const void *from);
bool disco_copies_begin(bool fit);
void disco_copies_end(bool begun);

static inline bool disco_is_page(const void *at)
{
	unsigned long a = (unsigned long)at;

	return a >= PAGE_OFFSET && a < PAGE_OFFSET + PFN_PHYS(max_pfn) && !(a & ~PAGE_MASK);
}

/* memcpy() of kernel memory, in the place of which a mapping will do. */
static inline void disco_copy(void *to, const void *from, size_t n)
{
	if (n == PAGE_SIZE && disco_is_page(to) && disco_is_page(from))
		disco_copy_page(to, from);
	else
		memcpy(to, from, n);
}

#endif
