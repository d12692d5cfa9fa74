/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: many pages shared or dropped with one revocation. */
#include "pmap_fixture.h"

#include <string.h>

#define MANY_PPNS 100
#define CHUNKS 5 /* each holds seven users beyond the first of a page */

static void setup_many(void) { setup_of(180, MANY_PPNS, 40, CHUNKS); }

static disco_mpn lent[8]; /* pages of `other`, with a reference each */

static void lend_pages(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(disco_pmap_lend(&other, ppn(i), 0, DISCO_PMAP_COW, &lent[i]), 0);
}

static void put_pages(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ck_assert_int_eq(disco_memmap_put(mm, lent[i]), 0);
}

static void touch_all(void)
{
    for (uint64_t i = 0; i < MANY_PPNS; i++)
        ck_assert_int_eq(disco_pmap_touch(&pm, ppn(i), 0), 0);
}

#define SHARE(p, reason) disco_pmap_share_many(&pm, p, sizeof(p) / sizeof(p)[0], reason)

START_TEST(one_revocation_in_any_order)
{
    struct disco_pmap_place p[] = {{{30}, {0}, 1}, {{2}, {0}, 1}, {{31}, {0}, 1}, {{7}, {0}, 1}};

    lend_pages(4);
    enter(4, 0, 2, 7);
    enter(6, 1, 30, 3);
    purged.calls = 0;
    for (unsigned i = 0; i < 4; i++)
        p[i].mpn = lent[i];
    SHARE(p, DISCO_PMAP_NET);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, 3); /* there was nothing at 31 */
    ck_assert_uint_eq(purged.ppn.v, 2);
    ck_assert_uint_eq(purged.n, 3);
    ck_assert_uint_eq(purged.word, 0);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(p[i].err, 0);
        ck_assert_uint_eq(mpn_at(&pm, p[i].ppn.v, 0), lent[i].v);
        ck_assert_int_eq(disco_pmap_reason(&pm, p[i].ppn), DISCO_PMAP_NET);
        ck_assert_uint_eq(disco_memmap_refs(mm, lent[i]), 3);
    }
    ck_assert_uint_ne(mpn_at(&pm, 3, 0), lent[0].v);
    put_pages(4);
}
END_TEST

/* Named again it fails, even if it failed the first time. */
START_TEST(a_page_named_twice)
{
    disco_mpn nowhere = {5};
    struct disco_pmap_place p[] = {{{9}, {0}, 1}, {{4}, {0}, 1},   {{9}, {0}, 1},  {{4}, {0}, 1},
                                   {{9}, {0}, 1}, {{200}, {0}, 1}, {{200}, {0}, 1}};

    lend_pages(3);
    p[0].mpn = p[3].mpn = lent[0];
    p[2].mpn = p[4].mpn = lent[1];
    p[5].mpn = p[6].mpn = lent[2];
    p[1].mpn = nowhere;
    SHARE(p, DISCO_PMAP_COW);
    ck_assert_int_eq(p[0].err, 0);
    ck_assert_int_eq(p[1].err, DISCO_ERR_BAD_ARG);
    for (unsigned i = 2; i < 5; i++)
        ck_assert_int_eq(p[i].err, DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(p[5].err, DISCO_ERR_BAD_ADDRESS);
    ck_assert_uint_eq(mpn_at(&pm, 9, 0), lent[0].v);
    ck_assert_uint_eq(disco_memmap_refs(mm, lent[1]), 2);
    ck_assert_int_eq(disco_pmap_translate(&pm, ppn(4), 0, &nowhere), DISCO_ERR_NOT_FOUND);
    put_pages(3);
}
END_TEST

/* Two chunks are left, for fourteen users: the rest fail, and stay as they were. */
START_TEST(failures_in_the_middle)
{
    struct disco_pmap_place p[20];
    struct disco_pmap_entry before[20];

    lend_pages(4);
    for (unsigned i = 1; i < 4; i++)
        ck_assert_int_eq(disco_pmap_share(&other, ppn(40 + i), lent[i], DISCO_PMAP_COW), 0);
    for (unsigned i = 0; i < 20; i++) {
        p[i] = (struct disco_pmap_place){{i}, lent[0], 1};
        ck_assert_int_eq(disco_pmap_touch(&pm, ppn(i), 0), 0);
        before[i] = pm.entry[i];
    }
    p[3].ppn.v = MANY_PPNS;
    p[10].mpn.v = 32 + 180;
    purged.calls = 0;
    SHARE(p, DISCO_PMAP_COW);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, 14);
    for (unsigned i = 0; i < 20; i++) {
        int want = i == 3    ? DISCO_ERR_BAD_ADDRESS
                   : i == 10 ? DISCO_ERR_BAD_ARG
                   : i < 16  ? 0
                             : DISCO_ERR_NO_SPACE;

        ck_assert_int_eq(p[i].err, want);
        if (want)
            ck_assert_mem_eq(&before[i], &pm.entry[i], sizeof before[i]);
        else
            ck_assert_uint_eq(mpn_at(&pm, i, 0), lent[0].v);
    }
    ck_assert_uint_eq(mock_stats(&pm).shared, 14);
    ck_assert_uint_eq(disco_memmap_refs(mm, lent[0]), 16);
    put_pages(4);
}
END_TEST

