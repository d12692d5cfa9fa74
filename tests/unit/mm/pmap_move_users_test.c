/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: moves of pages that others use, other pmaps or further PPNs of the same. */
#include "pmap_fixture.h"

#include <string.h>

#define MANY_PPNS 100
#define EACH_NODE 20 /* machine pages */

static void setup_users(void) { setup_of(2 * EACH_NODE, MANY_PPNS, 40, 8); }

static struct disco_pmap_move to(uint64_t p, unsigned node, enum disco_pmap_move_kind kind)
{
    return (struct disco_pmap_move){ppn(p), node, kind, 1};
}

static int move(struct disco_pmap *of, uint64_t p, unsigned node, enum disco_pmap_move_kind kind)
{
    struct disco_pmap_move m = to(p, node, kind);

    memset(purged.of, 0, sizeof purged.of);
    disco_pmap_move_many(of, &m, 1);
    return m.err;
}

static void move_all(struct disco_pmap_move *m, size_t n)
{
    memset(purged.of, 0, sizeof purged.of);
    disco_pmap_move_many(&pm, m, n);
    for (size_t i = 0; i < n; i++)
        ck_assert_int_eq(m[i].err, 0);
}

/* A page of `pm` at PPN @p from, at @p at of @p whose too. */
static disco_mpn share(uint64_t from, struct disco_pmap *whose, uint64_t at)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(from), 0, DISCO_PMAP_NET, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(whose, ppn(at), mpn, DISCO_PMAP_NET), 0);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
    return mpn;
}

static uint64_t in_use(void) { return 2 * EACH_NODE - mock_free_pages(&m, mm); }

START_TEST(a_page_of_two_pmaps)
{
    disco_mpn mpn = share(5, &other, 9);
    uint64_t copy;

    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_MIGRATE), DISCO_ERR_BUSY);
    ck_assert_uint_eq(purged.of[1] + purged.of[2], 0);

    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REPLICATE), 0);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(purged.of[2], 1);
    ck_assert_uint_eq(purged.ppn.v, 9);
    ck_assert_uint_eq(purged.word, 0);
    copy = mpn_at(&other, 9, 1);
    ck_assert_uint_ne(copy, mpn.v);
    ck_assert_uint_eq(mpn_at(&pm, 5, 1), copy);
    ck_assert_uint_eq(mpn_at(&other, 9, 0), mpn.v);
    ck_assert_int_eq(disco_pmap_reason(&other, ppn(9)), DISCO_PMAP_NET);
    ck_assert_uint_eq(disco_memmap_refs(mm, mpn), 2);

    /* There is nothing to do for the other. */
    ck_assert_int_eq(move(&other, 9, 1, DISCO_PMAP_REPLICATE), 0);
    ck_assert_int_eq(move(&other, 9, 0, DISCO_PMAP_REPLICATE), 0);
    ck_assert_uint_eq(purged.of[1] + purged.of[2], 0);
    ck_assert_uint_eq(in_use(), 2);

    /* Only its own translations. */
    ck_assert_int_eq(move(&other, 9, 0, DISCO_PMAP_REMAP), 0);
    ck_assert_uint_eq(purged.of[1], 0);
    ck_assert_uint_eq(purged.of[2], 1);

    ck_assert_int_eq(move(&other, 9, 0, DISCO_PMAP_COLLAPSE), 0);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(purged.of[2], 1);
    ck_assert_uint_eq(mpn_at(&pm, 5, 1), mpn.v);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(5)), DISCO_PMAP_NET);
    ck_assert_int_eq(disco_pmap_reason(&other, ppn(9)), DISCO_PMAP_NET);
    ck_assert_int_eq(disco_memmap_state(mm, (disco_mpn){copy}), DISCO_PAGE_FREE);
    ck_assert_uint_eq(in_use(), 1);
    ck_assert_uint_eq(mock_stats(&pm).shared, 1);
    ck_assert_uint_eq(mock_stats(&other).shared, 1);
}
END_TEST

/* The translations of `pm` to the copy are named before it is free. */
START_TEST(a_collapse_names_the_places_of_others)
{
    share(5, &other, 9);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REPLICATE), 0);
    enter(12, 3, 5, 6);
    purged.watched.v = mpn_at(&pm, 5, 1);
    ck_assert_int_eq(move(&other, 9, 0, DISCO_PMAP_COLLAPSE), 0);
    ck_assert_int_eq(purged.was, DISCO_PAGE_REPLICA);
    ck_assert_int_eq(disco_memmap_state(mm, purged.watched), DISCO_PAGE_FREE);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(purged.ppn.v, 5);
    ck_assert_uint_eq(purged.n, 1);
    ck_assert_uint_eq(purged.p[0].vcpus, 1u << 3);
    ck_assert_uint_eq(purged.p[0].vpn.v, 12);
    ck_assert_uint_eq(purged.word, 0);
}
END_TEST

START_TEST(further_pages_of_the_same_pmap)
{
    struct disco_pmap_move both[] = {to(6, 1, DISCO_PMAP_REPLICATE),
                                     to(5, 1, DISCO_PMAP_REPLICATE)};
    disco_mpn mpn = share(5, &pm, 6);

    /* Both named: one revocation, one copy. */
    move_all(both, 2);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(in_use(), 2);
    ck_assert_uint_eq(mock_stats(&pm).replications, 1);
    ck_assert_uint_eq(mpn_at(&pm, 5, 1), mpn_at(&pm, 6, 1));
    ck_assert_uint_ne(mpn_at(&pm, 5, 1), mpn.v);
    /* One named: the other comes after it. */
    ck_assert_int_eq(move(&pm, 6, 0, DISCO_PMAP_COLLAPSE), 0);
    ck_assert_uint_eq(purged.of[1], 2);
    ck_assert_uint_eq(purged.ppn.v, 5);
    ck_assert_uint_eq(mpn_at(&pm, 5, 1), mpn.v);
    ck_assert_uint_eq(in_use(), 1);
}
END_TEST

