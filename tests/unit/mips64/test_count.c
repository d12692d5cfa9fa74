/* SPDX-License-Identifier: BSD-2-Clause */
/* Count against a model that really ticks, in time scaled so that 2^32 is passed often. */
#include <stdbool.h>

#include "pure/count.h"
#include "rng.h"

#define TURN ((uint64_t)1 << 32)

START_TEST(reads_and_sets)
{
    struct mips_count c;
    struct rng r = {5};

    for (int i = 0; i < 200000; i++) {
        uint64_t now = rng_value(&r), later = now + rng_value(&r) % (4 * TURN);
        uint32_t value = (uint32_t)rng_value(&r);

        mips_count_init(&c, now, (uint32_t)rng_next(&r));
        if (i & 1) {
            mips_count_set(&c, now, value);
        } else {
            mips_count_init(&c, now, value);
        }
        REQUIRE(mips_count_read(&c, now) == value, "set %u", value);
        REQUIRE(mips_count_read(&c, later) == (uint32_t)(value + (later - now)), "later");
    }
}
END_TEST

/* Step tick by tick around the match. */
START_TEST(ticks_to_match)
{
    static const uint32_t base[] = {0, 1, 0x7ffffff0, 0x80000000, 0xfffffff0, 0xffffffff};

    for (size_t b = 0; b < sizeof base / sizeof base[0]; b++) {
        for (uint32_t delta = 0; delta < 40; delta++) {
            struct mips_count c;
            uint32_t compare = base[b] + delta;
            uint64_t ticks = 0, now = 1000;

            mips_count_init(&c, now, base[b]);
            do {
                ticks++;
            } while (delta != 0 && (uint32_t)(base[b] + ticks) != compare);
            ck_assert_uint_eq(mips_count_until(&c, now, compare), delta == 0 ? TURN : ticks);
            ck_assert_uint_eq(mips_count_until(&c, now + delta, compare), TURN);
            ck_assert_uint_eq(mips_count_until(&c, now + delta + 1, compare), TURN - 1);
        }
    }
}
END_TEST

/* A Compare already in the past does not fire: it is almost a whole turn away. */
START_TEST(past_compare_waits_for_wrap)
{
    struct mips_count c;

    mips_count_init(&c, 500, 100);
    ck_assert_uint_eq(mips_count_until(&c, 500, 99), TURN - 1);
    ck_assert(!mips_count_matched(&c, 500, 500 + TURN - 2, 99));
    ck_assert(mips_count_matched(&c, 500, 500 + TURN - 1, 99));
    ck_assert_uint_eq(mips_count_deadline(&c, 500, 99), 500 + TURN - 1);
}
END_TEST

/* Every partition of an interval reports exactly the matches that ticking would see. */
START_TEST(matches_partition)
{
    struct rng r = {6};

    for (int round = 0; round < 20000; round++) {
        struct mips_count c;
        uint64_t now = rng_value(&r) >> 1, start = now;
        uint32_t first = (uint32_t)rng_value(&r), compare = first + rng_below(&r, 60) - 10;
        unsigned reported = 0, ticked = 0;

        mips_count_init(&c, now, first);
        for (int step = 0; step < 8; step++) {
            uint64_t to = now + rng_below(&r, 12);

            reported += mips_count_matched(&c, now, to, compare);
            now = to;
        }
        for (uint64_t t = start + 1; t <= now; t++) {
            ticked += (uint32_t)(first + (t - start)) == compare;
        }
        REQUIRE(reported == ticked, "%u matches, %u seen by ticking", reported, ticked);
    }
}
END_TEST

START_TEST(long_and_empty_intervals)
{
    struct mips_count c;

    mips_count_init(&c, 0, 0);
    ck_assert(!mips_count_matched(&c, 10, 10, 10));
    ck_assert(!mips_count_matched(&c, 20, 10, 15)); /* time does not run backwards */
    ck_assert(mips_count_matched(&c, 0, TURN, 0));
    ck_assert(!mips_count_matched(&c, 0, TURN - 1, 0));
    ck_assert(mips_count_matched(&c, 7, UINT64_MAX, 3));
}
END_TEST

START_TEST(pause_and_resume)
{
    struct mips_count c;

    mips_count_init(&c, 100, 0xfffffffe);
    mips_count_pause(&c, 101);
    ck_assert_uint_eq(mips_count_read(&c, 5000), 0xffffffff);
    mips_count_pause(&c, 6000);
    ck_assert_uint_eq(mips_count_read(&c, 7000), 0xffffffff);
    ck_assert_uint_eq(mips_count_until(&c, 7000, 0), MIPS_COUNT_NEVER);
    ck_assert_uint_eq(mips_count_deadline(&c, 7000, 0), MIPS_COUNT_NEVER);
    ck_assert(!mips_count_matched(&c, 7000, UINT64_MAX, 0));
    mips_count_resume(&c, 8000);
    mips_count_resume(&c, 8001);
    ck_assert_uint_eq(mips_count_read(&c, 8001), 0);
    ck_assert(mips_count_matched(&c, 8000, 8001, 0));
}
END_TEST

START_TEST(set_while_stopped)
{
    struct mips_count c;

    mips_count_init(&c, 0, 0);
    mips_count_pause(&c, 50);
    mips_count_set(&c, 60, 7);
    ck_assert_uint_eq(mips_count_read(&c, 1000), 7);
    mips_count_resume(&c, 2000);
    ck_assert_uint_eq(mips_count_read(&c, 2003), 10);
}
END_TEST

START_TEST(end_of_time)
{
    struct mips_count c;

    mips_count_init(&c, UINT64_MAX - 5, 10);
    ck_assert_uint_eq(mips_count_deadline(&c, UINT64_MAX - 5, 12), UINT64_MAX - 3);
    ck_assert_uint_eq(mips_count_deadline(&c, UINT64_MAX - 5, 10), MIPS_COUNT_NEVER);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("count");

    tcase_add_test(t, reads_and_sets);
    tcase_add_test(t, ticks_to_match);
    tcase_add_test(t, past_compare_waits_for_wrap);
    tcase_add_test(t, matches_partition);
    tcase_add_test(t, long_and_empty_intervals);
    tcase_add_test(t, pause_and_resume);
    tcase_add_test(t, set_while_stopped);
    tcase_add_test(t, end_of_time);
    return run_case("mips64 count", t);
}
