/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_SMP_H
#define MONITOR_SMP_H

/* The Malta board's processors: how many there are, starting them, interrupting them, one time for all. */

#define SMP_MAX 16
#define SMP_STACK 16384 /* bytes */

#ifndef __ASSEMBLER__
#include "mips64.h"

/* Processors of this machine, SMP_MAX at most. */
unsigned smp_processors(void);
/* Have the controllers of interrupts and processors where all below expect them; on the first processor, first. */
void smp_map_controllers(void);
/* Set this processor's Count to the machine's time; on each, before mips64_init() or mips64_cpu_init(). */
void smp_set_clock(void);
/* The interprocessor interrupt, for struct mips_machine. smp_raise() may be called from any processor. */
void smp_raise(unsigned cpu);
void smp_lower(unsigned cpu);
/* The board's devices interrupt processor 0: its line IP2 is what their interrupt controllers put out. */
void smp_route_board(void);
/* Give processor `cpu`, not the first, SMP_STACK bytes for its stack. */
void smp_stack(unsigned cpu, void *stack);
/*
 * Start processors 1 to m->backend.cpus - 1, which have stacks; each runs loop() for ever. Returns when all run, with
 * how many there are, itself included; fewer than asked for: one did not come up.
 */
unsigned smp_start(struct mips_machine *m, void (*loop)(void));
#endif
#endif