/* There was no copy when the batch began: so there is nothing to collapse. */
START_TEST(seen_before_any_is_done)
{
    struct disco_pmap_move both[] = {to(5, 1, DISCO_PMAP_REPLICATE), to(6, 0, DISCO_PMAP_COLLAPSE)};
    disco_mpn mpn = share(5, &pm, 6);

    move_all(both, 2);
    ck_assert(disco_memmap_replicated(mm, mpn));
    ck_assert_uint_ne(mpn_at(&pm, 6, 1), mpn.v);
    ck_assert_uint_eq(purged.of[1], 2);
}
END_TEST

/* Three pages that both use: one revocation here, one there. */
START_TEST(several_pages_of_two_pmaps)
{
    struct disco_pmap_move m[] = {
        to(7, 1, DISCO_PMAP_REPLICATE),
        to(5, 1, DISCO_PMAP_REPLICATE),
        to(6, 1, DISCO_PMAP_REPLICATE),
    };

    for (uint64_t p = 5; p < 8; p++)
        share(p, &other, 40 - p);
    move_all(m, 3);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(purged.of[2], 1);
    ck_assert_uint_eq(purged.pages, 3);
    ck_assert_uint_eq(purged.ppn.v, 33);
    for (unsigned i = 0; i < 3; i++)
        m[i].kind = DISCO_PMAP_COLLAPSE;
    move_all(m, 3);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(purged.of[2], 1);
    ck_assert_uint_eq(purged.pages, 3);
    ck_assert_uint_eq(in_use(), 3);
}
END_TEST

/* 40 further users here, 3 there: two revocations and one, besides the first. */
START_TEST(many_users)
{
    for (uint64_t p = 0; p < 40; p++)
        share(50, &pm, p);
    for (uint64_t p = 0; p < 3; p++)
        share(50, &other, p);
    ck_assert_int_eq(move(&pm, 50, 1, DISCO_PMAP_REPLICATE), 0);
    ck_assert_uint_eq(purged.of[1], 3);
    ck_assert_uint_eq(purged.of[2], 1);
    ck_assert_uint_eq(purged.pages, 3);
    for (uint64_t p = 0; p < 40; p++)
        ck_assert_uint_eq(mpn_at(&pm, p, 1), mpn_at(&other, 2, 1));
    ck_assert_int_eq(move(&other, 1, 1, DISCO_PMAP_COLLAPSE), 0);
    ck_assert_uint_eq(purged.of[1], 2); /* 41 */
    ck_assert_uint_eq(purged.of[2], 2);
    ck_assert_uint_eq(in_use(), 1);
}
END_TEST

/* A cache's reference is no user: the copies come and go all the same, and it keeps the page. */
START_TEST(a_page_that_a_cache_has)
{
    disco_mpn cached;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_COW, &cached), 0);
    ck_assert_int_eq(move(&pm, 0, 1, DISCO_PMAP_REPLICATE), 0);
    ck_assert_uint_eq(purged.of[1], 1);
    /* The copies go with the page, not with its users. */
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
    ck_assert(disco_memmap_replicated(mm, cached));
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(1), cached, DISCO_PMAP_COW), 0);
    ck_assert_uint_ne(mpn_at(&pm, 1, 1), cached.v);
    ck_assert_int_eq(move(&pm, 1, 0, DISCO_PMAP_COLLAPSE), 0);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(1)), DISCO_PMAP_COW);
    ck_assert_uint_eq(mpn_at(&pm, 1, 1), cached.v);
    ck_assert_uint_eq(in_use(), 1);
    ck_assert_int_eq(disco_memmap_put(mm, cached), 0);
}
END_TEST

/* One that was replicated when it was lent is collapsed by a write, not by the lending. */
START_TEST(a_replicated_page_is_lent)
{
    disco_mpn mpn;
    uint64_t copy;

    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(0), 0), 0);
    ck_assert_int_eq(move(&pm, 0, 1, DISCO_PMAP_REPLICATE), 0);
    copy = mpn_at(&pm, 0, 1);
    mpn = share(0, &other, 3);
    ck_assert_uint_eq(mpn_at(&other, 3, 1), copy);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(0), 0), 0);
    ck_assert_uint_eq(mpn_at(&other, 3, 1), copy);
    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(3), 0), 0);
    ck_assert_uint_eq(mpn_at(&other, 3, 1), mpn.v);
    ck_assert_uint_eq(in_use(), 2);
}
END_TEST

START_TEST(the_other_has_ended)
{
    disco_mpn cached;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_COW, &cached), 0);
    ck_assert_int_eq(disco_pmap_share(&other, ppn(0), cached, DISCO_PMAP_COW), 0);
    disco_pmap_fini(&other);
    ck_assert_int_eq(move(&pm, 0, 1, DISCO_PMAP_REPLICATE), 0);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_int_eq(disco_memmap_put(mm, cached), 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        a_page_of_two_pmaps,
        a_collapse_names_the_places_of_others,
        further_pages_of_the_same_pmap,
        seen_before_any_is_done,
        several_pages_of_two_pmaps,
        many_users,
        a_page_that_a_cache_has,
        a_replicated_page_is_lent,
        the_other_has_ended,
    };

    return SUITE_RUN("pmap_move_users", tests, setup_users, teardown);
}
