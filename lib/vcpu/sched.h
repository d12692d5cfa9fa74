/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_VCPU_SCHED_H
#define DISCO_VCPU_SCHED_H

/* Private to lib/vcpu: run queues, and steps of a virtual CPU's life that several files need. */

#include <disco/vcpu.h>

#define DISCO_CPU_NONE UINT32_MAX

/* One processor, and the virtual CPUs that wait for it. */
struct disco_runq {
    DISCO_OWN_LINE struct disco_lock lock;
    /* Written under the lock, read without. */
    uint32_t count;
    uint32_t running;         /* is a virtual CPU on this processor? */
    uint64_t least;           /* the least `served` of those that wait, if any does */
    uint64_t since;           /* ns: when somebody began to wait where nobody did; under the lock */
    uint64_t offset;          /* now + offset = `served` of the running one at this moment */
    uint32_t preempt;         /* the running one is to make place; atomically */
    struct disco_vcpu **wait; /* queue_len places, in the order they came */
    /*
     * Own processor, which writes here at every exit: not where others look whether somebody waits. The pointers are
     * compared, never followed: who they were may be gone.
     */
    DISCO_OWN_LINE struct disco_vcpu *last; /* who ran here last */
    const struct disco_vm *gave; /* whose virtual CPU gave this processor up by a yield just now */
    uint64_t armed;              /* what the timer is set to; 0 = unknown */
    struct disco_sched_stats stats;
    struct disco_lock idle_lock; /* of the two below and stats.idle_ns */
    bool idles;                  /* since idle_since (ns) */
    uint64_t idle_since;
};

struct disco_sched {
    struct disco_backend *backend;
    uint64_t slice_ns;
    uint32_t queue_len;
    /* Written by all processors. */
    /* Virtual CPUs that are not STOPPED: at most queue_len, atomically */
    DISCO_OWN_LINE uint32_t admitted;
    struct disco_lock starts; /* one start at a time; outside the run queues' locks */
    disco_cpuset idle;        /* processors that wait for a kick: see offer.c; atomically */
    uint64_t floor;           /* see fair.c; atomically */
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
static inline unsigned disco_half(disco_va va) { return (unsigned)(va.v >> DISCO_PAGE_SHIFT & 1); }

static inline disco_vpn disco_pair_of(disco_va va)
{
    return (disco_vpn){va.v >> DISCO_PAGE_SHIFT & ~UINT64_C(1)};
}

static inline bool disco_vm_ending(const struct disco_vm *vm)
{
    return __atomic_load_n(&vm->ending, __ATOMIC_SEQ_CST) != 0;
}

/* Is there a reason to keep @p v off processors? Not when its VM ends: then it has to stop. */
static inline bool disco_vcpu_held(const struct disco_vcpu *v)
{
    return (__atomic_load_n(&v->paused_by, __ATOMIC_SEQ_CST) |
            __atomic_load_n(&v->vm->paused_by, __ATOMIC_SEQ_CST)) &&
           !disco_vm_ending(v->vm);
}

/* By how much @p a is ahead of @p b, in service or in time: both wrap. */
static inline int64_t disco_ahead(uint64_t a, uint64_t b) { return (int64_t)(a - b); }

/* queue.c; push and remove: the caller holds the queue's lock */
void disco_runq_push(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v);
struct disco_vcpu *disco_runq_remove(struct disco_sched *s, unsigned cpu, unsigned place);
bool disco_runq_withdraw(struct disco_sched *s, unsigned cpu, const struct disco_vcpu *v);
uint32_t disco_runq_count(const struct disco_sched *s, unsigned cpu);
unsigned disco_home_lock(struct disco_vcpu *v);
void disco_home_unlock(struct disco_vcpu *v, unsigned cpu);

/* fair.c */
void disco_fair_begin(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v);
void disco_fair_charge(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v);
void disco_fair_excuse(const struct disco_sched *s, struct disco_runq *q, uint64_t ns);
void disco_fair_lift(struct disco_sched *s, struct disco_vcpu *v, uint64_t credit);
bool disco_fair_preempts(const struct disco_sched *s, unsigned cpu, uint64_t served);

/* offer.c */
void disco_sched_call_help(struct disco_sched *s, unsigned cpu);
void disco_sched_kick(struct disco_sched *s, unsigned cpu);
void disco_sched_offer(struct disco_sched *s, unsigned cpu, const struct disco_vcpu *v);

/* steal.c */
bool disco_sched_anyone_waits(const struct disco_sched *s);
struct disco_vcpu *disco_sched_take(struct disco_sched *s, unsigned cpu);
unsigned disco_sched_place(const struct disco_sched *s, unsigned node);

/* life.c */
void disco_vcpu_leave(struct disco_vcpu *v, enum disco_next next);

/* pause.c */
bool disco_vcpu_set_aside(struct disco_vcpu *v, enum disco_vcpu_state state);
void disco_vcpu_release(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v);

/* lines.c */
void disco_vcpu_show_lines(struct disco_vcpu *v);

/* fill.c */
int disco_vcpu_enter_unmapped(struct disco_vcpu *v, disco_va va, disco_ppn ppn);

#endif
