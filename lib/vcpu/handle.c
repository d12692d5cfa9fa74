/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

#include <disco/atomic.h>

/*
 * The dispatch: what a guest ran into, and in which order the mechanisms answer. This page is
 * Disco, section 4.1; read it from the end. Nothing here depends on the machine. A backend's
 * assembly may answer some misses before they get here, in the same order and with the same result.
 */

static const struct disco_backend_ops *ops_of(const struct disco_vcpu *v)
{
    return v->vm->backend->ops;
}

static enum disco_next inject(struct disco_vcpu *v, enum disco_inject what,
                              const struct disco_exit *x)
{
    ops_of(v)->inject(v, what, x);
    return DISCO_NEXT_RESUME;
}

static enum disco_next fault(struct disco_vcpu *v, const char *why)
{
    disco_vm_end(v->vm, DISCO_CAUSE_FAULT, 0, why);
    return DISCO_NEXT_STOP;
}

/*
 * The VM has no memory at @p pa: perhaps the monitor has a device there. One load or store is done by it; nothing
 * is entered into any TLB, so that the next one comes here too.
 */
static bool ask_device(struct disco_vcpu *v, const struct disco_exit *x, disco_pa pa)
{
    bool write = x->access == DISCO_ACCESS_STORE;
    struct disco_device_access a;

    if (!v->vm->hooks.mapped || x->access == DISCO_ACCESS_FETCH ||
        ops_of(v)->device_access(v, x, &a))
        return false;
    if (pa.v & (a.size - 1) || v->vm->hooks.mapped(v, pa, a.size, write, &a.value))
        return false;
    ops_of(v)->device_done(v, x, &a);
    disco_count_own(&v->stats.device_accesses, 1);
    return true;
}

static enum disco_next beyond_memory(struct disco_vcpu *v, const struct disco_exit *x,
                                     disco_ppn ppn)
{
    disco_pa pa = {disco_ppn_base(ppn).v | (x->va.v & DISCO_PAGE_MASK)};

    if (ask_device(v, x, pa))
        return DISCO_NEXT_RESUME;
    disco_count_own(&v->stats.bus_errors, 1);
    disco_vcpu_report(v, "used physical memory it does not have", x->va.v);
    return inject(v, DISCO_INJECT_BUS_ERROR, x);
}

/* What comes of entering a translation to @p ppn, or of making the page writable. */
static enum disco_next after(struct disco_vcpu *v, const struct disco_exit *x, disco_ppn ppn,
                             int err)
{
    switch (err) {
    case DISCO_OK:
    case DISCO_ERR_BUSY: /* someone else changes the page now: the guest tries again */
        return DISCO_NEXT_RESUME;
    case DISCO_ERR_BAD_ADDRESS: return beyond_memory(v, x, ppn);
    case DISCO_ERR_NO_MEMORY:
        return v->vm->hooks.no_memory ? v->vm->hooks.no_memory(v)
                                      : fault(v, "out of machine memory");
    default: return fault(v, "the monitor could not enter a translation");
    }
}

static unsigned rights_for(enum disco_access access)
{
    switch (access) {
    case DISCO_ACCESS_STORE: return DISCO_WRITE;
    case DISCO_ACCESS_FETCH: return DISCO_EXEC;
    default: return DISCO_READ;
    }
}

static enum disco_next write_to_unmapped(struct disco_vcpu *v, const struct disco_exit *x,
                                         disco_ppn ppn)
{
    unsigned node = v->vm->backend->node_of_cpu[v->cpu];
    int err = disco_pmap_write_fault(v->vm->pmap, ppn, node);

    disco_count_own(&v->stats.write_monitor, 1);
    return after(v, x, ppn, err ? err : disco_vcpu_enter_unmapped(v, x->va, ppn));
}

