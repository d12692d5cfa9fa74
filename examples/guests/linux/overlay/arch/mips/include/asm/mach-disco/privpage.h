/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The privileged-register page: CP0 registers without side effects by load and store.
 *
 * The accesses are volatile assembly, as the instructions they replace are, so that they keep their order
 * among themselves and with those that still trap.
 */
#ifndef _ASM_MACH_DISCO_PRIVPAGE_H
#define _ASM_MACH_DISCO_PRIVPAGE_H

#include <disco/abi.h>

#ifndef __ASSEMBLY__

#define disco_slot(offset)	(*(unsigned long *)(DISCO_PAGE_ADDR + (offset)))

#define disco_page_read(offset)							\
({										\
	unsigned long __value;							\
	asm volatile("ld\t%0, %1" : "=r" (__value) : "m" (disco_slot(offset)));	\
	__value;								\
})

#define disco_page_write(offset, value)						\
	asm volatile("sd\t%z1, %0" : "=m" (disco_slot(offset)) : "Jr" (value))

/*
 * Stores a Status that lets interrupts in. The monitor raises a line in Cause only while it runs, and then
 * delivers it if Status allows; a line that rose while Status did not is ours to notice, after the store.
 */
static inline void disco_status_open(unsigned long status)
{
	disco_page_write(DISCO_PAGE_STATUS, status);
	if (__builtin_expect(disco_page_read(DISCO_PAGE_CAUSE) & status & 0xff00, 0))
		asm volatile("mtc0\t%0, $12" : : "r" (status) : "memory");
}

#endif

#endif
