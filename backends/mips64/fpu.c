/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The FPU is switched lazily: a guest runs with the real CU1 clear until it uses the FPU, and keeps
 * the registers in the FPU until another virtual CPU wants it on the same processor.
 */
#include "internal.h"

static void enable(void)
{
    mips_set32(C0_STATUS, mips_get32(C0_STATUS) | ST_CU1);
    mips_ehb();
}

/* Save the owner's registers; nobody owns the FPU then. */
void mips_fpu_release(struct mips_cpu *cpu)
{
    struct mips_vcpu *owner = cpu->fpu_owner;

    if (!owner)
        return;
    enable();
    owner->fcsr = mips_fpu_save(owner->fpr);
    owner->fpu_live = false;
    owner->hw_status = 0;
    cpu->fpu_owner = NULL;
}

static void acquire(struct mips_vcpu *a)
{
    struct mips_cpu *cpu = mips_this_cpu();

    mips_fpu_release(cpu);
    enable();
    mips_fpu_load(a->fpr, a->fcsr);
    a->fpu_live = true;
    a->hw_status = 0;
    a->stats.fpu_loads++;
    cpu->fpu_owner = a;
}

/* The guest used the FPU with the real CU1 clear: its own CU1 says whether it may. */
TOLD int mips_fpu_unusable(struct mips_vcpu *a)
{
    if (!(mips_cp0_get(a->cp0, MIPS_CP0_STATUS) & MIPS_ST_CU1))
        return mips_reflect(a);
    if (!a->fpu_live)
        acquire(a);
    return MIPS_RESUME;
}

/* Bit 0 of an FPU register, for a branch on it whose delay slot trapped. */
bool mips_fpu_bit0(struct mips_vcpu *a, int reg)
{
    if (reg < 0)
        return false;
    if (a->fpu_live)
        mips_fpu_release(mips_this_cpu());
    return a->fpr[reg] & 1;
}
