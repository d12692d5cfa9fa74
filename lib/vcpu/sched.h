/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_VCPU_SCHED_H
#define DISCO_VCPU_SCHED_H

/* Private to lib/vcpu: run queues, and steps of a virtual CPU's life that several files need. */

#include <disco/vcpu.h>

#define DISCO_CPU_NONE UINT32_MAX

/* The virtual CPUs that wait for one processor, in order. */
struct disco_runq {
    _Alignas(64) struct disco_lock lock;
    uint32_t head;
    uint32_t count;           /* written under the lock, read without */
    uint32_t running;         /* is a virtual CPU on this processor? the same */
    struct disco_vcpu **ring; /* queue_len places */
    struct disco_vcpu *last;  /* who ran here last: compared, never followed. Own processor */
    uint64_t armed;           /* what the timer is set to; 0 = unknown. Own processor */
};

struct disco_sched {
    struct disco_backend *backend;
    uint64_t slice_ns;
    uint32_t queue_len;
    uint32_t admitted;        /* virtual CPUs that are not STOPPED: at most queue_len, atomically */
    struct disco_lock starts; /* one start at a time; outside the run queues' locks */
    disco_cpuset idle;        /* processors that found nothing to run; atomically */
    struct disco_runq q[];
};

static inline uint32_t disco_vcpu_state(const struct disco_vcpu *v)
{
    return __atomic_load_n(&v->state, __ATOMIC_SEQ_CST);
}

static inline void disco_vcpu_set_state(struct disco_vcpu *v, enum disco_vcpu_state state)
{
    __atomic_store_n(&v->state, state, __ATOMIC_SEQ_CST);
}

/* The half of its pair that an address lies in: 0 even, 1 odd. */
static inline unsigned disco_half(disco_va va)
{
    return (unsigned)(va.v >> DISCO_PAGE_SHIFT & 1);
}

static inline disco_vpn disco_pair_of(disco_va va)
{
    return (disco_vpn){va.v >> DISCO_PAGE_SHIFT & ~UINT64_C(1)};
}

static inline bool disco_vm_ending(const struct disco_vm *vm)
{
    return __atomic_load_n(&vm->ending, __ATOMIC_SEQ_CST) != 0;
}

/* queue.c; push and remove: the caller holds the queue's lock */
void disco_runq_push(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v);
struct disco_vcpu *disco_runq_remove(struct disco_sched *s, unsigned cpu, unsigned place);
bool disco_runq_withdraw(struct disco_sched *s, unsigned cpu, const struct disco_vcpu *v);
uint32_t disco_runq_count(const struct disco_sched *s, unsigned cpu);
unsigned disco_home_lock(struct disco_vcpu *v);
void disco_home_unlock(struct disco_vcpu *v, unsigned cpu);
void disco_sched_offer(struct disco_sched *s, unsigned cpu, unsigned node);

/* steal.c */
struct disco_vcpu *disco_sched_take(struct disco_sched *s, unsigned cpu);
unsigned disco_sched_place(const struct disco_sched *s);

/* life.c */
void disco_vcpu_leave(struct disco_vcpu *v, enum disco_next next);

/* lines.c */
void disco_vcpu_show_lines(struct disco_vcpu *v);
void disco_vcpu_kick(const struct disco_vcpu *v, unsigned cpu);

/* fill.c */
int disco_vcpu_enter_unmapped(struct disco_vcpu *v, disco_va va, disco_ppn ppn);

#endif
