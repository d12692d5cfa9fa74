/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * numa's engine under fire. Threads play processors on the machine of numa's other tests; all of them have guests
 * that load, store, share and drop pages, tell of hot pages, true ones and others, work the records off, end
 * intervals, drop replicas, change the policy, and end and reset virtual machines. A page is copied and revoked by
 * plain memcpy and a purge that waits for every processor, so a page that is moved while somebody can still write it
 * is a data race: run this under ThreadSanitizer too.
 *
 * What must hold: a word that only one processor stores to is there when it looks again, wherever the page went; every
 * record is counted once; in the end no page is missing.
 *
 * DISCO_STRESS_SECONDS: how long, 10 unless told.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "world.h"

#include <disco/atomic.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CPUS = NODES, SHARED_VM = VMS - 1, PRIVATE = PPNS - 3 };

/*
 * A guest's TLB is one translation a page. VMs 0 .. SHARED_VM - 1 live as long as the test; pages from PRIVATE on
 * are shared and dropped, so what is in them does not matter. SHARED_VM is reset again and again by processor 0, who is
 * also the only one to run it.
 */
struct cpu {
    unsigned id;
    uint64_t seed, stores;
    disco_tlbe tlb[VMS][PPNS];
    uint64_t last[VMS][PPNS]; /* what it stored in its word */
    uint64_t asked[CPUS];     /* by asker: a purge that it has not answered yet */
    struct {
        unsigned vm;
        const struct disco_pmap_gone *gone;
        size_t pages;
    } what[CPUS];
    uint64_t done[16];
    pthread_t thread;
};

static struct cpu cpus[CPUS];
static _Thread_local struct cpu *self;
static uint64_t stop, at_work = CPUS;

static unsigned dice(unsigned n) { return (unsigned)(mock_random(&self->seed) % n); }

/* --- translations, and how they are revoked --- */

static void forget(unsigned vm, const struct disco_pmap_gone *gone, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        if (gone[i].vcpus >> self->id & 1)
            self->tlb[vm][gone[i].ppn.v] = 0;
    }
}

static void serve(void *ctx)
{
    (void)ctx;
    if (!self)
        return;
    for (unsigned c = 0; c < CPUS; c++) {
        if (!disco_load_acquire(&self->asked[c]))
            continue;
        forget(self->what[c].vm, self->what[c].gone, self->what[c].pages);
        disco_store_release(&self->asked[c], 0);
    }
    sched_yield();
}

/* Processor i is node i, and each VM has virtual CPU i there. */
static uint64_t vcpus_on(void *ctx, unsigned node)
{
    (void)ctx;
    return UINT64_C(1) << node;
}

static void purge_all(void *ctx, const struct disco_pmap_gone *gone, size_t pages,
                      const struct disco_purge *places, size_t n)
{
    unsigned vm = (unsigned)((struct disco_pmap *)ctx - pm);

    (void)places, (void)n;
    if (!self)
        return;
    for (unsigned c = 0; c < CPUS; c++) {
        if (c == self->id)
            continue;
        cpus[c].what[self->id].vm = vm;
        cpus[c].what[self->id].gone = gone;
        cpus[c].what[self->id].pages = pages;
        disco_store_release(&cpus[c].asked[self->id], 1);
    }
    forget(vm, gone, pages);
    for (unsigned c = 0; c < CPUS; c++) {
        while (c != self->id && disco_load_acquire(&cpus[c].asked[self->id]))
            serve(NULL);
    }
}

static unsigned this_cpu(struct disco_backend *b)
{
    (void)b;
    return self ? self->id : 0;
}

/* --- guests --- */

static uint64_t *word(disco_tlbe e)
{
    return (uint64_t *)(void *)mock_page(&m, mock_mpn(e)) + self->id;
}

