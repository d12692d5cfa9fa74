/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

#include <disco/atomic.h>

/*
 * Fair shares. Every virtual CPU carries the time it has been served, and whoever has been served
 * least comes next. The measure is one for all processors, so that a processor sees whether a
 * virtual CPU elsewhere has fallen behind its own (steal.c).
 *
 * One that sleeps is not served, but must not save up. `floor` is the service that everybody has
 * had who wants a processor; who wakes up is lifted to a slice behind it. So a sleeper is served
 * soon after it wakes, and has used up its lead after a slice. The floor follows nobody down, or
 * one that ran alone for an hour would owe that hour to the next that comes.
 *
 * Readers of other processors' words take no locks: a floor that is wrong by a slice does no harm.
 */

/* Pieces of a slice: who is ahead of those that wait gets at least this, or it would never end. */
#define SHORTEST 8
/* And what is too little to be anybody's. */
#define MOMENTS 128

static uint64_t now(const struct disco_sched *s) { return s->backend->ops->now(s->backend); }

/* What the running one of @p q has been served at time @p at. */
static uint64_t served_at(const struct disco_runq *q, uint64_t at)
{
    return at + disco_load(&q->offset);
}

static void raise_floor(struct disco_sched *s)
{
    uint64_t at = now(s), least = 0;
    bool any = false;

    for (unsigned i = 0; i < s->backend->cpus; i++) {
        const struct disco_runq *q = &s->q[i];
        bool runs = __atomic_load_n(&q->running, __ATOMIC_ACQUIRE);
        uint64_t here = runs ? served_at(q, at) : disco_load(&q->least);

        if (disco_runq_count(s, i) && disco_ahead(here, disco_load(&q->least)) > 0)
            here = disco_load(&q->least);
        else if (!runs && !disco_runq_count(s, i))
            continue;
        if (!any || disco_ahead(least, here) > 0)
            least = here;
        any = true;
    }
    if (any && disco_ahead(least, disco_load(&s->floor)) > 0)
        disco_store(&s->floor, least);
}

/* @p v begins to wait for a processor, with at most @p credit. Under its home's lock. */
void disco_fair_lift(struct disco_sched *s, struct disco_vcpu *v, uint64_t credit)
{
    uint64_t lowest;

    raise_floor(s);
    lowest = disco_load(&s->floor) - credit;
    if (disco_ahead(lowest, v->served) > 0)
        v->served = lowest;
}

/*
 * @p v comes onto @p cpu, under the lock of that queue. Its slice ends where it would get more than
 * a slice ahead of who waits there: one that comes out of turn, by a yield, has little.
 */
void disco_fair_begin(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v)
{
    struct disco_runq *q = &s->q[cpu];
    uint64_t from = now(s), shortest = s->slice_ns / SHORTEST;
    int64_t room = (int64_t)s->slice_ns;

    if (q->count && disco_ahead(v->served, q->least) > 0)
        room -= disco_ahead(v->served, q->least);
    if (room < (int64_t)shortest)
        room = (int64_t)shortest;
    v->slice_end = from + (uint64_t)room;
    disco_store(&q->offset, v->served - from);
    __atomic_store_n(&q->preempt, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&q->running, 1, __ATOMIC_RELEASE);
}

/*
 * The monitor had something else to do for so long (poll() loaded a guest, say): not the time of one that runs. Of a moment
 * nobody is told, for the others read what would be written.
 */
void disco_fair_excuse(const struct disco_sched *s, struct disco_runq *q, uint64_t ns)
{
    if (ns >= s->slice_ns / MOMENTS && __atomic_load_n(&q->running, __ATOMIC_RELAXED))
        disco_store(&q->offset, disco_load(&q->offset) - ns);
}

/* @p v leaves @p cpu, and is charged for all of its stay: one that got more than a slice pays it back. */
void disco_fair_charge(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v)
{
    uint64_t stay = served_at(&s->q[cpu], now(s)) - v->served;

    disco_count_own(&v->stats.run_ns, stay);
    v->served += stay;
    raise_floor(s);
    __atomic_store_n(&s->q[cpu].running, 0, __ATOMIC_RELEASE);
}

/*
 * Should one that has been @p served so much take the place of the one that runs on @p cpu? If it
 * is half a slice behind. A sleeper that uses less than its share is: it wakes up a slice behind
 * the floor. One that has used its share is not, and waits for the end of the slice as all do.
 */
bool disco_fair_preempts(const struct disco_sched *s, unsigned cpu, uint64_t served)
{
    const struct disco_runq *q = &s->q[cpu];

    return __atomic_load_n(&q->running, __ATOMIC_ACQUIRE) &&
           disco_ahead(served_at(q, now(s)), served) > (int64_t)(s->slice_ns / 2);
}
