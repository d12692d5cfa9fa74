/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memmap, pmap and l2tlb under fire. Threads play processors; each runs a virtual CPU of each of
 * two VMs, with an L2TLB of its own and a small TLB, and loads, stores, lends, shares, drops,
 * migrates and replicates pages at random, on a machine with hardly more memory than the VMs
 * want. A purge clears L2TLBs, then asks every other processor to clear its TLB, and waits, serving
 * what others ask meanwhile. Run it under ThreadSanitizer too: machine pages are copied and
 * zeroed by plain memcpy, so that a page changed while somebody can still write it is a data race.
 *
 * What must hold at each access through a translation that is in a TLB:
 *   1. it is not stale: the pmap entry leads to the same page with the same right to write, or is
 *      0, because a revocation is under way that this processor has not answered yet;
 *   2. nobody else's data: on a page that nothing is ever shared onto, each word was written
 *      through this physical page;
 *   3. no lost stores: a word that this processor stored is there when it looks again, whatever
 *      copying went on, unless the page was dropped or shared over meanwhile.
 * And: a page that was lent does not change while the reference is kept. At the end no page is
 * missing.
 *
 * DISCO_STRESS_SECONDS: how long, 10 unless told.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "mock_backend.h"

#include <disco/atomic.h>
#include <disco/l2tlb.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    CPUS = 4, NODES = 2, VMS = 2, PRIVATE = 16, PPNS = 24, PAGES = 58, FIRST = 16, SETS = 12,
    CHUNKS = 4, TLB = 8, ASIDS = 8, L2SETS = 8, PAIRS = 20,
};
#define UNMAPPED_VPN UINT64_C(0x80000)
#define VA_MASK UINT64_C(0x00000000ffffe000)

struct translation {
    bool used;
    unsigned vm;
    disco_vpn pair;
    uint32_t asid;
    uint64_t ppn[2];
    disco_tlbe e[2];
};

/* What one processor asks of another. */
struct request {
    uint64_t pending; /* set by the asker, cleared by the one asked */
    unsigned vm;
    uint64_t ppn;
    const struct disco_purge *p;
    size_t n;
};

/* What a processor remembers of a store. */
struct memory {
    uint64_t begun, value;
};

struct cpu {
    unsigned id;
    uint64_t seed, stores;
    uint32_t asid;
    struct disco_l2tlb l2[VMS];
    struct translation tlb[TLB];
    struct request ask[CPUS]; /* by asker */
    struct memory memory[VMS][PPNS];
    uint64_t done[16];
    pthread_t thread;
};

static struct mock m;
static struct disco_memmap *mm;
static struct disco_pmap pm[VMS];
static struct cpu cpus[CPUS];
static uint64_t begun[VMS][PPNS], ended[VMS][PPNS]; /* calls that replace a page's contents */
static uint64_t stop, running = CPUS;
static _Thread_local struct cpu *self;

#define MUST(x) ((x) ? (void)0 : broken(#x, __LINE__))

static void broken(const char *what, int line)
{
    fprintf(stderr, "mm_stress: processor %u, line %d: not so: %s\n", self ? self->id : 99, line,
            what);
    abort();
}

static unsigned dice(unsigned n) { return (unsigned)(mock_random(&self->seed) % n); }
static unsigned here(void) { return self->id % NODES; }

/* --- TLBs and their purging --- */

static bool named(const struct translation *t, uint64_t ppn, const struct disco_purge *p, size_t n)
{
    if (t->pair.v == (UNMAPPED_VPN | (ppn & ~UINT64_C(1))))
        return true;
    for (size_t i = 0; i < n; i++) {
        if ((p[i].vcpu == DISCO_ALL_VCPUS || p[i].vcpu == self->id) &&
            (p[i].vpn.v == DISCO_ALL_PAGES || p[i].vpn.v >> 1 == t->pair.v >> 1))
            return true;
    }
    return false;
}

static void purge_tlb(unsigned vm, uint64_t ppn, const struct disco_purge *p, size_t n)
{
    for (unsigned i = 0; i < TLB; i++) {
        struct translation *t = &self->tlb[i];

        if (t->used && t->vm == vm && named(t, ppn, p, n))
            t->used = false;
    }
}