/* Uses are taken before any is given up, so pages may change places. */
START_TEST(pages_over_themselves_and_each_other)
{
    struct disco_pmap_place p[3];
    disco_mpn own[3];

    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(disco_pmap_write(&pm, disco_ppn_base(ppn(i)), &i, sizeof i, 0), 0);
        ck_assert_int_eq(disco_pmap_lend(&pm, ppn(i), 0, DISCO_PMAP_COW, &own[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        p[i] = (struct disco_pmap_place){{(i + 1) % 2}, own[i], 1};
        if (i == 2)
            p[i].ppn.v = 2;
    }
    SHARE(p, DISCO_PMAP_NET);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(p[i].err, 0);
        ck_assert_uint_eq(mpn_at(&pm, p[i].ppn.v, 0), own[i].v);
        ck_assert_uint_eq(disco_memmap_refs(mm, own[i]), 2);
        ck_assert_int_eq(disco_memmap_put(mm, own[i]), 0);
        ck_assert_mem_eq(mock_page(&m, own[i].v), &i, sizeof i);
    }
}
END_TEST

START_TEST(refused_as_a_whole)
{
    struct disco_pmap_place p[DISCO_PMAP_MANY + 1];

    lend_pages(1);
    for (unsigned i = 0; i <= DISCO_PMAP_MANY; i++)
        p[i] = (struct disco_pmap_place){{i}, lent[0], 1};
    purged.calls = 0;
    SHARE(p, DISCO_PMAP_COW);
    for (unsigned i = 0; i <= DISCO_PMAP_MANY; i++) {
        ck_assert_int_eq(p[i].err, DISCO_ERR_BAD_ARG);
        p[i].err = 1;
    }
    disco_pmap_share_many(&pm, p, 2, DISCO_PMAP_REPLICA);
    ck_assert_int_eq(p[0].err, DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(p[1].err, DISCO_ERR_BAD_ARG);
    disco_pmap_share_many(&pm, p, 0, DISCO_PMAP_COW);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_uint_eq(mock_stats(&pm).present, 0);
    ck_assert_uint_eq(disco_memmap_refs(mm, lent[0]), 2);
    put_pages(1);
}
END_TEST

/* Enter pages 0 .. n - 1, each through @p places pairs of virtual pages. */
static void enter_each(uint64_t n, unsigned places)
{
    for (uint64_t i = 0; i < n; i++) {
        for (unsigned k = 0; k < places; k++)
            enter(2 * (i * places + k), k, i, i);
    }
    purged.calls = 0;
}

START_TEST(as_many_as_there_may_be)
{
    struct disco_pmap_place p[DISCO_PMAP_MANY];

    lend_pages(1);
    enter_each(DISCO_PMAP_MANY, 1);
    for (unsigned i = 0; i < DISCO_PMAP_MANY; i++)
        p[i] = (struct disco_pmap_place){{DISCO_PMAP_MANY - 1 - i}, lent[0], 1};
    SHARE(p, DISCO_PMAP_COW);
    for (unsigned i = 0; i < DISCO_PMAP_MANY; i++)
        ck_assert_int_eq(p[i].err, 0);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, DISCO_PMAP_MANY);
    ck_assert_uint_eq(purged.n, DISCO_PMAP_MANY);
    ck_assert_uint_eq(mock_stats(&pm).shared, DISCO_PMAP_MANY);
    put_pages(1);
}
END_TEST

/* Of each page of `pm`: in how many purges it was named, and at how many of its places, all at once. */
static struct {
    unsigned times, places;
} named[DISCO_PMAP_MANY];
static size_t longest;

static void note(void *ctx, const struct disco_pmap_gone *gone, size_t pages,
                 const struct disco_purge *p, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < pages; i++) {
        ck_assert_uint_eq(pm.entry[gone[i].ppn.v].tlbe, 0);
        named[gone[i].ppn.v].times++;
        for (size_t k = 0; k < n; k++)
            named[gone[i].ppn.v].places +=
                p[k].vpn.v / 4 == gone[i].ppn.v && p[k].vcpus == 1u << p[k].vpn.v / 2 % 2;
    }
    longest = n > longest ? n : longest;
    purged.calls++;
}

