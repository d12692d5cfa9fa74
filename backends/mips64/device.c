/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A load or store at a device of the monitor's (lib/vcpu/handle.c, ask_device()): taken apart with the registers of this
 * exit, and completed as the processor would have done it, in a slot or not.
 */
#include "internal.h"
#include "pure/loadstore.h"

static bool decode(const struct mips_vcpu *a, const struct disco_exit *x, struct mips_loadstore *i)
{
    return mips_decode_loadstore(mips_get32(C0_BADINSTR), i) &&
           i->store == (x->access == DISCO_ACCESS_STORE) &&
           mips_loadstore_address(i, &a->g) ==
               x->va.v; /* else it is the second page of a misaligned one */
}

int mips_device_access(struct disco_vcpu *v, const struct disco_exit *x,
                       struct disco_device_access *d)
{
    struct mips_vcpu *a = mips_of(v);
    struct mips_loadstore i;
    uint64_t next;

    if (!decode(a, x, &i) || !mips_successor(a, &next))
        return DISCO_ERR_UNSUPPORTED;
    *d = (struct disco_device_access){
        .size = i.size,
        .value = i.store ? mips_store_value(&i, &a->g) : 0,
        .note = next,
    };
    return DISCO_OK;
}

/* The branch of a slot has been evaluated before: a load may change what it reads. */
void mips_device_done(struct disco_vcpu *v, const struct disco_exit *x,
                      const struct disco_device_access *d)
{
    struct mips_vcpu *a = mips_of(v);
    struct mips_loadstore i;

    if (decode(a, x, &i) && !i.store)
        mips_gpr_set(&a->g, i.reg, mips_load_result(&i, d->value));
    a->g.pc = d->note;
    a->missed = 0; /* nothing was loaded into the TLB */
}
