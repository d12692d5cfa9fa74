/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A superpage that is made and taken apart under fire. Threads play processors; each takes pages of the run away in
 * every way there is, lends them, puts the run together again, and reads its words as a refill does: where one is
 * marked, and the first, too, it keeps a large translation for all. A purge asks every other processor to forget, and waits, serving what
 * others ask meanwhile. Run it under ThreadSanitizer too.
 *
 * What must hold of each translation that a processor has, small or large: the word of the page leads to the same
 * machine page, or is 0, because a revocation is under way that this processor has not answered yet. And in the end:
 * all words are marked or none, as the counters say, and no page is missing.
 *
 * DISCO_STRESS_SECONDS: how long, 5 unless told.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "mock_backend.h"

#include <disco/atomic.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CPUS = 4, ROW = 32, FIRST = 64, PAGES = 4 * ROW };

enum { FAULTS, DROPS, WRITES, SHARES, LENDS, REMAPS, PROMOTIONS, SMALL, LARGE, KINDS };
static const char *const name[] = {
    "write faults", "drops",      "device's writes", "shares",       "lends",
    "remaps",       "promotions", "loads of a pair", "loads of all",
};

struct cpu {
    unsigned id;
    uint64_t seed, done[KINDS];
    uint64_t asked[CPUS]; /* by asker: it waits */
    const struct disco_pmap_gone *gone[CPUS];
    size_t pages[CPUS];
    uint64_t small[ROW],
        large; /* the TLB: machine pages, the run's first one for `large`; 0: nothing */
    pthread_t thread;
};

static struct mock m;
static struct disco_memmap *mm;
static struct disco_pmap pm;
static struct cpu cpus[CPUS];
static _Thread_local struct cpu *self;
static disco_mpn row[ROW];
static uint64_t stop, running = CPUS;

#define MUST(x) ((x) ? (void)0 : broken(#x, __LINE__))
static _Noreturn void broken(const char *what, int line)
{
    fprintf(stderr, "superpage_stress: processor %u, line %d: not so: %s\n", self ? self->id : 99,
            line, what);
    abort();
}

static unsigned dice(unsigned n) { return (unsigned)(mock_random(&self->seed) % n); }

/* --- TLBs and their purging --- */

static void forget(const struct disco_pmap_gone *gone, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        self->small[gone[i].ppn.v] = 0;
    self->large = 0;
}

static void serve(void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < CPUS; i++) {
        if (disco_load_acquire(&self->asked[i])) {
            forget(self->gone[i], self->pages[i]);
            disco_store_release(&self->asked[i], 0);
        }
    }
    sched_yield();
}

static void purge(void *ctx, const struct disco_pmap_gone *gone, size_t pages,
                  const struct disco_purge *p, size_t n)
{
    (void)ctx, (void)p, (void)n;
    if (!self)
        return;
    for (unsigned c = 0; c < CPUS; c++) {
        if (c == self->id)
            continue;
        cpus[c].gone[self->id] = gone;
        cpus[c].pages[self->id] = pages;
        disco_store_release(&cpus[c].asked[self->id], 1);
    }
    forget(gone, pages);
    for (unsigned c = 0; c < CPUS; c++) {
        while (c != self->id && disco_load_acquire(&cpus[c].asked[self->id]))
            serve(NULL);
    }
}

static void must_be_fresh(uint64_t p, uint64_t mpn)
{
    disco_tlbe now = disco_load_acquire(&pm.entry[p].tlbe);

    MUST(!now || mock_mpn(now) == mpn);
}

/* Nothing is answered between the look and the load. */
static void refill(uint64_t p)
{
    disco_tlbe e[2], first;
    unsigned one = dice(2);

    e[one] = disco_load_acquire(&pm.entry[p + one].tlbe);
    e[1 - one] = disco_load_acquire(&pm.entry[p + 1 - one].tlbe);
    first = mock_is_marked(e[0] | e[1]) ? disco_load_acquire(&pm.entry[0].tlbe) : 0;
    if (first && mock_is_marked(first)) {
        MUST(mock_mpn(first) == row[0].v);
        self->large = mock_mpn(first);
        self->done[LARGE]++;
    } else {
        self->small[p] = mock_mpn(e[0]);
        self->small[p + 1] = mock_mpn(e[1]);
        self->done[SMALL]++;
    }
}

static void guest_steps(void)
{
    for (unsigned i = dice(40); i; i--) {
        refill(dice(ROW / 2) * 2);
        for (uint64_t p = 0; p < ROW; p++) {
            if (self->large)
                must_be_fresh(p, self->large + p);
            if (self->small[p])
                must_be_fresh(p, self->small[p]);
        }
    }
}

/* --- what happens to pages --- */

