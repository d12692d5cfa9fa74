/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

#include <string.h>

static size_t up64(size_t n) { return (n + 63) & ~(size_t)63; }

#define L2TLB_HEAD up64(sizeof(struct disco_l2tlb))

/* Storage of a virtual CPU: the backend's part; of the L2TLB and of `near` the head and the table. */
size_t disco_vcpu_size(const struct disco_backend *b, size_t l2tlb_sets)
{
    return up64(b->ops->vcpu_size()) + L2TLB_HEAD + up64(disco_l2tlb_size(l2tlb_sets, b->asids)) +
           L2TLB_HEAD + up64(disco_l2tlb_size(DISCO_NEAR_SETS, 1));
}

/* A table at *storage, which moves on behind it. */
static int init_table(struct disco_l2tlb **t, uint8_t **storage, size_t sets, unsigned asids,
                      uint64_t va_mask)
{
    size_t size = disco_l2tlb_size(sets, asids);
    uint8_t *table = *storage + L2TLB_HEAD;

    *t = (struct disco_l2tlb *)(void *)*storage;
    *storage = table + up64(size);
    return disco_l2tlb_init(*t, table, size, sets, asids, va_mask);
}

static int init_parts(struct disco_vcpu *v, uint8_t *storage, size_t sets)
{
    const struct disco_backend *b = v->vm->backend;
    size_t arch = up64(b->ops->vcpu_size());
    int err;

    memset(storage, 0, arch);
    v->arch = storage;
    storage += arch;
    err = init_table(&v->l2tlb, &storage, sets, b->asids, b->va_mask);
    err = err ? err : init_table(&v->near, &storage, DISCO_NEAR_SETS, 1, UINT64_MAX);
    err = err ? err : disco_l2tlb_set_asid(v->near, 0, 0);
    return err ? err : b->ops->vcpu_reset(v);
}

int disco_vcpu_init(struct disco_vcpu *v, void *storage, size_t size, unsigned node,
                    struct disco_vm *vm, size_t l2tlb_sets)
{
    int err;

    if (!v || !storage || (uintptr_t)storage % 64 || !vm || disco_vm_ending(vm) ||
        node >= vm->backend->nodes)
        return DISCO_ERR_BAD_ARG;
    if (vm->vcpus >= DISCO_MAX_VCPUS || size < disco_vcpu_size(vm->backend, l2tlb_sets))
        return DISCO_ERR_NO_SPACE;
    memset(v, 0, sizeof *v);
    v->vm = vm;
    v->id = vm->vcpus;
    v->node = node;
    v->cpu = DISCO_CPU_NONE;
    err = init_parts(v, storage, l2tlb_sets);
    if (err)
        return err;
    vm->vcpu[v->id] = v;
    __atomic_store_n(&vm->vcpus, v->id + 1, __ATOMIC_RELEASE);
    return DISCO_OK;
}

int disco_vm_init(struct disco_vm *vm)
{
    if (!vm || !vm->pmap || disco_backend_check(vm->backend))
        return DISCO_ERR_BAD_ARG;
    memset(vm->vcpu, 0, sizeof vm->vcpu);
    vm->vcpus = 0;
    vm->ending = 0;
    vm->alive = 0;
    vm->paused_by = 0;
    vm->nearer = 0;
    vm->cause = DISCO_CAUSE_NONE;
    vm->code = 0;
    vm->why = NULL;
    return DISCO_OK;
}

/*
 * One that was alive is so no more. `ended` is called once, by whoever finds nobody left after
 * disco_vm_end() has told everyone (ending = 2). It may free the VM, or make it anew: touch nothing
 * after. Therefore starts and disco_vm_end() count as alive before they look at `ending`; and the
 * last one that stops by itself ends the VM before it is counted off.
 */
