/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replaces the C accessors that asm/mipsregs.h builds all read_c0_*() and write_c0_*() from. The register
 * comes as a word like $12; its digits are known at compile time, so that what remains of each use is either
 * a load or store or the trapping instruction.
 */
#ifndef _ASM_MACH_DISCO_PRIVPAGE_REGS_H
#define _ASM_MACH_DISCO_PRIVPAGE_REGS_H

#include <privpage.h>

#define disco_regnum(name)							\
	((name)[2] ? ((name)[1] - '0') * 10 + (name)[2] - '0' : (name)[1] - '0')

#define disco_mask_of(sel)							\
	((sel) == 0 ? DISCO_PAGE_READ_SEL0 : (sel) == 1 ? DISCO_PAGE_READ_SEL1 :	\
	 (sel) == 2 ? DISCO_PAGE_READ_SEL2 : (sel) == 3 ? DISCO_PAGE_READ_SEL3 :	\
	 (sel) == 4 ? DISCO_PAGE_READ_SEL4 : (sel) == 5 ? DISCO_PAGE_READ_SEL5 :	\
	 (sel) == 6 ? DISCO_PAGE_READ_SEL6 : DISCO_PAGE_READ_SEL7)

#define disco_readable(reg, sel)	((disco_mask_of(sel) >> (reg)) & 1)
#define disco_writable(reg, sel)						\
	((sel) == 0 ? (DISCO_PAGE_WRITE_SEL0 >> (reg)) & 1 :			\
	 ((sel) == 5 ? DISCO_PAGE_WRITE_SEL5 >> (reg) :				\
	  (sel) == 6 ? DISCO_PAGE_WRITE_SEL6 >> (reg) :				\
	  (sel) == 7 ? DISCO_PAGE_WRITE_SEL7 >> (reg) : 0) & 1 ||		\
	 ((reg) == 31 && (sel) >= 2))

#undef __read_32bit_c0_register
#undef __read_const_32bit_c0_register
#undef __read_64bit_c0_register
#undef __read_const_64bit_c0_register
#undef __write_32bit_c0_register
#undef __write_64bit_c0_register

/*
 * Count runs by itself, so it has no slot; once HWREna allows it, rdhwr reads it. Whether that traps is the
 * monitor's choice: it does not where the processor's Count is the virtual one.
 */
static inline unsigned int disco_read_count(void)
{
	unsigned int count;

	if (disco_page_read(DISCO_PAGE_HWRENA) & MIPS_HWRENA_CC)
		asm volatile("rdhwr\t%0, $2" : "=r" (count));
	else
		asm volatile("mfc0\t%0, $9" : "=r" (count));
	return count;
}

#define __read_32bit_c0_register(source, sel)					\
	(disco_readable(disco_regnum(#source), sel) ?				\
	 (unsigned int)disco_page_read(DISCO_PAGE_SLOT(disco_regnum(#source), sel)) :	\
	 disco_regnum(#source) == 9 && (sel) == 0 ? disco_read_count() :	\
	 ___read_32bit_c0_register(source, sel, __volatile__))

#define __read_64bit_c0_register(source, sel)					\
	(disco_readable(disco_regnum(#source), sel) ?				\
	 disco_page_read(DISCO_PAGE_SLOT(disco_regnum(#source), sel)) :		\
	 ___read_64bit_c0_register(source, sel, __volatile__))

#define __read_const_32bit_c0_register	__read_32bit_c0_register
#define __read_const_64bit_c0_register	__read_64bit_c0_register

#define disco_trap_write(insn, register, sel, value)				\
	asm volatile(#insn "\t%z0, " #register ", " #sel : : "Jr" (value) : "memory")

/* A Status without IE cannot let interrupts in. */
#define disco_slot_write(reg, sel, value)					\
do {										\
	if ((reg) == 12 && (sel) == 0 && ((value) & 1))				\
		disco_status_open(value);					\
	else									\
		disco_page_write(DISCO_PAGE_SLOT(reg, sel), value);		\
} while (0)

#define __write_32bit_c0_register(register, sel, value)				\
do {										\
	long __new = (int)(value);						\
										\
	if (disco_writable(disco_regnum(#register), sel))			\
		disco_slot_write(disco_regnum(#register), sel, __new);		\
	else									\
		disco_trap_write(mtc0, register, sel, __new);			\
} while (0)

#define __write_64bit_c0_register(register, sel, value)				\
do {										\
	unsigned long __new = (value);						\
										\
	if (disco_writable(disco_regnum(#register), sel))			\
		disco_slot_write(disco_regnum(#register), sel, __new);		\
	else									\
		disco_trap_write(dmtc0, register, sel, __new);			\
} while (0)

#endif
