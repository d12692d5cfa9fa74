/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Count of this processor may be a little behind the one that the kernel read last, on another processor: then
 * no time has passed. See arch/mips/disco/time.c.
 */
#ifndef _ASM_MACH_DISCO_VDSO_DELTA_H
#define _ASM_MACH_DISCO_VDSO_DELTA_H

#include <linux/types.h>

static __always_inline u64 vdso_calc_delta(u64 cycles, u64 last, u64 mask, u32 mult)
{
	u64 delta = (cycles - last) & mask;

	return delta & ~(mask >> 1) ? 0 : delta * mult;
}
#define vdso_calc_delta vdso_calc_delta

#endif
