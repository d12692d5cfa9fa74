/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine in its storage: head, pmaps, queue, history, rings. And its parameters, pmaps and time. */
#include "numa_private.h"

#include <string.h>

#define ALIGN DISCO_CACHE_LINE

struct layout {
    size_t pmap, record, index, note, ring, end;
};

static size_t align(size_t n) { return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

static bool power_of_two(uint32_t n, uint32_t least, uint32_t most)
{
    return n >= least && n <= most && !(n & (n - 1));
}

static bool valid(const struct disco_numa_config *c)
{
    return c && c->backend && c->backend->nodes && c->backend->nodes <= DISCO_MAX_NODES &&
           c->backend->cpus && c->backend->cpus <= DISCO_MAX_CPUS && c->mm && c->pmaps &&
           c->pmaps <= DISCO_MAX_PMAPS && power_of_two(c->queue, 1, 1 << 16) &&
           power_of_two(c->history, HISTORY_WAYS, 1 << 20) &&
           power_of_two(c->replicas, 1, 1 << 24) && !disco_numa_params_check(&c->params);
}

static struct layout lay_out(const struct disco_numa_config *c)
{
    struct layout l;

    l.pmap = align(sizeof(struct disco_numa));
    l.record = align(l.pmap + c->pmaps * sizeof(struct disco_pmap *));
    l.index = align(l.record + c->queue * sizeof(struct record));
    l.note = align(l.index + c->queue * sizeof(uint64_t));
    l.ring = align(l.note + c->history * sizeof(struct note));
    l.end = align(l.ring + (size_t)c->backend->nodes * c->replicas * sizeof(uint64_t));
    return l;
}

size_t disco_numa_size(const struct disco_numa_config *c) { return valid(c) ? lay_out(c).end : 0; }

static void place_tables(struct disco_numa *n, const struct disco_numa_config *c)
{
    uint8_t *base = (uint8_t *)n;
    struct layout l = lay_out(c);

    n->pmap = (struct disco_pmap **)(void *)(base + l.pmap);
    n->queue.record = (struct record *)(void *)(base + l.record);
    n->queue.index = (uint64_t *)(void *)(base + l.index);
    n->history.note = (struct note *)(void *)(base + l.note);
    for (unsigned i = 0; i < n->nodes; i++)
        n->ring[i].master = (uint64_t *)(void *)(base + l.ring) + (size_t)i * c->replicas;
}

int disco_numa_init(struct disco_numa **out, void *storage, size_t size,
                    const struct disco_numa_config *c)
{
    struct disco_numa *n = storage;

    if (!out || !storage || (uintptr_t)storage % ALIGN || !valid(c))
        return DISCO_ERR_BAD_ARG;
    if (!c->backend->ops || !c->backend->ops->relax)
        return DISCO_ERR_MISSING_OP;
    if (size < disco_numa_size(c))
        return DISCO_ERR_NO_SPACE;
    memset(storage, 0, disco_numa_size(c));
    n->backend = c->backend;
    n->now = c->now ? c->now : c->backend->ops->now;
    n->mm = c->mm;
    n->nodes = c->backend->nodes;
    n->cpus = c->backend->cpus;
    n->pmaps = c->pmaps;
    n->replicas = c->replicas;
    n->params = c->params;
    n->interval = c->params.interval;
    n->generation = n->history.generation = 1;
    n->queue.places = c->queue;
    n->history.sets = c->history / HISTORY_WAYS;
    place_tables(n, c);
    *out = n;
    return DISCO_OK;
}

void disco_numa_fini(struct disco_numa *n)
{
    if (n)
        memset(n, 0, sizeof *n);
}

/* --- the work lock --- */

void disco_numa_lock(struct disco_numa *n)
{
    __atomic_fetch_add(&n->waiters, 1, __ATOMIC_RELAXED);
    disco_lock(&n->work, n->backend);
    __atomic_fetch_sub(&n->waiters, 1, __ATOMIC_RELAXED);
}

void disco_numa_unlock(struct disco_numa *n) { disco_unlock(&n->work); }

/* --- parameters --- */

int disco_numa_set(struct disco_numa *n, const struct disco_numa_params *p)
{
    int err = disco_numa_params_check(p);

    if (err)
        return err;
    disco_lock(&n->queue.lock, n->backend);
    n->params = *p;
    disco_store(&n->interval, p->interval);
    disco_unlock(&n->queue.lock);
    return DISCO_OK;
}

void disco_numa_get(struct disco_numa *n, struct disco_numa_params *p)
{
    disco_lock(&n->queue.lock, n->backend);
    *p = n->params;
    disco_unlock(&n->queue.lock);
}

void disco_numa_refresh(struct disco_numa *n, struct disco_numa_params *p)
{
    uint64_t generation = disco_load(&n->generation);

    disco_numa_get(n, p);
    if (generation == n->history.generation)
        return;
    n->history.generation = generation;
    n->spent = 0;
}

/* --- pmaps --- */

int disco_numa_attach(struct disco_numa *n, struct disco_pmap *pm)
{
    struct disco_pmap *none = NULL;

    if (!pm || pm->id >= n->pmaps || pm->mm != n->mm)
        return DISCO_ERR_BAD_ARG;
    return __atomic_compare_exchange_n(&n->pmap[pm->id], &none, pm, false, __ATOMIC_RELEASE,
                                       __ATOMIC_RELAXED)
               ? DISCO_OK
               : DISCO_ERR_BUSY;
}

/* With the work lock held nobody has the pointer in hand. */
int disco_numa_detach(struct disco_numa *n, struct disco_pmap *pm)
{
    struct disco_pmap *was = pm;
    bool found;

    if (!pm || pm->id >= n->pmaps)
        return DISCO_ERR_NOT_FOUND;
    disco_numa_lock(n);
    found = __atomic_compare_exchange_n(&n->pmap[pm->id], &was, NULL, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED);
    disco_numa_unlock(n);
    return found ? DISCO_OK : DISCO_ERR_NOT_FOUND;
}

/* --- time --- */

/* Who read the time a little before the one who ended the interval is no reason to end it again. */
bool disco_numa_tick(struct disco_numa *n, uint64_t now)
{
    uint64_t end = disco_load(&n->end), interval = disco_load(&n->interval), next;

    if (now < end && (end - now) / 2 <= interval)
        return false;
    next = interval > UINT64_MAX - now ? UINT64_MAX : now + interval;
    if (!__atomic_compare_exchange_n(&n->end, &end, next, false, __ATOMIC_RELAXED,
                                     __ATOMIC_RELAXED))
        return false;
    disco_count(&n->generation, 1);
    return true;
}

uint64_t disco_numa_interval_end(const struct disco_numa *n) { return disco_load(&n->end); }

/* --- counters --- */

_Static_assert(sizeof(struct disco_numa_stats) % sizeof(uint64_t) == 0, "counters, nothing else");

void disco_numa_stats(const struct disco_numa *n, struct disco_numa_stats *out)
{
    const uint64_t *from = (const uint64_t *)(const void *)&n->stats;
    uint64_t *to = (uint64_t *)(void *)out;

    for (size_t i = 0; i < sizeof *out / sizeof *to; i++)
        to[i] = disco_load(&from[i]);
    out->intervals = disco_load(&n->generation) - 1;
}
