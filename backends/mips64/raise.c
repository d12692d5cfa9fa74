/* SPDX-License-Identifier: BSD-2-Clause */
/* Exceptions that the guest's kernel gets: the registers of this exit put into the virtual ones. */
#include "internal.h"

/* With mips_exception() in it: what it is told stays in registers. */
__attribute__((flatten)) TOLD void mips_raise(struct mips_vcpu *a, unsigned code, bool refill,
                                              uint64_t badvaddr)
{
    bool fetch = code == MIPS_EXC_IBE || a->g.pc == badvaddr;
    struct mips_exc exc = {
        .code = (uint8_t)code,
        .ce = (uint8_t)CAUSE_CE(a->cause),
        .bd = a->cause & CAUSE_BD,
        .refill = refill,
        .badinstr_valid = !fetch,
        .badinstr = mips_get32(C0_BADINSTR),
        .badinstrp = mips_get32(C0_BADINSTRP),
        .epc = a->g.pc,
        .badvaddr = badvaddr,
    };

    a->stats.reflected++;
    a->g.pc = mips_exception(a->cp0, &exc);
}

int mips_reflect(struct mips_vcpu *a)
{
    mips_raise(a, CAUSE_CODE(a->cause), false, mips_get(C0_BADVADDR));
    return MIPS_RESUME;
}

void mips_take_interrupt(struct mips_vcpu *a)
{
    struct mips_exc exc = {.code = MIPS_EXC_INT, .epc = a->g.pc};

    a->stats.interrupts++;
    a->g.pc = mips_exception(a->cp0, &exc);
}
