/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: pages whose contents the guest has no use for. */
#include "pmap_fixture.h"

#include <string.h>

#define DEAD_PPNS 5000 /* a map of all takes two pages */
#define MAP 100        /* where most tests have it */
#define ALL DEAD_PPNS

static void setup_dead(void) { setup_of(40, DEAD_PPNS, 4, 4); }

static int set_dead(uint64_t page, uint64_t len)
{
    return disco_pmap_set_dead(&pm, disco_ppn_base(ppn(page)), len, 0);
}

/* The guest marks @p of, wherever it has its map at @p page now. */
static void mark(uint64_t page, uint64_t of)
{
    disco_pa at = {disco_ppn_base(ppn(page)).v + of};

    ck_assert_int_eq(disco_pmap_write(&pm, at, "\1", 1, 0), 0);
}

static uint8_t marked(uint64_t page, uint64_t of)
{
    disco_pa at = {disco_ppn_base(ppn(page)).v + of};
    uint8_t byte = 99;

    ck_assert_int_eq(disco_pmap_read(&pm, at, &byte, 1, 0), 0);
    return byte;
}

/* A page of `other` with a text, shared to @p to; both have it, and nobody else. */
static disco_mpn get_shared(uint64_t to, enum disco_pmap_reason reason)
{
    disco_mpn mpn = {0};

    ck_assert_int_eq(disco_pmap_write(&other, (disco_pa){0}, "useful", 6, 0), 0);
    ck_assert_int_eq(disco_pmap_lend(&other, ppn(0), 0, reason, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(to), mpn, reason), 0);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
    return mpn;
}

static void expect_text(struct disco_pmap *of, uint64_t at, const char *want)
{
    char text[7] = "";

    ck_assert_int_eq(disco_pmap_read(of, disco_ppn_base(ppn(at)), text, 6, 0), 0);
    ck_assert_str_eq(text, want);
}

START_TEST(a_dead_page_is_zeroed_not_copied)
{
    const enum disco_pmap_reason reason[] = {DISCO_PMAP_COW, DISCO_PMAP_NET};

    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    for (unsigned i = 0; i < 2; i++) {
        uint64_t zeroed, copied = m.copied;

        get_shared(4500, reason[i]);
        mark(MAP, 4500);
        zeroed = m.zeroed;
        enter(6, 0, 4500, 0);
        purged.calls = 0;
        ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(4500), 0), 0);
        ck_assert_uint_eq(purged.calls, 1);
        ck_assert_uint_eq(m.copied, copied);
        ck_assert_uint_gt(m.zeroed, zeroed);
        ck_assert_uint_eq(mock_stats(&pm).dead, i + 1);
        expect_text(&pm, 4500, "");
        expect_text(&other, 0, "useful");
    }
    ck_assert_uint_eq(mock_stats(&pm).cow_copies + mock_stats(&pm).net_copies, 0);
}
END_TEST

START_TEST(an_unmarked_page_is_copied)
{
    ck_assert_int_eq(set_dead(MAP, 10), 0);
    get_shared(9, DISCO_PMAP_COW);
    mark(MAP, 8);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(9), 0), 0);
    expect_text(&pm, 9, "useful");
    /* The map ends before this one's byte. */
    get_shared(10, DISCO_PMAP_COW);
    mark(MAP, 10);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(10), 0), 0);
    expect_text(&pm, 10, "useful");
    ck_assert_uint_eq(mock_stats(&pm).cow_copies, 2);
    ck_assert_uint_eq(mock_stats(&pm).dead, 0);
}
END_TEST

/* The last user takes the page as it is, which costs nothing. */
START_TEST(the_last_user_of_a_dead_page)
{
    disco_mpn mpn = {0};

    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    mpn = get_shared(3, DISCO_PMAP_COW);
    ck_assert_int_eq(disco_pmap_drop(&other, ppn(0)), 0);
    mark(MAP, 3);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(3), 0), 0);
    ck_assert_uint_eq(mpn_at(&pm, 3, 0), mpn.v);
    ck_assert_uint_eq(mock_stats(&pm).dead, 0);
    ck_assert_uint_eq(mock_stats(&pm).write_reused, 1);
}
END_TEST

