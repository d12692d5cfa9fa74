/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine: pages, where they and their replicas lie, and the counts that FLASH's node controllers keep. A page
 * comes into being on the node that touches it first. A processor uses the nearest copy, and a store to a page that
 * has replicas collapses it at once, as pmap does.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>

#define COUNT_MAX 65535 /* as in the model of FLASH */

struct page {
    uint64_t number;
    uint16_t home;
    uint16_t replicas;
    uint32_t moves;      /* migrations in this interval */
    bool replicated;     /* in this interval */
    uint64_t generation; /* the interval that the counts and the two above are of */
    uint64_t writes;
    uint16_t *count; /* by node */
    uint64_t *copy;  /* bit n: node n has a replica */
};

struct machine {
    const struct options *o;
    const struct disco_numa_params *p;
    struct page **table; /* open addressing by number */
    size_t room, pages;
    uint64_t generation, end;
    uint32_t spent;
    uint64_t used[MAX_NODES]; /* pages and replicas */
    struct result r;
};

/* --- pages --- */

static size_t place_of(const struct machine *m, uint64_t number)
{
    size_t i = (number * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (m->room - 1);

    while (m->table[i] && m->table[i]->number != number)
        i = (i + 1) & (m->room - 1);
    return i;
}

static void grow(struct machine *m)
{
    struct page **old = m->table;
    size_t had = m->room;

    m->room = had ? 2 * had : 1024;
    m->table = must_have(calloc(m->room, sizeof *m->table));
    for (size_t i = 0; i < had; i++) {
        if (old[i])
            m->table[place_of(m, old[i]->number)] = old[i];
    }
    free(old);
}

static void settle(struct machine *m, unsigned node)
{
    if (++m->used[node] > m->r.most)
        m->r.most = m->used[node];
}

static struct page *page_of(struct machine *m, uint64_t number, unsigned node)
{
    struct page *pg;
    size_t i;

    if (2 * m->pages >= m->room)
        grow(m);
    i = place_of(m, number);
    if (m->table[i])
        return m->table[i];
    pg = m->table[i] = must_have(calloc(1, sizeof *pg));
    pg->number = number;
    pg->home = (uint16_t)node;
    pg->count = must_have(calloc(m->o->nodes, sizeof *pg->count));
    pg->copy = must_have(calloc((m->o->nodes + 63) / 64, sizeof *pg->copy));
    m->pages++;
    settle(m, node);
    return pg;
}

static bool has_copy(const struct page *pg, unsigned node)
{
    return pg->copy[node / 64] >> node % 64 & 1;
}

static void drop_replicas(struct machine *m, struct page *pg)
{
    for (unsigned n = 0; n < m->o->nodes; n++)
        m->used[n] -= has_copy(pg, n);
    memset(pg->copy, 0, (m->o->nodes + 63) / 64 * sizeof *pg->copy);
    pg->replicas = 0;
}

/* A page that was not missed on since the interval began still has the counts of the one before. */
static void refresh(struct machine *m, struct page *pg)
{
    if (pg->generation == m->generation)
        return;
    pg->generation = m->generation;
    pg->moves = 0;
    pg->replicated = false;
    pg->writes = 0;
    memset(pg->count, 0, m->o->nodes * sizeof *pg->count);
}

/* --- hot pages --- */

static uint64_t most_of_others(const struct machine *m, const struct page *pg, unsigned node)
{
    uint64_t most = 0;

    for (unsigned n = 0; n < m->o->nodes; n++) {
        if (n != node && pg->count[n] > most)
            most = pg->count[n];
    }
    return most;
}

static struct disco_numa_view view_of(const struct machine *m, const struct page *pg, unsigned node)
{
    uint64_t memory = m->o->memory, used = m->used[node];

    return (struct disco_numa_view){
        .page = DISCO_NUMA_PAGE_GUEST,
        .node = node,
        .at = pg->home,
        .misses = pg->count[node],
        .others = most_of_others(m, pg, node),
        .writes = pg->writes,
        .moves = pg->moves,
        .spent = m->spent,
        .replicated = pg->replicas,
        .collapsed = pg->replicated && !pg->replicas,
        .sole = true,
        .full = memory && used >= memory,
        .low = memory && used + memory / 16 >= memory,
    };
}

/* Counts are a machine page's: the new one has none. */
static void migrate(struct machine *m, struct page *pg, unsigned node)
{
    m->used[pg->home]--;
    settle(m, node);
    pg->home = (uint16_t)node;
    pg->moves++;
    pg->writes = 0;
    memset(pg->count, 0, m->o->nodes * sizeof *pg->count);
}

static void replicate(struct machine *m, struct page *pg, unsigned node)
{
    settle(m, node);
    pg->copy[node / 64] |= UINT64_C(1) << node % 64;
    pg->replicas++;
    pg->replicated = true;
}

static void hot(struct machine *m, struct page *pg, unsigned node)
{
    const struct disco_numa_view v = view_of(m, pg, node);
    struct disco_numa_decision d = disco_numa_decide(m->p, &v);

    m->r.decided[d.reason]++;
    if (d.action == DISCO_NUMA_LEAVE)
        return;
    m->r.moves[d.action]++;
    m->spent++;
    if (d.action == DISCO_NUMA_DO_MIGRATE)
        migrate(m, pg, node);
    else if (d.action == DISCO_NUMA_DO_REPLICATE)
        replicate(m, pg, node);
    else
        drop_replicas(m, pg);
}

/* --- misses --- */

static void collapse(struct machine *m, struct page *pg)
{
    drop_replicas(m, pg);
    m->r.moves[DISCO_NUMA_DO_COLLAPSE]++;
}

static void one_miss(struct machine *m, struct page *pg, unsigned node, bool write)
{
    bool local;

    if (write && pg->replicas)
        collapse(m, pg);
    local = pg->home == node || has_copy(pg, node);
    m->r.local += local;
    m->r.remote += !local;
    pg->writes += write;
    pg->count[node] += pg->count[node] < COUNT_MAX;
    if (!local && pg->count[node] % m->p->trigger == 0 && pg->count[node] < COUNT_MAX)
        hot(m, pg, node);
}

static void take(struct machine *m, const struct miss *miss)
{
    struct page *pg = page_of(m, miss->page, miss->node);

    if (miss->ns >= m->end) {
        m->end = miss->ns / m->p->interval * m->p->interval + m->p->interval;
        m->generation++;
        m->spent = 0;
    }
    refresh(m, pg);
    for (uint32_t i = 0; i < miss->count; i++)
        one_miss(m, pg, miss->node, miss->write);
}

struct result simulate(const struct options *o, const struct disco_numa_params *p, struct source *s)
{
    struct machine m = {.o = o, .p = p, .generation = 1, .end = p->interval, .r.params = *p};
    struct miss miss;

    source_rewind(s);
    while (source_next(s, &miss))
        take(&m, &miss);
    m.r.pages = m.pages;
    for (size_t i = 0; i < m.room; i++) {
        if (m.table[i]) {
            free(m.table[i]->count);
            free(m.table[i]->copy);
        }
        free(m.table[i]);
    }
    free(m.table);
    return m.r;
}
