/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

/* Which processor a thread is. The one thing that cannot hang off an object. */
static _Thread_local unsigned current;

unsigned sim_current(void) { return current; }

void sim_become(struct sim_machine *m, unsigned cpu)
{
    if (cpu < m->backend.cpus)
        current = cpu;
}

uint64_t sim_now(struct sim_machine *m) { return __atomic_load_n(&m->time, __ATOMIC_RELAXED); }

void sim_advance(struct sim_machine *m, uint64_t ns)
{
    __atomic_fetch_add(&m->time, ns, __ATOMIC_RELAXED);
}

uint32_t sim_next_random(uint32_t *state)
{
    uint32_t x = *state ? *state : 1;

    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    *state = x;
    return x;
}

struct sim_cpu *sim_this_cpu(const struct disco_vcpu *v)
{
    return &machine_of(v->vm->backend)->cpu[current];
}

static bool config_ok(const struct sim_config *c)
{
    return c && c->cpus && c->cpus <= DISCO_MAX_CPUS && c->nodes && c->nodes <= DISCO_MAX_NODES &&
           c->nodes <= c->cpus && c->pages_per_node && c->tlb_pairs <= SIM_TLB_MAX &&
           c->hidden <= SIM_TLB_MAX;
}

static void init_cpu(struct sim_machine *m, unsigned i)
{
    struct sim_cpu *c = &m->cpu[i];

    c->m = m;
    c->id = i;
    c->random = m->config.seed + i * 7919 + 1;
    c->timer = UINT64_MAX;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->wake, NULL);
    m->backend.node_of_cpu[i] = (uint8_t)(i * m->config.nodes / m->config.cpus);
}

struct sim_machine *sim_create(const struct sim_config *c)
{
    struct sim_machine *m = config_ok(c) ? calloc(1, sizeof *m) : NULL;

    if (!m)
        return NULL;
    m->config = *c;
    if (!m->config.tlb_pairs)
        m->config.tlb_pairs = 16;
    m->memory = calloc(c->nodes * c->pages_per_node, DISCO_PAGE_SIZE);
    if (!m->memory) {
        free(m);
        return NULL;
    }
    m->backend.ops = &sim_ops;
    m->backend.cpus = c->cpus;
    m->backend.nodes = c->nodes;
    m->backend.va_mask = ~(UINT64_C(2) * DISCO_PAGE_SIZE - 1);
    m->backend.asids = SIM_ASIDS;
    for (unsigned i = 0; i < c->cpus; i++)
        init_cpu(m, i);
    current = 0;
    return m;
}

void sim_destroy(struct sim_machine *m)
{
    if (!m)
        return;
    for (unsigned i = 0; i < m->backend.cpus; i++) {
        pthread_cond_destroy(&m->cpu[i].wake);
        pthread_mutex_destroy(&m->cpu[i].lock);
    }
    free(m->memory);
    free(m);
}

struct disco_backend *sim_backend(struct sim_machine *m) { return &m->backend; }

disco_mpn sim_node_first(const struct sim_machine *m, unsigned node)
{
    return (disco_mpn){SIM_FIRST_PAGE + node * m->config.pages_per_node};
}

static bool leads_to(const struct hw_entry *h, const struct disco_vcpu *tag, disco_mpn mpn)
{
    return (!tag || h->tag == tag) && ((h->e[0] && sim_tlbe_mpn(h->e[0]).v == mpn.v) ||
                                       (h->e[1] && sim_tlbe_mpn(h->e[1]).v == mpn.v));
}

bool sim_reaches(const struct sim_machine *m, unsigned cpu, const struct disco_vcpu *v,
                 disco_mpn mpn)
{
    const struct sim_cpu *c = &m->cpu[cpu];

    for (unsigned i = 0; i < SIM_TLB_MAX; i++) {
        if (leads_to(&c->tlb[i], v, mpn) || leads_to(&c->hidden[i], v, mpn))
            return true;
    }
    return false;
}

void sim_cpu_stats(const struct sim_machine *m, unsigned cpu, struct sim_cpu_stats *out)
{
    *out = m->cpu[cpu].stats;
}

/* --- threads --- */

struct runner {
    struct sim_machine *m;
    unsigned cpu;
    void (*fn)(void *ctx, unsigned cpu);
    void *ctx;
    pthread_t thread;
};

static void set_online(struct sim_cpu *c, bool online)
{
    if (!online)
        sim_serve(c);
    pthread_mutex_lock(&c->lock);
    c->online = online;
    pthread_mutex_unlock(&c->lock);
    __atomic_fetch_add(&c->m->online, online ? 1u : -1u, __ATOMIC_SEQ_CST);
    if (!online)
        sim_serve(c); /* what came between the two */
}

static void *runner(void *arg)
{
    struct runner *r = arg;

    current = r->cpu;
    r->fn(r->ctx, r->cpu);
    set_online(&r->m->cpu[r->cpu], false);
    return NULL;
}

void sim_run(struct sim_machine *m, void (*fn)(void *ctx, unsigned cpu), void *ctx)
{
    struct runner r[DISCO_MAX_CPUS];
    unsigned before = current, started = 1;

    for (unsigned i = 0; i < m->backend.cpus; i++) {
        r[i] = (struct runner){.m = m, .cpu = i, .fn = fn, .ctx = ctx};
        set_online(&m->cpu[i], true);
    }
    while (started < m->backend.cpus &&
           !pthread_create(&r[started].thread, NULL, runner, &r[started]))
        started++;
    for (unsigned i = started; i < m->backend.cpus; i++)
        set_online(&m->cpu[i], false);
    runner(&r[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(r[i].thread, NULL);
    current = before;
}
