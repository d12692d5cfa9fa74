/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of pages, and when a page is hot. */
#include <stdlib.h>

#include "machine.h"

#define TRIGGER 8
#define SHARING 2

static struct disco_flash_area *area;
static struct disco_flash_reader reader;

static void open_with(struct config c)
{
    flash_fini(&f);
    c.trigger = TRIGGER;
    c.sharing = SHARING;
    start_with(&c);
    ring_open(&f, area);
    ck_assert_int_eq(disco_flash_attach(&reader, area, disco_flash_size(c.slots)), 0);
}

static void open(void)
{
    area = aligned_alloc(128, disco_flash_size(16));
    setup();
    open_with(small_machine());
}

static void close(void)
{
    teardown();
    free(area);
}

/*
 * `n` misses of one kind on page 9, of a line that nobody else uses: each time two others of the processor's own
 * node, and of the same sets, make it go.
 */
static void misses(unsigned cpu, unsigned n, bool stores)
{
    uint32_t line = 9 * LINES_PER_PAGE + 2 * cpu, other = f.cpu[cpu].node * NODE_LINES + 2 * cpu;

    for (unsigned i = 0; i < n; i++) {
        flash_access(&f, cpu, line, stores);
        load(cpu, other);
        load(cpu, other + 16);
        ck_assert_ptr_null(cache_find(&f.cpu[cpu].second, line));
    }
}

static void none(void)
{
    struct disco_flash_record r;

    ck_assert_int_eq(disco_flash_take(&reader, &r), 0);
}

static struct disco_flash_record one(void)
{
    struct disco_flash_record r;

    ck_assert_int_eq(disco_flash_take(&reader, &r), 1);
    return r;
}

START_TEST(hot_at_the_trigger_and_not_before)
{
    struct disco_flash_record r;

    misses(0, TRIGGER - 1, false);
    none();
    misses(0, 1, false);
    r = one();
    none();
    ck_assert_uint_eq(r.page, 9);
    ck_assert_uint_eq(r.node, 0);
    ck_assert_uint_eq(r.cpu, 0);
    ck_assert_uint_eq(r.misses, TRIGGER);
    ck_assert_uint_eq(r.others + r.writes + r.sharers, 0);
}
END_TEST

/* Page 9 lies on another node; loads of a copy stay at home and heat nothing, stores go where the page is. */
START_TEST(copies_are_near)
{
    enum mode mode = f.cpu[0].mode;
    uint64_t before = f.cpu[0].n.remote[mode], near = f.cpu[0].n.local[mode];

    disco_flash_copied(&reader, 9, 10);
    misses(0, 2 * TRIGGER, false);
    none();
    ck_assert_uint_eq(f.cpu[0].n.remote[mode], before);
    ck_assert_uint_eq(f.cpu[0].n.local[mode] - near, 3 * 2 * TRIGGER);
    misses(0, 1, true);
    ck_assert_uint_eq(f.cpu[0].n.remote[mode], before + 1);
    disco_flash_copied(&reader, 8, 9);
    misses(0, 1, false);
    ck_assert_uint_eq(f.cpu[0].n.remote[mode], before + 2);
}
END_TEST

START_TEST(tells_its_clock)
{
    clock_tell(&f, 1);
    ck_assert_uint_eq(disco_flash_clock(&reader, 1), 0);
    misses(1, 1, false);
    clock_tell(&f, 1);
    ck_assert_uint_eq(disco_flash_clock(&reader, 1), clock_busy(&f.c, &f.cpu[1].n) / 1000);
    ck_assert_uint_gt(disco_flash_clock(&reader, 1), 1000);
    ck_assert_uint_eq(disco_flash_clock(&reader, 0), 0);
    ck_assert_uint_eq(disco_flash_clock(&reader, DISCO_MAX_CPUS), 0);
}
END_TEST

