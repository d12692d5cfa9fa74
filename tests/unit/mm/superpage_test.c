/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: superpages, and what takes them apart. */
#include "pmap_fixture.h"

#include <string.h>

#define ROW 4 /* pages of a superpage */
#define RUN 4 /* where one is made, and another: */
#define NEXT 8
#define OUTSIDE 2   /* a page of neither */
#define RUN_PPNS 18 /* half a run at the end */
#define LONG_ROW (2 * ROW)

static disco_mpn row
    [LONG_ROW]; /* machine pages in a row, the first aligned; the tests' own too, until given back */
static bool kept;

/* Pages come one by one: take them until there are enough in a row, and give the others back. */
static void take_row(void)
{
    disco_mpn other[64];
    unsigned others = 0, length = 0;

    while (length < LONG_ROW) {
        disco_mpn mpn;

        ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &mpn), 0);
        if (length ? mpn.v == row[length - 1].v + 1 : mpn.v % ROW == 0) {
            row[length++] = mpn;
        } else {
            while (length)
                other[others++] = row[--length];
            other[others++] = mpn;
        }
    }
    while (others)
        ck_assert_int_eq(disco_memmap_put(mm, other[--others]), 0);
}

static void setup_superpages(void)
{
    setup_nodes(1, NULL, 64, RUN_PPNS);
    m.b.superpage = ROW;
    take_row();
    kept = true;
}

/* From now on each page has the users that it was shared to, and no others. */
static void give_back(void)
{
    for (unsigned i = 0; i < LONG_ROW && kept; i++)
        ck_assert_int_eq(disco_memmap_put(mm, row[i]), 0);
    kept = false;
}

static void teardown_superpages(void)
{
    give_back();
    teardown();
}

static void share_pages(uint64_t first, unsigned from, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(disco_pmap_share(&pm, ppn(first + i), row[from + i], DISCO_PMAP_COW), 0);
}

static int promote(uint64_t first) { return disco_pmap_promote(&pm, ppn(first)); }

static void two_superpages(void)
{
    share_pages(RUN, 0, 2 * ROW);
    ck_assert_int_eq(promote(RUN), 0);
    ck_assert_int_eq(promote(NEXT), 0);
    ck_assert_uint_eq(mock_stats(&pm).promoted, 2);
    memset(&purged, 0, sizeof purged);
}

/* Shared, unchanged since, and marked or not. */
static void must_be(uint64_t first, unsigned n, bool marked)
{
    for (uint64_t p = first; p < first + n; p++) {
        disco_tlbe word =
            mock_tlbe(row[p - RUN].v, DISCO_READ | DISCO_EXEC | (marked ? DISCO_SUPERPAGE : 0));

        ck_assert_uint_eq(pm.entry[p].tlbe, word);
    }
}

/* --- promotion --- */

/* @p first is refused, and nothing has changed; not even an entry stays locked. */
static void refuse(uint64_t first, int err)
{
    struct disco_pmap_entry before[RUN_PPNS];

    memcpy(before, pm.entry, sizeof before);
    ck_assert_int_eq(promote(first), err);
    ck_assert_mem_eq(pm.entry, before, sizeof before);
    ck_assert_uint_eq(mock_stats(&pm).promoted, 0);
}

START_TEST(of_such_a_backend)
{
    share_pages(RUN, 0, ROW);
    m.b.superpage = 0;
    refuse(RUN, DISCO_ERR_UNSUPPORTED);
    m.b.superpage = ROW;
    m.b.nodes = 2;
    refuse(RUN, DISCO_ERR_UNSUPPORTED);
    m.b.nodes = 1;
    ck_assert_int_eq(promote(RUN), 0);
}
END_TEST

START_TEST(where_pages_can_be)
{
    share_pages(RUN, 0, 2 * ROW);
    for (uint64_t p = RUN + 1; p < RUN + ROW; p++)
        refuse(p, DISCO_ERR_BAD_ARG);
    refuse(RUN_PPNS / ROW * ROW, DISCO_ERR_BAD_ADDRESS);
    refuse(RUN_PPNS / ROW * ROW + ROW, DISCO_ERR_BAD_ADDRESS);
    refuse(UINT64_MAX / ROW * ROW, DISCO_ERR_BAD_ADDRESS);
    refuse(0, DISCO_ERR_STATE); /* nothing is there */
}
END_TEST

