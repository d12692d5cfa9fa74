/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

#include <disco/atomic.h>

/*
 * Who gets the next virtual CPU, and from where. Disco's scheduler is a simple one (section 4.1.1):
 * a queue a processor, so that a virtual CPU stays near its memory, and idle processors help out.
 *
 * A busy one helps, too, where somebody has fallen behind all of its own: three that compute on two
 * processors go round. The distance must be two slices, for one comes about by itself when
 * virtual CPUs take turns; so nobody moves while the queues are evenly filled.
 */

#define NOBODY UINT32_MAX

/* A processor of another node counts as a slice: that much sooner would its own node serve it. */
static uint64_t detour(const struct disco_sched *s, unsigned cpu, unsigned node)
{
    return s->backend->node_of_cpu[cpu] == node ? 0 : s->slice_ns;
}

/* The other processor whose queue has waited longest, as seen from @p cpu; @p cpu if none waits. */
static unsigned most_behind(const struct disco_sched *s, unsigned cpu)
{
    unsigned best = cpu;
    uint64_t least = 0;

    for (unsigned i = 0; i < s->backend->cpus; i++) {
        uint64_t served;

        if (i == cpu || !disco_runq_count(s, i))
            continue;
        served = disco_load(&s->q[i].least) + detour(s, cpu, s->backend->node_of_cpu[i]);
        if (best == cpu || disco_ahead(least, served) > 0) {
            best = i;
            least = served;
        }
    }
    return best;
}

/* Has @p from's queue somebody so far behind that @p cpu should leave its own waiting? */
static bool worth_it(const struct disco_sched *s, unsigned cpu, unsigned from)
{
    uint64_t theirs = disco_load(&s->q[from].least) + detour(s, cpu, s->backend->node_of_cpu[from]);

    return from != cpu &&
           (!disco_runq_count(s, cpu) ||
            disco_ahead(disco_load(&s->q[cpu].least), theirs) > (int64_t)(2 * s->slice_ns));
}

/* What is looked for in a queue: for processor @p cpu; only of @p vm, unless NULL. */
struct wanted {
    unsigned cpu;
    const struct disco_vm *vm;
    bool thief;
};

/* Parts of a slice: what a processor that has been called may take to come. */
#define MOMENTS 8

/*
 * Is @p v left to the queue's own processor, which runs nobody and is about to take it? One of another node than @p v's, that
 * happens to look for work at this moment, would be faster, and take it away from its memory.
 */
static bool is_left(const struct disco_sched *s, const struct disco_runq *q, const struct wanted *w,
                    const struct disco_vcpu *v)
{
    if (!w->thief || s->backend->node_of_cpu[w->cpu] == v->node ||
        __atomic_load_n(&q->running, __ATOMIC_RELAXED))
        return false;
    return disco_ahead(s->backend->ops->now(s->backend), q->since) <
           (int64_t)(s->slice_ns / MOMENTS);
}

/*
 * The place of the one served least; those that yielded come last, until somebody had a turn. A
 * thief prefers what belongs to its node.
 */
static uint32_t choose(const struct disco_sched *s, const struct disco_runq *q,
                       const struct wanted *w, bool yielded)
{
    uint32_t best = NOBODY;
    uint64_t least = 0;

    for (uint32_t i = 0; i < q->count; i++) {
        const struct disco_vcpu *v = q->wait[i];
        uint64_t served = v->served + (w->thief ? detour(s, w->cpu, v->node) : 0);

        if (v->yielded != yielded || (w->vm && v->vm != w->vm) || is_left(s, q, w, v))
            continue;
        if (best == NOBODY || disco_ahead(least, served) > 0) {
            best = i;
            least = served;
        }
    }
    return best;
}

/* Somebody has a turn: who yielded to it may come again. */
static void forget_yields(struct disco_runq *q)
{
    for (uint32_t i = 0; i < q->count; i++)
        q->wait[i]->yielded = false;
}

/* @p from's queue, and ours if it is another, are locked. */
static struct disco_vcpu *take_from(struct disco_sched *s, unsigned from, const struct wanted *w)
{
    uint32_t place = choose(s, &s->q[from], w, false);
    struct disco_vcpu *v;

