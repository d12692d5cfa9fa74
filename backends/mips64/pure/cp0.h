/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * The virtual CPU's privileged registers: one table, reset, guest reads and writes.
 *
 * `struct mips_cp0` is the page that the guest maps and writes with plain stores. All of it is
 * untrusted: every function here is safe for any contents and reads a register once. The guest can
 * only mislead itself; the monitor keeps what it relies on (interrupt lines, time base) elsewhere.
 * Pure; the caller owns the storage and makes sure that the virtual CPU does not run meanwhile.
 */
#ifndef MIPS64_PURE_CP0_H
#define MIPS64_PURE_CP0_H

#include <stdbool.h>
#include <stdint.h>

/** General registers; r[0] reads as 0 whatever it holds. */
struct mips_gpr {
    uint64_t r[32];
    uint64_t pc;
};

/** Privileged registers by number and select; 32-bit ones are kept sign-extended. */
struct mips_cp0 {
    uint64_t reg[32][8];
};

#define MIPS_CP0_INDEX(reg, sel) ((reg) % 32u * 8u + (sel) % 8u)
/** Byte offset of a register in the page. */
#define MIPS_CP0_OFFSET(reg, sel) (MIPS_CP0_INDEX(reg, sel) << 3)

/** The registers the virtual CPU has, as (number << 3) | select. */
enum mips_cp0_reg {
    MIPS_CP0_INDEX_REG = MIPS_CP0_INDEX(0, 0),
    MIPS_CP0_RANDOM = MIPS_CP0_INDEX(1, 0),
    MIPS_CP0_ENTRYLO0 = MIPS_CP0_INDEX(2, 0),
    MIPS_CP0_ENTRYLO1 = MIPS_CP0_INDEX(3, 0),
    MIPS_CP0_CONTEXT = MIPS_CP0_INDEX(4, 0),
    MIPS_CP0_USERLOCAL = MIPS_CP0_INDEX(4, 2),
    MIPS_CP0_PAGEMASK = MIPS_CP0_INDEX(5, 0),
    MIPS_CP0_PAGEGRAIN = MIPS_CP0_INDEX(5, 1),
    MIPS_CP0_PWBASE = MIPS_CP0_INDEX(5, 5),
    MIPS_CP0_PWFIELD = MIPS_CP0_INDEX(5, 6),
    MIPS_CP0_PWSIZE = MIPS_CP0_INDEX(5, 7),
    MIPS_CP0_WIRED = MIPS_CP0_INDEX(6, 0),
    MIPS_CP0_PWCTL = MIPS_CP0_INDEX(6, 6),
    MIPS_CP0_HWRENA = MIPS_CP0_INDEX(7, 0),
    MIPS_CP0_BADVADDR = MIPS_CP0_INDEX(8, 0),
    MIPS_CP0_BADINSTR = MIPS_CP0_INDEX(8, 1),
    MIPS_CP0_BADINSTRP = MIPS_CP0_INDEX(8, 2),
    MIPS_CP0_COUNT = MIPS_CP0_INDEX(9, 0),
    MIPS_CP0_ENTRYHI = MIPS_CP0_INDEX(10, 0),
    MIPS_CP0_COMPARE = MIPS_CP0_INDEX(11, 0),
    MIPS_CP0_STATUS = MIPS_CP0_INDEX(12, 0),
    MIPS_CP0_INTCTL = MIPS_CP0_INDEX(12, 1),
    MIPS_CP0_CAUSE = MIPS_CP0_INDEX(13, 0),
    MIPS_CP0_EPC = MIPS_CP0_INDEX(14, 0),
    MIPS_CP0_PRID = MIPS_CP0_INDEX(15, 0),
    MIPS_CP0_EBASE = MIPS_CP0_INDEX(15, 1),
    MIPS_CP0_CONFIG0 = MIPS_CP0_INDEX(16, 0),
    MIPS_CP0_CONFIG1 = MIPS_CP0_INDEX(16, 1),
    MIPS_CP0_CONFIG2 = MIPS_CP0_INDEX(16, 2),
    MIPS_CP0_CONFIG3 = MIPS_CP0_INDEX(16, 3),
    MIPS_CP0_CONFIG4 = MIPS_CP0_INDEX(16, 4),
    MIPS_CP0_CONFIG5 = MIPS_CP0_INDEX(16, 5),
    MIPS_CP0_LLADDR = MIPS_CP0_INDEX(17, 0),
    MIPS_CP0_XCONTEXT = MIPS_CP0_INDEX(20, 0),
    MIPS_CP0_ERROREPC = MIPS_CP0_INDEX(30, 0),
    MIPS_CP0_KSCRATCH2 = MIPS_CP0_INDEX(31, 2),
    MIPS_CP0_KSCRATCH3 = MIPS_CP0_INDEX(31, 3),
    MIPS_CP0_KSCRATCH4 = MIPS_CP0_INDEX(31, 4),
    MIPS_CP0_KSCRATCH5 = MIPS_CP0_INDEX(31, 5),
    MIPS_CP0_KSCRATCH6 = MIPS_CP0_INDEX(31, 6),
    MIPS_CP0_KSCRATCH7 = MIPS_CP0_INDEX(31, 7),
    MIPS_CP0_REGS = 256
};

