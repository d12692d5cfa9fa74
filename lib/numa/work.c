/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records become moves. A revocation asks other processors and waits for them, which costs more than what is asked; so
 * moves are gathered into rounds, as full as the records allow. Those of a handful of records that belong to another pmap, or to a page that the
 * round moves already, wait for the next pass and are looked at again then: each pass ends at least one record.
 */
#include "numa_private.h"

static uint64_t now(const struct disco_numa *n) { return n->now ? n->now(n->backend) : 0; }

/* The node of the processor that does the copying, plus 1. */
static uint8_t here(const struct disco_numa *n)
{
    struct disco_backend *b = n->backend;
    unsigned cpu = b->ops->cpu ? b->ops->cpu(b) : DISCO_MAX_CPUS;

    return cpu < DISCO_MAX_CPUS ? (uint8_t)(b->node_of_cpu[cpu] + 1) : 0;
}

/* What was copied has our stores in its count, and the page it comes from had our loads. */
static void note_migration(struct disco_numa *n, struct note *note, uint32_t copy)
{
    note->moves += note->moves < UINT16_MAX;
    note->copier = here(n);
    note->base = copy;
    note->replicated = false;
}

/* The stores until now were few enough: only those that come do not count as if it were written all the same. */
static void note_replica(struct disco_numa *n, struct note *note, const struct target *t)
{
    uint64_t base = note->base + t->writes;

    if (!note->replicated)
        note->base = base < UINT32_MAX ? (uint32_t)base : UINT32_MAX;
    note->copier = here(n);
    note->replicated = true;
    disco_numa_remember(n, t->node, t->master);
}

static void note_move(struct disco_numa *n, const struct disco_numa_params *p,
                      const struct target *t)
{
    struct note *note = disco_history_note(&n->history, t->key, &n->stats.evicted);

    note->when = disco_load(&n->queue.put);
    switch (t->action) {
    case DISCO_NUMA_DO_MIGRATE: note_migration(n, note, p->copy); break;
    case DISCO_NUMA_DO_REPLICATE: note_replica(n, note, t); break;
    case DISCO_NUMA_DO_COLLAPSE: note->replicated = false; break;
    case DISCO_NUMA_DO_REMAP: note->moves += t->key == t->master.v; break;
    default: break;
    }
}

static void count(struct disco_numa *n, const struct disco_numa_params *p, const struct target *t,
                  uint64_t ns)
{
    struct disco_numa_stats *s = &n->stats;

    disco_count_own(&s->ns[t->action], ns);
    disco_count_own(t->err ? &s->failed[t->action] : &s->moved[t->action], 1);
    if (!t->err)
        note_move(n, p, t);
}

void disco_numa_run(struct disco_numa *n)
{
    struct round *round = &n->round;
    struct disco_numa_params p;
    uint64_t start = now(n), took;

    if (!round->n)
        return;
    disco_numa_move(round);
    disco_count_own(&n->stats.rounds, 1);
    disco_numa_refresh(n, &p);
    took = (now(n) - start) / round->n;
    for (size_t i = 0; i < round->n; i++)
        count(n, &p, &round->target[i], took);
    round->n = 0;
}

bool disco_numa_joins(const struct round *round, const struct target *t)
{
    if (round->n == DISCO_PMAP_MANY || (round->n && round->pm != t->pm))
        return false;
    for (size_t i = 0; i < round->n; i++) {
        if (round->target[i].ppn.v == t->ppn.v)
            return false;
    }
    return true;
}

/* @return whether @p r is done with: left alone, or in the round. */
static bool settle(struct disco_numa *n, const struct disco_numa_params *p, const struct record *r)
{
    struct round *round = &n->round;
    struct disco_numa_decision d;
    struct disco_numa_view v;
    struct target t;

    disco_numa_view(n, p, r, &t, &v);
    if (v.page == DISCO_NUMA_PAGE_GUEST && !disco_numa_joins(round, &t))
        return false;
    d = disco_numa_decide(p, &v);
    disco_count_own(&n->stats.decided[d.reason], 1);
    t.action = d.action;
    if (t.action == DISCO_NUMA_LEAVE)
        return true;
    n->spent++;
    round->pm = t.pm;
    round->target[round->n++] = t;
    return true;
}

/* Go through @p count records once; how many are left, for which the round has to end first. */
static size_t pass(struct disco_numa *n, struct record *r, size_t count)
{
    struct disco_numa_params p;
    size_t left = 0;

    disco_numa_refresh(n, &p);
    for (size_t i = 0; i < count; i++) {
        if (!settle(n, &p, &r[i]))
            r[left++] = r[i];
    }
    if (left)
        disco_numa_run(n);
    return left;
}

static bool wanted(const struct disco_numa *n)
{
    return __atomic_load_n(&n->waiters, __ATOMIC_RELAXED);
}

static bool try_lock(struct disco_numa *n)
{
    return !wanted(n) && !__atomic_exchange_n(&n->work.held, 1, __ATOMIC_ACQUIRE);
}

/* Who waits for the lock waits for one pass, which is one round: records that are left stay for the next caller. */
size_t disco_numa_work(struct disco_numa *n, size_t budget)
{
    size_t taken = 0, max;

    if (!budget || !try_lock(n))
        return 0;
    while (!wanted(n) && (n->left || taken < budget)) {
        if (!n->left) {
            max = budget - taken < DISCO_PMAP_MANY ? budget - taken : DISCO_PMAP_MANY;
            disco_store(&n->left, disco_queue_take(n, n->record, max));
            taken += n->left;
        }
        if (!n->left)
            break;
        disco_store(&n->left, pass(n, n->record, n->left));
    }
    disco_numa_run(n);
    disco_numa_unlock(n);
    return taken;
}
