/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memmap, pmap and l2tlb under fire. Threads play processors; each runs a virtual CPU of each of
 * two VMs, with an L2TLB of its own and a small TLB, and loads, stores, lends, shares, drops,
 * migrates, replicates, collapses and remaps pages at random, on a machine with hardly more memory than the VMs
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
 *      copying went on, unless the page was dropped or shared over meanwhile, or is one of those that
 *      are marked as dead now and then.
 * And: a page that was lent does not change while the reference is kept. At the end no page is
 * missing.
 *
 * Pages are dropped, shared, lent and moved several at once too, in orders that cross; each VM has a map of dead pages,
 * which all processors want to set at the same time and one turns off in the end.
 *
 * DISCO_STRESS_SECONDS: how long, 10 unless told.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "stress_cpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* At once. */
enum { LENT = 3, MOVES = 6 };

static uint64_t stop, running = CPUS, maps;

/* --- what the monitor does to pages --- */

static void replaced(unsigned vm, uint64_t ppn, bool done)
{
    __atomic_fetch_add(done ? &ended[vm][ppn] : &begun[vm][ppn], 1, __ATOMIC_SEQ_CST);
}

static void drop(void)
{
    unsigned vm = dice(VMS);
    uint64_t first = dice(PPNS), n = 1 + (dice(2) ? dice(PPNS - (unsigned)first) : 0), had = 99;

    for (uint64_t i = 0; i < n; i++)
        replaced(vm, first + i, false);
    MUST(!disco_pmap_drop_many(&pm[vm], (disco_ppn){first}, n, &had) && had <= n);
    for (uint64_t i = 0; i < n; i++)
        replaced(vm, first + i, true);
    self->done[3]++;
}

static void copy_words(disco_mpn mpn, uint64_t words[CPUS])
{
    for (unsigned k = 0; k < CPUS; k++)
        words[k] = disco_load(word(mock_tlbe(mpn.v, 0), k));
}

/* Onto none or some pages of one VM, in any order; a page that is named twice fails the second time. */
static void share(disco_mpn mpn, enum disco_pmap_reason r)
{
    struct disco_pmap_place p[6];
    unsigned to = dice(VMS), n = dice(6);

    for (unsigned i = 0; i < n; i++) {
        p[i] = (struct disco_pmap_place){{PRIVATE + dice(PPNS - PRIVATE)}, mpn, 1};
        replaced(to, p[i].ppn.v, false);
    }
    disco_pmap_share_many(&pm[to], p, n, r);
    for (unsigned i = 0; i < n; i++) {
        MUST(!p[i].err || p[i].err == DISCO_ERR_BAD_ARG || p[i].err == DISCO_ERR_NO_SPACE);
        self->done[4] += !p[i].err;
        replaced(to, p[i].ppn.v, true);
    }
}

static void guest_steps(unsigned most)
{
    for (unsigned i = dice(most); i; i--)
        guest_step();
}

/* A page that several use by now: copies of it come and, perhaps, go while they load from them. */
static void copies_of_shared(unsigned vm, disco_ppn ppn)
{
    struct disco_pmap_move m = {ppn, dice(NODES), DISCO_PMAP_REPLICATE, 1};

    disco_pmap_move_many(&pm[vm], &m, 1);
    guest_steps(40);
    m.kind = DISCO_PMAP_COLLAPSE;
    if (dice(4))
        disco_pmap_move_many(&pm[vm], &m, 1);
}

