// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB exception handlers over the privileged-register page.
 *
 * What they read and write of CP0 are loads and stores; the instructions that change the TLB and the eret
 * stand side by side, so that the monitor emulates them in one trap. They install the same entries as the
 * handlers that mm/tlbex.c generates, with one difference: a miss on a page that is not there goes to the page
 * fault at once, not through an invalid entry and a second exception. One that is there but not valid (not used
 * lately, or not to be read) does not: a store makes it valid in its handler, and the page fault would not.
 *
 * Where the virtual CPU walks the page tables, refills come only where its walker finds no table; and what it finds not
 * valid stands in no TLB. Then the probe of a handler fails, the monitor ignores the tlbwi behind it, and the access,
 * tried again, finds the page by the walker.
 *
 * $at is kept in KScratch7 of the page: Linux allocates KScratch from 2 upwards and needs two. None of the
 * accesses can raise an exception of this kernel: page, page tables and code lie in windows the monitor fills.
 */
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/log2.h>

#include <asm/cacheflush.h>
#include <asm/mipsregs.h>
#include <asm/pgtable.h>
#include <asm/setup.h>
#include <asm/traps.h>

#include <disco/abi.h>

#include "disco.h"

#define PGD_KSCRATCH 3
#define AT_KSCRATCH 7

extern int pgd_reg;
extern char disco_refill[], disco_refill_end[];
extern char disco_tlbl[], disco_tlbs[], disco_tlbm[];
extern char disco_setup_pgd[], disco_setup_pgd_end[];
extern char tlbmiss_handler_setup_pgd[], tlbmiss_handler_setup_pgd_end[];

#define SET_VALID (_PAGE_VALID | _PAGE_ACCESSED)
#define SET_DIRTY (_PAGE_VALID | _PAGE_ACCESSED | _PAGE_MODIFIED | _PAGE_DIRTY)

/* k0 := the faulting address, $at := the page directory it belongs to; k1 is lost. */
#define BEGIN						\
	"	lui	$27, %[page]		\n"	\
	"	ld	$26, %[badvaddr]($27)	\n"	\
	"	sd	$1, %[at]($27)		\n"	\
	"	bltz	$26, 2f			\n"	\
	"	 ld	$1, %[pgd]($27)		\n"	\
	"1:	dext	$27, $26, %[pgdir_shift], %[pgdir_bits]	\n" \
	"	dlsa	$1, $27, $1, 3		\n"	\
	"	ld	$1, 0($1)		\n"	\
	"	dext	$27, $26, %[pmd_shift], %[pmd_bits]	\n" \
	"	dlsa	$1, $27, $1, 3		\n"	\
	"	ld	$1, 0($1)		\n"

/* Negative addresses are the kernel's. */
#define KERNEL_PGD					\
	"2:	lui	$1, %%hi(swapper_pg_dir)	\n" \
	"	b	1b			\n"	\
	"	 daddiu	$1, %%lo(swapper_pg_dir)	\n"

/* $at points to a pair of page table entries: into EntryLo with them, and $at restored. */
#define LOAD_PAIR					\
	"	ld	$26, 0($1)		\n"	\
	"	ld	$1, 8($1)		\n"	\
	"	lui	$27, %[page]		\n"	\
	"	dsrl	$26, $26, %[software]	\n"	\
	"	drotr	$26, $26, %[rixi]	\n"	\
	"	sd	$26, %[lo0]($27)	\n"	\
	"	dsrl	$1, $1, %[software]	\n"	\
	"	drotr	$1, $1, %[rixi]		\n"	\
	"	sd	$1, %[lo1]($27)		\n"	\
	"	ld	$1, %[at]($27)		\n"

/* An entry is there and wrong: set what the access needs if the page allows it, else it is a page fault. */
#define CHANGE(name, need, set, fault)			\
	"	.globl	" name "		\n"	\
	"	.align	5			\n"	\
	name ":					\n"	\
	BEGIN						\
	"	dext	$27, $26, %[pte_shift], %[pte_bits]	\n" \
	"	dlsa	$1, $27, $1, 3		\n"	\
	"3:	lld	$26, 0($1)		\n"	\
	"	andi	$27, $26, " need "	\n"	\
	"	xori	$27, $27, " need "	\n"	\
	"	bnez	$27, 4f			\n"	\
	"	 ori	$26, $26, " set "	\n"	\
	"	scd	$26, 0($1)		\n"	\
	"	beqz	$26, 3b			\n"	\
	"	 nop				\n"	\
	"	dins	$1, $0, 3, 1		\n"	\
	LOAD_PAIR					\
	"	tlbp				\n"	\
	"	tlbwi				\n"	\
	"	eret				\n"	\
	KERNEL_PGD					\
	"4:	lui	$27, %[page]		\n"	\
	"	j	" fault "		\n"	\
	"	 ld	$1, %[at]($27)		\n"

