/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

#include <disco/atomic.h>

/*
 * A virtual CPU was put in a queue: who should know? Best an idle processor, which has time for it;
 * else the queue's own, if the one it runs is far ahead. The steps are those of tests/model/wakeup.pml.
 *
 *   idler                                   offerer
 *     i1: set own bit in `idle`               o1: the queue grows
 *     i2: look at all queues                  o2: load `idle`
 *         somebody waits: do not sleep        o3: take a bit out of it, if it is still there: kick
 *     i3: sleep until kicked
 *
 * All are sequentially consistent. If i2 misses the virtual CPU, i2 comes before o1, so i1 before
 * o2: the offerer finds the bit, or another offerer has taken it, who kicks. A kick that comes
 * before i3 ends the sleep at once (the backend's duty), and then the idler begins again with i1.
 * So several offers at once wake several processors, and none is forgotten: after o1 every
 * processor without a bit in `idle` looks at the queues before it sleeps. The queue's own does so even where the offerer
 * leaves it to that, since it runs nobody: if it takes another first, it calls for help.
 */

void disco_sched_kick(struct disco_sched *s, unsigned cpu)
{
    unsigned here = s->backend->ops->cpu(s->backend);

    if (cpu == here) /* in the monitor now: looks before it enters a guest, and before it sleeps */
        return;
    disco_count_own(&s->q[here].stats.kicks, 1);
    s->backend->ops->kick(s->backend, cpu);
}

static unsigned lowest(disco_cpuset set) { return (unsigned)__builtin_ctzll(set); }

static disco_cpuset cpus_of_node(const struct disco_backend *b, unsigned node)
{
    disco_cpuset set = 0;

    for (unsigned i = 0; i < b->cpus; i++) {
        if (b->node_of_cpu[i] == node)
            set |= (disco_cpuset)1 << i;
    }
    return set;
}

/* Of those that idle: one of @p near, @p cpu itself if there is a choice, else any. */
static unsigned pick(disco_cpuset idle, disco_cpuset near, unsigned cpu)
{
    disco_cpuset best = idle & near ? idle & near : idle;

    return best >> cpu & 1 ? cpu : lowest(best);
}

/*
 * Wake one that idles: of @p node, where the virtual CPU's own memory is, else @p cpu, where its caches may be warm, else
 * any; but nobody else where @p cpu runs nobody, for it looks at its queue before it sleeps.
 */
static bool wake_idle(struct disco_sched *s, unsigned cpu, unsigned node)
{
    disco_cpuset near = cpus_of_node(s->backend, node), idle, one;
    bool runs_nobody = !__atomic_load_n(&s->q[cpu].running, __ATOMIC_ACQUIRE);

    while ((idle = __atomic_load_n(&s->idle, __ATOMIC_SEQ_CST))) { /* o2 */
        unsigned to = pick(idle, near, cpu);

        if (runs_nobody && !(near >> to & 1) && to != cpu)
            return true;
        one = (disco_cpuset)1 << to;
        if (__atomic_fetch_and(&s->idle, ~one, __ATOMIC_SEQ_CST) & one) { /* o3 */
            disco_sched_kick(s, to);
            return true;
        }
    }
    return false;
}

/*
 * This processor is about to run one, perhaps from another queue, and others wait in its own: for one that
 * came back here without an offer (it left this processor, or was offered to nobody: see below).
 */
void disco_sched_call_help(struct disco_sched *s, unsigned cpu)
{
    if (disco_runq_count(s, cpu))
        wake_idle(s, cpu, s->backend->node_of_cpu[cpu]);
}

/* This processor is in the monitor, runs nobody, and has this one to take: it needs no help. */
static bool takes_it_next(struct disco_sched *s, unsigned cpu)
{
    return cpu == s->backend->ops->cpu(s->backend) && disco_runq_count(s, cpu) == 1 &&
           !__atomic_load_n(&s->q[cpu].running, __ATOMIC_ACQUIRE);
}

/*
 * @p v is READY in @p cpu's queue, whose lock is held. It is released here, because then @p v may
 * be gone: another processor takes it and ends it.
 */
void disco_sched_offer(struct disco_sched *s, unsigned cpu, const struct disco_vcpu *v)
{
    unsigned node = v->node;
    uint64_t served = v->served;

    disco_unlock(&s->q[cpu].lock);
    if (takes_it_next(s, cpu) || wake_idle(s, cpu, node) || !disco_fair_preempts(s, cpu, served))
        return;
    __atomic_store_n(&s->q[cpu].preempt, 1, __ATOMIC_SEQ_CST);
    disco_sched_kick(s, cpu);
}
