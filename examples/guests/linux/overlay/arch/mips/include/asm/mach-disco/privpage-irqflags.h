/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts on and off without a trap; takes the place of the first half of asm/irqflags.h.
 *
 * Load, change and store are not one step, as `di` and `ei` are. That is sound because whatever an interrupt
 * handler does to Status it undoes before it returns: RESTORE_SOME keeps the interrupt mask, and the handlers
 * of the MIPS interrupt controller mask and unmask in pairs. No driver of this machine disables an interrupt
 * from within its handler.
 */
#ifndef _ASM_MACH_DISCO_PRIVPAGE_IRQFLAGS_H
#define _ASM_MACH_DISCO_PRIVPAGE_IRQFLAGS_H

#include <privpage.h>

static inline unsigned long arch_local_save_flags(void)
{
	return disco_page_read(DISCO_PAGE_STATUS);
}

static inline unsigned long arch_local_irq_save(void)
{
	unsigned long status = disco_page_read(DISCO_PAGE_STATUS);

	disco_page_write(DISCO_PAGE_STATUS, status & ~1UL);
	barrier();
	return status & 1;
}

static inline void arch_local_irq_disable(void)
{
	arch_local_irq_save();
}

static inline void arch_local_irq_enable(void)
{
	barrier();
	disco_status_open(disco_page_read(DISCO_PAGE_STATUS) | 1);
}

static inline void arch_local_irq_restore(unsigned long flags)
{
	if (flags & 1)
		arch_local_irq_enable();
	else
		arch_local_irq_disable();
}

#endif