/* Never called: a place for the code, where the layout of a page table entry is known. */
static void __used noinline disco_handlers(void)
{
	asm volatile(
	"	.set	push			\n"
	"	.set	noreorder		\n"
	"	.set	noat			\n"
	"	.globl	disco_refill		\n"
	"disco_refill:				\n"
	BEGIN
	"	dext	$27, $26, %[pte_shift], %[pte_bits]	\n"
	"	dlsa	$1, $27, $1, 3		\n"
	"	ld	$26, 0($1)		\n"
	"	andi	$26, $26, %[present]	\n"
	"	beqz	$26, 5f			\n"
	"	 dins	$1, $0, 3, 1		\n"
	LOAD_PAIR
	"	tlbwr				\n"
	"	eret				\n"
	KERNEL_PGD
	/* ExcCode is 2 for a load, 3 for a store. */
	"5:	lui	$27, %[page]		\n"
	"	ld	$26, %[cause]($27)	\n"
	"	andi	$26, $26, 4		\n"
	"	bnez	$26, 6f			\n"
	"	 ld	$1, %[at]($27)		\n"
	"	j	tlb_do_page_fault_0	\n"
	"	 nop				\n"
	"6:	j	tlb_do_page_fault_1	\n"
	"	 nop				\n"
	"	.globl	disco_refill_end	\n"
	"disco_refill_end:			\n"
	CHANGE("disco_tlbl", "%[need_load]", "%[set_load]", "tlb_do_page_fault_0")
	CHANGE("disco_tlbs", "%[need_store]", "%[set_store]", "tlb_do_page_fault_1")
	CHANGE("disco_tlbm", "%[need_modify]", "%[set_store]", "tlb_do_page_fault_1")
	"	.globl	disco_setup_pgd		\n"
	"disco_setup_pgd:			\n"
	"	lui	$1, %[page]		\n"
	"	jr	$31			\n"
	"	 sd	$4, %[pgd]($1)		\n"
	"	.globl	disco_setup_pgd_end	\n"
	"disco_setup_pgd_end:			\n"
	"	.set	pop			\n"
	: : [page] "i" (DISCO_PAGE_LUI), [badvaddr] "i" (DISCO_PAGE_BADVADDR),
	    [at] "i" (DISCO_PAGE_KSCRATCH(AT_KSCRATCH)), [pgd] "i" (DISCO_PAGE_KSCRATCH(PGD_KSCRATCH)),
	    [lo0] "i" (DISCO_PAGE_ENTRYLO0), [lo1] "i" (DISCO_PAGE_ENTRYLO1),
	    [pgdir_shift] "i" (PGDIR_SHIFT), [pgdir_bits] "i" (ilog2(PTRS_PER_PGD)),
	    [pmd_shift] "i" (PMD_SHIFT), [pmd_bits] "i" (ilog2(PTRS_PER_PMD)),
	    [pte_shift] "i" (PAGE_SHIFT), [pte_bits] "i" (ilog2(PTRS_PER_PTE)),
	    [software] "i" (_PAGE_NO_EXEC_SHIFT), [rixi] "i" (_PAGE_GLOBAL_SHIFT - _PAGE_NO_EXEC_SHIFT),
	    [cause] "i" (DISCO_PAGE_CAUSE), [present] "i" (_PAGE_PRESENT),
	    [need_load] "i" (_PAGE_PRESENT), [set_load] "i" (SET_VALID),
	    [need_store] "i" (_PAGE_PRESENT | _PAGE_WRITE), [need_modify] "i" (_PAGE_WRITE),
	    [set_store] "i" (SET_DIRTY));
}

static void __init install_setup_pgd(void)
{
	size_t len = disco_setup_pgd_end - disco_setup_pgd;

	BUG_ON(len > tlbmiss_handler_setup_pgd_end - tlbmiss_handler_setup_pgd);
	memcpy(tlbmiss_handler_setup_pgd, disco_setup_pgd, len);
	local_flush_icache_range((unsigned long)tlbmiss_handler_setup_pgd,
				 (unsigned long)tlbmiss_handler_setup_pgd_end);
}

/* Called by trap_init() when its own handlers are in place, once, on the boot processor. */
void __init disco_install_tlb_handlers(void)
{
	size_t len = disco_refill_end - disco_refill;

	BUILD_BUG_ON(CONFIG_PGTABLE_LEVELS != 3);
	BUILD_BUG_ON(IS_ENABLED(CONFIG_MIPS_HUGE_TLB_SUPPORT));
	if (pgd_reg != PGD_KSCRATCH) {
		pr_warn("page directory in KScratch%d, not %d: TLB handlers stay slow\n", pgd_reg, PGD_KSCRATCH);
		return;
	}
	/* Over the vector of cache errors, which a virtual machine does not have, up to the general one. */
	BUG_ON(len > 0x100);
	board_cache_error_setup = NULL;
	set_handler(0x80, disco_refill, len);
	install_setup_pgd();
	set_except_vector(EXCCODE_MOD, disco_tlbm);
	set_except_vector(EXCCODE_TLBL, disco_tlbl);
	set_except_vector(EXCCODE_TLBS, disco_tlbs);
}
