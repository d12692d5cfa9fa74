/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

/*
 * Revocation, the vcpu library's half; pmap holds the entry and has zeroed its word. L2TLBs come
 * first, hardware TLBs after: a processor that found the translation in its L2TLB just before we
 * forgot it there loads it at once, and serves our request only later.
 *
 * Which processors? Those in the virtual CPU's `seen`. One that moves at this moment writes
 * `seen` and then looks things up; we forget and then read `seen`. Both accesses are
 * read-modify-writes of one word, so one of them is second and sees what was done before the
 * first: either we find the new processor in `seen`, or it finds nothing in the L2TLB.
 * tests/model/shootdown.pml has the whole; its steps are named below.
 *
 * Why is the processor it ran on last enough? Where TLBs have tags, entries may lie still on others
 * it ran on before; but they cannot be used. Only the virtual CPU itself matches its tag, and it
 * comes back there through come_in() (sched.c), while `seen` names another processor: so without
 * `keep`, and nothing old matches any more. On the last one they stay usable while others run
 * there; so we ask that processor whoever runs there. Without tags the others' coming in has
 * emptied it, and our request finds nothing: it costs time, but is never wrong.
 */

#define BATCH                                                                                      \
    128 /* all of most revocations: of DISCO_PMAP_MANY pages with a few places and two aliases each */

static void forget(struct disco_vcpu *v, const struct disco_purge *p)
{
    if (p->vpn.v == DISCO_ALL_PAGES)
        disco_l2tlb_wipe(v->l2tlb);
    else
        disco_l2tlb_forget_vpn(v->l2tlb, p->vpn);
}

static void purge_l2tlbs(const struct disco_vm *vm, uint32_t vcpus, const struct disco_purge *p,
                         size_t n)
{
    for (uint32_t i = 0; i < vcpus; i++) {
        for (size_t k = 0; k < n; k++) {
            if (disco_purge_is_of(&p[k], vm->vcpu[i]))
                forget(vm->vcpu[i], &p[k]);
        }
    }
}

/* What each has kept for the segments that the guest believes unmapped: fill.c. */
static void purge_near(const struct disco_vm *vm, uint32_t vcpus,
                       const struct disco_pmap_gone *gone, size_t pages)
{
    for (uint32_t k = 0; k < vcpus; k++) {
        for (size_t i = 0; i < pages; i++) {
            if (gone[i].vcpus >> k & 1)
                disco_l2tlb_forget_vpn(vm->vcpu[k]->near,
                                       disco_va_page(disco_near_va(gone[i].ppn)));
        }
    }
}

/* Whose translations are to be forgotten. */
static uint64_t concerned(const struct disco_pmap_gone *gone, size_t pages,
                          const struct disco_purge *p, size_t n)
{
    uint64_t vcpus = 0;

    for (size_t i = 0; i < pages; i++)
        vcpus |= gone[i].vcpus;
    for (size_t i = 0; i < n; i++)
        vcpus |= p[i].vcpus;
    return vcpus;
}

/* Of these the virtual CPUs that processors may have entries of. Read after the L2TLBs have forgotten. */
static size_t find_holders(const struct disco_vm *vm, uint32_t vcpus, uint64_t those,
                           struct disco_holder *h)
{
    size_t n = 0;

    for (uint32_t i = 0; i < vcpus; i++) {
        if (!(those >> i & 1))
            continue;
        h[n].v = vm->vcpu[i];
        h[n].cpus = __atomic_fetch_or(&h[n].v->seen, 0, __ATOMIC_SEQ_CST);
        n += h[n].cpus != 0;
    }
    return n;
}

/* What hardware TLBs are asked to forget, in rounds: the backend gets as much at once as fits. */
struct rounds {
    const struct disco_vm *vm;
    struct disco_holder h[DISCO_MAX_VCPUS];
    size_t holders;
    struct disco_purge batch[BATCH];
    size_t filled;
};

static void ask(struct rounds *r)
{
    struct disco_backend *b = r->vm->backend;

    if (r->filled)
        b->ops->invalidate(b, r->h, r->holders, r->batch, r->filled); /* p5 */
    r->filled = 0;
}

static void add(struct rounds *r, struct disco_purge p)
{
    r->batch[r->filled++] = p;
    if (r->filled == BATCH)
        ask(r);
}

/* They may all have the page at its addresses in unmapped segments. */
static void add_aliases(struct rounds *r, const struct disco_pmap_gone *gone)
{
    disco_vpn alias[DISCO_MAX_ALIASES];
    size_t n = r->vm->backend->ops->aliases(gone->ppn, alias);

    for (size_t i = 0; i < n; i++)
        add(r, (struct disco_purge){gone->vcpus, alias[i]});
}

uint64_t disco_vm_vcpus_on(void *ctx, unsigned node)
{
    const struct disco_vm *vm = ctx;
    uint32_t n = __atomic_load_n(&vm->vcpus, __ATOMIC_ACQUIRE);
    uint64_t vcpus = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t cpu = __atomic_load_n(&vm->vcpu[i]->cpu, __ATOMIC_RELAXED);

        if (cpu < vm->backend->cpus && vm->backend->node_of_cpu[cpu] == node)
            vcpus |= UINT64_C(1) << i;
    }
    return vcpus;
}

void disco_vm_purge(void *ctx, const struct disco_pmap_gone *gone, size_t pages,
                    const struct disco_purge *p, size_t n)
{
    const struct disco_vm *vm = ctx;
    uint32_t vcpus = __atomic_load_n(&vm->vcpus, __ATOMIC_ACQUIRE);
    struct rounds r;

    r.vm = vm;
    r.filled = 0;
    purge_l2tlbs(vm, vcpus, p, n); /* p3 */
    if (__atomic_load_n(&vm->nearer, __ATOMIC_SEQ_CST))
        purge_near(vm, vcpus, gone, pages);
    r.holders = find_holders(vm, vcpus, concerned(gone, pages, p, n), r.h); /* p4 */
    if (!r.holders)
        return;
    for (size_t i = 0; i < pages; i++)
        add_aliases(&r, &gone[i]);
    for (size_t i = 0; i < n; i++)
        add(&r, p[i]);
    ask(&r);
}
