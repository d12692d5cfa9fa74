/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

/*
 * How a pair gets into the TLBs of a running virtual CPU: while its pmap entries are held, so that
 * a revocation finds either no translation yet, or all of it where it looks (pmap.h).
 */

static unsigned node_of(const struct disco_vcpu *v)
{
    return v->vm->backend->node_of_cpu[__atomic_load_n(&v->cpu, __ATOMIC_RELAXED)];
}

static int insert(struct disco_vcpu *v, disco_va va, const struct disco_guest_map *m,
                  const disco_tlbe e[2])
{
    int err = disco_l2tlb_insert(v->l2tlb, va, m->asid, m->global, e, m->note);

    if (!err)
        v->vm->backend->ops->tlb_load(v, m->pair, m->asid, m->global, e);
    return err;
}

int disco_vcpu_enter_pair(struct disco_vcpu *v, disco_va va, const struct disco_guest_map *m)
{
    struct disco_pmap_pair p;
    int err;

    p.m = m;
    p.vcpu = v->id;
    p.node = node_of(v);
    p.record = true;
    disco_pmap_enter(v->vm->pmap, &p);
    err = p.err[disco_half(va)];
    if (!err && (p.e[0] || p.e[1]))
        err = insert(v, va, m, p.e);
    disco_pmap_leave(v->vm->pmap, &p);
    return err;
}

/*
 * Where a page has replicas, the pmap's word names the master only, and asks every processor to look further (DISCO_COPIED).
 * `near` keeps what it finds, be it a replica or the master itself.
 * The flag is set with the entries held, as a purge holds them: it has seen it, or there is nothing.
 * It stays set, and is written once: its line is one that the VM's processors read all the time.
 */
static int keep_near(struct disco_vcpu *v, const struct disco_pmap_pair *p)
{
    if (!p->copied)
        return DISCO_OK;
    if (!__atomic_load_n(&v->vm->nearer, __ATOMIC_SEQ_CST))
        __atomic_store_n(&v->vm->nearer, 1, __ATOMIC_SEQ_CST);
    return disco_l2tlb_insert(v->near, disco_near_va(p->m->ppn[0]), 0, false, p->e, 0);
}

/* The quick way: what was kept. Others may be forgetting it; they come to the hardware TLB after we have loaded it. */
static bool load_near(struct disco_vcpu *v, disco_va va, disco_ppn ppn)
{
    const struct disco_backend_ops *ops = v->vm->backend->ops;
    const struct disco_l2tlb_entry *kept = disco_l2tlb_lookup(v->near, disco_near_va(ppn), 0);
    disco_tlbe e[2];

    if (!kept)
        return false;
    e[0] = disco_load(&kept->e[0]);
    e[1] = disco_load(&kept->e[1]);
    if (e[disco_half(va)])
        ops->tlb_load(v, disco_pair_of(va), ops->asid(v), true, e);
    return e[disco_half(va)];
}

/*
 * A segment that the guest believes unmapped: everything is allowed but what the monitor forbids.
 * Into the hardware TLB, and with replicas into `near`; the L2TLB would only lose other entries. Not recorded:
 * disco_vm_purge() knows such addresses by their PPN.
 * Such segments begin at an even page, so that a pair of pages is a pair in both views.
 */
int disco_vcpu_enter_unmapped(struct disco_vcpu *v, disco_va va, disco_ppn ppn)
{
    const struct disco_backend_ops *ops = v->vm->backend->ops;
    disco_tlbe all = ops->tlbe_make((disco_mpn){0}, DISCO_RWX | DISCO_GLOBAL);
    struct disco_guest_map m = {
        .pair = disco_pair_of(va),
        .asid = ops->asid(v),
        .global = true,
        .ppn = {{ppn.v & ~UINT64_C(1)}, {ppn.v | 1}},
        .want = {all, all},
    };
    struct disco_pmap_pair p = {.m = &m, .vcpu = v->id, .node = node_of(v), .record = false};
    int err;

    if (load_near(v, va, ppn))
        return DISCO_OK;
    disco_pmap_enter(v->vm->pmap, &p);
    err = p.err[disco_half(va)];
    err = err ? err : keep_near(v, &p);
    if (!err)
        ops->tlb_load(v, m.pair, m.asid, true, p.e);
    disco_pmap_leave(v->vm->pmap, &p);
    return err;
}
