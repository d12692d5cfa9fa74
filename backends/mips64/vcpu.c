/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations that the libraries ask of this backend (disco/arch.h), and putting a virtual CPU
 * on a processor.
 */
#include <string.h>

#include "internal.h"

static size_t vcpu_size(void) { return sizeof(struct mips_vcpu); }

COLD static int vcpu_reset(struct disco_vcpu *v)
{
    struct mips_vcpu *a = mips_of(v);
    struct mips_machine *m = mips_machine_of(v->vm->backend);
    int err = DISCO_OK;

    if (v->l2tlb->set_mask != L2TLB_SET_MASK || v->near->set_mask != NEAR_SET_MASK)
        return DISCO_ERR_BAD_ARG;
    if (!a->cp0)
        err = disco_memmap_alloc(m->mm, v->node, DISCO_PAGE_MONITOR, &a->page);
    if (err)
        return err;
    a->cp0 = m->backend.ops->page(&m->backend, a->page);
    memset(a->cp0, 0, DISCO_PAGE_SIZE);
    mips_cp0_reset(a->cp0, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__, v->id);
    mips_vtlb_reset(&a->vtlb);
    memset(&a->g, 0, sizeof a->g);
    a->vcpu = v;
    a->asid = 0;
    a->tag = 0;
    a->user_globals = false;
    a->outside = true;
    a->missed = 0;
    a->random = v->id + 1;
    a->lines_seen = 0;
    a->compare_at = UINT64_MAX;
    memset(&a->count, 0, sizeof a->count);
    mips_tags_drop(a);
    return disco_l2tlb_set_asid(v->l2tlb, 0, 0);
}

COLD void mips64_vcpu_fini(struct disco_vcpu *v)
{
    struct mips_vcpu *a = mips_of(v);

    if (a && a->vcpu) {
        mips_timer_drop(a);
        mips_cpus_forget(v);
    }
    if (a && a->cp0)
        (void)disco_memmap_put(mips_machine_of(v->vm->backend)->mm, a->page);
    if (a)
        a->cp0 = NULL;
}

void mips64_vcpu_boot(struct disco_vcpu *v, uint64_t pc, uint64_t sp, uint64_t gp,
                      const uint64_t args[4])
{
    struct mips_vcpu *a = mips_of(v);

    a->g.pc = pc;
    a->g.r[28] = gp;
    a->g.r[29] = sp;
    for (unsigned i = 0; i < 4; i++)
        a->g.r[4 + i] = args[i];
}

/* The first entry after it was off processors: time off is nobody's, and its Count may have been set back. */
static void come_back(struct mips_vcpu *a)
{
    a->outside = false;
    a->since = mips_get32(C0_COUNT);
    if (!a->retimed)
        return;
    a->retimed = false;
    mips_hwrena_load(a);
    mips_timer_adopt(a);
}

static void enter(struct disco_vcpu *v, struct disco_exit *x)
{
    struct mips_vcpu *a = mips_of(v);
    struct mips_cpu *cpu = mips_this_cpu();

    a->exit = x;
    if (a->outside)
        come_back(a);
    if (mips_before_guest(cpu)) {
        mips_world_enter(a);
        mips_after_guest(cpu);
    } else {
        x->kind = DISCO_EXIT_HOST;
    }
}

/* `last` is written before anything is looked up for @p v: see may_hold() in smp.c. */
static void switch_in(struct disco_vcpu *v, bool keep)
{
    struct mips_vcpu *a = mips_of(v);
    struct mips_cpu *cpu = mips_this_cpu();

    if (!keep)
        mips_tags_drop(a);
    __atomic_store_n(&cpu->last, v, __ATOMIC_SEQ_CST);
    a->pmap = v->vm->pmap->entry;
    a->pairs = v->vm->pmap->pages / 2;
    a->near = v->near;
    mips_set(KS_L2TLB, (uintptr_t)v->l2tlb);
    mips_set_asid(a, a->asid);
    if (mips_is_tagged())
        mips_tlb_wire(a);
    else
        mips_tlb_flush(a);
    mips_set(C0_USERLOCAL, mips_cp0_get(a->cp0, MIPS_CP0_USERLOCAL));
    mips_hwrena_load(a);
    mips_timer_adopt(a);
}

static void switch_out(struct disco_vcpu *v)
{
    struct mips_vcpu *a = mips_of(v);

    if (a->fpu_live)
        mips_fpu_release(mips_this_cpu());
    mips_account_monitor(a);
    a->left_at = mips_ticks(mips_this_cpu());
    a->outside = true;
}