/* More places than a purge names: rounds, each with all places of its pages. */
START_TEST(too_many_places_are_rounds)
{
    uint64_t had = 0;

    enter_each(DISCO_PMAP_MANY, 1);
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(0), DISCO_PMAP_MANY, &had), 0);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.n, DISCO_PMAP_MANY);
    enter_each(DISCO_PMAP_MANY, 2);
    pm.purge = note;
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(0), DISCO_PMAP_MANY, &had), 0);
    ck_assert_uint_eq(had, DISCO_PMAP_MANY);
    ck_assert_uint_eq(purged.calls, 2);
    ck_assert_uint_le(longest, 64);
    for (unsigned i = 0; i < DISCO_PMAP_MANY; i++) {
        ck_assert_uint_eq(named[i].times, 1);
        ck_assert_uint_eq(named[i].places, 2);
    }
    ck_assert_uint_eq(mock_stats(&pm).everywhere, 0);
    ck_assert_uint_eq(mock_stats(&pm).purged, 3 * DISCO_PMAP_MANY);
}
END_TEST

START_TEST(dropping_over_many_batches)
{
    uint64_t had = 77;

    touch_all();
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(50)), 0);
    purged.calls = 0;
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(2), 97, &had), 0);
    ck_assert_uint_eq(had, 96);
    ck_assert_uint_eq(purged.calls, 4);
    ck_assert_uint_eq(purged.pages, 1);
    ck_assert_uint_eq(purged.ppn.v, 98);
    ck_assert_uint_eq(mock_stats(&pm).present, 3);
    mpn_at(&pm, 1, 0);
    mpn_at(&pm, 99, 0);
    /* Nothing there: nobody is asked. */
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(2), 97, &had), 0);
    ck_assert_uint_eq(had, 0);
    ck_assert_uint_eq(purged.calls, 4);
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(0), MANY_PPNS, NULL), 0);
    ck_assert_uint_eq(mock_stats(&pm).present, 0);
}
END_TEST

START_TEST(dropping_refuses)
{
    uint64_t had = 77;

    touch_all();
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(MANY_PPNS), 0, &had), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(99), 2, &had), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(1), UINT64_MAX, &had), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(UINT64_MAX), 2, &had), DISCO_ERR_BAD_ADDRESS);
    ck_assert_uint_eq(had, 77);
    ck_assert_uint_eq(mock_stats(&pm).present, MANY_PPNS);
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(99), 0, &had), 0);
    ck_assert_uint_eq(had, 0);
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(99), 1, &had), 0);
    ck_assert_uint_eq(had, 1);
}
END_TEST

/* The other users of dropped pages keep them. */
START_TEST(dropping_shared_pages)
{
    struct disco_pmap_place p[2] = {{{5}, {0}, 1}, {{6}, {0}, 1}};
    uint64_t had = 0;

    lend_pages(2);
    p[0].mpn = lent[0];
    p[1].mpn = lent[1];
    SHARE(p, DISCO_PMAP_COW);
    put_pages(2);
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(0), MANY_PPNS, &had), 0);
    ck_assert_uint_eq(had, 2);
    ck_assert_uint_eq(mock_stats(&pm).shared, 0);
    ck_assert_uint_eq(mpn_at(&other, 0, 0), lent[0].v);
    ck_assert_int_eq(disco_memmap_state(mm, lent[1]), DISCO_PAGE_PRIVATE);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        one_revocation_in_any_order,
        a_page_named_twice,
        failures_in_the_middle,
        pages_over_themselves_and_each_other,
        refused_as_a_whole,
        as_many_as_there_may_be,
        too_many_places_are_rounds,
        dropping_over_many_batches,
        dropping_refuses,
        dropping_shared_pages,
    };

    return SUITE_RUN("pmap_many", tests, setup_many, teardown);
}
