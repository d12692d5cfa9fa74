/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel runs in supervisor mode, where CKSEG0, CKSEG1 and XKPHYS are address errors. Their parts are
 * played by windows in mapped segments that the monitor fills: the image's in CSSEG, so that symbols stay
 * 32-bit, the direct map in XSSEG. The kernel's own mapped addresses share CSSEG with the image: they stay
 * negative, which is how the TLB miss handlers tell them from user addresses.
 */
#ifndef _ASM_MACH_DISCO_SPACES_H
#define _ASM_MACH_DISCO_SPACES_H

#include <linux/const.h>

#include <disco/abi.h>

#define CKSEG0			_AC(0xffffffffc0000000, UL)
#define CKSEG1			CKSEG0

#define CAC_BASE		_AC(0x4000000000000000, UL)
#define IO_BASE			CAC_BASE
#define UNCAC_BASE		CAC_BASE

#define MAP_BASE		_AC(0xffffffffd0000000, UL)
#define VMALLOC_START		MAP_BASE
#define VMALLOC_END		_AC(0xffffffffdf000000, UL)
#define FIXADDR_TOP		_AC(0xffffffffdffe0000, UL)

#if CKSEG0 != DISCO_KSEG0_BASE || CAC_BASE != DISCO_DIRECT_BASE || \
	MAP_BASE != DISCO_KSEG0_BASE + DISCO_KSEG0_SIZE || FIXADDR_TOP > DISCO_GUEST_SEG_END
#error "the kernel's address map is not the one the monitor serves"
#endif

#include <asm/mach-generic/spaces.h>

/* Not about addresses, but this is the header that asm/page.h includes. */
#include <dead.h>
#include <memory-hints.h>

#endif
