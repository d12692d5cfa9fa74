/* SPDX-License-Identifier: BSD-2-Clause */
#include "cp0.h"

#include "vtlb.h"

#define CONFIG0_BE 0x00008000u
#define ENTRYLO_RIXI UINT64_C(0xc0000000)
#define EBASE_GATED (~UINT64_C(0x3fffffff))

void mips_cp0_reset(struct mips_cp0 *cp0, bool big_endian, unsigned cpu)
{
    for (unsigned i = 0; i < MIPS_CP0_REGS; i++) {
        cp0->reg[i >> 3][i & 7] = mips_cp0_table[i].reset;
    }
    mips_cp0_set(cp0, MIPS_CP0_EBASE, MIPS_EBASE_RESET | (cpu & MIPS_EBASE_CPUNUM));
    if (big_endian) {
        mips_cp0_set(cp0, MIPS_CP0_CONFIG0, mips_cp0_get(cp0, MIPS_CP0_CONFIG0) | CONFIG0_BE);
    }
}

uint64_t mips_cp0_read(const struct mips_cp0 *cp0, unsigned reg, unsigned sel, bool wide)
{
    const struct mips_cp0_desc *desc = &mips_cp0_table[MIPS_CP0_INDEX(reg, sel)];
    uint64_t value = cp0->reg[reg & 31][sel & 7];

    if (desc->width == 0) {
        return 0;
    }
    if (wide && desc->width == 64) {
        return value;
    }
    if (desc->rule == MIPS_RULE_ENTRYLO) {
        value = (value & ~ENTRYLO_RIXI) | (value >> 32 & ENTRYLO_RIXI);
    }
    return mips_sext32(value);
}

/* A 32-bit value as the 64-bit register takes it. */
static uint64_t widen(const struct mips_cp0_desc *desc, uint64_t value)
{
    if (desc->rule == MIPS_RULE_ENTRYLO) {
        return (value & ENTRYLO_RIXI) << 32 | (value & ~ENTRYLO_RIXI & 0xffffffffu);
    }
    return mips_sext32(value);
}

/* The bits that this very value may change: the table's, less what the register's rule forbids. */
static uint64_t effective_mask(const struct mips_cp0_desc *desc, uint64_t value)
{
    switch (desc->rule) {
    case MIPS_RULE_TLBSIZE: return (value & 0x7fffffffu) < MIPS_VTLB_ENTRIES ? desc->write_mask : 0;
    case MIPS_RULE_STATUS:
        return (value & MIPS_ST_KSU) == MIPS_ST_KSU ? desc->write_mask & ~(uint64_t)MIPS_ST_KSU
                                                    : desc->write_mask;
    case MIPS_RULE_EBASE:
        return value & MIPS_EBASE_WG ? desc->write_mask : desc->write_mask & ~EBASE_GATED;
    default: return desc->write_mask;
    }
}

enum mips_cp0_effect mips_cp0_write(struct mips_cp0 *cp0, unsigned reg, unsigned sel,
                                    uint64_t value, bool wide)
{
    const struct mips_cp0_desc *desc = &mips_cp0_table[MIPS_CP0_INDEX(reg, sel)];
    uint64_t *slot = &cp0->reg[reg & 31][sel & 7];
    uint64_t mask;

    if (desc->width == 0) {
        return MIPS_EFFECT_NONE;
    }
    if (!wide || desc->width == 32) {
        value = widen(desc, value);
    }
    mask = effective_mask(desc, value);
    *slot = (*slot & ~mask) | (value & mask);
    return (enum mips_cp0_effect)desc->effect;
}

void mips_cp0_set_lines(struct mips_cp0 *cp0, unsigned lines)
{
    uint32_t cause = (uint32_t)mips_cp0_get(cp0, MIPS_CP0_CAUSE);

    cause &= ~((MIPS_CA_IP & ~MIPS_CA_IP_SOFT) | MIPS_CA_TI);
    cause |= (lines & 0xfcu) << MIPS_CA_IP_SHIFT;
    cause |= lines & 0x80 ? MIPS_CA_TI : 0;
    mips_cp0_set(cp0, MIPS_CP0_CAUSE, mips_sext32(cause));
}

enum mips_mode mips_status_mode(uint64_t status)
{
    if (status & (MIPS_ST_ERL | MIPS_ST_EXL)) {
        return MIPS_MODE_KERNEL;
    }
    return (enum mips_mode)((status & MIPS_ST_KSU) >> MIPS_ST_KSU_SHIFT);
}

uint32_t mips_hw_status(uint64_t status, bool fpu_loaded, uint8_t im)
{
    bool kernel = mips_status_mode(status) == MIPS_MODE_KERNEL;
    uint32_t hw = MIPS_ST_FR | MIPS_ST_KX | MIPS_ST_SX | MIPS_ST_UX | MIPS_ST_IE;

    hw |= (kernel ? 1u : 2u) << MIPS_ST_KSU_SHIFT;
    hw |= (uint32_t)im << MIPS_CA_IP_SHIFT;
    if (fpu_loaded && (status & MIPS_ST_CU1)) {
        hw |= MIPS_ST_CU1;
    }
    return hw;
}