/* Lend some pages, share one onto some others, watch them for a while, let go. */
static void lend(void)
{
    unsigned vm = dice(VMS), n = 1 + dice(LENT), got = 0;
    enum disco_pmap_reason r = dice(2) ? DISCO_PMAP_COW : DISCO_PMAP_NET;
    struct disco_pmap_place p[LENT];
    uint64_t first[LENT][CPUS], later[CPUS];

    for (unsigned i = 0; i < n; i++)
        p[i] = (struct disco_pmap_place){{dice(PPNS)}, {0}, 1};
    disco_pmap_lend_many(&pm[vm], p, n, here(), r);
    for (unsigned i = 0; i < n; i++) {
        MUST(!p[i].err || p[i].err == DISCO_ERR_NO_MEMORY);
        if (!p[i].err)
            p[got++] = p[i];
    }
    for (unsigned i = 0; i < got; i++)
        copy_words(p[i].mpn, first[i]);
    if (got) {
        share(p[0].mpn, r);
        copies_of_shared(vm, p[0].ppn);
    }
    guest_steps(20);
    for (unsigned i = 0; i < got; i++) {
        copy_words(p[i].mpn, later);
        MUST(!memcmp(first[i], later, sizeof later));
        MUST(!disco_memmap_put(mm, p[i].mpn));
        self->done[5]++;
    }
}

/* A batch of any kinds; a page that is named twice fails the second time. */
static void move(void)
{
    static const unsigned kinds[] = {6, 7, 11, 12}; /* in done[] */
    struct disco_pmap_move b[MOVES];
    unsigned vm = dice(VMS), n = 1 + dice(MOVES);

    for (unsigned i = 0; i < n; i++)
        b[i] = (struct disco_pmap_move){{dice(PPNS)}, dice(NODES), dice(DISCO_PMAP_REMAP + 1), 1};
    disco_pmap_move_many(&pm[vm], b, n);
    for (unsigned i = 0; i < n; i++) {
        bool again = false;

        for (unsigned k = 0; k < i; k++)
            again |= b[k].ppn.v == b[i].ppn.v;
        MUST((b[i].err == DISCO_ERR_BAD_ARG) == again);
        MUST(!b[i].err || again || b[i].err == DISCO_ERR_NOT_FOUND || b[i].err == DISCO_ERR_BUSY ||
             b[i].err == DISCO_ERR_NO_MEMORY);
        self->done[kinds[b[i].kind]] += !b[i].err;
    }
}

/* The page of VM 0 that the next VMs share, and whose copies come and go most. */
static const disco_ppn meeting = {PRIVATE};

/* Nobody has a translation; it takes its time nevertheless. */
static void slow_purge(void *ctx, const struct disco_pmap_gone *gone, size_t pages,
                       const struct disco_purge *p, size_t n)
{
    (void)ctx, (void)gone, (void)pages, (void)p, (void)n;
    for (unsigned i = dice(20); i; i--)
        serve(NULL);
}

