/* SPDX-License-Identifier: BSD-2-Clause */
/* Modelled time, and the report. */
#define _POSIX_C_SOURCE 200809L
#include <stdlib.h>
#include <string.h>

#include "machine.h"

static void run(unsigned cpu, enum mode mode, uint64_t n)
{
    f.cpu[cpu].mode = mode;
    flash_add(&f.cpu[cpu].n.executed[mode], n);
}

START_TEST(each_thing_has_its_price)
{
    run(0, MODE_USER, 1000);
    load(0, 0);
    flash_fetch(&f, 0, 0);
    load(0, NODE_LINES);
    ck_assert_uint_eq(clock_busy(&f.c, &f.cpu[0].n), 1000 * 2500 + 50000 + 300000 + 900000);
}
END_TEST

START_TEST(charged_to_who_runs)
{
    run(0, MODE_USER, 3);
    load(0, 0);
    run(0, MODE_SUPERVISOR, 4);
    load(0, NODE_LINES);
    ck_assert_uint_eq(f.cpu[0].n.executed[MODE_SUPERVISOR], 4);
    ck_assert_uint_eq(f.cpu[0].n.local[MODE_USER], 1);
    ck_assert_uint_eq(f.cpu[0].n.remote[MODE_SUPERVISOR], 1);
}
END_TEST

START_TEST(who_is_behind_was_idle)
{
    run(0, MODE_USER, 1000);
    run(1, MODE_USER, 400);
    ck_assert_uint_eq(clock_align(&f), 1000 * 2500);
    ck_assert_uint_eq(f.cpu[0].n.idle, 0);
    ck_assert_uint_eq(f.cpu[1].n.idle, 600 * 2500);
    run(1, MODE_USER, 100);
    ck_assert_uint_eq(clock_align(&f), 1100 * 2500);
    ck_assert_uint_eq(f.cpu[0].n.idle, 100 * 2500);
    ck_assert_uint_eq(f.cpu[1].n.idle, 600 * 2500);
}
END_TEST

START_TEST(who_wakes_goes_on_at_the_latest)
{
    run(0, MODE_USER, 1000);
    clock_wake(&f, 1);
    run(1, MODE_USER, 50);
    ck_assert_uint_eq(clock_align(&f), 1050 * 2500);
    ck_assert_uint_eq(f.cpu[2].n.idle, 1050 * 2500);
}
END_TEST

START_TEST(a_mark_notes_down_what_was_before)
{
    run(0, MODE_USER, 10);
    clock_mark(&f, 3, 1);
    run(0, MODE_USER, 10);
    ck_assert_uint_eq(f.marks, 1);
    ck_assert_uint_eq(f.mark[0].cpu, 3);
    ck_assert_uint_eq(f.mark[0].number, 1);
    ck_assert_uint_eq(f.mark[0].n[0].executed[MODE_USER], 10);
    ck_assert_uint_eq(f.mark[0].n[1].idle, 10 * 2500);
}
END_TEST

START_TEST(marks_beyond_the_table_are_counted)
{
    for (unsigned i = 0; i < MAX_MARKS + 2; i++)
        clock_mark(&f, 0, 0);
    ck_assert_uint_eq(f.marks, MAX_MARKS);
    ck_assert_uint_eq(f.marks_lost, 2);
}
END_TEST

START_TEST(the_report_says_it)
{
    char *text = NULL;
    size_t size;
    FILE *out;

    load(0, 0);
    load(0, 1);
    load(0, 2);
    load(0, NODE_LINES);
    run(1, MODE_SUPERVISOR, 480);
    clock_mark(&f, 1, 0);
    out = open_memstream(&text, &size);
    report(&f, "mips64", out);
    fclose(out);
    ck_assert_ptr_nonnull(
        strstr(text, "\"stall_local\": 900, \"stall_remote\": 900, \"idle\": 0, \"all\": 1800}"));
    ck_assert_ptr_nonnull(strstr(text, "\"supervisor\": 1200, \"kernel\": 0, \"stall_local\": 0, "
                                       "\"stall_remote\": 0, \"idle\": 600, \"all\": 1800}"));
    ck_assert_ptr_nonnull(strstr(text, "\"misses\": 4, \"upgrades\": 0, \"local_share\": 0.7500}"));
    free(text);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {each_thing_has_its_price,
                            charged_to_who_runs,
                            who_is_behind_was_idle,
                            who_wakes_goes_on_at_the_latest,
                            a_mark_notes_down_what_was_before,
                            marks_beyond_the_table_are_counted,
                            the_report_says_it};

    return SUITE_RUN("flash-clock", tests, setup, teardown);
}
