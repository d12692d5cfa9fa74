/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ASM_MACH_DISCO_HYPCALL_H
#define _ASM_MACH_DISCO_HYPCALL_H

#include <linux/stringify.h>

#include <disco/calls.h>
#include <disco/io.h>

/* Of the answers below zero (enum disco_err), those that a driver tells apart. */
#define DISCO_ERR_BAD_ARG	-1
#define DISCO_ERR_NO_MEMORY	-4
#define DISCO_ERR_NO_SPACE	-5
#define DISCO_ERR_BUSY		-7

/* One trap into the monitor; unused arguments are 0. Returns its answer, negative for an error. */
static inline long disco_call4(long call, unsigned long a0, unsigned long a1, unsigned long a2, unsigned long a3)
{
	register long v0 asm("$2") = call;
	register unsigned long r4 asm("$4") = a0;
	register unsigned long r5 asm("$5") = a1;
	register unsigned long r6 asm("$6") = a2;
	register unsigned long r7 asm("$7") = a3;

	asm volatile(".insn\n\t.word " __stringify(DISCO_HYPCALL_INSN)
		     : "+r" (v0)
		     : "r" (r4), "r" (r5), "r" (r6), "r" (r7)
		     : "memory");
	return v0;
}

static inline long disco_call(long call, unsigned long a0, unsigned long a1)
{
	return disco_call4(call, a0, a1, 0, 0);
}

#endif
