/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

/*
 * Who gets the next virtual CPU, and from where. Disco's scheduler is a simple one (section 4.1.1):
 * a queue a processor, so that a virtual CPU stays near its memory, and idle processors help out.
 */

/* The longest queue of another processor, on a tie one of the same node; @p cpu if none waits. */
static unsigned longest(const struct disco_sched *s, unsigned cpu)
{
    const struct disco_backend *b = s->backend;
    unsigned best = cpu;
    uint32_t most = 0;

    for (unsigned i = 0; i < b->cpus; i++) {
        uint32_t n = i == cpu ? 0 : disco_runq_count(s, i);
        bool nearer = n == most && n && b->node_of_cpu[i] == b->node_of_cpu[cpu] &&
                      b->node_of_cpu[best] != b->node_of_cpu[cpu];

        if (n > most || nearer) {
            most = n;
            best = i;
        }
    }
    return best;
}

/* The one whose memory lies on the thief's node, else the one that has waited longest. */
static unsigned preferred(const struct disco_sched *s, const struct disco_runq *q, unsigned cpu)
{
    for (unsigned i = 0; i < q->count; i++) {
        if (q->ring[(q->head + i) % s->queue_len]->node == s->backend->node_of_cpu[cpu])
            return i;
    }
    return 0;
}

static void take_to(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v)
{
    __atomic_store_n(&v->cpu, cpu, __ATOMIC_RELEASE);
    __atomic_store_n(&s->q[cpu].running, 1, __ATOMIC_RELAXED);
    disco_vcpu_set_state(v, DISCO_VCPU_RUNNING);
}

static struct disco_vcpu *take_own(struct disco_sched *s, unsigned cpu)
{
    struct disco_vcpu *v = NULL;

    disco_lock(&s->q[cpu].lock, s->backend);
    if (s->q[cpu].count) {
        v = disco_runq_remove(s, cpu, 0);
        take_to(s, cpu, v);
    }
    disco_unlock(&s->q[cpu].lock);
    return v;
}

static struct disco_vcpu *steal(struct disco_sched *s, unsigned cpu, unsigned from)
{
    unsigned first = cpu < from ? cpu : from, second = cpu < from ? from : cpu;
    struct disco_vcpu *v = NULL;

    disco_lock(&s->q[first].lock, s->backend);
    disco_lock(&s->q[second].lock, s->backend);
    if (s->q[from].count) {
        v = disco_runq_remove(s, from, preferred(s, &s->q[from], cpu));
        take_to(s, cpu, v);
    }
    disco_unlock(&s->q[second].lock);
    disco_unlock(&s->q[first].lock);
    return v;
}

/*
 * The next for @p cpu, RUNNING; NULL if nobody waits. Its own queue serves first, unless another
 * is longer: its processor runs one more besides, so taking one from there makes them more equal.
 */
struct disco_vcpu *disco_sched_take(struct disco_sched *s, unsigned cpu)
{
    unsigned from = longest(s, cpu);

    if (from != cpu && disco_runq_count(s, from) > disco_runq_count(s, cpu)) {
        struct disco_vcpu *v = steal(s, cpu, from);

        if (v)
            return v;
    }
    return take_own(s, cpu);
}

/* The processor with the least to do, for a virtual CPU that starts. */
unsigned disco_sched_place(const struct disco_sched *s)
{
    unsigned best = 0;
    uint32_t least = UINT32_MAX;

    for (unsigned i = 0; i < s->backend->cpus; i++) {
        uint32_t n = disco_runq_count(s, i) +
                     __atomic_load_n(&s->q[i].running, __ATOMIC_RELAXED);

        if (n < least) {
            least = n;
            best = i;
        }
    }
    return best;
}
