/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ARCH_MIPS_DISCO_H
#define _ARCH_MIPS_DISCO_H

#include <linux/init.h>
#include <linux/interrupt.h>

struct device_node;

#ifdef CONFIG_SMP
void __init disco_smp_setup(void);
#else
static inline void disco_smp_setup(void) { }
#endif

/*
 * The line of all devices, line.c. The node says that the device has it. Hold and release are for processor 0: a handler
 * holds the line, and what runs later on the same processor lets it go.
 */
int __init disco_request_line(const struct device_node *node, irq_handler_t handler, const char *name, void *dev);
void disco_line_hold(void);
void disco_line_release(void);

#ifdef CONFIG_DISCO_PRIV_PAGE
void __init disco_install_tlb_handlers(void);
#else
static inline void disco_install_tlb_handlers(void) { }
#endif

#endif