/* Answer what others ask. This is the only place where a processor's TLB changes under it. */
static void serve(void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < CPUS; i++) {
        struct request *r = &self->ask[i];

        if (disco_load_acquire(&r->pending)) {
            purge_tlb(r->vm, r->ppn, r->p, r->n);
            disco_store_release(&r->pending, 0);
        }
    }
    sched_yield();
}

static void purge_l2(unsigned vm, uint64_t ppn, const struct disco_purge *p, size_t n)
{
    for (unsigned c = 0; c < CPUS; c++)
        disco_l2tlb_forget_vpn(&cpus[c].l2[vm], (disco_vpn){UNMAPPED_VPN | ppn});
    for (size_t i = 0; i < n; i++) {
        for (unsigned c = 0; c < CPUS; c++) {
            if (p[i].vcpu != DISCO_ALL_VCPUS && p[i].vcpu != c)
                continue;
            if (p[i].vpn.v == DISCO_ALL_PAGES)
                disco_l2tlb_wipe(&cpus[c].l2[vm]);
            else
                disco_l2tlb_forget_vpn(&cpus[c].l2[vm], p[i].vpn);
        }
    }
}

static void purge(void *ctx, disco_ppn ppn, const struct disco_purge *p, size_t n)
{
    unsigned vm = (unsigned)((struct disco_pmap *)ctx - pm);

    purge_l2(vm, ppn.v, p, n);
    if (!self)
        return;
    for (unsigned c = 0; c < CPUS; c++) {
        struct request *r = &cpus[c].ask[self->id];

        if (c == self->id)
            continue;
        r->vm = vm, r->ppn = ppn.v, r->p = p, r->n = n;
        disco_store_release(&r->pending, 1);
    }
    purge_tlb(vm, ppn.v, p, n);
    for (unsigned c = 0; c < CPUS; c++) {
        while (c != self->id && disco_load_acquire(&cpus[c].ask[self->id].pending))
            serve(NULL);
    }
}

static void load_tlb(unsigned vm, disco_vpn pair, uint32_t asid, const disco_tlbe e[2],
                     const uint64_t ppn[2])
{
    self->tlb[dice(TLB)] = (struct translation){
        true, vm, pair, asid, {ppn[0], ppn[1]}, {e[0], e[1]},
    };
}

/* --- the guests' page tables: where a pair of virtual pages leads, the same for ever --- */

static void guest_map(unsigned vm, uint64_t pair, uint32_t asid, bool unmapped,
                      struct disco_guest_map *g)
{
    uint64_t x = pair * 7 + asid * 3 + vm;

    g->asid = asid;
    g->pair.v = unmapped ? UNMAPPED_VPN | (x % PPNS & ~UINT64_C(1)) : pair * 2;
    g->ppn[0].v = unmapped ? x % PPNS & ~UINT64_C(1) : x % PPNS;
    g->ppn[1].v = unmapped ? g->ppn[0].v + 1 : (x * 5 + 2) % PPNS;
    g->want[0] = g->want[1] = mock_tlbe(0, DISCO_RWX);
    g->global = unmapped || pair % 5 == 0;
    if (g->global && !unmapped) {
        g->ppn[0].v = (pair * 3 + vm) % PPNS;
        g->ppn[1].v = (pair * 11 + 1) % PPNS;
    }
}

/* A miss, as the monitor answers it: the L2TLB, then the pmap. */
static void miss(unsigned vm, const struct disco_guest_map *g, bool record)
{
    disco_va va = {g->pair.v << DISCO_PAGE_SHIFT};
    const struct disco_l2tlb_entry *l2 = disco_l2tlb_lookup(&self->l2[vm], va, g->asid);
    struct disco_pmap_pair p = {.m = g, .vcpu = self->id, .node = here(), .record = record};
    uint64_t ppn[2] = {g->ppn[0].v, g->ppn[1].v};

    if (l2) {
        MUST((l2->note & 0xffff) == (ppn[0] << 8 | ppn[1]));
        load_tlb(vm, g->pair, g->asid, l2->e, ppn);
        return;
    }
    disco_pmap_enter(&pm[vm], &p);
    disco_l2tlb_insert(&self->l2[vm], va, g->asid, g->global, p.e, ppn[0] << 8 | ppn[1]);
    load_tlb(vm, g->pair, g->asid, p.e, ppn);
    disco_pmap_leave(&pm[vm], &p);
}

