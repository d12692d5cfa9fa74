/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ARCH_MIPS_DISCO_H
#define _ARCH_MIPS_DISCO_H

#include <linux/init.h>

#ifdef CONFIG_SMP
void __init disco_smp_setup(void);
#else
static inline void disco_smp_setup(void) { }
#endif

#ifdef CONFIG_DISCO_PRIV_PAGE
void __init disco_install_tlb_handlers(void);
#else
static inline void disco_install_tlb_handlers(void) { }
#endif

#endif
