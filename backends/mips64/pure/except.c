/* SPDX-License-Identifier: BSD-2-Clause */
#include "except.h"

#define BEV_BASE UINT64_C(0xffffffffbfc00200)

enum {
    VECTOR_TLB_REFILL = 0x000,
    VECTOR_XTLB_REFILL = 0x080,
    VECTOR_GENERAL = 0x180,
    VECTOR_INTERRUPT = 0x200,
};

/* Codes that report an address: Mod, TLBL, TLBS, AdEL, AdES, TLBRI, TLBXI. */
#define ADDRESS_CODES 0x0018003eu

static void set_bad_address(struct mips_cp0 *cp0, uint64_t va)
{
    uint64_t context = mips_cp0_get(cp0, MIPS_CP0_CONTEXT);
    uint64_t xcontext = mips_cp0_get(cp0, MIPS_CP0_XCONTEXT);
    uint64_t entryhi = mips_cp0_get(cp0, MIPS_CP0_ENTRYHI);
    uint64_t vpn2 = (va & (((uint64_t)1 << MIPS_SEGBITS) - 1)) >> 13;

    context = (context & ~UINT64_C(0x7fffff)) | ((vpn2 << 4) & 0x7ffff0);
    xcontext &= UINT64_MAX << (MIPS_SEGBITS - 7);
    xcontext |= (va >> 62) << (MIPS_SEGBITS - 9) | vpn2 << 4;
    entryhi &= MIPS_ENTRYHI_ASID | MIPS_ENTRYHI_EHINV;
    entryhi |= va & MIPS_ENTRYHI_VPN2;

    mips_cp0_set(cp0, MIPS_CP0_BADVADDR, va);
    mips_cp0_set(cp0, MIPS_CP0_CONTEXT, context);
    mips_cp0_set(cp0, MIPS_CP0_XCONTEXT, xcontext);
    mips_cp0_set(cp0, MIPS_CP0_ENTRYHI, entryhi);
}

/* Whether the segment of an address is enabled for 64-bit addressing, and so refills at 0x080. */
static bool is_extended(uint32_t status, uint64_t va)
{
    switch (va >> 62) {
    case 0: return status & MIPS_ST_UX;
    case 1: return status & MIPS_ST_SX;
    default: return status & MIPS_ST_KX;
    }
}

/* The vector of an exception taken with EXL clear. */
static uint64_t vector_offset(const struct mips_exc *exc, uint32_t status, uint32_t cause)
{
    unsigned code = exc->code & 31;

    if (exc->refill && (code == MIPS_EXC_TLBL || code == MIPS_EXC_TLBS)) {
        return is_extended(status, exc->badvaddr) ? VECTOR_XTLB_REFILL : VECTOR_TLB_REFILL;
    }
    if (code == MIPS_EXC_INT && (cause & MIPS_CA_IV)) {
        return VECTOR_INTERRUPT;
    }
    return VECTOR_GENERAL;
}

static void set_return_point(struct mips_cp0 *cp0, const struct mips_exc *exc, uint32_t *cause)
{
    *cause = exc->bd ? *cause | MIPS_CA_BD : *cause & ~MIPS_CA_BD;
    mips_cp0_set(cp0, MIPS_CP0_EPC, exc->epc);
    if (!exc->badinstr_valid || (exc->code & 31) == MIPS_EXC_INT) {
        return;
    }
    mips_cp0_set(cp0, MIPS_CP0_BADINSTR, mips_sext32(exc->badinstr));
    if (exc->bd) {
        mips_cp0_set(cp0, MIPS_CP0_BADINSTRP, mips_sext32(exc->badinstrp));
    }
}

static uint64_t vector_base(const struct mips_cp0 *cp0, uint32_t status)
{
    return status & MIPS_ST_BEV ? BEV_BASE : mips_cp0_get(cp0, MIPS_CP0_EBASE) & ~UINT64_C(0xfff);
}

uint64_t mips_exception(struct mips_cp0 *cp0, const struct mips_exc *exc)
{
    uint32_t status = (uint32_t)mips_cp0_get(cp0, MIPS_CP0_STATUS);
    uint32_t cause = (uint32_t)mips_cp0_get(cp0, MIPS_CP0_CAUSE);
    unsigned code = exc->code & 31;
    uint64_t offset = VECTOR_GENERAL;

    cause &= ~(MIPS_CA_CODE | MIPS_CA_CE);
    cause |= code << MIPS_CA_CODE_SHIFT;
    if (code == MIPS_EXC_CPU) {
        cause |= (uint32_t)(exc->ce & 3) << MIPS_CA_CE_SHIFT;
    }
    if ((status & MIPS_ST_EXL) == 0) {
        set_return_point(cp0, exc, &cause);
        offset = vector_offset(exc, status, cause);
    }
    if ((ADDRESS_CODES >> code) & 1) {
        set_bad_address(cp0, exc->badvaddr);
    }
    mips_cp0_set(cp0, MIPS_CP0_CAUSE, mips_sext32(cause));
    mips_cp0_set(cp0, MIPS_CP0_STATUS, mips_sext32(status | MIPS_ST_EXL));
    return vector_base(cp0, status) + offset;
}

uint64_t mips_eret(struct mips_cp0 *cp0)
{
    uint32_t status = (uint32_t)mips_cp0_get(cp0, MIPS_CP0_STATUS);

    if (status & MIPS_ST_ERL) {
        mips_cp0_set(cp0, MIPS_CP0_STATUS, mips_sext32(status & ~MIPS_ST_ERL));
        return mips_cp0_get(cp0, MIPS_CP0_ERROREPC);
    }
    mips_cp0_set(cp0, MIPS_CP0_STATUS, mips_sext32(status & ~MIPS_ST_EXL));
    return mips_cp0_get(cp0, MIPS_CP0_EPC);
}

uint8_t mips_interrupt_wakes(const struct mips_cp0 *cp0)
{
    uint64_t lines = mips_cp0_get(cp0, MIPS_CP0_CAUSE) & mips_cp0_get(cp0, MIPS_CP0_STATUS);

    return (uint8_t)((lines & MIPS_CA_IP) >> MIPS_CA_IP_SHIFT);
}

uint8_t mips_interrupt_pending(const struct mips_cp0 *cp0)
{
    uint64_t levels = MIPS_ST_IE | MIPS_ST_EXL | MIPS_ST_ERL;

    if ((mips_cp0_get(cp0, MIPS_CP0_STATUS) & levels) != MIPS_ST_IE) {
        return 0;
    }
    return mips_interrupt_wakes(cp0);
}

uint64_t mips_set_ie(struct mips_cp0 *cp0, bool enable)
{
    uint64_t old = mips_sext32(mips_cp0_get(cp0, MIPS_CP0_STATUS));

    mips_cp0_set(cp0, MIPS_CP0_STATUS, enable ? old | MIPS_ST_IE : old & ~(uint64_t)MIPS_ST_IE);
    return old;
}