/* As assembly does for the segment the guest believes unmapped: the precomputed words, no lock. */
static void miss_like_assembly(unsigned vm, const struct disco_guest_map *g)
{
    uint64_t ppn[2] = {g->ppn[0].v, g->ppn[1].v};
    disco_tlbe e[2] = {
        disco_load_acquire(&pm[vm].entry[ppn[0]].tlbe),
        disco_load_acquire(&pm[vm].entry[ppn[1]].tlbe),
    };

    load_tlb(vm, g->pair, g->asid, e, ppn);
}

static struct translation *find(unsigned vm, const struct disco_guest_map *g)
{
    for (unsigned i = 0; i < TLB; i++) {
        struct translation *t = &self->tlb[i];

        if (t->used && t->vm == vm && t->pair.v == g->pair.v && (g->global || t->asid == g->asid))
            return t;
    }
    return NULL;
}

/* --- loads and stores --- */

static uint64_t *word(disco_tlbe e, unsigned k)
{
    return (uint64_t *)(void *)mock_page(&m, mock_mpn(e)) + k;
}

static uint64_t value_of(unsigned vm, uint64_t ppn)
{
    return (uint64_t)(vm + 1) << 60 | ppn << 48 | (uint64_t)self->id << 40 | ++self->stores;
}

static void not_stale(const struct translation *t, unsigned half)
{
    disco_tlbe now = disco_load_acquire(&pm[t->vm].entry[t->ppn[half]].tlbe);
    uint64_t mpn = mock_mpn(t->e[half]);

    if (!now)
        return;
    MUST(mock_mpn(now) == mpn || disco_memmap_master(mm, (disco_mpn){mpn}).v == mock_mpn(now));
    MUST(!(mock_rights(t->e[half]) & DISCO_WRITE) || mock_rights(now) & DISCO_WRITE);
}

static void load(const struct translation *t, unsigned half)
{
    uint64_t ppn = t->ppn[half], before, v;
    struct memory *mem = &self->memory[t->vm][ppn];
    unsigned k = dice(CPUS);

    not_stale(t, half);
    before = __atomic_load_n(&begun[t->vm][ppn], __ATOMIC_SEQ_CST);
    v = disco_load(word(t->e[half], k));
    if (ppn < PRIVATE && v)
        MUST(v >> 48 == ((uint64_t)(t->vm + 1) << 12 | ppn) && (v >> 40 & 0xff) == k);
    if (k == self->id && mem->value && mem->begun == before)
        MUST(v == mem->value || before != __atomic_load_n(&begun[t->vm][ppn], __ATOMIC_SEQ_CST));
    self->done[0]++;
}

static void store(struct translation *t, unsigned half)
{
    uint64_t ppn = t->ppn[half], before = __atomic_load_n(&begun[t->vm][ppn], __ATOMIC_SEQ_CST), v;
    struct memory *mem = &self->memory[t->vm][ppn];
    unsigned vm = t->vm;

    if (!(mock_rights(t->e[half]) & DISCO_WRITE)) {
        self->done[1] += !disco_pmap_write_fault(&pm[vm], (disco_ppn){ppn}, here());
        return;
    }
    not_stale(t, half);
    v = value_of(vm, ppn);
    mem->value = 0;
    if (before == __atomic_load_n(&ended[vm][ppn], __ATOMIC_SEQ_CST)) {
        disco_store(word(t->e[half], self->id), v);
        if (before == __atomic_load_n(&begun[vm][ppn], __ATOMIC_SEQ_CST))
            *mem = (struct memory){before, v};
    } else {
        disco_store(word(t->e[half], self->id), v);
    }
    self->done[2]++;
}

static void guest_step(void)
{
    struct disco_guest_map g = {0};
    unsigned vm = dice(VMS), half = dice(2);
    bool unmapped = dice(4) == 0;
    struct translation *t;

    guest_map(vm, dice(PAIRS), self->asid, unmapped, &g);
    t = find(vm, &g);
    if (!t) {
        if (unmapped && dice(2))
            miss_like_assembly(vm, &g);
        else
            miss(vm, &g, !unmapped);
        t = find(vm, &g);
    }
    if (!t || !t->e[half])
        return;
    if (dice(3))
        load(t, half);
    else
        store(t, half);
}

