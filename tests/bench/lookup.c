/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a look-up costs: l2tlb and pmap over 256 MiB of guest memory, mapped page by page to
 * machine pages in shuffled order, so that nothing about the map is linear. lookup.py runs this,
 * and the same loop over vm-memory, and prints them side by side.
 *
 *   lookup loop|l2tlb|pmap random|sequential COUNT time|steps
 *
 * `time` prints nanoseconds per look-up, the best of five runs; `steps` does the look-ups once,
 * between two SIGUSR1, for steps.c to count the instructions. `loop` is the loop without a look-up.
 */
#define _POSIX_C_SOURCE 200809L
#include <disco/l2tlb.h>
#include <disco/pmap.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGES UINT64_C(65536) /* 256 MiB */
#define SETS (PAGES / 2)      /* room for every pair: each look-up finds something */
#define BASE UINT64_C(0x7f0000000000)

static struct disco_pmap pm;
static struct disco_l2tlb tlb;

/* --- a backend for look-ups: there is no memory behind the pages --- */

static disco_tlbe make(disco_mpn mpn, unsigned rights) { return mpn.v << 8 | 0x80 | rights; }
static disco_tlbe merge(disco_tlbe guest, disco_tlbe monitor) { return monitor & (guest | ~7ull); }
static disco_mpn mpn_of(disco_tlbe e) { return (disco_mpn){e >> 8}; }
static void *page(struct disco_backend *b, disco_mpn mpn) { return (void)b, (void)mpn, NULL; }
static void zero(struct disco_backend *b, disco_mpn mpn) { (void)b, (void)mpn; }
static void copy(struct disco_backend *b, disco_mpn to, disco_mpn from)
{
    (void)b, (void)to, (void)from;
}
static unsigned cpu(struct disco_backend *b) { return (void)b, 0; }
static void relax(struct disco_backend *b) { (void)b; }

static const struct disco_backend_ops ops = {
    .name = "bench",
    .tlbe_make = make,
    .tlbe_merge = merge,
    .tlbe_mpn = mpn_of,
    .page = page,
    .page_zero = zero,
    .page_copy = copy,
    .cpu = cpu,
    .relax = relax,
};
static struct disco_backend backend = {.ops = &ops, .cpus = 1, .nodes = 1};

static void must(int err, const char *what)
{
    if (err) {
        fprintf(stderr, "lookup: %s: %s\n", what, disco_strerror(err));
        exit(EXIT_FAILURE);
    }
}

static void *storage(size_t size)
{
    void *p = aligned_alloc(DISCO_CACHE_LINE,
                            (size + DISCO_CACHE_LINE - 1) / DISCO_CACHE_LINE * DISCO_CACHE_LINE);

    must(p ? 0 : DISCO_ERR_NO_SPACE, "storage");
    return p;
}

static void map_everything(void)
{
    struct disco_memmap_config mc = {.backend = &backend, .pages = PAGES, .nodes = 1};
    struct disco_pmap_config pc = {.pages = PAGES, .sets = 0, .backend = &backend};
    struct disco_memmap *mm;

    must(disco_memmap_init(&mm, storage(disco_memmap_size(&mc)), disco_memmap_size(&mc), &mc),
         "memmap");
    must(disco_memmap_add(mm, (disco_mpn){0}, PAGES, 0, false), "add");
    pc.mm = mm;
    must(disco_pmap_init(&pm, storage(disco_pmap_size(&pc)), disco_pmap_size(&pc), &pc), "pmap");
    must(disco_l2tlb_init(&tlb, storage(disco_l2tlb_size(SETS, 64)), disco_l2tlb_size(SETS, 64),
                          SETS, 64, UINT64_C(0xffffffe000)),
         "l2tlb");
    for (uint64_t i = 0; i < PAGES; i++)
        must(disco_pmap_touch(&pm, (disco_ppn){i * 40503 % PAGES}, 0), "touch");
    for (uint64_t i = 0; i < PAGES; i += 2) {
        struct disco_guest_map g = {
            .pair = {i},
            .ppn = {{i}, {i + 1}},
            .want = {make((disco_mpn){0}, 7), make((disco_mpn){0}, 7)},
        };
        struct disco_pmap_pair p = {.m = &g, .record = true};

        disco_pmap_enter(&pm, &p);
        must(disco_l2tlb_insert(&tlb, disco_vpn_base(g.pair), 1, false, p.e, 0), "insert");
        disco_pmap_leave(&pm, &p);
    }
}

/* --- the loops; the sum of all addresses keeps the compiler honest --- */

static uint64_t next_address(uint64_t *s, bool random)
{
    if (!random)
        return (*s += DISCO_PAGE_SIZE + 64) % (PAGES * DISCO_PAGE_SIZE);
    *s = *s * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *s >> 36;
}

static uint64_t loop_only(uint64_t count, bool random)
{
    uint64_t s = 1, sum = 0;

    while (count--)
        sum ^= BASE + next_address(&s, random);
    return sum;
}

static uint64_t loop_pmap(uint64_t count, bool random)
{
    uint64_t s = 1, sum = 0;

    while (count--) {
        uint64_t a = next_address(&s, random);
        disco_mpn mpn = {0};

        if (disco_pmap_translate(&pm, (disco_ppn){a >> DISCO_PAGE_SHIFT}, 0, &mpn))
            abort();
        sum ^= BASE + (mpn.v << DISCO_PAGE_SHIFT) + (a & DISCO_PAGE_MASK);
    }
    return sum;
}

static uint64_t loop_l2tlb(uint64_t count, bool random)
{
    uint64_t s = 1, sum = 0;

    while (count--) {
        uint64_t a = next_address(&s, random);
        const struct disco_l2tlb_entry *e = disco_l2tlb_lookup(&tlb, (disco_va){a}, 1);

        if (!e)
            abort();
        sum ^= BASE + (e->e[a >> DISCO_PAGE_SHIFT & 1] >> 8 << DISCO_PAGE_SHIFT) +
               (a & DISCO_PAGE_MASK);
    }
    return sum;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); /* others may use the machine too */
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void run_timed(uint64_t (*loop)(uint64_t, bool), uint64_t count, bool random)
{
    double best = 1e300;
    uint64_t sum = 0;

    for (unsigned i = 0; i < 5; i++) {
        double start = now(), took;

        sum ^= loop(count, random);
        took = (now() - start) / (double)count;
        best = took < best ? took : best;
    }
    printf("%.3f %llx\n", best, (unsigned long long)sum);
}

int main(int argc, char **argv)
{
    uint64_t (*loop)(uint64_t, bool);
    uint64_t count, sum;
    bool random;

    if (argc != 5) {
        fprintf(stderr, "usage: lookup loop|l2tlb|pmap random|sequential COUNT time|steps\n");
        return EXIT_FAILURE;
    }
    map_everything();
    loop = !strcmp(argv[1], "pmap")    ? loop_pmap
           : !strcmp(argv[1], "l2tlb") ? loop_l2tlb
                                       : loop_only;
    random = !strcmp(argv[2], "random");
    count = strtoull(argv[3], NULL, 10);
    if (!strcmp(argv[4], "time")) {
        run_timed(loop, count, random);
        return EXIT_SUCCESS;
    }
    raise(SIGUSR1);
    sum = loop(count, random);
    raise(SIGUSR1);
    return sum == 1;
}