static void remap(disco_ppn ppn)
{
    struct disco_pmap_move move = {ppn, 0, DISCO_PMAP_REMAP, 1};

    disco_pmap_move_many(&pm, &move, 1);
    MUST(!move.err || move.err == DISCO_ERR_NOT_FOUND);
}

static void lend(disco_ppn ppn)
{
    disco_mpn mpn;

    MUST(!disco_pmap_lend(&pm, ppn, 0, DISCO_PMAP_NET, &mpn));
    MUST(!disco_memmap_put(mm, mpn));
}

static void share_over(disco_ppn ppn, uint64_t page)
{
    MUST(!disco_pmap_share(&pm, ppn, row[page], DISCO_PMAP_COW));
}

static void change(void)
{
    disco_ppn ppn = {dice(ROW)};
    unsigned what = dice(PROMOTIONS);

    switch (what) {
    case FAULTS: MUST(!disco_pmap_write_fault(&pm, ppn, 0)); break;
    case DROPS: MUST(!disco_pmap_drop(&pm, ppn)); break;
    case WRITES: MUST(!disco_pmap_write(&pm, disco_ppn_base(ppn), "x", 1, 0)); break;
    case SHARES: share_over(ppn, dice(ROW)); break;
    case LENDS: lend(ppn); break;
    default: remap(ppn); break;
    }
    self->done[what]++;
}

/* Others change it meanwhile; sometimes it is one. */
static void put_together(void)
{
    int err;

    for (uint64_t p = 0; p < ROW; p++) {
        disco_tlbe now = disco_load_acquire(&pm.entry[p].tlbe);

        if (!now || mock_mpn(now) != row[p].v || mock_rights(now) & DISCO_WRITE)
            share_over((disco_ppn){p}, p);
    }
    err = disco_pmap_promote(&pm, (disco_ppn){0});
    MUST(!err || err == DISCO_ERR_STATE);
    self->done[PROMOTIONS] += !err;
}

static void *run(void *arg)
{
    self = arg;
    mock_cpu = self->id;
    while (!disco_load(&stop)) {
        serve(NULL);
        guest_steps();
        if (dice(4))
            put_together();
        else
            change();
    }
    __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST))
        serve(NULL); /* others may still wait for an answer */
    return NULL;
}

/* --- the world --- */

/*
 * Words are made between the steps of a change: others come in between, as they hardly would otherwise. They get their
 * answers, too: there are backends that do not wait for a processor that runs no guest.
 */
static disco_tlbe slow_make(disco_mpn mpn, unsigned rights)
{
    if (self && !dice(8))
        serve(NULL);
    return mock_tlbe(mpn.v, rights);
}

/* The first pages of a memory that nobody has used. */
static void take_row(void)
{
    for (unsigned i = 0; i < ROW; i++) {
        MUST(!disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &row[i]));
        MUST(row[i].v == row[0].v + i && row[0].v % ROW == 0);
    }
}

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fire(double until)
{
    struct timespec nap = {0, 50 * 1000 * 1000};

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
}

static void report(void)
{
    const struct disco_pmap_stats s = mock_stats(&pm);
    uint64_t marked = 0;

    for (unsigned k = 0; k < KINDS; k++) {
        uint64_t sum = 0;

        for (unsigned c = 0; c < CPUS; c++)
            sum += cpus[c].done[k];
        printf("%12llu %s\n", (unsigned long long)sum, name[k]);
        MUST(sum);
    }
    for (unsigned p = 0; p < ROW; p++)
        marked += mock_is_marked(pm.entry[p].tlbe);
    MUST(marked == (s.promoted - s.demoted) * ROW && s.promoted - s.demoted <= 1);
}

int main(void)
{
    const char *wish = getenv("DISCO_STRESS_SECONDS");
    struct disco_pmap_config c = {.pages = ROW, .sets = 1, .backend = &m.b, .purge = purge};
    struct disco_backend_ops slow;
    void *mm_storage, *storage;

    mock_init(&m, 1, FIRST, PAGES);
    slow = *m.b.ops;
    slow.tlbe_make = slow_make;
    m.b.ops = &slow;
    m.relax = serve;
    m.b.superpage = ROW;
    c.mm = mm = mock_memmap(&m, ROW, 0, &mm_storage);
    storage = mock_storage(disco_pmap_size(&c));
    MUST(!disco_pmap_init(&pm, storage, disco_pmap_size(&c), &c));
    take_row();
    fire(seconds() + (wish ? atof(wish) : 5));
    report();
    disco_pmap_fini(&pm);
    for (unsigned i = 0; i < ROW; i++)
        MUST(!disco_memmap_put(mm, row[i]));
    MUST(mock_free_pages(&m, mm) == PAGES);
    free(storage);
    free(mm_storage);
    mock_fini(&m);
    return 0;
}
