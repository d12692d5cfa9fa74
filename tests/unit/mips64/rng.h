/* SPDX-License-Identifier: BSD-2-Clause */
/* Reproducible random numbers and the frame that all MIPS64 tests share. */
#ifndef TESTS_MIPS64_RNG_H
#define TESTS_MIPS64_RNG_H

#include <check.h>
#include <stdint.h>
#include <stdlib.h>

/* ck_assert writes a mark to a pipe each time: too slow for millions of checks. */
#define REQUIRE(condition, ...)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg(__VA_ARGS__);                                                             \
        }                                                                                          \
    } while (0)

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
    return (uint32_t)(rng_next(r) >> 33) % n;
}

static inline void rng_fill(struct rng *r, void *to, size_t size)
{
    unsigned char *bytes = to;

    for (size_t i = 0; i < size; i++) {
        bytes[i] = (unsigned char)rng_next(r);
    }
}

/* Values where sign, width and carry go wrong, mixed with random ones. */
static inline uint64_t rng_value(struct rng *r)
{
    static const uint64_t edge[] = {
        0,
        1,
        2,
        UINT64_MAX,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        0x100000000,
        UINT64_C(0xffffffff80000000),
        UINT64_C(0xffffffff7fffffff),
        UINT64_C(0x7fffffffffffffff),
        UINT64_C(0x8000000000000000),
    };
    uint32_t pick = rng_below(r, 24);

    if (pick < 12) {
        return edge[pick];
    }
    return pick < 16 ? (uint64_t)(int64_t)(int32_t)rng_next(r) : rng_next(r);
}

static inline int run_case(const char *name, TCase *tcase)
{
    Suite *suite = suite_create(name);
    SRunner *runner;
    int failed;

    tcase_set_timeout(tcase, 100);
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