    if (place == NOBODY && !w->vm)
        place = choose(s, &s->q[from], w, true);
    if (place == NOBODY)
        return NULL;
    v = disco_runq_remove(s, from, place);
    v->yielded = false;
    if (!w->vm)
        forget_yields(&s->q[from]);
    __atomic_store_n(&v->cpu, w->cpu, __ATOMIC_RELEASE);
    disco_fair_begin(s, w->cpu, v);
    disco_vcpu_set_state(v, DISCO_VCPU_RUNNING); /* t1, see lines.c */
    return v;
}

/* One that comes when the queue has just been seen empty is found before this processor sleeps: i2 of offer.c. */
static struct disco_vcpu *take_own(struct disco_sched *s, unsigned cpu, const struct disco_vm *vm)
{
    const struct wanted w = {cpu, vm, false};
    struct disco_vcpu *v;

    if (!disco_runq_count(s, cpu))
        return NULL;
    disco_lock(&s->q[cpu].lock, s->backend);
    v = take_from(s, cpu, &w);
    disco_unlock(&s->q[cpu].lock);
    return v;
}

static struct disco_vcpu *steal(struct disco_sched *s, unsigned cpu, unsigned from,
                                const struct disco_vm *vm)
{
    const struct wanted w = {cpu, vm, true};
    unsigned first = cpu < from ? cpu : from, second = cpu < from ? from : cpu;
    struct disco_vcpu *v;

    disco_lock(&s->q[first].lock, s->backend);
    disco_lock(&s->q[second].lock, s->backend);
    v = take_from(s, from, &w);
    disco_unlock(&s->q[second].lock);
    disco_unlock(&s->q[first].lock);
    if (v)
        disco_count_own(&s->q[cpu].stats.steals, 1);
    return v;
}

/*
 * One of @p vm gave this processor up because it waits for another of its kind, one that holds a
 * lock and does not run. Which one that is we cannot know; whoever of them waits and has not
 * yielded itself may be it. If all have, or none waits, it is anybody's turn: so VMs gain nothing
 * by yielding in a circle.
 */
static struct disco_vcpu *take_sibling(struct disco_sched *s, unsigned cpu,
                                       const struct disco_vm *vm)
{
    struct disco_vcpu *v = take_own(s, cpu, vm);

    for (unsigned i = 0; !v && i < s->backend->cpus; i++) {
        if (i != cpu && disco_runq_count(s, i))
            v = steal(s, cpu, i, vm);
    }
    return v;
}

/* The next for @p cpu, RUNNING; NULL if nobody waits. */
struct disco_vcpu *disco_sched_take(struct disco_sched *s, unsigned cpu)
{
    const struct disco_vm *gave = s->q[cpu].gave;
    struct disco_vcpu *v = NULL;
    unsigned from;

    s->q[cpu].gave = NULL;
    if (gave)
        v = take_sibling(s, cpu, gave);
    from = most_behind(s, cpu);
    if (!v && worth_it(s, cpu, from))
        v = steal(s, cpu, from, NULL);
    return v ? v : take_own(s, cpu, NULL);
}

bool disco_sched_anyone_waits(const struct disco_sched *s)
{
    for (unsigned i = 0; i < s->backend->cpus; i++) {
        if (disco_runq_count(s, i))
            return true;
    }
    return false;
}

/* The processor with the least to do, for a virtual CPU of @p node that starts: one of that node if there is a choice. */
unsigned disco_sched_place(const struct disco_sched *s, unsigned node)
{
    unsigned best = 0;
    uint32_t least = UINT32_MAX;

    for (unsigned i = 0; i < s->backend->cpus; i++) {
        uint32_t n = disco_runq_count(s, i) + __atomic_load_n(&s->q[i].running, __ATOMIC_RELAXED);

        n = 2 * n + (s->backend->node_of_cpu[i] != node);
        if (n < least) {
            least = n;
            best = i;
        }
    }
    return best;
}