#define MIPS_ST_IE 0x00000001u
#define MIPS_ST_EXL 0x00000002u
#define MIPS_ST_ERL 0x00000004u
#define MIPS_ST_KSU 0x00000018u /**< 0 kernel, 1 supervisor, 2 user, 3 reserved */
#define MIPS_ST_KSU_SHIFT 3
#define MIPS_ST_UX 0x00000020u
#define MIPS_ST_SX 0x00000040u
#define MIPS_ST_KX 0x00000080u
#define MIPS_ST_IM 0x0000ff00u
#define MIPS_ST_BEV 0x00400000u
#define MIPS_ST_PX 0x00800000u
#define MIPS_ST_FR 0x04000000u
#define MIPS_ST_CU0 0x10000000u
#define MIPS_ST_CU1 0x20000000u

#define MIPS_CA_CODE 0x0000007cu
#define MIPS_CA_CODE_SHIFT 2
#define MIPS_CA_IP 0x0000ff00u
#define MIPS_CA_IP_SHIFT 8
#define MIPS_CA_IP_SOFT 0x00000300u /**< IP1 and IP0, written by the guest */
#define MIPS_CA_IV 0x00800000u
#define MIPS_CA_DC 0x08000000u
#define MIPS_CA_CE 0x30000000u
#define MIPS_CA_CE_SHIFT 28
#define MIPS_CA_TI 0x40000000u
#define MIPS_CA_BD 0x80000000u

/** Virtual address bits the virtual CPU implements in each segment. */
#define MIPS_SEGBITS 40
#define MIPS_ENTRYHI_ASID UINT64_C(0xff)
#define MIPS_ENTRYHI_EHINV UINT64_C(0x400)
/** Region and VPN2: bits 63..62 and 39..13. */
#define MIPS_ENTRYHI_VPN2 UINT64_C(0xc00000ffffffe000)
#define MIPS_ENTRYLO_G UINT64_C(1)
#define MIPS_ENTRYLO_V UINT64_C(2)
#define MIPS_ENTRYLO_D UINT64_C(4)
/** RI, XI, a 24-bit page frame number, C, D, V, G. */
#define MIPS_ENTRYLO_MASK UINT64_C(0xc00000003fffffff)

/** Where the boot program finds the exception vectors before it sets EBase. */
#define MIPS_EBASE_RESET UINT64_C(0xffffffffc0000000)
#define MIPS_EBASE_WG UINT64_C(0x800)
#define MIPS_EBASE_CPUNUM UINT64_C(0x3ff)

/** What the monitor has to do after a guest's write; the register holds its new value already. */
enum mips_cp0_effect {
    MIPS_EFFECT_NONE,
    MIPS_EFFECT_STATUS,    /**< mode, interrupt mask, FPU: recompute, look for interrupts */
    MIPS_EFFECT_CAUSE,     /**< software interrupts, Count stopped by DC */
    MIPS_EFFECT_ENTRYHI,   /**< perhaps another ASID */
    MIPS_EFFECT_COUNT,     /**< set the clock from the register */
    MIPS_EFFECT_COMPARE,   /**< drop the timer's line, arm it anew */
    MIPS_EFFECT_HWRENA,    /**< load the real one */
    MIPS_EFFECT_USERLOCAL, /**< load the real one */
    MIPS_EFFECT_WIRED,
    MIPS_EFFECT_EBASE,
    MIPS_EFFECT_CONFIG,
    MIPS_EFFECT_LLADDR, /**< break the link of LL */
};

