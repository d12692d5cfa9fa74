/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

/* Cannot overflow: no more virtual CPUs are admitted than a queue has places. */
void disco_runq_push(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v)
{
    struct disco_runq *q = &s->q[cpu];

    q->ring[(q->head + q->count) % s->queue_len] = v;
    disco_vcpu_set_state(v, DISCO_VCPU_READY);
    __atomic_store_n(&q->count, q->count + 1, __ATOMIC_SEQ_CST);
}

/* Take out the one at @p place (0: the first); those before it move back by one. */
struct disco_vcpu *disco_runq_remove(struct disco_sched *s, unsigned cpu, unsigned place)
{
    struct disco_runq *q = &s->q[cpu];
    struct disco_vcpu *v = q->ring[(q->head + place) % s->queue_len];

    for (unsigned i = place; i > 0; i--)
        q->ring[(q->head + i) % s->queue_len] = q->ring[(q->head + i - 1) % s->queue_len];
    q->head = (q->head + 1) % s->queue_len;
    __atomic_store_n(&q->count, q->count - 1, __ATOMIC_SEQ_CST);
    return v;
}

bool disco_runq_withdraw(struct disco_sched *s, unsigned cpu, const struct disco_vcpu *v)
{
    const struct disco_runq *q = &s->q[cpu];

    for (unsigned i = 0; i < q->count; i++) {
        if (q->ring[(q->head + i) % s->queue_len] == v) {
            disco_runq_remove(s, cpu, i);
            return true;
        }
    }
    return false;
}

uint32_t disco_runq_count(const struct disco_sched *s, unsigned cpu)
{
    return __atomic_load_n(&s->q[cpu].count, __ATOMIC_SEQ_CST);
}

/*
 * Lock the queue that is @p v's home. A thief may move the home while we wait for the lock;
 * then the lock is the wrong one, and we try again.
 */
unsigned disco_home_lock(struct disco_vcpu *v)
{
    struct disco_sched *s = v->sched;

    for (;;) {
        unsigned cpu = __atomic_load_n(&v->cpu, __ATOMIC_ACQUIRE);

        disco_lock(&s->q[cpu].lock, s->backend);
        if (__atomic_load_n(&v->cpu, __ATOMIC_RELAXED) == cpu)
            return cpu;
        disco_unlock(&s->q[cpu].lock);
    }
}

void disco_home_unlock(struct disco_vcpu *v, unsigned cpu)
{
    disco_unlock(&v->sched->q[cpu].lock);
}

static unsigned lowest(disco_cpuset set)
{
    return (unsigned)__builtin_ctzll(set);
}

static disco_cpuset cpus_of_node(const struct disco_backend *b, unsigned node)
{
    disco_cpuset set = 0;

    for (unsigned i = 0; i < b->cpus; i++) {
        if (b->node_of_cpu[i] == node)
            set |= (disco_cpuset)1 << i;
    }
    return set;
}

/*
 * A virtual CPU was put in @p cpu's queue: wake that processor if it idles, else one that does,
 * so that it steals; rather one of @p node. An idle processor says so before it looks at the queues
 * for the last time, and we look at `idle` after the queue grew: one of us sees the other.
 */
void disco_sched_offer(struct disco_sched *s, unsigned cpu, unsigned node)
{
    disco_cpuset idle = __atomic_load_n(&s->idle, __ATOMIC_SEQ_CST);
    disco_cpuset near;

    if (!idle)
        return;
    near = idle & cpus_of_node(s->backend, node);
    if (!(idle >> cpu & 1))
        cpu = lowest(near ? near : idle);
    s->backend->ops->kick(s->backend, cpu);
}
