/* SPDX-License-Identifier: BSD-2-Clause */
/* One processor: what hits, what misses, what makes room. */
#include "machine.h"

START_TEST(first_access_misses_then_hits)
{
    load(0, 5);
    charged(0, 0, 1, 0);
    load(0, 5);
    store(0, 5);
    load(0, 5);
    charged(0, 0, 1, 0);
}
END_TEST

START_TEST(code_and_data_have_first_levels_of_their_own)
{
    load(0, 5);
    flash_fetch(&f, 0, 5);
    charged(0, 1, 1, 0);
    flash_fetch(&f, 0, 5);
    charged(0, 1, 1, 0);
}
END_TEST

/* Lines 0, 4 and 8 share a first-level set of two ways, but not a second-level one. */
START_TEST(conflict_in_the_first_level)
{
    load(0, 0);
    load(0, 4);
    load(0, 0);
    load(0, 8);
    charged(0, 0, 3, 0);
    load(0, 0);
    charged(0, 0, 3, 0);
    load(0, 4);
    charged(0, 1, 3, 0);
}
END_TEST

/* Lines 0, 16 and 32 share sets of both levels. The second does not see what the first answers: 16 goes. */
START_TEST(conflict_in_the_second_level)
{
    load(0, 0);
    load(0, 16);
    load(0, 32);
    charged(0, 0, 3, 0);
    load(0, 16);
    charged(0, 0, 3, 0);
    load(0, 0);
    charged(0, 0, 4, 0);
    ck_assert_uint_eq(f.holders[16], 0);
    ck_assert_uint_eq(f.holders[32], 1);
}
END_TEST

/* What the second level loses, the first level loses. Line 16 is used in the first level alone. */
START_TEST(first_level_is_part_of_the_second)
{
    load(0, 16);
    load(0, 0);
    load(0, 16);
    load(0, 32);
    charged(0, 0, 3, 0);
    load(0, 16);
    charged(0, 0, 4, 0);
}
END_TEST

START_TEST(remote_is_what_another_node_has)
{
    load(0, NODE_LINES - 1);
    charged(0, 0, 1, 0);
    load(0, NODE_LINES);
    charged(0, 0, 1, 1);
    load(2, NODE_LINES);
    charged(2, 0, 1, 0);
    load(3, 0);
    charged(3, 0, 0, 1);
}
END_TEST

START_TEST(uma_makes_all_local)
{
    struct config c = small_machine();

    c.uma = true;
    teardown();
    start_with(&c);
    load(0, NODE_LINES);
    load(3, 0);
    charged(0, 0, 1, 0);
    charged(3, 0, 1, 0);
}
END_TEST

START_TEST(rest_of_memory_is_the_last_nodes)
{
    struct config c = small_machine();

    c.nodes = 3; /* 5, 5 and 6 pages; processors 0 and 1, 2, 3 */
    teardown();
    start_with(&c);
    ck_assert_uint_eq(node_of(&f, 4), 0);
    ck_assert_uint_eq(node_of(&f, 5), 1);
    ck_assert_uint_eq(node_of(&f, 10), 2);
    ck_assert_uint_eq(node_of(&f, 15), 2);
    for (unsigned cpu = 0; cpu < 4; cpu++)
        ck_assert_uint_eq(f.cpu[cpu].node, cpu * 3 / 4);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {first_access_misses_then_hits,
                            code_and_data_have_first_levels_of_their_own,
                            conflict_in_the_first_level,
                            conflict_in_the_second_level,
                            first_level_is_part_of_the_second,
                            remote_is_what_another_node_has,
                            uma_makes_all_local,
                            rest_of_memory_is_the_last_nodes};

    return SUITE_RUN("flash-cache", tests, setup, teardown);
}