static void inject(struct disco_vcpu *v, enum disco_inject what, const struct disco_exit *x)
{
    bool store = x->access == DISCO_ACCESS_STORE;
    unsigned tlb = store ? MIPS_EXC_TLBS : MIPS_EXC_TLBL;
    struct mips_vcpu *a = mips_of(v);

    switch (what) {
    case DISCO_INJECT_MISS: mips_raise(a, tlb, true, x->va.v); break;
    case DISCO_INJECT_INVALID: mips_raise(a, tlb, false, x->va.v); break;
    /* Exceptions of their own: PageGrain.IEC is set. */
    case DISCO_INJECT_FORBIDDEN:
        mips_raise(a, x->access == DISCO_ACCESS_FETCH ? MIPS_EXC_TLBXI : MIPS_EXC_TLBRI, false,
                   x->va.v);
        break;
    case DISCO_INJECT_WRITE: mips_raise(a, MIPS_EXC_MOD, false, x->va.v); break;
    case DISCO_INJECT_BUS_ERROR:
        mips_raise(a, x->access == DISCO_ACCESS_FETCH ? MIPS_EXC_IBE : MIPS_EXC_DBE, false,
                   x->va.v);
        break;
    case DISCO_INJECT_ILLEGAL: mips_raise(a, MIPS_EXC_RI, false, 0); break;
    }
}

static bool irq_ready(const struct disco_vcpu *v)
{
    const struct mips_vcpu *a = mips_of(v);
    uint64_t im = mips_cp0_get(a->cp0, MIPS_CP0_STATUS) >> MIPS_CA_IP_SHIFT & 0xfc;

    return (__atomic_load_n(&v->lines, __ATOMIC_ACQUIRE) & im) || mips_interrupt_wakes(a->cp0);
}

/* mips_emulate_run() has tried already: whatever comes here does not exist on the virtual CPU. */
static int emulate(struct disco_vcpu *v, const struct disco_exit *x)
{
    (void)v, (void)x;
    return DISCO_ERR_UNSUPPORTED;
}

static void call_return(struct disco_vcpu *v, int64_t result)
{
    mips_of(v)->g.r[2] = (uint64_t)result;
}

#define IMAGE_PAGES (UINT64_C(0x10000000) >> DISCO_PAGE_SHIFT)

static bool unmapped(const struct disco_vcpu *v, disco_va va, disco_ppn *ppn)
{
    (void)v;
    return mips_unmapped(va, ppn);
}

static size_t aliases(disco_ppn ppn, disco_vpn out[DISCO_MAX_ALIASES])
{
    out[0].v = (MIPS_DIRECT_MAP >> DISCO_PAGE_SHIFT) + ppn.v;
    if (ppn.v >= IMAGE_PAGES)
        return 1;
    out[1].v = (MIPS_IMAGE_WINDOW >> DISCO_PAGE_SHIFT) + ppn.v;
    return 2;
}

static uint32_t asid(const struct disco_vcpu *v) { return (uint32_t)mips_of(v)->asid; }

static void *page(struct disco_backend *b, disco_mpn mpn)
{
    (void)b;
    return (void *)(MIPS_XKPHYS + disco_mpn_base(mpn).v);
}

static void page_zero(struct disco_backend *b, disco_mpn mpn)
{
    memset(page(b, mpn), 0, DISCO_PAGE_SIZE);
}

static void page_copy(struct disco_backend *b, disco_mpn to, disco_mpn from)
{
    memcpy(page(b, to), page(b, from), DISCO_PAGE_SIZE);
}

static unsigned this_cpu(struct disco_backend *b)
{
    (void)b;
    return mips_this_cpu()->id;
}

const struct disco_backend_ops mips_ops = {
    .name = "mips64",
    .tlbe_make = mips_tlbe_make,
    .tlbe_merge = mips_tlbe_merge,
    .tlbe_mpn = mips_tlbe_mpn,
    .tlbe_rights = mips_tlbe_rights,
    .tlb_load = mips_tlb_load,
    .invalidate = mips_invalidate,
    .page = page,
    .page_zero = page_zero,
    .page_copy = page_copy,
    .cpu = this_cpu,
    .kick = mips_kick,
    .relax = mips_relax,
    .now = mips_now,
    .timer = mips_timer,
    .idle = mips_idle,
    .vcpu_size = vcpu_size,
    .vcpu_reset = vcpu_reset,
    .enter = enter,
    .switch_in = switch_in,
    .switch_out = switch_out,
    .inject = inject,
    .lines = mips_lines,
    .irq_ready = irq_ready,
    .emulate = emulate,
    .call_return = call_return,
    .device_access = mips_device_access,
    .device_done = mips_device_done,
    .unmapped = unmapped,
    .aliases = aliases,
    .guest_lookup = mips_guest_lookup,
    .asid = asid,
};