/* One page of them, whichever, that is not there, writable, or another than its place says. */
START_TEST(of_pages_that_are_alike)
{
    uint64_t odd = RUN + (uint64_t)_i;

    share_pages(RUN, 0, ROW);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(odd)), 0);
    refuse(RUN, DISCO_ERR_STATE);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(odd), 0), 0);
    refuse(RUN, DISCO_ERR_STATE);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(odd), row[ROW + _i], DISCO_PMAP_COW), 0);
    refuse(RUN, DISCO_ERR_STATE);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(odd), row[_i], DISCO_PMAP_NET), 0);
    ck_assert_int_eq(promote(RUN), 0);
}
END_TEST

/* The right machine page, for this VM alone. */
START_TEST(of_no_writable_page)
{
    share_pages(RUN, 0, ROW);
    give_back();
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(RUN + (uint64_t)_i), 0), 0);
    ck_assert_uint_eq(mpn_at(&pm, RUN + (uint64_t)_i, 0), row[_i].v);
    refuse(RUN, DISCO_ERR_STATE);
}
END_TEST

START_TEST(of_aligned_machine_pages)
{
    for (unsigned from = 1; from < ROW; from++) {
        share_pages(RUN, from, ROW);
        refuse(RUN, DISCO_ERR_STATE);
    }
    share_pages(RUN, ROW, ROW);
    ck_assert_int_eq(promote(RUN), 0);
}
END_TEST

START_TEST(once)
{
    two_superpages();
    ck_assert_int_eq(promote(RUN), DISCO_ERR_STATE);
    ck_assert_uint_eq(mock_stats(&pm).promoted, 2);
    must_be(RUN, 2 * ROW, true);
}
END_TEST

/* The words are marked; nobody who asks for a page finds anything else than before. */
START_TEST(pages_stay_pages)
{
    two_superpages();
    must_be(RUN, 2 * ROW, true);
    for (uint64_t p = RUN; p < RUN + 2 * ROW; p += 2) {
        struct disco_pmap_pair pair = enter(p, 0, p, p + 1);

        for (uint64_t i = 0; i < 2; i++) {
            ck_assert_uint_eq(mpn_at(&pm, p + i, 0), row[p + i - RUN].v);
            ck_assert_int_eq(disco_pmap_reason(&pm, ppn(p + i)), DISCO_PMAP_COW);
            ck_assert_uint_eq(pair.e[i], mock_tlbe(row[p + i - RUN].v, DISCO_READ | DISCO_EXEC));
        }
    }
    must_be(RUN, 2 * ROW, true);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_uint_eq(mock_stats(&pm).demoted, 0);
    ck_assert_uint_eq(mock_stats(&pm).shared, 2 * ROW);
}
END_TEST

/* --- demotion --- */

/* What can happen to a page; each is one revocation at most. */
static void fault(uint64_t p) { ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(p), 0), 0); }

static void take_over(uint64_t p)
{
    give_back();
    fault(p);
    ck_assert_uint_eq(mock_stats(&pm).write_reused, 1);
}

static void device_writes(uint64_t p)
{
    ck_assert_int_eq(disco_pmap_write(&pm, disco_ppn_base(ppn(p)), "x", 1, 0), 0);
}

static void drop(uint64_t p) { ck_assert_int_eq(disco_pmap_drop(&pm, ppn(p)), 0); }
static void zero(uint64_t p) { ck_assert_int_eq(disco_pmap_zero(&pm, ppn(p)), 0); }

static void share_over(uint64_t p)
{
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(p), row[LONG_ROW - 1 - (p - RUN)], DISCO_PMAP_NET),
                     0);
}

static void map_dead(uint64_t p)
{
    ck_assert_int_eq(disco_pmap_set_dead(&pm, disco_ppn_base(ppn(p)), 1, 0), 0);
}

/* The page stays: so do its translations. */
static void lend(uint64_t p)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(p), 0, DISCO_PMAP_NET, &mpn), 0);
    ck_assert_uint_eq(mpn.v, row[p - RUN].v);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
}

static void remap(uint64_t p)
{
    struct disco_pmap_move move = {ppn(p), 0, DISCO_PMAP_REMAP, 1};

    disco_pmap_move_many(&pm, &move, 1);
    ck_assert_int_eq(move.err, 0);
}

static const struct {
    void (*happens)(uint64_t p);
    unsigned purges;
    bool stays;
} change[] = {
    {fault, 1, false},    {take_over, 1, false}, {device_writes, 1, false},
    {drop, 1, false},     {zero, 1, false},      {share_over, 1, false},
    {map_dead, 1, false}, {lend, 0, true},       {remap, 1, true},
};
#define CHANGES (sizeof change / sizeof change[0])

