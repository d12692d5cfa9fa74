/* SPDX-License-Identifier: GPL-2.0-only */
/* The page allocator's hook for freed pages: see arch/mips/disco/dead.c. */
#ifndef _ASM_MACH_DISCO_DEAD_H
#define _ASM_MACH_DISCO_DEAD_H

#ifndef __ASSEMBLY__

extern unsigned char *disco_dead_map;

static inline void disco_mark_dead(unsigned long pfn, unsigned int order)
{
	unsigned char *map = disco_dead_map;
	unsigned long i;

	if (map)
		for (i = 0; i < 1UL << order; i++)
			map[pfn + i] = 1;
}

#define HAVE_ARCH_FREE_PAGE
#define arch_free_page(page, order)	disco_mark_dead(page_to_pfn(page), order)

#endif

#endif
