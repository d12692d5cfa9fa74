/* SPDX-License-Identifier: BSD-2-Clause */
/* The page-table walker against tables made by hand, and against any registers whatever. */
#include "pure/walk.h"
#include "rng.h"

#define ON (MIPS_PWCTL_EN | MIPS_PWCTL_XU)
#define BASE UINT64_C(0x4000000000100000)

static struct mips_cp0 cp0;
static struct mips_tables t;

/* As Linux sets it up: three levels of 512, entries of which the low 8 bits are software's. */
static void setup(void)
{
    mips_cp0_reset(&cp0, false, 0);
    memset(&t, 0, sizeof t);
    mips_cp0_set(&cp0, MIPS_CP0_PWBASE, BASE);
    mips_cp0_set(&cp0, MIPS_CP0_PWFIELD, UINT64_C(30) << 24 | 12 << 18 | 21 << 12 | 12 << 6 | 8);
    mips_cp0_set(&cp0, MIPS_CP0_PWSIZE, MIPS_PWSIZE_PS | UINT64_C(9) << 24 | 9 << 12 | 9 << 6);
    mips_cp0_set(&cp0, MIPS_CP0_PWCTL, ON);
}

START_TEST(three_levels)
{
    const uint64_t va = UINT64_C(3) << 30 | UINT64_C(5) << 21 | UINT64_C(7) << 12 | 0x123;

    ck_assert(mips_tables_walked(&t, &cp0, va));
    ck_assert_uint_eq(t.last, 2);
    ck_assert_uint_eq(mips_tables_entry(&t, 0, BASE, va), BASE + 3 * 8);
    ck_assert_uint_eq(mips_tables_entry(&t, 1, 0x20000, va), 0x20000 + 5 * 8);
    /* The even page of the pair */
    ck_assert_uint_eq(mips_tables_entry(&t, 2, 0x30000, va), 0x30000 + 6 * 8);
}
END_TEST

START_TEST(one_level_and_four)
{
    const uint64_t va = UINT64_C(0xf) << 36 | UINT64_C(2) << 30;

    mips_cp0_set(&cp0, MIPS_CP0_PWSIZE, UINT64_C(9) << 6); /* PS is 1 all the same */
    ck_assert(mips_tables_walked(&t, &cp0, 0x5000));
    ck_assert_uint_eq(t.last, 0);
    ck_assert_uint_eq(mips_tables_entry(&t, 0, BASE, 0x5000), BASE + 4 * 8);
    mips_cp0_set(&cp0, MIPS_CP0_PWFIELD, UINT64_C(36) << 24 | 30 << 18 | 21 << 12 | 12 << 6);
    mips_cp0_set(&cp0, MIPS_CP0_PWSIZE, UINT64_C(4) << 24 | 6 << 18 | 9 << 12 | 9 << 6);
    ck_assert(mips_tables_walked(&t, &cp0, va));
    ck_assert_uint_eq(t.last, 3);
    ck_assert_uint_eq(mips_tables_entry(&t, 0, BASE, va), BASE + 0xf * 8);
    ck_assert_uint_eq(mips_tables_entry(&t, 1, 0x20000, va), 0x20000 + 2 * 8);
    ck_assert_uint_eq(mips_tables_entry(&t, 3, 0x40000, va), 0x40000);
}
END_TEST

/* The registers lie in a page that the guest writes: what was learnt of them counts only as long as they are the same. */
START_TEST(registers_that_change)
{
    ck_assert(mips_tables_walked(&t, &cp0, 0x5000));
    mips_cp0_set(&cp0, MIPS_CP0_PWFIELD, UINT64_C(30) << 24 | 12 << 18 | 21 << 12 | 13 << 6 | 8);
    ck_assert(mips_tables_walked(&t, &cp0, 0x5000));
    ck_assert_uint_eq(mips_tables_entry(&t, 2, BASE, 0x8000), BASE + 4 * 8);
    mips_cp0_set(&cp0, MIPS_CP0_PWSIZE, 0);
    ck_assert(mips_tables_walked(&t, &cp0, 0x8000));
    ck_assert_uint_eq(t.last, 0);
    ck_assert_uint_eq(mips_tables_entry(&t, 0, BASE, 0x8000), BASE);
}
END_TEST