/* All but page @p p are right, and alone from now on; nobody was asked to forget a page while there were marks. */
static void must_be_demoted(uint64_t p, bool stays)
{
    must_be(RUN, (unsigned)(p - RUN), false);
    must_be(p + 1, (unsigned)(RUN + ROW - 1 - p), false);
    must_be(NEXT, ROW, true);
    if (stays)
        must_be(p, 1, false);
    else
        ck_assert_uint_ne(pm.entry[p].tlbe, mock_tlbe(row[p - RUN].v, DISCO_READ | DISCO_EXEC));
    ck_assert(!mock_is_marked(pm.entry[p].tlbe));
    ck_assert_uint_eq(purged.marked, purged.calls * ROW);
    ck_assert_uint_eq(mock_stats(&pm).demoted, 1);
}

START_TEST(each_change_demotes)
{
    unsigned what = (unsigned)_i / ROW;
    uint64_t p = RUN + (unsigned)_i % ROW, other = RUN + ((unsigned)_i + 1) % ROW;

    two_superpages();
    change[what].happens(p);
    ck_assert_uint_eq(purged.calls, change[what].purges);
    must_be_demoted(p, change[what].stays);
    drop(other); /* of what is no superpage any more */
    ck_assert_uint_eq(mock_stats(&pm).demoted, 1);
    must_be(NEXT, ROW, true);
}
END_TEST

/* Several pages in one revocation, of one superpage or of both. */
START_TEST(many_at_once)
{
    two_superpages();
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(RUN + 1), 2, NULL), 0);
    ck_assert_uint_eq(mock_stats(&pm).demoted, 1);
    must_be(RUN, 1, false);
    must_be(RUN + 3, 1, false);
    must_be(NEXT, ROW, true);
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(RUN + 3), 2, NULL), 0);
    ck_assert_uint_eq(mock_stats(&pm).demoted, 2);
    must_be(NEXT + 1, ROW - 1, false);
    ck_assert_uint_eq(purged.calls, 2);
    ck_assert_uint_eq(purged.marked, ROW); /* the second superpage, by the first purge */
}
END_TEST

START_TEST(others_do_not)
{
    two_superpages();
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(OUTSIDE), 0), 0);
    for (unsigned i = 0; i < 2; i++) {
        device_writes(OUTSIDE);
        drop(OUTSIDE);
        drop(NEXT + ROW + i);
        ck_assert_int_eq(disco_pmap_touch(&pm, ppn(RUN + i), 0), 0);
    }
    ck_assert_int_eq(disco_pmap_share(&other, ppn(RUN), row[0], DISCO_PMAP_COW), 0);
    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(RUN), 0), 0);
    must_be(RUN, 2 * ROW, true);
    ck_assert_uint_eq(mock_stats(&pm).demoted, 0);
}
END_TEST

/* Demoted, and made whole again: it is one again. */
START_TEST(again)
{
    two_superpages();
    drop(RUN + 2);
    ck_assert_int_eq(promote(RUN), DISCO_ERR_STATE);
    share_pages(RUN + 2, 2, 1);
    ck_assert_int_eq(promote(RUN), 0);
    must_be(RUN, 2 * ROW, true);
    ck_assert_uint_eq(mock_stats(&pm).promoted, 3);
    fault(RUN);
    ck_assert_uint_eq(mock_stats(&pm).demoted, 2);
}
END_TEST

/* The pages of marked words come back, too: teardown() counts them. */
START_TEST(at_the_end)
{
    two_superpages();
    give_back();
    disco_pmap_fini(&pm);
    for (unsigned i = 0; i < LONG_ROW; i++)
        ck_assert_uint_eq(disco_memmap_refs(mm, row[i]), 0);
    ck_assert_uint_eq(purged.calls, 0);
}
END_TEST

int main(void)
{
    static const struct {
        const TTest *const *test;
        int times;
    } tests[] = {
        {&of_such_a_backend, 1},
        {&where_pages_can_be, 1},
        {&of_pages_that_are_alike, ROW},
        {&of_no_writable_page, ROW},
        {&of_aligned_machine_pages, 1},
        {&once, 1},
        {&pages_stay_pages, 1},
        {&each_change_demotes, CHANGES * ROW},
        {&many_at_once, 1},
        {&others_do_not, 1},
        {&again, 1},
        {&at_the_end, 1},
    };
    TCase *c = tcase_create("superpage");

    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tcase_add_loop_test(c, *tests[i].test, 0, tests[i].times);
    tcase_add_checked_fixture(c, setup_superpages, teardown_superpages);
    return suite_finish("superpage", c);
}
