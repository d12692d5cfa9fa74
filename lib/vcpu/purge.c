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
 *
 * Why is the processor it ran on last enough? Where TLBs have tags, entries may lie still on others
 * it ran on before; but they cannot be used. Only the virtual CPU itself matches its tag, and it
 * comes back there through come_in() (sched.c), while `seen` names another processor: so without
 * `keep`, and nothing old matches any more. On the last one they stay usable while others run
 * there; so we ask that processor whoever runs there. Without tags the others' coming in has
 * emptied it, and our request finds nothing: it costs time, but is never wrong.
 */

#define BATCH 16

static void forget(struct disco_vcpu *v, const struct disco_purge *p)
{
    if (p->vpn.v == DISCO_ALL_PAGES)
        disco_l2tlb_wipe(v->l2tlb);
    else
        disco_l2tlb_forget_vpn(v->l2tlb, p->vpn);
}

static bool concerns(const struct disco_purge *p, const struct disco_vcpu *v)
{
    return p->vcpu == v->id || p->vcpu == DISCO_ALL_VCPUS;
}

/* What one virtual CPU's processors are to forget, collected until there is a batch of it. */
struct batch {
    struct disco_vcpu *v;
    disco_cpuset cpus;
    size_t n;
    struct disco_purge p[BATCH];
};

static void send(struct batch *t)
{
    struct disco_backend *b = t->v->vm->backend;

    if (t->n)
        b->ops->invalidate(b, t->cpus, t->v, t->p, t->n);
    t->n = 0;
}

static void collect(struct batch *t, disco_vpn vpn)
{
    t->p[t->n++] = (struct disco_purge){t->v->id, vpn};
    if (t->n == BATCH)
        send(t);
}

static void purge_hardware(struct batch *t, const struct disco_purge *p, size_t n,
                           const disco_vpn *alias, size_t aliases)
{
    for (size_t i = 0; i < aliases; i++)
        collect(t, alias[i]);
    for (size_t i = 0; i < n; i++) {
        if (concerns(&p[i], t->v))
            collect(t, p[i].vpn);
    }
    send(t);
}

void disco_vm_purge(void *ctx, disco_ppn ppn, const struct disco_purge *p, size_t n)
{
    struct disco_vm *vm = ctx;
    uint32_t vcpus = __atomic_load_n(&vm->vcpus, __ATOMIC_ACQUIRE);
    disco_vpn alias[DISCO_MAX_ALIASES];
    size_t aliases = vm->backend->ops->aliases(ppn, alias);

    for (uint32_t i = 0; i < vcpus; i++) {
        for (size_t k = 0; k < n; k++) {
            if (concerns(&p[k], vm->vcpu[i]))
                forget(vm->vcpu[i], &p[k]);
        }
    }
    for (uint32_t i = 0; i < vcpus; i++) {
        struct batch t = {.v = vm->vcpu[i]};

        t.cpus = __atomic_fetch_or(&t.v->seen, 0, __ATOMIC_SEQ_CST);
        if (t.cpus)
            purge_hardware(&t, p, n, alias, aliases);
    }
}