START_TEST(sharing_clears_the_mark)
{
    disco_mpn mpn;

    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    mark(MAP, 3);
    mark(MAP, 4);
    get_shared(3, DISCO_PMAP_NET);
    ck_assert_uint_eq(marked(MAP, 3), 0);
    ck_assert_uint_eq(marked(MAP, 4), 1);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(3), 0), 0);
    expect_text(&pm, 3, "useful");
    mark(MAP, 3);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(3), 0, DISCO_PMAP_NET, &mpn), 0);
    ck_assert_uint_eq(marked(MAP, 3), 0);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
    /* A share that fails leaves it. */
    mark(MAP, 3);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(3), (disco_mpn){5}, DISCO_PMAP_NET),
                     DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(marked(MAP, 3), 1);
}
END_TEST

/* A replica of a dead page: the mark stays, and the others keep page and replica. */
START_TEST(a_dead_page_with_a_replica)
{
    disco_mpn mpn = {0};

    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    mpn = get_shared(3, DISCO_PMAP_COW);
    mark(MAP, 3);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(3), 1), 0);
    ck_assert_uint_eq(marked(MAP, 3), 1);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(3), 1), 0);
    ck_assert_uint_eq(mock_stats(&pm).dead, 1);
    expect_text(&pm, 3, "");
    expect_text(&other, 0, "useful");
    ck_assert_uint_ne(mpn_at(&other, 0, 1), mpn.v);
    ck_assert_mem_eq(mock_page(&m, mpn_at(&other, 0, 1)), "useful", 6);
}
END_TEST

START_TEST(refused_maps)
{
    ck_assert_int_eq(disco_pmap_set_dead(&pm, (disco_pa){8}, 10, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(set_dead(0, ALL + 1), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(set_dead(ALL, 1), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(set_dead(ALL - 1, ALL), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_set_dead(&pm, (disco_pa){UINT64_MAX - 4095}, ALL, 0),
                     DISCO_ERR_OVERFLOW);
    ck_assert_uint_eq(mock_stats(&pm).present, 0);
    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    ck_assert_int_eq(set_dead(MAP, ALL), DISCO_ERR_STATE);
    ck_assert_uint_eq(mock_stats(&pm).present, 2);
    ck_assert_int_eq(set_dead(MAP, 0), 0);
    ck_assert_int_eq(set_dead(MAP, ALL), DISCO_ERR_STATE);
}
END_TEST

/* Off before it was ever on: then it never will be. */
START_TEST(turned_off_first)
{
    ck_assert_int_eq(disco_pmap_set_dead(&pm, (disco_pa){UINT64_MAX}, 0, 0), 0);
    ck_assert_int_eq(set_dead(MAP, ALL), DISCO_ERR_STATE);
    ck_assert_uint_eq(mock_stats(&pm).present, 0);
}
END_TEST

/* One page of the map comes, the other does not: nobody refers to the first any more. */
START_TEST(no_memory_for_the_map)
{
    disco_mpn spare = {0};

    ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_PRIVATE, &spare), 0);
    fill_memory();
    ck_assert_int_eq(disco_memmap_put(mm, spare), 0);
    ck_assert_int_eq(set_dead(MAP, ALL), DISCO_ERR_NO_MEMORY);
    ck_assert_uint_eq(disco_memmap_refs(mm, spare), 1);
    empty_memory();
    ck_assert_int_eq(set_dead(MAP, ALL), DISCO_ERR_STATE);
    get_shared(3, DISCO_PMAP_COW);
    mark(MAP, 3);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(3), 0), 0);
    expect_text(&pm, 3, "useful");
    /* And the page that came is one like any other. */
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(MAP), 0, DISCO_PMAP_COW, &spare), 0);
    ck_assert_uint_eq(spare.v, mpn_at(&pm, MAP, 0));
    ck_assert_int_eq(disco_memmap_put(mm, spare), 0);
}
END_TEST

START_TEST(turned_off)
{
    uint64_t map;

    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    map = mpn_at(&pm, MAP, 0);
    get_shared(3, DISCO_PMAP_COW);
    mark(MAP, 3);
    ck_assert_int_eq(set_dead(MAP, 0), 0);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(3), 0), 0);
    expect_text(&pm, 3, "useful");
    get_shared(3, DISCO_PMAP_COW);
    ck_assert_uint_eq(marked(MAP, 3), 1);
    /* Kept until the end: somebody may have looked before it was off. */
    ck_assert_uint_eq(disco_memmap_refs(mm, (disco_mpn){map}), 2);
}
END_TEST

