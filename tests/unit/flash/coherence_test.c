/* SPDX-License-Identifier: BSD-2-Clause */
/* Several processors: a store takes the line away from all others. */
#include "machine.h"

START_TEST(loads_share)
{
    for (unsigned cpu = 0; cpu < 4; cpu++)
        load(cpu, 3);
    for (unsigned cpu = 0; cpu < 4; cpu++)
        load(cpu, 3);
    charged(0, 0, 1, 0);
    charged(1, 0, 1, 0);
    charged(2, 0, 0, 1);
    charged(3, 0, 0, 1);
    ck_assert_uint_eq(f.holders[3], 15);
}
END_TEST

START_TEST(store_takes_it_from_the_others)
{
    for (unsigned cpu = 0; cpu < 4; cpu++)
        load(cpu, 3);
    store(1, 3);
    charged(1, 0, 2, 0);
    ck_assert_uint_eq(f.cpu[1].n.upgrades, 1);
    ck_assert_uint_eq(f.holders[3], 2);
    load(0, 3);
    charged(0, 0, 2, 0);
    load(3, 3);
    charged(3, 0, 0, 2);
}
END_TEST

/* First-level caches of code, too. */
START_TEST(store_takes_code_away)
{
    flash_fetch(&f, 0, 3);
    store(2, 3);
    flash_fetch(&f, 0, 3);
    charged(0, 0, 2, 0);
}
END_TEST

START_TEST(what_is_ones_own_is_stored_to_for_nothing)
{
    load(0, 3);
    store(0, 3);
    store(0, 4);
    store(0, 4);
    charged(0, 0, 2, 0);
    ck_assert_uint_eq(f.cpu[0].n.upgrades, 0);
}
END_TEST

START_TEST(load_by_another_ends_that)
{
    store(0, 3);
    load(1, 3);
    store(0, 3);
    charged(0, 0, 2, 0);
    ck_assert_uint_eq(f.cpu[0].n.upgrades, 1);
    load(1, 3);
    charged(1, 0, 2, 0);
}
END_TEST

START_TEST(stores_in_turn_miss_each_time)
{
    for (unsigned i = 0; i < 10; i++) {
        store(0, 3);
        store(2, 3);
    }
    charged(0, 0, 10, 0);
    charged(2, 0, 0, 10);
    ck_assert_uint_eq(f.cpu[0].n.upgrades + f.cpu[2].n.upgrades, 0);
}
END_TEST

START_TEST(who_lost_a_line_is_no_holder)
{
    load(0, 0);
    load(1, 0);
    load(0, 16);
    load(0, 32);
    ck_assert_uint_eq(f.holders[0], 2);
    store(1, 0); /* alone now, but nobody told it */
    ck_assert_uint_eq(f.cpu[1].n.upgrades, 1);
    store(1, 0);
    charged(1, 0, 2, 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {loads_share,
                            store_takes_it_from_the_others,
                            store_takes_code_away,
                            what_is_ones_own_is_stored_to_for_nothing,
                            load_by_another_ends_that,
                            stores_in_turn_miss_each_time,
                            who_lost_a_line_is_no_holder};

    return SUITE_RUN("flash-coherence", tests, setup, teardown);
}
