/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program: sorts 32-bit keys, and looks whether they are sorted and still the same.
 *
 *   threads=N   default: as many as there are processors
 *   keys=N      default 262144, or all of the file
 *   file=PATH   little-endian words; without it keys are made from seed=N
 *   bits=N      of a digit, 1 to 16; default 8
 */
#include "sort.h"

#define FEW_KEYS 262144
#define PATH_MOST 128

enum { LOAD, CHECK, PHASES };

static struct radix {
    struct sort sort;
    uint64_t seed, size; /* of the file */
    int file;            /* negative: none */
    char path[PATH_MOST];
    uint32_t *input; /* the file's pages, which stay as they came from the disk */

    struct os_barrier barrier;
    struct os_lock lock; /* of what follows */
    int bad;
    uint64_t sum[PHASES], xored[PHASES], weighed;
    uint64_t time[OS_THREADS][PHASES];
} radix;

/* --- keys, each thread its part --- */

static uint64_t from(unsigned me) { return sort_part(radix.sort.keys, me, radix.sort.threads); }

/* The same keys for the same seed, however many threads make them. */
static uint32_t made_key(uint64_t seed, uint64_t i)
{
    uint64_t x = (seed << 32 | i) + UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(x ^ x >> 31);
}

static uint32_t le32(const uint32_t *word)
{
    const uint8_t *p = (const uint8_t *)word;

    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A thread reads the pages that begin in its part; parts meet within pages. */
static int read_part(unsigned me)
{
    const uint64_t page = OS_PAGE / sizeof(uint32_t);
    uint64_t first = (from(me) + page - 1) / page, end = (from(me + 1) + page - 1) / page;

    if (first == end)
        return 0;
    return os_read(radix.file, first * OS_PAGE, radix.input + first * page,
                   (end - first) * OS_PAGE);
}

static void load(unsigned me)
{
    uint64_t sum = 0, xored = 0;
    int err = radix.file < 0 ? 0 : read_part(me);

    os_barrier(&radix.barrier, radix.sort.threads);
    for (uint64_t i = from(me); i < from(me + 1); i++) {
        uint32_t key = radix.file < 0 ? made_key(radix.seed, i) : le32(&radix.input[i]);

        radix.sort.key[i] = key;
        sum += key;
        xored ^= key;
    }
    os_lock(&radix.lock);
    if (err)
        os_print("radix: %s: %s\n", radix.path, os_error(err));
    radix.bad |= err;
    radix.sum[LOAD] += sum;
    radix.xored[LOAD] ^= xored;
    os_unlock(&radix.lock);
}

static void check(unsigned me)
{
    const uint32_t *key = sort_result(&radix.sort);
    uint64_t sum = 0, xored = 0, weighed = 0;
    int unsorted = 0;

    for (uint64_t i = from(me); i < from(me + 1); i++) {
        unsorted |= i > 0 && key[i - 1] > key[i];
        sum += key[i];
        xored ^= key[i];
        weighed += key[i] * (i + 1);
    }
    os_lock(&radix.lock);
    radix.bad |= unsorted;
    radix.sum[CHECK] += sum;
    radix.xored[CHECK] ^= xored;
    radix.weighed += weighed;
    os_unlock(&radix.lock);
}

/* --- threads --- */

/*
 * The first thread tells who counts instructions where the pieces are; none begins before that, or
 * goes on before the others have ended.
 */
static void piece(unsigned me, void (*work)(unsigned me))
{
    if (me == 0)
        os_mark(0);
    os_barrier(&radix.barrier, radix.sort.threads);
    work(me);
    os_barrier(&radix.barrier, radix.sort.threads);
    if (me == 0)
        os_mark(1);
}

static void timed(unsigned me, int phase, void (*work)(unsigned me))
{
    uint64_t start = os_now();

    work(me);
    radix.time[me][phase] = os_now() - start;
}

static void timed_load(unsigned me) { timed(me, LOAD, load); }
static void timed_check(unsigned me) { timed(me, CHECK, check); }
static void sort(unsigned me) { sort_thread(&radix.sort, me); }

static void thread(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;

    piece(me, timed_load);
    piece(me, sort);
    piece(me, timed_check);
}

/* False if not all could be started. Then some wait at the first barrier for ever. */
static int run(void)
{
    int other[OS_THREADS];

    for (unsigned i = 1; i < radix.sort.threads; i++) {
        other[i] = os_start(thread, (void *)(uintptr_t)i);
        if (other[i] < 0)
            return 0;
    }
    thread(0);
    for (unsigned i = 1; i < radix.sort.threads; i++)
        os_join(other[i]);
    return 1;
}

/* --- before and after --- */

static int failed(const char *what)
{
    os_print("radix: %s\n", what);
    return 1;
}

static int find_keys(void)
{
    uint64_t most = FEW_KEYS;

    radix.file = -1;
    if (os_text("file", radix.path, sizeof radix.path)) {
        radix.file = os_open(radix.path, &radix.size);
        if (radix.file < 0) {
            os_print("radix: %s: %s\n", radix.path, os_error(radix.file));
            return 1;
        }
        most = radix.size / sizeof(uint32_t);
    }
    radix.sort.keys = os_number("keys", most);
    if (radix.sort.keys > UINT32_MAX || (radix.file >= 0 && radix.sort.keys > most))
        return failed("so many keys there are not");
    return 0;
}

static int prepare(void)
{
    struct sort *s = &radix.sort;
    uint64_t bytes;

    radix.seed = os_number("seed", 1);
    s->threads = (unsigned)os_number("threads", os_processors());
    s->bits = (unsigned)os_number("bits", 8);
    if (s->threads < 1 || s->threads > os_processors())
        return failed("threads= must be from 1 to the number of processors");
    if (s->bits < 1 || s->bits > SORT_MOST_BITS)
        return failed("bits= must be from 1 to 16");
    if (find_keys())
        return 1;
    bytes = s->keys * sizeof(uint32_t);
    s->key = os_pages(bytes);
    s->other = os_pages(bytes);
    s->places = os_pages(sort_places(s->threads, s->bits) * sizeof(uint32_t));
    radix.input = radix.file < 0 ? s->key : os_pages(bytes);
    return s->key && s->other && s->places && radix.input ? 0 : failed("too little memory");
}

static void print_row(const char *what, const uint64_t *first, uint64_t stride)
{
    os_print("%12s", what);
    for (unsigned i = 0; i < radix.sort.threads; i++)
        os_print("%10lu", (unsigned long)(first[i * stride] / 1000));
    os_print("\n");
}

/* Microseconds, a column for each thread. */
static void report(void)
{
    static const char *const what[] = {"histogram", "prefix", "permute", "wait"};

    print_row("load", &radix.time[0][LOAD], PHASES);
    for (unsigned i = 0; i < SORT_PHASES; i++)
        print_row(what[i], &radix.sort.time[0][i], SORT_PHASES);
    print_row("check", &radix.time[0][CHECK], PHASES);
}

int program(void)
{
    const uint64_t *sum = radix.sum, *xored = radix.xored;

    if (prepare())
        return 1;
    os_print("radix: %lu keys, threads %lu, bits %lu\n", (unsigned long)radix.sort.keys,
             (unsigned long)radix.sort.threads, (unsigned long)radix.sort.bits);
    if (!run())
        return failed("a thread did not start");
    report();
    if (radix.bad || sum[LOAD] != sum[CHECK] || xored[LOAD] != xored[CHECK])
        return failed("FAILED");
    os_print("radix: sorted, weighed sum %lu\n", (unsigned long)radix.weighed);
    return 0;
}