static void drop_alive(struct disco_vm *vm)
{
    uint32_t told = 2, left = __atomic_load_n(&vm->alive, __ATOMIC_SEQ_CST);

    do {
        if (left == 1 && !disco_vm_ending(vm))
            disco_vm_end(vm, DISCO_CAUSE_FAULT, 0, "every virtual CPU has stopped");
    } while (!__atomic_compare_exchange_n(&vm->alive, &left, left - 1, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    if (left > 1)
        return;
    if (__atomic_compare_exchange_n(&vm->ending, &told, 3, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST) &&
        vm->hooks.ended)
        vm->hooks.ended(vm);
}

static void stopped(struct disco_sched *s, struct disco_vm *vm)
{
    __atomic_fetch_sub(&s->admitted, 1, __ATOMIC_SEQ_CST);
    drop_alive(vm);
}

static void start_on(struct disco_vcpu *v, struct disco_sched *s, unsigned cpu)
{
    __atomic_store_n(&v->sched, s, __ATOMIC_RELEASE);
    __atomic_store_n(&v->paused_by, 0, __ATOMIC_SEQ_CST);
    __atomic_exchange_n(&v->seen, 0, __ATOMIC_SEQ_CST); /* nothing of an earlier life matches */
    __atomic_store_n(&v->cpu, cpu, __ATOMIC_RELEASE);
    disco_lock(&s->q[cpu].lock, s->backend);
    disco_vcpu_set_state(v, DISCO_VCPU_PAUSED);
    disco_vcpu_release(s, cpu, v);
}

static int try_start(struct disco_vcpu *v, struct disco_sched *s)
{
    if (v->sched && v->sched != s)
        return DISCO_ERR_BAD_ARG;
    if (disco_vcpu_state(v) != DISCO_VCPU_STOPPED)
        return DISCO_ERR_STATE;
    if (__atomic_load_n(&s->admitted, __ATOMIC_SEQ_CST) >= s->queue_len)
        return DISCO_ERR_NO_SPACE;
    /* Only starts add, and this is the only one: no need to look again. */
    __atomic_fetch_add(&s->admitted, 1, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&v->vm->alive, 1, __ATOMIC_SEQ_CST);
    if (disco_vm_ending(v->vm)) {
        stopped(s, v->vm);
        return DISCO_ERR_STATE;
    }
    start_on(v, s, disco_sched_place(s, v->node));
    return DISCO_OK;
}

int disco_vcpu_start(struct disco_vcpu *v, struct disco_sched *s)
{
    int err;

    if (!v || !s || v->vm->backend != s->backend)
        return DISCO_ERR_BAD_ARG;
    disco_lock(&s->starts, s->backend);
    err = try_start(v, s);
    disco_unlock(&s->starts);
    return err;
}

/* Where a virtual CPU that leaves its processor goes; under its queue's lock. */
static enum disco_vcpu_state destination(const struct disco_vcpu *v, enum disco_next next)
{
    if (next == DISCO_NEXT_STOP || disco_vm_ending(v->vm))
        return DISCO_VCPU_STOPPED;
    if (disco_vcpu_held(v))
        return DISCO_VCPU_PAUSED;
    return next == DISCO_NEXT_BLOCK ? DISCO_VCPU_BLOCKED : DISCO_VCPU_READY;
}

/*
 * @p v leaves this processor, for @p next. Once its queue's lock is released it may be gone. Nobody
 * is told of one that waits now: this processor looks at the queue next.
 */
void disco_vcpu_leave(struct disco_vcpu *v, enum disco_next next)
{
    struct disco_sched *s = v->sched;
    struct disco_vm *vm = v->vm;
    unsigned cpu = disco_home_lock(v);
    enum disco_vcpu_state to = destination(v, next);

    if (to == DISCO_VCPU_BLOCKED) {
        disco_vcpu_set_state(v, to);                                        /* s1, see lines.c */
        if (__atomic_load_n(&v->lines, __ATOMIC_SEQ_CST) & ~v->lines_shown) /* s2 */
            to = DISCO_VCPU_READY;
    }
    if (to == DISCO_VCPU_READY) {
        if (v->yielded)
            disco_fair_lift(s, v, s->slice_ns); /* giving way saves up no more than sleeping does */
        disco_runq_push(s, cpu, v);
    } else {
        disco_vcpu_set_state(v, to);
    }
    disco_unlock(&s->q[cpu].lock);
    if (to == DISCO_VCPU_STOPPED)
        stopped(s, vm);
}

static void stop(struct disco_vcpu *v)
{
    if (disco_vcpu_state(v) != DISCO_VCPU_STOPPED && disco_vcpu_set_aside(v, DISCO_VCPU_STOPPED))
        stopped(v->sched, v->vm);
}

static void tell_all(struct disco_vm *vm)
{
    uint32_t vcpus = __atomic_load_n(&vm->vcpus, __ATOMIC_ACQUIRE);

    __atomic_store_n(&vm->ending, 2, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < vcpus; i++)
        stop(vm->vcpu[i]);
}

void disco_vm_end(struct disco_vm *vm, enum disco_cause cause, int code, const char *why)
{
    uint32_t not_yet = 0;

    if (disco_vm_ending(vm))
        return;
    __atomic_fetch_add(&vm->alive, 1, __ATOMIC_SEQ_CST);
    if (__atomic_compare_exchange_n(&vm->ending, &not_yet, 1, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST)) {
        vm->cause = cause;
        vm->code = code;
        vm->why = why;
        tell_all(vm);
    }
    drop_alive(vm);
}

void disco_vcpu_report(struct disco_vcpu *v, const char *what, uint64_t where)
{
    if (v->vm->hooks.report)
        v->vm->hooks.report(v, what, where);
}