START_TEST(what_is_walked_for)
{
    static const uint64_t off[] = {0, MIPS_PWCTL_EN, MIPS_PWCTL_XU};
    static const uint64_t not_user[] = {UINT64_C(1) << 40, UINT64_C(1) << 62,
                                        UINT64_C(0xc000000000000000), UINT64_MAX};

    ck_assert(mips_tables_walked(&t, &cp0, (UINT64_C(1) << 40) - 1));
    for (unsigned i = 0; i < 4; i++)
        ck_assert(!mips_tables_walked(&t, &cp0, not_user[i]));
    for (unsigned i = 0; i < 3; i++) {
        mips_cp0_set(&cp0, MIPS_CP0_PWCTL, off[i]);
        ck_assert(!mips_tables_walked(&t, &cp0, 0));
    }
}
END_TEST

/* RI and XI stand below what becomes bit 0; what lies below them is dropped. */
START_TEST(entries)
{
    const uint64_t va = UINT64_C(0x8000007abc);
    struct mips_vtlb_entry e;

    ck_assert(mips_tables_walked(&t, &cp0, va));
    mips_tables_pair(&t, va, UINT64_C(0x1234) << 14 | 7 << 8 | 1 << 7 | 0x3f, 7 << 8 | 1 << 6, &e);
    ck_assert_uint_eq(e.hi, UINT64_C(0x8000006000));
    ck_assert_uint_eq(e.lo0, UINT64_C(1) << 63 | UINT64_C(0x1234) << 6 | 7);
    ck_assert_uint_eq(e.lo1, UINT64_C(1) << 62 | 7);
    ck_assert_uint_eq(e.mask, 0);
    mips_tables_pair(&t, va, 7 << 8, 6 << 8, &e); /* global is a pair that says so twice */
    ck_assert_uint_eq(e.lo0, 6);
    ck_assert_uint_eq(e.lo1, 6);
    mips_tables_pair(&t, va, UINT64_MAX, UINT64_MAX, &e);
    ck_assert_uint_eq(e.lo0, MIPS_ENTRYLO_MASK);
    mips_cp0_set(&cp0, MIPS_CP0_PWFIELD, 0);
    ck_assert(mips_tables_walked(&t, &cp0, 0));
    mips_tables_pair(&t, va, 0x46, 0, &e);
    ck_assert_uint_eq(e.lo0, 0x46);
}
END_TEST

/* Any registers: at most three tables before the last one, words in them, and a pair in legal form. */
START_TEST(anything)
{
    struct rng r = {15};

    for (unsigned i = 0; i < 100000; i++) {
        struct mips_vtlb_entry e;

        mips_cp0_set(&cp0, MIPS_CP0_PWBASE, rng_value(&r));
        mips_cp0_set(&cp0, MIPS_CP0_PWFIELD, rng_value(&r));
        mips_cp0_set(&cp0, MIPS_CP0_PWSIZE, rng_value(&r) & (rng_value(&r) | 0xffff));
        mips_cp0_set(&cp0, MIPS_CP0_PWCTL, rng_value(&r) | ON);
        REQUIRE(mips_tables_walked(&t, &cp0, rng_value(&r) >> 24), "it does not begin");
        REQUIRE(t.last <= 3, "%u tables", t.last);
        for (unsigned level = 0; level <= t.last; level++)
            REQUIRE(!(mips_tables_entry(&t, level, 0, rng_value(&r)) & 7), "level %u", level);
        mips_tables_pair(&t, rng_value(&r), rng_value(&r), rng_value(&r), &e);
        REQUIRE(!((e.lo0 | e.lo1) & ~MIPS_ENTRYLO_MASK) && !((e.lo0 ^ e.lo1) & MIPS_ENTRYLO_G) &&
                    !(e.hi & ~MIPS_ENTRYHI_VPN2),
                "%#lx: %#lx %#lx", (unsigned long)e.hi, (unsigned long)e.lo0, (unsigned long)e.lo1);
    }
}
END_TEST

int main(void)
{
    TCase *c = tcase_create("walk");

    tcase_add_checked_fixture(c, setup, NULL);
    tcase_add_test(c, three_levels);
    tcase_add_test(c, one_level_and_four);
    tcase_add_test(c, registers_that_change);
    tcase_add_test(c, what_is_walked_for);
    tcase_add_test(c, entries);
    tcase_add_test(c, anything);
    return run_case("mips64 walk", c);
}
