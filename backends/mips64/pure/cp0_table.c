/* SPDX-License-Identifier: BSD-2-Clause */
/* The virtual CPU: MIPS64 Release 6, standard TLB of 64 pairs, FPU, no caches. */
#include "cp0.h"
#include "walk.h"

#define CONFIG_M 0x80000000u

/* Config0: MIPS64 with all segments (AT=2), Release 6 (AR=2), standard TLB (MT=1), K0 uncached. */
#define CONFIG0 (CONFIG_M | 2u << 13 | 2u << 10 | 1u << 7 | 2u)
/* Config1: 64 TLB entries; line size 0 says that there is no cache; FPU. */
#define CONFIG1 (CONFIG_M | 63u << 25 | 1u)
#define CONFIG2 CONFIG_M
/* Config3: BadInstrP, BadInstr, a page-table walker, UserLocal, RI and XI. */
#define CONFIG3 (CONFIG_M | 1u << 27 | 1u << 26 | 1u << 24 | 1u << 13 | 1u << 12)
/* Config4: TLBINV and TLBINVF, KScratch 2..7. */
#define CONFIG4 (CONFIG_M | 2u << 29 | 0xfcu << 16)
/* Config5: no paired LL/SC (XNP); LLAddr can break a link (LLB, which Release 6 demands). */
#define CONFIG5 (1u << 13 | 1u << 4)
/* PageGrain: RI and XI in force with exception codes of their own, as Release 6 presets them. */
#define PAGEGRAIN (1u << 31 | 1u << 30 | 1u << 27)

#define STATUS_WRITE                                                                               \
    (MIPS_ST_CU1 | MIPS_ST_CU0 | MIPS_ST_PX | MIPS_ST_BEV | MIPS_ST_IM | MIPS_ST_KX | MIPS_ST_SX | \
     MIPS_ST_UX | MIPS_ST_KSU | MIPS_ST_ERL | MIPS_ST_EXL | MIPS_ST_IE)

/* 32-bit values are kept sign-extended; so are their masks, or the upper half would not follow. */
#define SEXT(v) ((((uint64_t)(v)&0xffffffffu) ^ 0x80000000u) - 0x80000000u)
#define ALL UINT64_MAX

#define R32(reset_, mask_, effect_)                                                                \
    {                                                                                              \
        .reset = SEXT(reset_), .write_mask = SEXT(mask_), .width = 32,                             \
        .effect = MIPS_EFFECT_##effect_                                                            \
    }
#define R64(reset_, mask_, effect_)                                                                \
    {                                                                                              \
        .reset = (reset_), .write_mask = (mask_), .width = 64, .effect = MIPS_EFFECT_##effect_     \
    }
#define RULED(width_, reset_, mask_, effect_, rule_)                                               \
    {                                                                                              \
        .reset = SEXT(reset_), .write_mask = (mask_), .width = (width_),                           \
        .rule = MIPS_RULE_##rule_, .effect = MIPS_EFFECT_##effect_                                 \
    }
#define LIVE(reset_, mask_, effect_)                                                               \
    {                                                                                              \
        .reset = (reset_), .write_mask = SEXT(mask_), .width = 32,                                 \
        .effect = MIPS_EFFECT_##effect_, .live = true                                              \
    }