/* --- what the monitor does to pages --- */

static void replaced(unsigned vm, uint64_t ppn, bool done)
{
    __atomic_fetch_add(done ? &ended[vm][ppn] : &begun[vm][ppn], 1, __ATOMIC_SEQ_CST);
}

static void drop(void)
{
    unsigned vm = dice(VMS);
    uint64_t ppn = dice(PPNS);

    replaced(vm, ppn, false);
    MUST(!disco_pmap_drop(&pm[vm], (disco_ppn){ppn}));
    replaced(vm, ppn, true);
    self->done[3]++;
}

static void copy_words(disco_mpn mpn, uint64_t words[CPUS])
{
    for (unsigned k = 0; k < CPUS; k++)
        words[k] = disco_load(word(mock_tlbe(mpn.v, 0), k));
}

/* Lend a page, share it onto a few others, watch it for a while, let go. */
static void lend(void)
{
    unsigned vm = dice(VMS), shares = dice(4);
    enum disco_pmap_reason r = dice(2) ? DISCO_PMAP_COW : DISCO_PMAP_NET;
    uint64_t first[CPUS], later[CPUS];
    disco_mpn mpn;

    if (disco_pmap_lend(&pm[vm], (disco_ppn){dice(PPNS)}, here(), r, &mpn))
        return;
    copy_words(mpn, first);
    for (unsigned i = 0; i < shares; i++) {
        unsigned to = dice(VMS);
        uint64_t ppn = PRIVATE + dice(PPNS - PRIVATE);

        replaced(to, ppn, false);
        self->done[4] += !disco_pmap_share(&pm[to], (disco_ppn){ppn}, mpn, r);
        replaced(to, ppn, true);
    }
    for (unsigned i = dice(20); i; i--)
        guest_step();
    copy_words(mpn, later);
    MUST(!memcmp(first, later, sizeof first));
    MUST(!disco_memmap_put(mm, mpn));
    self->done[5]++;
}

static void move(void)
{
    unsigned vm = dice(VMS);
    disco_ppn ppn = {dice(PPNS)};

    if (dice(2))
        self->done[6] += !disco_pmap_migrate(&pm[vm], ppn, dice(NODES));
    else
        self->done[7] += !disco_pmap_replicate(&pm[vm], ppn, dice(NODES));
}

/* Lock-free look-ups have nothing to hold on to; they must only never come up with nonsense. */
static void look(void)
{
    unsigned vm = dice(VMS);
    disco_ppn ppn = {dice(PPNS)};
    disco_mpn mpn;
    int err = disco_pmap_translate(&pm[vm], ppn, here(), &mpn);

    MUST(err == DISCO_ERR_NOT_FOUND || (!err && mpn.v >= FIRST && mpn.v < FIRST + PAGES));
    self->done[8]++;
}

static int read_word(void *ctx, void *at, size_t len)
{
    (void)len;
    *(uint64_t *)ctx = disco_load(at);
    return 0;
}

static void access(void)
{
    unsigned vm = dice(VMS), k = dice(CPUS);
    uint64_t ppn = dice(PRIVATE), v = 0;
    disco_pa pa = {ppn * DISCO_PAGE_SIZE + k * 8};
    int err = disco_pmap_access(&pm[vm], pa, 8, dice(2) ? DISCO_READ : DISCO_WRITE, here(),
                                read_word, &v);

    MUST(!err || err == DISCO_ERR_NO_MEMORY);
    if (!err && v)
        MUST(v >> 48 == ((uint64_t)(vm + 1) << 12 | ppn));
    self->done[9]++;
}

static void switch_asid(void)
{
    unsigned vm = dice(VMS), what = dice(40);

    if (what == 0)
        disco_l2tlb_forget_all(&self->l2[vm]);
    else if (what == 1)
        disco_l2tlb_wipe(&self->l2[vm]);
    else if (what < 8)
        disco_l2tlb_forget_asid(&self->l2[vm], self->asid);
    self->asid = dice(ASIDS);
    disco_l2tlb_set_asid(&self->l2[vm], self->asid, self->asid);
}

