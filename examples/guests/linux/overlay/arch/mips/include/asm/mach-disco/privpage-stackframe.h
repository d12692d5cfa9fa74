/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The privileged-register page for assembly files: included at the end of asm/stackframe.h, which all of
 * them include that touch CP0.
 *
 * mfc0, dmfc0, mtc0 and dmtc0 become macros. A register of the page is loaded through the target register
 * itself, so nothing else is touched. A store needs a register for the page's address, and $at is the
 * interrupted program's in half of the places: the macro takes k1. That is free wherever interrupts are off,
 * which they are at every mtc0 of these files: in exception entry and exit, in resume() and at start-up. A
 * value that itself sits in k0 or k1 marks code that has other plans for the pair; it keeps the trapping
 * instruction, as does every register that is not in the page. Neither kind stands in a branch delay slot of
 * hand-ordered code; build.sh checks the result.
 *
 * A stored Status must be followed by a look at Cause only if it lets interrupts in: STI, KMODE and
 * local_irq_enable do, and are written anew. The others store IE clear or EXL set.
 */
#ifndef _ASM_MACH_DISCO_PRIVPAGE_STACKFRAME_H
#define _ASM_MACH_DISCO_PRIVPAGE_STACKFRAME_H

#include <privpage.h>

	/* sym := n for the name $n */
	.macro	disco_regnum sym, name
	.irp	num, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.ifc	\name,$\num
	.set	\sym, \num
	.endif
	.endr
	.irp	num, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	.ifc	\name,$\num
	.set	\sym, \num
	.endif
	.endr
	.endm

	/* The instruction itself, which has lost its name. */
	.macro	disco_trap opcode, rt, sel
	.set	disco_rt, -1
	disco_regnum disco_rt, \rt
	.if	disco_rt < 0
	.error	"unknown register \rt"
	.endif
	.insn
	.word	\opcode | (disco_rt << 16) | (disco_rd << 11) | (\sel)
	.endm

	.macro	disco_read opcode, rt, rd, sel
	.set	disco_rd, -1
	disco_regnum disco_rd, \rd
	.if	(\sel == 0) && ((DISCO_PAGE_READ_SEL0 >> disco_rd) & 1)
	lui	\rt, DISCO_PAGE_LUI
	ld	\rt, DISCO_PAGE_SLOT(disco_rd, 0)(\rt)
	.else
	disco_trap \opcode, \rt, \sel
	.endif
	.endm

	.macro	disco_write opcode, rt, rd, sel
	.set	disco_rd, -1
	.set	disco_own, 0
	disco_regnum disco_rd, \rd
	.ifc	\rt,$26
	.set	disco_own, 1
	.endif
	.ifc	\rt,$27
	.set	disco_own, 1
	.endif
	.if	(\sel == 0) && ((DISCO_PAGE_WRITE_SEL0 >> disco_rd) & 1) && (disco_own == 0)
	lui	$27, DISCO_PAGE_LUI
	sd	\rt, DISCO_PAGE_SLOT(disco_rd, 0)($27)
	.else
	disco_trap \opcode, \rt, \sel
	.endif
	.endm

	.macro	mfc0 rt, rd, sel=0
	disco_read 0x40000000, \rt, \rd, \sel
	.endm

	.macro	dmfc0 rt, rd, sel=0
	disco_read 0x40200000, \rt, \rd, \sel
	.endm

	.macro	mtc0 rt, rd, sel=0
	disco_write 0x40800000, \rt, \rd, \sel
	.endm

	.macro	dmtc0 rt, rd, sel=0
	disco_write 0x40a00000, \rt, \rd, \sel
	.endm

	/* Stores a Status that may let interrupts in; tmp is lost. */
	.macro	disco_status_open value, tmp
	.set	push
	.set	noreorder
	.set	noat
	lui	\tmp, DISCO_PAGE_LUI
	sd	\value, DISCO_PAGE_STATUS(\tmp)
	ld	\tmp, DISCO_PAGE_CAUSE(\tmp)
	and	\tmp, \value
	andi	\tmp, 0xff00
	beqz	\tmp, .Ldisco_open\@
	 nop
	.set	disco_rd, 12
	disco_trap 0x40800000, \value, 0
.Ldisco_open\@:
	.set	pop
	.endm

	.purgem	STI
	.macro	STI
	mfc0	t0, CP0_STATUS
	li	t1, ST0_KERNEL_CUMASK | STATMASK
	or	t0, t1
	xori	t0, STATMASK & ~1
	disco_status_open t0, t1
	.endm

	.purgem	KMODE
	.macro	KMODE
	mfc0	t0, CP0_STATUS
	li	t1, ST0_KERNEL_CUMASK | (STATMASK & ~1)
	or	t0, t1
	xori	t0, STATMASK & ~1
	disco_status_open t0, t1
	.endm

	/* These two run with interrupts on, where k0 and k1 are nobody's; $at is free wherever they stand. */
	.purgem	local_irq_enable
	.macro	local_irq_enable reg=t0
	mfc0	\reg, CP0_STATUS
	ori	\reg, \reg, 1
	disco_status_open \reg, $1
	.endm

	.purgem	local_irq_disable
	.macro	local_irq_disable reg=t0
	.set	push
	.set	noat
	lui	$1, DISCO_PAGE_LUI
	ld	\reg, DISCO_PAGE_STATUS($1)
	ori	\reg, \reg, 1
	xori	\reg, \reg, 1
	sd	\reg, DISCO_PAGE_STATUS($1)
	.set	pop
	.endm

#endif
