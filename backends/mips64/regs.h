/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MIPS64_REGS_H
#define MIPS64_REGS_H

/*
 * The real privileged registers, for C and assembler. What the KScratch registers hold is the
 * contract between vectors.S and C:
 *
 *   KS_K0 KS_K1 KS_AT  the guest's k0, k1 and at, while a vector uses these registers
 *   KS_L2TLB           head of the L2TLB of the virtual CPU that this processor runs
 *   KS_VCPU            its struct mips_vcpu; 0 while the monitor has the processor
 *   KS_CPU             struct mips_cpu of this processor; never changes
 */
#define C0_INDEX $0, 0
#define C0_ENTRYLO0 $2, 0
#define C0_ENTRYLO1 $3, 0
#define C0_PAGEMASK $5, 0
#define C0_PAGEGRAIN $5, 1
#define C0_WIRED $6, 0
#define C0_HWRENA $7, 0
#define C0_BADVADDR $8, 0
#define C0_BADINSTR $8, 1
#define C0_BADINSTRP $8, 2
#define C0_COUNT $9, 0
#define C0_ENTRYHI $10, 0
#define C0_COMPARE $11, 0
#define C0_STATUS $12, 0
#define C0_CAUSE $13, 0
#define C0_EPC $14, 0
#define C0_EBASE $15, 1
#define C0_CONFIG1 $16, 1
#define C0_CONFIG5 $16, 5
#define C0_USERLOCAL $4, 2
#define KS_K0 $31, 2
#define KS_K1 $31, 3
#define KS_AT $31, 4
#define KS_L2TLB $31, 5
#define KS_VCPU $31, 6
#define KS_CPU $31, 7

#define ST_IE 0x00000001
#define ST_EXL 0x00000002
#define ST_ERL 0x00000004
#define ST_KSU 0x00000018
#define ST_KSU_USER 0x00000010
#define ST_UX 0x00000020
#define ST_SX 0x00000040
#define ST_KX 0x00000080
#define ST_BEV 0x00400000
#define ST_FR 0x04000000
#define ST_CU1 0x20000000

/* Interrupt lines of the real processor: the timer, the interprocessor pin of the GIC, and the board's devices. */
#define ST_IM_TIMER 0x00008000
#define ST_IM_IPI 0x00001000
#define ST_IM_DEVICE 0x00000400
#define ST_IM_ALL (ST_IM_TIMER | ST_IM_IPI | ST_IM_DEVICE)

/* Bytes from one way of an L2TLB set to the next, and the mask that picks a set's offset out of
   (key >> 7): 1024 sets of 64 bytes. An `andi` can hold it, which saves a load on the hit path. */
#define L2TLB_SETS 1024
#define L2TLB_SET_MASK 0xffc0
#define NEAR_SET_MASK 0x3fc0 /* the same of `near`: DISCO_NEAR_SETS */

/* Where EntryLo has the machine page. */
#define LO_PFN_SHIFT 6
#define LO_PFN_BITS 30

/*
 * A superpage is one entry of the TLB, a pair of large pages: 2 * 256 KiB. PageMask for that, and what the odd page's
 * EntryLo is more than the even one's.
 */
#define SUPERPAGE_SHIFT 7
#define SUPERPAGE_MASK (((1 << (SUPERPAGE_SHIFT - 1)) - 1) << 13)
#define SUPERPAGE_HALF (1 << (SUPERPAGE_SHIFT - 1 + LO_PFN_SHIFT))

#ifndef __ASSEMBLER__
#include <stdint.h>
#define MIPS_STR_(...) #__VA_ARGS__
#define MIPS_STR(...) MIPS_STR_(__VA_ARGS__)

#define mips_get(reg)                                                                              \
    ({                                                                                             \
        uint64_t v_;                                                                               \
        __asm__ volatile("dmfc0 %0, " MIPS_STR(reg) : "=r"(v_));                                   \
        v_;                                                                                        \
    })
#define mips_get32(reg)                                                                            \
    ({                                                                                             \
        uint32_t v_;                                                                               \
        __asm__ volatile("mfc0 %0, " MIPS_STR(reg) : "=r"(v_));                                    \
        v_;                                                                                        \
    })
#define mips_set(reg, val)                                                                         \
    __asm__ volatile("dmtc0 %0, " MIPS_STR(reg) : : "r"((uint64_t)(val)) : "memory")
#define mips_set32(reg, val)                                                                       \
    __asm__ volatile("mtc0 %0, " MIPS_STR(reg) : : "r"((uint32_t)(val)) : "memory")

/* Makes the effects of writes to privileged registers visible to what follows. */
static inline void mips_ehb(void) { __asm__ volatile("ehb" ::: "memory"); }
#endif
#endif