/** How a write is formed, beyond the mask. */
enum mips_cp0_rule {
    MIPS_RULE_MASK,
    MIPS_RULE_ENTRYLO, /**< a 32-bit access has RI and XI in bits 31..30 */
    MIPS_RULE_TLBSIZE, /**< Index, Wired: a value of 64 and more is ignored */
    MIPS_RULE_STATUS,  /**< the reserved KSU is not taken over */
    MIPS_RULE_EBASE,   /**< bits 63..30 only together with WG */
};

/** One row of the table of registers. */
struct mips_cp0_desc {
    uint64_t reset;
    uint64_t write_mask; /**< bits a guest's MTC0 or DMTC0 changes */
    uint8_t width;       /**< 32 or 64; 0: the virtual CPU has no such register */
    uint8_t effect;      /**< enum mips_cp0_effect of any write */
    uint8_t rule;        /**< enum mips_cp0_rule */
    bool live;           /**< Count, Random: the caller stores the value of now before a read */
};

/** The table, indexed by MIPS_CP0_INDEX(). */
extern const struct mips_cp0_desc mips_cp0_table[MIPS_CP0_REGS];

enum mips_mode {
    MIPS_MODE_KERNEL,
    MIPS_MODE_SUPERVISOR,
    MIPS_MODE_USER,
    MIPS_MODE_RESERVED, /**< KSU = 3; only a store into the page can bring it about */
};

/** Sign-extend the low 32 bits, the form in which 32-bit values stand in 64-bit registers. */
static inline uint64_t mips_sext32(uint64_t value) { return (uint64_t)(int32_t)(uint32_t)value; }

static inline uint64_t mips_gpr_get(const struct mips_gpr *gpr, unsigned n)
{
    return (n & 31) == 0 ? 0 : gpr->r[n & 31];
}

/** Set a general register; a write to r[0] is dropped. */
static inline void mips_gpr_set(struct mips_gpr *gpr, unsigned n, uint64_t value)
{
    if ((n & 31) != 0) {
        gpr->r[n & 31] = value;
    }
}

/** Raw contents of a register, for the monitor's own use. */
static inline uint64_t mips_cp0_get(const struct mips_cp0 *cp0, enum mips_cp0_reg reg)
{
    return cp0->reg[((unsigned)reg >> 3) & 31][(unsigned)reg & 7];
}

static inline void mips_cp0_set(struct mips_cp0 *cp0, enum mips_cp0_reg reg, uint64_t value)
{
    cp0->reg[((unsigned)reg >> 3) & 31][(unsigned)reg & 7] = value;
}

/** Bring all registers to the state in which a guest starts: kernel mode, interrupts off, BEV
 * clear. @p cpu is the number of the virtual CPU in its VM, 0..1023. */
void mips_cp0_reset(struct mips_cp0 *cp0, bool big_endian, unsigned cpu);

/**
 * What a guest's MFC0 (@p wide false) or DMFC0 yields; 0 for a register that does not exist.
 * Store Count and Random (`live` in the table) into @p cp0 first. @p reg and @p sel are taken
 * modulo 32 and 8.
 */
uint64_t mips_cp0_read(const struct mips_cp0 *cp0, unsigned reg, unsigned sel, bool wide);

/**
 * A guest's MTC0 or DMTC0: store what the write mask lets through.
 * A narrow write of a 64-bit register sign-extends. Nothing happens for a register that does not
 * exist, as operating systems probe by writing.
 * @return what remains to be done
 */
enum mips_cp0_effect mips_cp0_write(struct mips_cp0 *cp0, unsigned reg, unsigned sel,
                                    uint64_t value, bool wide);

/** Put the monitor's interrupt lines (bit n is IP n, 2..7) into Cause; TI follows line 7. */
void mips_cp0_set_lines(struct mips_cp0 *cp0, unsigned lines);

/** The mode a virtual Status stands for: ERL, then EXL, then KSU. */
enum mips_mode mips_status_mode(uint64_t status);

/**
 * The real Status under which a guest with this virtual one runs, EXL clear (the world switch adds
 * EXL, which its ERET removes).
 *
 * A virtual kernel gets supervisor mode, anything else, the reserved mode included, user mode. CU0
 * is never set; CU1 only if the guest wants it and its FPU state is loaded. Interrupts are on with
 * the mask @p im (bit n is IP n): the monitor's, not the guest's.
 */
uint32_t mips_hw_status(uint64_t status, bool fpu_loaded, uint8_t im);

#endif