/* The guest's own entry does not allow it. */
static void refuse(struct disco_vcpu *v, const struct disco_exit *x)
{
    if (x->access == DISCO_ACCESS_STORE)
        disco_count_own(&v->stats.write_guest, 1);
    inject(v, x->access == DISCO_ACCESS_STORE ? DISCO_INJECT_WRITE : DISCO_INJECT_FORBIDDEN, x);
}

/* The guest's own translation, if it allows this access; if not, the guest hears of it. */
static bool guest_allows(struct disco_vcpu *v, const struct disco_exit *x,
                         struct disco_guest_map *m)
{
    unsigned half = disco_half(x->va);

    if (ops_of(v)->guest_lookup(v, x->va, m))
        inject(v, DISCO_INJECT_MISS, x);
    else if (!m->want[half])
        inject(v, DISCO_INJECT_INVALID, x);
    else if (ops_of(v)->tlbe_rights(m->want[half]) & rights_for(x->access))
        return true;
    else
        refuse(v, x);
    return false;
}

/*
 * A store met a read-only entry. Whose reason is it? The guest's, if its own entry forbids stores;
 * it may have none any more although the L2TLB did, and then has to say again what it wants.
 * Otherwise it is the monitor's (copy-on-write, network, replica), unknown to the guest.
 */
static enum disco_next write_fault(struct disco_vcpu *v, const struct disco_exit *x)
{
    unsigned half = disco_half(x->va), node = v->vm->backend->node_of_cpu[v->cpu];
    struct disco_guest_map m;
    disco_ppn ppn;
    int err;

    if (ops_of(v)->unmapped(v, x->va, &ppn))
        return write_to_unmapped(v, x, ppn);
    if (!guest_allows(v, x, &m))
        return DISCO_NEXT_RESUME;
    disco_count_own(&v->stats.write_monitor, 1);
    err = disco_pmap_write_fault(v->vm->pmap, m.ppn[half], node);
    return after(v, x, m.ppn[half], err ? err : disco_vcpu_enter_pair(v, x->va, &m));
}

/* Miss, third answer: what the guest itself has entered, if it allows this access. */
static enum disco_next ask_guest(struct disco_vcpu *v, const struct disco_exit *x)
{
    struct disco_guest_map m;

    disco_count_own(&v->stats.miss_guest, 1);
    if (!guest_allows(v, x, &m))
        return DISCO_NEXT_RESUME;
    return after(v, x, m.ppn[disco_half(x->va)], disco_vcpu_enter_pair(v, x->va, &m));
}

/* Miss, second answer: the L2TLB. @return whether it had one, with *next. */
static bool ask_l2tlb(struct disco_vcpu *v, const struct disco_exit *x, enum disco_next *next)
{
    uint32_t asid = ops_of(v)->asid(v);
    const struct disco_l2tlb_entry *l = disco_l2tlb_lookup(v->l2tlb, x->va, asid);
    disco_tlbe e[2];
    unsigned rights;

    if (!l)
        return false;
    /* Others may be forgetting it; they come to the hardware TLB after we have loaded it. */
    e[0] = disco_load(&l->e[0]);
    e[1] = disco_load(&l->e[1]);
    rights = ops_of(v)->tlbe_rights(e[disco_half(x->va)]);
    *next = DISCO_NEXT_RESUME;
    if (rights & rights_for(x->access)) {
        bool global = disco_load(&l->note) & DISCO_L2TLB_GLOBAL;

        ops_of(v)->tlb_load(v, disco_pair_of(x->va), asid, global, e);
        disco_count_own(&v->stats.miss_l2tlb, 1);
        return true;
    }
    if (!rights || x->access != DISCO_ACCESS_STORE)
        return false;
    *next = write_fault(v, x);
    return true;
}

static enum disco_next miss(struct disco_vcpu *v, const struct disco_exit *x)
{
    enum disco_next next;
    disco_ppn ppn;