static void fill(unsigned vm, unsigned p)
{
    const struct disco_guest_map g = {.ppn = {{p}, {p}}, .want = {mock_tlbe(0, DISCO_RWX), 0}};
    struct disco_pmap_pair pair = {.m = &g, .vcpu = self->id, .node = self->id, .record = true};

    disco_pmap_enter(&pm[vm], &pair);
    self->tlb[vm][p] = pair.e[0];
    disco_pmap_leave(&pm[vm], &pair);
}

/* SHARED_VM belongs to processor 0. */
static unsigned some_vm(void) { return dice(self->id ? SHARED_VM : VMS); }

static void load_or_store(void)
{
    unsigned vm = some_vm(), p = dice(PPNS);
    disco_tlbe *e = &self->tlb[vm][p];

    if (!*e)
        fill(vm, p);
    if (!*e)
        return;
    if (p < PRIVATE && self->last[vm][p])
        MUST(disco_load(word(*e)) == self->last[vm][p]);
    self->done[0]++;
    if (dice(8))
        return;
    if (!(mock_rights(*e) & DISCO_WRITE)) {
        self->done[1] += !disco_pmap_write_fault(&pm[vm], ppn(p), self->id);
        return;
    }
    self->last[vm][p] = ++self->stores;
    disco_store(word(*e), self->last[vm][p]);
    self->done[2]++;
}

static void share_or_drop(void)
{
    unsigned from = some_vm(), to = some_vm(), p = PRIVATE + dice(PPNS - PRIVATE),
             q = PRIVATE + dice(PPNS - PRIVATE);
    disco_mpn mpn;

    if (dice(3) == 0) {
        MUST(!disco_pmap_drop(&pm[from], ppn(p)));
        self->done[3]++;
        return;
    }
    if (disco_pmap_lend(&pm[from], ppn(p), self->id, DISCO_PMAP_COW, &mpn))
        return;
    self->done[4] += !disco_pmap_share(&pm[to], ppn(q), mpn, DISCO_PMAP_COW);
    MUST(!disco_memmap_put(mm, mpn));
}

/* --- the monitor --- */

static void tell(void)
{
    unsigned vm = some_vm(), p = dice(PPNS);
    struct disco_numa_hot h = {.node = dice(NODES), .misses = 1000, .others = dice(2) ? 1000 : 0};
    disco_mpn mpn = {FIRST + dice(NODES * EACH + 4) - 2};

    if (dice(16))
        (void)disco_pmap_translate(&pm[vm], ppn(p), dice(NODES), &mpn);
    h.mpn = mpn;
    h.cpu = h.node;
    h.writes = dice(4) ? 0 : dice(40);
    h.sharers = dice(16);
    self->done[5] += !disco_numa_hot(numa, &h);
}

static void work(void) { self->done[6] += disco_numa_work(numa, 1 + dice(64)); }

static void tick(void)
{
    uint64_t now = __atomic_add_fetch(&time_ns, 1000, __ATOMIC_RELAXED);

    self->done[7] += disco_numa_tick(numa, now);
}

static void drop_replicas(void)
{
    struct disco_memmap_node_stats s;
    unsigned node = dice(NODES);

    MUST(!disco_memmap_node_stats(mm, node, &s));
    self->done[8] += disco_numa_drop_replicas(numa, node, s.free + dice(4));
}

static void set(void)
{
    struct disco_numa_params p = world_params();

    p.cap = 1000000;
    p.interval = 100000;
    p.write = dice(4);
    p.migrate = 1000;
    p.mode = dice(8) ? DISCO_NUMA_ON : dice(4);
    MUST(!disco_numa_set(numa, &p));
    disco_numa_get(numa, &p);
    MUST(!disco_numa_params_check(&p));
}

static void begin_pmap(unsigned vm)
{
    pmap_begin(vm);
    pm[vm].purge = purge_all;
    pm[vm].vcpus_on = vcpus_on;
}

