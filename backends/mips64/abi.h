/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Addresses and layout that a MIPS64 guest kernel and the monitor agree on; for C and for assembly.
 *
 * The privileged-register page (paper section 3.1: "frequently used privileged registers" as loads and
 * stores to a special page) holds the shadow CP0 registers of one virtual processor, as a 64-bit slot each
 * in the guest's byte order; 32-bit registers are kept sign-extended. It is mapped at one address for every
 * virtual processor, for the guest's kernel only.
 */
#ifndef DISCO_MIPS64_ABI_H
#define DISCO_MIPS64_ABI_H

/** Guest-physical 0 to 256 MiB, where a guest's unmapped kernel segment is relocated to; images link here. */
#define DISCO_KSEG0_BASE 0xffffffffc0000000
#define DISCO_KSEG0_SIZE 0x10000000
/** The whole guest-physical memory, at this plus the address. */
#define DISCO_DIRECT_BASE 0x4000000000000000
/** The guest's own mapped kernel segment ends here; what lies above, up to 0xffffffffe0000000, is the monitor's. */
#define DISCO_GUEST_SEG_END 0xffffffffdffe0000

#define DISCO_PAGE_ADDR 0xffffffffdfff0000
/** For a `lui`: the page's address is this, shifted by 16 and sign-extended. */
#define DISCO_PAGE_LUI 0xdfff

/** Offset in the page of CP0 register `reg`, select `sel`. */
#define DISCO_PAGE_SLOT(reg, sel) ((((reg) << 3) | (sel)) << 3)

#define DISCO_PAGE_INDEX DISCO_PAGE_SLOT(0, 0)
#define DISCO_PAGE_ENTRYLO0 DISCO_PAGE_SLOT(2, 0)
#define DISCO_PAGE_ENTRYLO1 DISCO_PAGE_SLOT(3, 0)
#define DISCO_PAGE_CONTEXT DISCO_PAGE_SLOT(4, 0)
#define DISCO_PAGE_HWRENA DISCO_PAGE_SLOT(7, 0)
#define DISCO_PAGE_BADVADDR DISCO_PAGE_SLOT(8, 0)
#define DISCO_PAGE_ENTRYHI DISCO_PAGE_SLOT(10, 0)
#define DISCO_PAGE_STATUS DISCO_PAGE_SLOT(12, 0)
#define DISCO_PAGE_CAUSE DISCO_PAGE_SLOT(13, 0)
#define DISCO_PAGE_EPC DISCO_PAGE_SLOT(14, 0)
#define DISCO_PAGE_XCONTEXT DISCO_PAGE_SLOT(20, 0)
#define DISCO_PAGE_KSCRATCH(sel) DISCO_PAGE_SLOT(31, sel)

/*
 * What a guest may do by load and store, as bit masks over the register number: one mask per select. The
 * registers a store may change have no effect until a trapping instruction, or the page-table walker, uses
 * them. Status is among them by a rule of its own: whoever stores a value that may enable interrupts then loads Cause, and if
 * Cause & Status & 0xff00 is not zero executes one trapping instruction that writes Status. All else, Count
 * among it, is for the trapping instructions.
 */
#define DISCO_PAGE_READ_SEL0 0x4011fdff
#define DISCO_PAGE_READ_SEL1 0x00018100
#define DISCO_PAGE_READ_SEL2 0x80010110
#define DISCO_PAGE_READ_SEL3 0x80010000
#define DISCO_PAGE_READ_SEL4 0x80010000
#define DISCO_PAGE_READ_SEL5 0x80010020
#define DISCO_PAGE_READ_SEL6 0x80000060
#define DISCO_PAGE_READ_SEL7 0x80000020
#define DISCO_PAGE_WRITE_SEL0 0x4010503d
#define DISCO_PAGE_WRITE_SEL5 0x00000020
#define DISCO_PAGE_WRITE_SEL6 0x00000060
#define DISCO_PAGE_WRITE_SEL7 0x00000020

#endif