    if (ops_of(v)->unmapped(v, x->va, &ppn)) { /* first answer: the pmap */
        disco_count_own(&v->stats.miss_pmap, 1);
        return after(v, x, ppn, disco_vcpu_enter_unmapped(v, x->va, ppn));
    }
    return ask_l2tlb(v, x, &next) ? next : ask_guest(v, x);
}

static void count_miss(struct disco_vcpu *v, bool other_half)
{
    disco_count_own(&v->stats.exits[DISCO_EXIT_MISS], 1);
    disco_count_own(other_half ? &v->l2tlb->hits : &v->l2tlb->misses, 1);
    disco_count_own(&v->stats.miss_guest, 1);
}

/*
 * The same order, and the same result, as far as the guest alone is concerned. What the L2TLB has of the pair's other page
 * is no answer.
 */
bool disco_vcpu_settle_miss(struct disco_vcpu *v, const struct disco_exit *x)
{
    const struct disco_l2tlb_entry *l;
    struct disco_guest_map m;
    disco_ppn ppn;
    bool done;

    if (ops_of(v)->unmapped(v, x->va, &ppn))
        return false;
    l = disco_l2tlb_peek(v->l2tlb, x->va, ops_of(v)->asid(v));
    if (l && disco_load(&l->e[disco_half(x->va)]))
        return false;
    done = !guest_allows(v, x, &m) || !disco_vcpu_enter_pair(v, x->va, &m);
    if (done)
        count_miss(v, l);
    return done;
}

bool disco_vcpu_settle_write(struct disco_vcpu *v, const struct disco_exit *x)
{
    struct disco_guest_map m;
    disco_ppn ppn;

    if (ops_of(v)->unmapped(v, x->va, &ppn) || guest_allows(v, x, &m))
        return false;
    disco_count_own(&v->stats.exits[DISCO_EXIT_WRITE], 1);
    return true;
}

static enum disco_next call(struct disco_vcpu *v, const struct disco_exit *x)
{
    int64_t result = DISCO_ERR_BAD_CALL;
    enum disco_next next = DISCO_NEXT_RESUME;

    if (v->vm->hooks.call)
        next = v->vm->hooks.call(v, x, &result);
    if (next != DISCO_NEXT_STOP)
        ops_of(v)->call_return(v, result);
    return next;
}

static enum disco_next privileged(struct disco_vcpu *v, const struct disco_exit *x)
{
    if (!ops_of(v)->emulate(v, x))
        return DISCO_NEXT_RESUME;
    disco_vcpu_report(v, "executed a privileged instruction that does not exist", x->va.v);
    return inject(v, DISCO_INJECT_ILLEGAL, x);
}

/* A line that rises after this look is seen by disco_vcpu_leave(): see lines.c. */
static enum disco_next wait(struct disco_vcpu *v)
{
    disco_vcpu_show_lines(v);
    return ops_of(v)->irq_ready(v) ? DISCO_NEXT_RESUME : DISCO_NEXT_BLOCK;
}

static enum disco_next host(struct disco_vcpu *v)
{
    struct disco_backend *b = v->vm->backend;

    return b->ops->now(b) < v->slice_end ? DISCO_NEXT_RESUME : DISCO_NEXT_YIELD;
}

/* By itself, as the place for a breakpoint. */
__attribute__((noinline)) enum disco_next disco_vcpu_handle(struct disco_vcpu *v,
                                                            const struct disco_exit *x)
{
    if ((unsigned)x->kind <= DISCO_EXIT_FATAL)
        disco_count_own(&v->stats.exits[x->kind], 1);
    switch (x->kind) {
    case DISCO_EXIT_MISS: return miss(v, x);
    case DISCO_EXIT_WRITE: return write_fault(v, x);
    case DISCO_EXIT_CALL: return call(v, x);
    case DISCO_EXIT_PRIVILEGED: return privileged(v, x);
    case DISCO_EXIT_WAIT: return wait(v);
    case DISCO_EXIT_HOST: return host(v);
    default: return fault(v, x->why ? x->why : "the virtual CPU cannot go on");
    }
}