/* The guest gives the map back: it writes to other pages from then on, which tell nothing. */
START_TEST(the_map_is_given_back)
{
    disco_mpn map;

    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    map.v = mpn_at(&pm, MAP, 0);
    mark(MAP, 4);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(MAP)), 0);
    ck_assert_int_eq(disco_memmap_state(mm, map), DISCO_PAGE_MONITOR);
    get_shared(3, DISCO_PMAP_COW);
    mark(MAP, 3);
    ck_assert_uint_ne(mpn_at(&pm, MAP, 0), map.v);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(3), 0), 0);
    expect_text(&pm, 3, "useful");
    ck_assert_uint_eq(mock_page(&m, map.v)[4], 1);
}
END_TEST

/* Something else is mapped where the map was: the monitor goes on with the pages it has. */
START_TEST(the_map_is_shared_over)
{
    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    get_shared(MAP, DISCO_PMAP_COW);
    expect_text(&pm, MAP, "useful");
    expect_text(&other, 0, "useful");
    for (uint64_t i = 0; i < 6; i++)
        get_shared(i, DISCO_PMAP_NET);
    expect_text(&pm, MAP, "useful");
    expect_text(&other, 0, "useful");
}
END_TEST

/* Others get a copy: what the monitor clears from then on is not in their page. */
START_TEST(the_map_is_lent)
{
    uint64_t map;
    disco_mpn got = {0};

    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    map = mpn_at(&pm, MAP, 0);
    mark(MAP, 3);
    enter(6, 0, MAP, 0);
    purged.calls = 0;
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(MAP), 0, DISCO_PMAP_NET, &got), 0);
    ck_assert_uint_ne(got.v, map);
    ck_assert_uint_eq(mpn_at(&pm, MAP, 0), map);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(MAP)), DISCO_PMAP_WRITABLE);
    ck_assert_int_eq(disco_pmap_share(&other, ppn(9), got, DISCO_PMAP_NET), 0);
    ck_assert_int_eq(disco_memmap_put(mm, got), 0);
    get_shared(3, DISCO_PMAP_COW);
    ck_assert_uint_eq(mock_page(&m, map)[3], 0);
    ck_assert_uint_eq(mock_page(&m, mpn_at(&other, 9, 0))[3], 1);
    /* The same when it counts no more, for somebody may be about to clear. */
    ck_assert_int_eq(set_dead(MAP, 0), 0);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(MAP), 0, DISCO_PMAP_NET, &got), 0);
    ck_assert_uint_ne(got.v, map);
    ck_assert_int_eq(disco_memmap_put(mm, got), 0);
    fill_memory();
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(MAP), 0, DISCO_PMAP_NET, &got), DISCO_ERR_NO_MEMORY);
    empty_memory();
}
END_TEST

/* A page that was shared or replicated becomes the guest's own before it is the map. */
START_TEST(the_map_is_the_guests_own)
{
    disco_mpn shared = get_shared(MAP, DISCO_PMAP_COW);

    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(MAP + 1), 0), 0);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(MAP + 1), 1), 0);
    ck_assert_int_eq(set_dead(MAP, ALL), 0);
    ck_assert_uint_ne(mpn_at(&pm, MAP, 0), shared.v);
    ck_assert_uint_eq(mpn_at(&pm, MAP + 1, 1), mpn_at(&pm, MAP + 1, 0));
    /* It cannot be moved nor replicated then. */
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(MAP), 1), DISCO_ERR_BUSY);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(MAP + 1), 1), DISCO_ERR_BUSY);
    /* What was in it before counts: "useful" is six pages. */
    get_shared(2, DISCO_PMAP_COW);
    ck_assert_uint_eq(marked(MAP, 2), 0);
    ck_assert_uint_eq(marked(MAP, 1), 's');
    expect_text(&other, 0, "useful");
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        a_dead_page_is_zeroed_not_copied,
        an_unmarked_page_is_copied,
        the_last_user_of_a_dead_page,
        sharing_clears_the_mark,
        a_dead_page_with_a_replica,
        refused_maps,
        turned_off_first,
        no_memory_for_the_map,
        turned_off,
        the_map_is_given_back,
        the_map_is_shared_over,
        the_map_is_lent,
        the_map_is_the_guests_own,
    };

    return SUITE_RUN("pmap_dead", tests, setup_dead, teardown);
}
