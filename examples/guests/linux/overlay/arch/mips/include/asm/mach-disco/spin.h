/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whoever spins on a virtual processor may wait for one that is not running: see arch/mips/disco/spin.c.
 * Included where cpu_relax() is defined, which is before all that waits.
 */
#ifndef _ASM_MACH_DISCO_SPIN_H
#define _ASM_MACH_DISCO_SPIN_H

#include <linux/types.h>

struct qspinlock;

void disco_relax(void);
bool disco_spin_lock(struct qspinlock *lock);

#define cpu_relax()		disco_relax()
#define virt_spin_lock(lock)	disco_spin_lock(lock)

#endif
