/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

#include <disco/atomic.h>

/* What others read without the lock. `least` first: who finds somebody waiting finds it set. */
static void publish(struct disco_runq *q, uint32_t count)
{
    uint64_t least = count ? q->wait[0]->served : 0;

    for (uint32_t i = 1; i < count; i++) {
        if (disco_ahead(least, q->wait[i]->served) > 0)
            least = q->wait[i]->served;
    }
    disco_store(&q->least, least);
    __atomic_store_n(&q->count, count, __ATOMIC_SEQ_CST); /* o1 of offer.c, when it grows */
}

/* Cannot overflow: no more virtual CPUs are admitted than a queue has places. */
void disco_runq_push(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v)
{
    struct disco_runq *q = &s->q[cpu];

    if (!q->count)
        q->since = s->backend->ops->now(s->backend);
    q->wait[q->count] = v;
    disco_vcpu_set_state(v, DISCO_VCPU_READY);
    publish(q, q->count + 1);
}

/* Take out the one at @p place; those behind it move up. */
struct disco_vcpu *disco_runq_remove(struct disco_sched *s, unsigned cpu, unsigned place)
{
    struct disco_runq *q = &s->q[cpu];
    struct disco_vcpu *v = q->wait[place];

    for (unsigned i = place; i + 1 < q->count; i++)
        q->wait[i] = q->wait[i + 1];
    publish(q, q->count - 1);
    return v;
}

bool disco_runq_withdraw(struct disco_sched *s, unsigned cpu, const struct disco_vcpu *v)
{
    const struct disco_runq *q = &s->q[cpu];

    for (unsigned i = 0; i < q->count; i++) {
        if (q->wait[i] == v) {
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

void disco_home_unlock(struct disco_vcpu *v, unsigned cpu) { disco_unlock(&v->sched->q[cpu].lock); }