/* Detached, ended, begun anew, attached: while others work on what they believe are its pages. */
static void reset(void)
{
    if (self->id)
        return;
    MUST(!disco_numa_detach(numa, &pm[SHARED_VM]));
    for (unsigned p = 0; p < PPNS; p++)
        self->tlb[SHARED_VM][p] = self->last[SHARED_VM][p] = 0;
    disco_pmap_fini(&pm[SHARED_VM]);
    begin_pmap(SHARED_VM);
    MUST(!disco_numa_attach(numa, &pm[SHARED_VM]));
    self->done[9]++;
}

static void step(void)
{
    serve(NULL);
    for (unsigned i = 0; i < 8; i++)
        load_or_store();
    switch (dice(64)) {
    case 0:
    case 1:
    case 2: share_or_drop(); break;
    case 3: drop_replicas(); break;
    case 4: set(); break;
    case 5: reset(); break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
    case 13: work(); break;
    case 14:
    case 15:
    case 16:
    case 17: tick(); break;
    default: tell(); break;
    }
}

static void *run(void *arg)
{
    self = arg;
    while (!disco_load(&stop))
        step();
    /* Others may still wait for an answer. */
    __atomic_fetch_sub(&at_work, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&at_work, __ATOMIC_SEQ_CST))
        serve(NULL);
    return NULL;
}

/* --- the world --- */

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void report(double took)
{
    static const char *const name[] = {
        "loads",      "write faults", "stores",           "drops",  "shares", "records",
        "worked off", "intervals",    "replicas dropped", "resets",
    };
    const struct disco_numa_stats s = stats();
    uint64_t sum = s.merged + s.overflow + s.bad;

    for (unsigned k = 0; k < sizeof name / sizeof name[0]; k++) {
        uint64_t all = 0;

        for (unsigned c = 0; c < CPUS; c++)
            all += cpus[c].done[k];
        printf("%12llu %s\n", (unsigned long long)all, name[k]);
        MUST(all);
    }
    for (unsigned r = 0; r < DISCO_NUMA_REASONS; r++)
        sum += s.decided[r];
    MUST(sum == s.hot);
    for (unsigned a = DISCO_NUMA_DO_MIGRATE; a < DISCO_NUMA_ACTIONS; a++) {
        printf("%12llu %s, %llu failed\n", (unsigned long long)s.moved[a],
               disco_numa_action_name((enum disco_numa_action)a), (unsigned long long)s.failed[a]);
        MUST(s.moved[a]);
    }
    printf("%12llu rounds; %.1f s\n", (unsigned long long)s.rounds, took);
}

static void prepare(struct disco_backend_ops *ops)
{
    world_begin_as(&(struct world){
        .nodes = NODES,
        .pages = EACH,
        .with = NODES,
        .low_water = 2,
        .queue = QUEUE,
        .history = HISTORY,
        .replicas = REPLICAS,
    });
    *ops = *m.b.ops;
    ops->cpu = this_cpu;
    ops->now = NULL;
    m.b.ops = ops;
    m.relax = serve;
    for (unsigned v = 0; v < VMS; v++) {
        pm[v].purge = purge_all;
        pm[v].vcpus_on = vcpus_on;
    }
}

int main(void)
{
    const char *wish = getenv("DISCO_STRESS_SECONDS");
    double start = seconds(), until = start + (wish ? atof(wish) : 10);
    struct timespec nap = {0, 50 * 1000 * 1000};
    struct disco_backend_ops ops;

    prepare(&ops);
    for (unsigned i = 0; i < CPUS; i++) {
        cpus[i].id = i;
        cpus[i].seed = 0xd15c0 + i;
        MUST(!pthread_create(&cpus[i].thread, NULL, run, &cpus[i]));
    }
    while (seconds() < until)
        nanosleep(&nap, NULL);
    disco_store(&stop, 1);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(cpus[i].thread, NULL);
    disco_numa_work(numa, SIZE_MAX);
    report(seconds() - start);
    world_end();
    return 0;
}
