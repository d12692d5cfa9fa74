/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

#include <disco/atomic.h>

#include <string.h>

#define DEFAULT_SLICE_NS UINT64_C(10000000)
#define MAX_QUEUE 65536

static bool config_ok(const struct disco_sched_config *c)
{
    return c && c->backend && disco_backend_check(c->backend) == 0 && c->queue_len &&
           c->queue_len <= MAX_QUEUE;
}

size_t disco_sched_size(const struct disco_sched_config *c)
{
    if (!config_ok(c))
        return 0;
    return sizeof(struct disco_sched) +
           c->backend->cpus *
               (sizeof(struct disco_runq) + c->queue_len * sizeof(struct disco_vcpu *));
}

int disco_sched_init(struct disco_sched **out, void *storage, size_t size,
                     const struct disco_sched_config *c)
{
    struct disco_sched *s = storage;
    struct disco_vcpu **wait;

    if (!out || !storage || (uintptr_t)storage % DISCO_CACHE_LINE || !config_ok(c))
        return DISCO_ERR_BAD_ARG;
    if (size < disco_sched_size(c))
        return DISCO_ERR_NO_SPACE;
    memset(storage, 0, disco_sched_size(c));
    s->backend = c->backend;
    s->slice_ns = c->slice_ns ? c->slice_ns : DEFAULT_SLICE_NS;
    s->queue_len = c->queue_len;
    wait = (struct disco_vcpu **)(void *)&s->q[c->backend->cpus];
    for (unsigned i = 0; i < c->backend->cpus; i++)
        s->q[i].wait = wait + (size_t)i * c->queue_len;
    *out = s;
    return DISCO_OK;
}

unsigned disco_sched_load(const struct disco_sched *s, unsigned cpu)
{
    return cpu < s->backend->cpus ? disco_runq_count(s, cpu) : 0;
}

int disco_sched_stats(struct disco_sched *s, unsigned cpu, struct disco_sched_stats *out)
{
    struct disco_runq *q;

    if (!s || !out || cpu >= s->backend->cpus)
        return DISCO_ERR_BAD_ARG;
    q = &s->q[cpu];
    out->turns = disco_load(&q->stats.turns);
    out->switches = disco_load(&q->stats.switches);
    out->steals = disco_load(&q->stats.steals);
    out->kicks = disco_load(&q->stats.kicks);
    disco_lock(&q->idle_lock, s->backend);
    out->idle_ns = q->stats.idle_ns;
    if (q->idles)
        out->idle_ns += s->backend->ops->now(s->backend) - q->idle_since;
    disco_unlock(&q->idle_lock);
    return DISCO_OK;
}

/* One processor's turn. */
struct turn {
    struct disco_sched *s;
    struct disco_runq *q;
    unsigned cpu;
    uint64_t (*poll)(void *);
    void *ctx;
    uint64_t poll_at; /* when poll() wants to be called again */
};

static void poll(struct turn *t)
{
    struct disco_backend *b = t->s->backend;
    uint64_t from;

    t->poll_at = UINT64_MAX;
    if (!t->poll)
        return;
    from = b->ops->now(b);
    t->poll_at = t->poll(t->ctx);
    disco_fair_excuse(t->s, t->q, b->ops->now(b) - from);
}

static void arm(struct turn *t, uint64_t ns)
{
    if (t->poll_at < ns)
        ns = t->poll_at;
    if (ns != t->q->armed)
        t->s->backend->ops->timer(t->s->backend, ns);
    t->q->armed = ns;
}

/*
 * @p v comes onto this processor. Entries it left here are still true only if it was nowhere else
 * since; and without tags they are here only if nobody else was. `seen` is written after
 * switch_in, which may look at it, and before the first look-up, as disco_vm_purge() requires.
 */
static void come_in(struct turn *t, struct disco_vcpu *v)
{
    disco_cpuset here = (disco_cpuset)1 << t->cpu;
    disco_cpuset before = __atomic_load_n(&v->seen, __ATOMIC_RELAXED);

    disco_count_own(&v->stats.switches, 1);
    disco_count_own(&t->q->stats.switches, t->q->last != v);
    if (before & ~here)
        disco_count_own(&v->stats.migrations, 1);
    if (before != here || t->q->last != v)
        t->s->backend->ops->switch_in(v, before == here);  /* m1 */
    __atomic_exchange_n(&v->seen, here, __ATOMIC_SEQ_CST); /* m2; look-ups, m3, come after */
    t->q->last = v;
}

