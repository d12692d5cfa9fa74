/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's hook for zeroed pages of user memory: see arch/mips/disco/memory.c. */
#ifndef _ASM_MACH_DISCO_MEMORY_HINTS_H
#define _ASM_MACH_DISCO_MEMORY_HINTS_H

#ifndef __ASSEMBLY__

struct page;
struct vm_area_struct;

struct page *disco_zeroed_user_page(struct vm_area_struct *vma, unsigned long address);

#define __HAVE_ARCH_ALLOC_ZEROED_USER_HIGHPAGE_MOVABLE
#define alloc_zeroed_user_highpage_movable(vma, address)	disco_zeroed_user_page(vma, address)

#endif

#endif