/* A VM that nobody runs, and that ends at once: others that move the page it shares may be about to visit it. */
static void short_life(void)
{
    struct disco_pmap_config c = {
        .id = VMS + self->id,
        .pages = 2,
        .mm = mm,
        .backend = &m.b,
        .purge = slow_purge,
    };
    struct disco_pmap x;
    void *s = mock_storage(disco_pmap_size(&c));
    disco_mpn mpn;

    MUST(!disco_pmap_init(&x, s, disco_pmap_size(&c), &c));
    if (!disco_pmap_lend(&pm[0], meeting, here(), DISCO_PMAP_COW, &mpn)) {
        int err = disco_pmap_share(&x, (disco_ppn){dice(2)}, mpn, DISCO_PMAP_COW);

        MUST(!err || err == DISCO_ERR_NO_SPACE);
        MUST(!disco_memmap_put(mm, mpn));
        guest_steps(6);
        (void)disco_pmap_write_fault(&x, (disco_ppn){dice(2)}, here());
    }
    disco_pmap_fini(&x);
    free(s);
    self->done[13]++;
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

/* A few pages in a row, taken from between those that others take and give back: nobody else has them. */
static void row(void)
{
    unsigned n = 1 << (1 + dice(2));
    uint64_t *word;
    disco_mpn first;

    if (disco_memmap_alloc_row(mm, here(), DISCO_PAGE_PRIVATE, n, &first))
        return;
    MUST(first.v % n == 0);
    for (unsigned i = 0; i < n; i++) {
        disco_mpn mpn = {first.v + i};

        word = m.b.ops->page(&m.b, mpn);
        *word = self->id;
        MUST(disco_memmap_refs(mm, mpn) == 1 && disco_memmap_node(mm, mpn) == here());
    }
    for (unsigned i = 0; i < n; i++) {
        word = m.b.ops->page(&m.b, (disco_mpn){first.v + i});
        MUST(*word == self->id);
        MUST(!disco_memmap_put(mm, (disco_mpn){first.v + i}));
    }
    self->done[14]++;
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

static int mark_piece(void *ctx, void *at, size_t len)
{
    (void)ctx;
    (void)len;
    __atomic_store_n((uint8_t *)at, 1, __ATOMIC_RELAXED);
    return 0;
}

/* The guest frees a page; in VM 1 it gives the map itself back after a while, and marks in vain from then on. */
static void mark(void)
{
    unsigned vm = dice(VMS);
    uint64_t ppn = MORTAL + dice(PPNS - MORTAL);
    disco_pa at = {MAP * DISCO_PAGE_SIZE + ppn};

    if (vm == 1 && !dice(10000))
        MUST(!disco_pmap_drop(&pm[vm], (disco_ppn){MAP}));
    self->done[10] += !disco_pmap_access(&pm[vm], at, 1, DISCO_WRITE, here(), mark_piece, NULL);
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
    case 0:
    case 1: drop(); break;
    case 2:
    case 3:
    case 4:
    case 5: lend(); break;
    case 6:
    case 7:
    case 8:
    case 9:
    case 10: move(); break;
    case 11:
    case 12:
    case 13: access(); break;
    case 14:
    case 15: switch_asid(); break;
    case 16:
    case 17:
    case 18:
    case 19:
    case 20:
    case 21:
    case 22:
    case 23: mark(); break;
    case 24:
    case 25: short_life(); break;
    case 26:
    case 27:
    case 28: copies_of_shared(0, meeting); break;
    case 29:
    case 30:
    case 31: row(); break;
    default: look(); break;
    }
}

/* All at once; one of them does it. */
static void set_maps(void)
{
    for (unsigned v = 0; v < VMS; v++) {
        int err = disco_pmap_set_dead(&pm[v], (disco_pa){MAP * DISCO_PAGE_SIZE}, PPNS, here());

        MUST(!err || err == DISCO_ERR_STATE);
        __atomic_fetch_add(&maps, !err, __ATOMIC_RELAXED);
    }
}

static void *run(void *arg)
{
    self = arg;
    mock_cpu = self->id;
    set_maps();
    while (!disco_load(&stop))
        step();
    if (!self->id)
        MUST(!disco_pmap_set_dead(&pm[0], (disco_pa){0}, 0, 0));
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
        .id = v,
        .pages = PPNS + 1,
        .sets = SETS,
        .mm = mm,
        .backend = &m.b,
        .purge = purge,
        .vcpus_on = vcpus_on,
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

/* Counted by looking: no processor's count got lost. */
static uint64_t present(unsigned v)
{
    uint64_t n = 0;

    for (uint64_t p = 0; p < pm[v].pages; p++)
        n += pm[v].entry[p].tlbe != 0;
    return n;
}

static void report(double took)
{
    static const char *const name[] = {
        "loads", "write faults", "stores",       "drops",       "shares",
        "lends", "migrations",   "replications", "look-ups",    "accesses",
        "marks", "collapses",    "remaps",       "short lives", "rows",
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
        const struct disco_pmap_stats s = mock_stats(&pm[v]);

        printf("VM %u: %llu purges (%llu everywhere), %llu + %llu copies, %llu reused,"
               " %llu migrations, %llu replications, %llu collapses, %llu dead\n",
               v, (unsigned long long)s.purges, (unsigned long long)s.everywhere,
               (unsigned long long)s.cow_copies, (unsigned long long)s.net_copies,
               (unsigned long long)s.write_reused, (unsigned long long)s.migrations,
               (unsigned long long)s.replications, (unsigned long long)s.collapses,
               (unsigned long long)s.dead);
        MUST(s.present == present(v));
    }
    MUST(maps == VMS);
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