/* The arguments of a call are left as they are: whoever says that there is one has set them. */
static void clear(struct disco_exit *x)
{
    x->kind = DISCO_EXIT_HOST;
    x->access = DISCO_ACCESS_LOAD;
    x->va.v = 0;
    x->call = 0;
    x->why = NULL;
}

/* One entry and what follows. Requests of others are looked at before each entry: see lines.c. */
static enum disco_next step(struct turn *t, struct disco_vcpu *v)
{
    const struct disco_backend_ops *ops = t->s->backend->ops;
    struct disco_exit x;
    enum disco_next next;

    if (disco_vm_ending(v->vm))
        return DISCO_NEXT_STOP;
    if (disco_vcpu_held(v) || __atomic_load_n(&t->q->preempt, __ATOMIC_SEQ_CST))
        return DISCO_NEXT_YIELD;
    disco_vcpu_show_lines(v); /* t2, see lines.c */
    arm(t, v->slice_end);
    clear(&x);
    ops->enter(v, &x);
    next = disco_vcpu_handle(v, &x);
    if (x.kind == DISCO_EXIT_HOST)
        t->q->armed = 0; /* it may have been the timer, which fires once */
    if (x.kind != DISCO_EXIT_MISS && x.kind != DISCO_EXIT_WRITE)
        poll(t);
    if (next == DISCO_NEXT_YIELD && x.kind == DISCO_EXIT_CALL) {
        if (!disco_sched_anyone_waits(t->s)) {
            ops->relax(t->s->backend); /* to nobody: this was one round of the guest's spin loop */
            return DISCO_NEXT_RESUME;
        }
        v->yielded = true;
    }
    return next;
}

static void run(struct turn *t, struct disco_vcpu *v)
{
    enum disco_next next;

    come_in(t, v);
    do {
        next = step(t, v);
    } while (next == DISCO_NEXT_RESUME);
    t->s->backend->ops->switch_out(v);
    disco_fair_charge(t->s, t->cpu, v);
    t->q->gave = v->yielded ? v->vm : NULL;
    disco_vcpu_leave(v, next);
}

/* Idle time is counted up to now for who asks in between; hence a lock, and not the queue's, which others look at. */
static void count_idle(struct turn *t, bool begins)
{
    struct disco_backend *b = t->s->backend;
    struct disco_runq *q = t->q;

    disco_lock(&q->idle_lock, b);
    if (begins)
        q->idle_since = b->ops->now(b);
    else
        q->stats.idle_ns += b->ops->now(b) - q->idle_since;
    q->idles = begins;
    disco_unlock(&q->idle_lock);
}

/* Say that we idle first, then look once more: the steps i1 to i3 of offer.c. */
static void idle(struct turn *t)
{
    struct disco_backend *b = t->s->backend;
    disco_cpuset here = (disco_cpuset)1 << t->cpu;

    __atomic_fetch_or(&t->s->idle, here, __ATOMIC_SEQ_CST); /* i1 */
    if (!disco_sched_anyone_waits(t->s)) {                  /* i2 */
        arm(t, UINT64_MAX);
        count_idle(t, true);
        b->ops->idle(b); /* i3 */
        count_idle(t, false);
        t->q->armed = 0;
    }
    __atomic_fetch_and(&t->s->idle, ~here, __ATOMIC_SEQ_CST);
}

void disco_sched_turn(struct disco_sched *s, uint64_t (*poll_fn)(void *), void *ctx)
{
    unsigned cpu = s->backend->ops->cpu(s->backend);
    struct turn t = {.s = s, .q = &s->q[cpu], .cpu = cpu, .poll = poll_fn, .ctx = ctx};
    struct disco_vcpu *v;

    disco_count_own(&t.q->stats.turns, 1);
    poll(&t);
    v = disco_sched_take(s, cpu);
    if (v) {
        disco_sched_call_help(s, cpu);
        run(&t, v);
    } else {
        idle(&t);
    }
}