const struct mips_cp0_desc mips_cp0_table[MIPS_CP0_REGS] = {
    [MIPS_CP0_INDEX_REG] = RULED(32, 0, SEXT(0x8000003f), NONE, TLBSIZE),
    [MIPS_CP0_RANDOM] = LIVE(63, 0, NONE),
    [MIPS_CP0_ENTRYLO0] = RULED(64, 0, MIPS_ENTRYLO_MASK, NONE, ENTRYLO),
    [MIPS_CP0_ENTRYLO1] = RULED(64, 0, MIPS_ENTRYLO_MASK, NONE, ENTRYLO),
    [MIPS_CP0_CONTEXT] = R64(0, ~UINT64_C(0x7fffff), NONE),
    [MIPS_CP0_USERLOCAL] = R64(0, ALL, USERLOCAL),
    /* Pages of 4 KiB only: a guest probes by writing a mask and reading it back. */
    [MIPS_CP0_PAGEMASK] = R32(0, 0, NONE),
    [MIPS_CP0_PAGEGRAIN] = R32(PAGEGRAIN, 0, NONE),
    [MIPS_CP0_PWBASE] = R64(0, ALL, NONE),
    /* All levels but the base directory. */
    [MIPS_CP0_PWFIELD] = R64(MIPS_PWFIELD_RESET, 0x3fffffff, NONE),
    [MIPS_CP0_PWSIZE] = R64(MIPS_PWSIZE_PS, 0x3fffffc0, NONE),
    [MIPS_CP0_WIRED] = RULED(32, 0, 0x3f, WIRED, TLBSIZE),
    [MIPS_CP0_PWCTL] = R32(0, MIPS_PWCTL_EN | MIPS_PWCTL_XU, NONE),
    [MIPS_CP0_HWRENA] = R32(0, 0x2000000f, HWRENA),
    [MIPS_CP0_BADVADDR] = R64(0, 0, NONE),
    [MIPS_CP0_BADINSTR] = R32(0, 0, NONE),
    [MIPS_CP0_BADINSTRP] = R32(0, 0, NONE),
    [MIPS_CP0_COUNT] = LIVE(0, 0xffffffff, COUNT),
    [MIPS_CP0_ENTRYHI] =
        R64(0, MIPS_ENTRYHI_VPN2 | MIPS_ENTRYHI_ASID | MIPS_ENTRYHI_EHINV, ENTRYHI),
    [MIPS_CP0_COMPARE] = R32(0, 0xffffffff, COMPARE),
    /* The hardware always runs with UX, SX and KX set, so the virtual CPU starts like that. */
    [MIPS_CP0_STATUS] = RULED(32, MIPS_ST_FR | MIPS_ST_KX | MIPS_ST_SX | MIPS_ST_UX,
                              SEXT(STATUS_WRITE), STATUS, STATUS),
    [MIPS_CP0_INTCTL] = R32(0xe0000000, 0, NONE),
    [MIPS_CP0_CAUSE] = R32(0, MIPS_CA_DC | MIPS_CA_IV | MIPS_CA_IP_SOFT, CAUSE),
    [MIPS_CP0_EPC] = R64(0, ALL, NONE),
    [MIPS_CP0_PRID] = R32(0x00010000, 0, NONE),
    [MIPS_CP0_EBASE] = RULED(64, MIPS_EBASE_RESET, ~UINT64_C(0x7ff), EBASE, EBASE),
    [MIPS_CP0_CONFIG0] = R32(CONFIG0, 0x7, CONFIG),
    [MIPS_CP0_CONFIG1] = R32(CONFIG1, 0, CONFIG),
    [MIPS_CP0_CONFIG2] = R32(CONFIG2, 0, CONFIG),
    [MIPS_CP0_CONFIG3] = R32(CONFIG3, 0, CONFIG),
    [MIPS_CP0_CONFIG4] = R32(CONFIG4, 0, CONFIG),
    [MIPS_CP0_CONFIG5] = R32(CONFIG5, 0, CONFIG),
    [MIPS_CP0_LLADDR] = R64(0, 0, LLADDR),
    /* PTEBase above R and BadVPN2, whose width follows SEGBITS. */
    [MIPS_CP0_XCONTEXT] = R64(0, ALL << (MIPS_SEGBITS - 7), NONE),
    [MIPS_CP0_ERROREPC] = R64(0, ALL, NONE),
    [MIPS_CP0_KSCRATCH2] = R64(0, ALL, NONE),
    [MIPS_CP0_KSCRATCH3] = R64(0, ALL, NONE),
    [MIPS_CP0_KSCRATCH4] = R64(0, ALL, NONE),
    [MIPS_CP0_KSCRATCH5] = R64(0, ALL, NONE),
    [MIPS_CP0_KSCRATCH6] = R64(0, ALL, NONE),
    [MIPS_CP0_KSCRATCH7] = R64(0, ALL, NONE),
};
