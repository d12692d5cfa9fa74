/* SPDX-License-Identifier: BSD-2-Clause */
/* Scatter lists: what is refused, and random lists against a check that adds up in 128 bits. */
#include "../mips64/rng.h"
#include "calls.h"

#define SEGS 8
#define FLAG (UINT64_C(1) << 63)

static const struct disco_segs_limits limits = {SEGS, 3 * DISCO_PAGE_SIZE, 512, FLAG};
static struct disco_io_seg seg[SEGS];
static uint64_t total;

/* The list lies across a page's end, so that reading it takes two pieces. */
static struct disco_buf list_of(const struct disco_io_seg *from, uint32_t n)
{
    struct disco_buf b = {&vm->pmap, {DISCO_PAGE_SIZE - 24}, 8 + n * sizeof *from, 0, DISCO_READ};

    ck_assert_int_eq(disco_pmap_write(&vm->pmap, (disco_pa){b.pa.v + 8}, from, n * sizeof *from, 0),
                     0);
    return b;
}

static int read_list(const struct disco_io_seg *from, uint32_t n)
{
    struct disco_buf b = list_of(from, n);

    total = 77;
    return disco_segs_read(&b, 8, n, &limits, seg, &total);
}

#define READ(...)                                                                                  \
    read_list((const struct disco_io_seg[]){__VA_ARGS__},                                          \
              sizeof((const struct disco_io_seg[]){__VA_ARGS__}) / sizeof(struct disco_io_seg))

START_TEST(good_lists)
{
    ck_assert_int_eq(READ({5, 512}, {0, 0}, {END - 1024, 1024 | FLAG}), 0);
    ck_assert_uint_eq(total, 1536);
    ck_assert_uint_eq(seg[0].pa, 5);
    ck_assert_uint_eq(seg[2].len, 1024 | FLAG);
    ck_assert_int_eq(READ({0, DISCO_PAGE_SIZE}, {0, DISCO_PAGE_SIZE}, {0, DISCO_PAGE_SIZE}), 0);
    ck_assert_uint_eq(total, limits.bytes);
}
END_TEST

/* Without flags: lengths whose sum wraps around. */
START_TEST(a_sum_that_wraps)
{
    const struct disco_segs_limits plain = {SEGS, UINT64_MAX, 1, 0};
    struct disco_io_seg s[] = {{0, 512}, {0, UINT64_MAX - 511}};
    struct disco_buf b = list_of(s, 2);

    ck_assert_int_eq(disco_segs_read(&b, 8, 2, &plain, seg, &total), DISCO_ERR_BAD_ARG);
    s[1].len = UINT64_MAX - 512;
    b = list_of(s, 2);
    ck_assert_int_eq(disco_segs_read(&b, 8, 2, &plain, seg, &total), DISCO_ERR_BAD_ADDRESS);
}
END_TEST

START_TEST(bad_lists)
{
    const struct disco_io_seg many[SEGS + 1] = {{0, 0}};
    struct disco_buf b = list_of(many, SEGS);

    ck_assert_int_eq(read_list(many, SEGS + 1), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(READ({0, 511}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(READ({0, 3 * DISCO_PAGE_SIZE}, {0, 512}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(READ({END - 511, 512}), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(READ({END, 512}), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(READ({UINT64_MAX - 510, 512}), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(disco_segs_read(&b, 8, UINT32_MAX, &limits, seg, &total), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_segs_read(&b, 9, SEGS, &limits, seg, &total), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_segs_read(&b, UINT64_MAX, 1, &limits, seg, &total), DISCO_ERR_BAD_ARG);
    b.access = DISCO_WRITE;
    ck_assert_int_eq(disco_segs_read(&b, 8, 1, &limits, seg, &total), DISCO_ERR_READ_ONLY);
    ck_assert_uint_eq(total, 77);
}
END_TEST

static struct disco_io_seg random_seg(struct rng *rng)
{
    static const uint64_t lens[] = {0, 512, 1024, DISCO_PAGE_SIZE, 100, UINT64_MAX, ~FLAG - 511};
    struct disco_io_seg s;

    s.len = lens[rng_below(rng, rng_below(rng, 4) ? 4 : 7)] | (rng_below(rng, 2) ? FLAG : 0);
    s.pa = rng_below(rng, 16) ? rng_below(rng, END - DISCO_PAGE_SIZE) : rng_next(rng);
    return s;
}

static int expected(const struct disco_io_seg *s, uint32_t n, uint64_t *sum)
{
    unsigned __int128 all = 0;

    for (uint32_t i = 0; i < n; i++) {
        uint64_t len = s[i].len & ~FLAG;

        all += len;
        if (all > limits.bytes || len % 512)
            return DISCO_ERR_BAD_ARG;
        if ((unsigned __int128)s[i].pa + len > UINT64_MAX)
            return DISCO_ERR_OVERFLOW;
        if (s[i].pa + len > END)
            return DISCO_ERR_BAD_ADDRESS;
    }
    *sum = (uint64_t)all;
    return 0;
}

START_TEST(random_lists)
{
    struct rng rng = {11};
    unsigned good = 0;

    for (unsigned i = 0; i < 20000; i++) {
        struct disco_io_seg s[SEGS];
        uint32_t n = (uint32_t)rng_below(&rng, SEGS + 1);
        uint64_t sum = 77;
        int want;

        for (uint32_t k = 0; k < n; k++)
            s[k] = random_seg(&rng);
        want = expected(s, n, &sum);
        ck_assert_int_eq(read_list(s, n), want);
        ck_assert_uint_eq(total, sum);
        ck_assert(want || !memcmp(s, seg, n * sizeof *s));
        good += !want;
    }
    ck_assert_uint_gt(good, 2000);
    ck_assert_uint_lt(good, 18000);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {good_lists, a_sum_that_wraps, bad_lists, random_lists};

    return SUITE_RUN("segs", tests, setup, teardown);
}