START_TEST(told_again_at_doubles)
{
    for (unsigned n = 1; n <= 4; n *= 2) {
        misses(0, n > 1 ? n / 2 * TRIGGER - 1 : TRIGGER - 1, false);
        none();
        misses(0, 1, false);
        ck_assert_uint_eq(one().misses, n * TRIGGER);
    }
}
END_TEST

START_TEST(processors_of_a_node_count_together)
{
    misses(0, TRIGGER / 2, false);
    misses(1, TRIGGER / 2 - 1, false);
    none();
    misses(1, 1, false);
    ck_assert_uint_eq(one().cpu, 1);
}
END_TEST

START_TEST(the_home_node_counts_but_is_not_told_of)
{
    misses(2, 3 * TRIGGER, false);
    none();
    misses(0, TRIGGER, false);
    ck_assert_uint_eq(one().others, 3 * TRIGGER);
}
END_TEST

START_TEST(others_share_from_the_threshold_on)
{
    misses(2, SHARING - 1, false);
    misses(0, TRIGGER, false);
    ck_assert_uint_eq(one().sharers, 0);
    misses(2, 1, false);
    misses(0, TRIGGER, false);
    ck_assert_uint_eq(one().sharers, 2);
}
END_TEST

START_TEST(stores_of_all_are_counted)
{
    struct disco_flash_record r;

    misses(2, 3, true);
    misses(0, TRIGGER - 2, false);
    misses(0, 2, true);
    r = one();
    ck_assert_uint_eq(r.misses, TRIGGER);
    ck_assert_uint_eq(r.writes, 5);
}
END_TEST

START_TEST(one_in_n_is_counted)
{
    struct config c = small_machine();

    c.sample = 3;
    open_with(c);
    for (unsigned i = 0; i < 3 * TRIGGER - 1; i++)
        load(0, 9 * LINES_PER_PAGE + i);
    none();
    load(0, 9 * LINES_PER_PAGE + 3 * TRIGGER - 1);
    ck_assert_uint_eq(one().misses, TRIGGER);
    charged(0, 0, 0, 3 * TRIGGER);
}
END_TEST

START_TEST(reset_makes_all_counters_zero)
{
    misses(0, TRIGGER - 1, false);
    misses(2, 5, true);
    disco_flash_reset(&reader);
    misses(0, TRIGGER - 1, false);
    none();
    misses(0, 1, false);
    ck_assert_uint_eq(one().writes, 0);
}
END_TEST

START_TEST(the_monitor_sets_the_thresholds)
{
    disco_flash_set(&reader, 3, 1);
    misses(2, 1, false);
    misses(0, 3, false);
    ck_assert_uint_eq(one().sharers, 2);
    disco_flash_set(&reader, 0, 0);
    misses(0, 100, false);
    none();
}
END_TEST

START_TEST(nothing_is_hot_with_uma)
{
    struct config c = small_machine();

    c.uma = true;
    open_with(c);
    misses(0, 3 * TRIGGER, false);
    none();
}
END_TEST

START_TEST(counters_stop)
{
    struct count *n = &f.count[9 * 2];

    n->reads = UINT16_MAX - 1;
    misses(0, 2, false);
    ck_assert_uint_eq(n->reads, UINT16_MAX);
    ck_assert_uint_eq(n->writes, 0);
    disco_flash_set(&reader, UINT16_MAX, 0);
    misses(0, 2, false);
    none();
}
END_TEST

int main(void)
{
    const TTest *tests[] = {hot_at_the_trigger_and_not_before,
                            copies_are_near,
                            tells_its_clock,
                            told_again_at_doubles,
                            processors_of_a_node_count_together,
                            the_home_node_counts_but_is_not_told_of,
                            others_share_from_the_threshold_on,
                            stores_of_all_are_counted,
                            one_in_n_is_counted,
                            reset_makes_all_counters_zero,
                            the_monitor_sets_the_thresholds,
                            nothing_is_hot_with_uma,
                            counters_stop};

    return SUITE_RUN("flash-hot", tests, open, close);
}