static void step(void)
{
    unsigned what = dice(64);

    serve(NULL);
    for (unsigned i = 0; i < 16; i++)
        guest_step();
    switch (what) {
    case 0: case 1: drop(); break;
    case 2: case 3: case 4: case 5: lend(); break;
    case 6: case 7: case 8: case 9: case 10: move(); break;
    case 11: case 12: case 13: access(); break;
    case 14: case 15: switch_asid(); break;
    default: look(); break;
    }
}

static void *run(void *arg)
{
    self = arg;
    while (!disco_load(&stop))
        step();
    /* Others may still wait for an answer. */
    __atomic_fetch_sub(&running, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST))
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

static void *make_pmap(unsigned v)
{
    struct disco_pmap_config c = {
        .id = v, .pages = PPNS, .sets = SETS, .mm = mm, .backend = &m.b, .purge = purge,
        .purge_ctx = &pm[v],
    };
    void *s = mock_storage(disco_pmap_size(&c));

    MUST(!disco_pmap_init(&pm[v], s, disco_pmap_size(&c), &c));
    return s;
}

static void make_cpu(unsigned i, void *l2storage[VMS])
{
    size_t size = disco_l2tlb_size(L2SETS, ASIDS);

    cpus[i].id = i;
    cpus[i].seed = 0xd15c0 + i;
    for (unsigned v = 0; v < VMS; v++) {
        l2storage[v] = mock_storage(size);
        MUST(!disco_l2tlb_init(&cpus[i].l2[v], l2storage[v], size, L2SETS, ASIDS, VA_MASK));
    }
}

static void report(double took)
{
    static const char *const name[] = {
        "loads", "write faults", "stores", "drops", "shares", "lends", "migrations",
        "replications", "look-ups", "accesses",
    };
    uint64_t hits = 0;

    for (unsigned k = 0; k < sizeof name / sizeof name[0]; k++) {
        uint64_t sum = 0;

        for (unsigned c = 0; c < CPUS; c++)
            sum += cpus[c].done[k];
        printf("%12llu %s\n", (unsigned long long)sum, name[k]);
        MUST(sum);
    }
    for (unsigned c = 0; c < CPUS; c++)
        hits += cpus[c].l2[0].hits + cpus[c].l2[1].hits;
    for (unsigned v = 0; v < VMS; v++) {
        const struct disco_pmap_stats *s = &pm[v].stats;

        printf("VM %u: %llu enters, %llu purges (%llu everywhere), %llu + %llu copies, %llu reused,"
               " %llu collapses\n", v, (unsigned long long)s->enters, (unsigned long long)s->purges,
               (unsigned long long)s->everywhere, (unsigned long long)s->cow_copies,
               (unsigned long long)s->net_copies, (unsigned long long)s->write_reused,
               (unsigned long long)s->collapses);
    }
    printf("%12llu L2TLB hits; %.1f s\n", (unsigned long long)hits, took);
}

int main(void)
{
    const char *wish = getenv("DISCO_STRESS_SECONDS");
    double start = seconds(), until = start + (wish ? atof(wish) : 10);
    void *mm_storage, *storage[VMS], *l2[CPUS][VMS];
    struct timespec nap = {0, 50 * 1000 * 1000};

    mock_init(&m, NODES, FIRST, PAGES);
    m.relax = serve;
    mm = mock_memmap(&m, CHUNKS, 0, &mm_storage);
    for (unsigned v = 0; v < VMS; v++)
        storage[v] = make_pmap(v);
    for (unsigned i = 0; i < CPUS; i++)
        make_cpu(i, l2[i]);
    for (unsigned i = 0; i < CPUS; i++)
        MUST(!pthread_create(&cpus[i].thread, NULL, run, &cpus[i]));
    while (seconds() < until)
        nanosleep(&nap, NULL);
    disco_store(&stop, 1);
    for (unsigned i = 0; i < CPUS; i++)
        pthread_join(cpus[i].thread, NULL);

    report(seconds() - start);
    for (unsigned v = 0; v < VMS; v++) {
        disco_pmap_fini(&pm[v]);
        free(storage[v]);
    }
    MUST(mock_free_pages(&m, mm) == PAGES);
    for (unsigned i = 0; i < CPUS; i++) {
        for (unsigned v = 0; v < VMS; v++)
            free(l2[i][v]);
    }
    free(mm_storage);
    mock_fini(&m);
    return 0;
}
