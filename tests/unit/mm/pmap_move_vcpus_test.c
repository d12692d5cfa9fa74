/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: which virtual CPUs lose their translations by a move, and what becomes of those that others keep. */
#include "pmap_fixture.h"

#include <string.h>

#define NODES3 3 /* virtual CPU v runs on node v % 3 */
#define MANY_PPNS 40
#define EACH_NODE 20 /* machine pages */
#define AT 16        /* virtual page */

static bool deserted; /* nobody is on node 2 */

static uint64_t on(unsigned node)
{
    uint64_t vcpus = 0;

    for (unsigned v = node; v < DISCO_MAX_VCPUS; v += NODES3)
        vcpus |= UINT64_C(1) << v;
    return deserted && node == 2 ? 0 : vcpus;
}

static uint64_t vcpus_on(void *ctx, unsigned node)
{
    ck_assert(ctx == &pm || ctx == &other);
    return on(node);
}

static void setup_vcpus(void)
{
    deserted = false;
    setup_nodes(NODES3, vcpus_on, NODES3 * EACH_NODE, MANY_PPNS);
}

/* --- what is done --- */

static int move(struct disco_pmap *of, uint64_t p, unsigned node, enum disco_pmap_move_kind kind)
{
    struct disco_pmap_move m = {ppn(p), node, kind, 1};

    memset(purged.of, 0, sizeof purged.of);
    purged.calls = 0;
    disco_pmap_move_many(of, &m, 1);
    return m.err;
}

/* Page @p at of @p whose is page @p from of `pm`, on node 0. */
static void share(uint64_t from, struct disco_pmap *whose, uint64_t at,
                  enum disco_pmap_reason reason)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(from), 0, reason, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(whose, ppn(at), mpn, reason), 0);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
}

/* Virtual CPU @p v, on its node, enters page @p p of `pm`: the machine page that it uses from now on. */
static disco_mpn uses(uint32_t v, uint64_t vpn, uint64_t p)
{
    static const struct disco_guest_map none;
    struct disco_guest_map g = none;
    struct disco_pmap_pair pair = {.m = &g, .vcpu = v, .node = v % NODES3, .record = true};

    g.pair.v = vpn;
    g.ppn[0].v = p;
    g.want[0] = mock_tlbe(0, DISCO_RWX);
    disco_pmap_enter(&pm, &pair);
    disco_pmap_leave(&pm, &pair);
    ck_assert(pair.e[0]);
    return (disco_mpn){mock_mpn(pair.e[0])};
}

static void all_use(uint64_t p)
{
    for (uint32_t v = 0; v < NODES3; v++)
        uses(v, AT, p);
}

static bool in_use(disco_mpn mpn) { return disco_memmap_state(mm, mpn) != DISCO_PAGE_FREE; }

/* --- who was asked last --- */

static void asked(uint64_t vcpus)
{
    ck_assert_uint_eq(purged.pages, 1);
    ck_assert_uint_eq(purged.gone[0].vcpus, vcpus);
    ck_assert_uint_eq(purged.word, 0);
}

static void places(uint64_t vcpus, uint64_t vpn)
{
    ck_assert_uint_eq(purged.n, 1);
    ck_assert_uint_eq(purged.p[0].vcpus, vcpus);
    ck_assert_uint_eq(purged.p[0].vpn.v, vpn);
}

/* --- moves that take a page from all --- */

START_TEST(the_first_copy_of_a_writable_page)
{
    all_use(5);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REPLICATE), 0);
    ck_assert_uint_eq(purged.calls, 1);
    asked(DISCO_ALL_VCPUS);
    places(7, AT);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(5)), DISCO_PMAP_REPLICA);
}
END_TEST

START_TEST(migration)
{
    all_use(5);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_MIGRATE), 0);
    asked(DISCO_ALL_VCPUS);
    places(7, AT);
}
END_TEST

/* Whoever it is that asks: for a page of one's own, and for all users of one that is shared. */
START_TEST(collapse)
{
    all_use(5);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REPLICATE), 0);
    all_use(5);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_COLLAPSE), 0);
    asked(DISCO_ALL_VCPUS);
    places(7, AT);

    share(5, &other, 9, DISCO_PMAP_NET);
    all_use(5);
    ck_assert_int_eq(move(&other, 9, 1, DISCO_PMAP_REPLICATE), 0);
    ck_assert_int_eq(move(&other, 9, 1, DISCO_PMAP_COLLAPSE), 0);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(purged.of[2], 1);
    ck_assert_uint_eq(purged.ppn.v, 5);
    asked(DISCO_ALL_VCPUS);
    places(7, AT);
}
END_TEST

START_TEST(nobody_knows_where_they_are)
{
    teardown();
    setup_nodes(NODES3, NULL, NODES3 * EACH_NODE, MANY_PPNS);
    share(5, &other, 9, DISCO_PMAP_COW);
    all_use(5);
    ck_assert_int_eq(move(&other, 9, 1, DISCO_PMAP_REPLICATE), 0);
    asked(DISCO_ALL_VCPUS);
    places(7, AT);
    all_use(5);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REMAP), 0);
    asked(DISCO_ALL_VCPUS);
    places(7, AT);
}
END_TEST

/* --- moves that take it from those on the node --- */

static void taken_on_the_node(enum disco_pmap_reason reason)
{
    disco_mpn was[NODES3];

    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(5), 0), 0);
    memset(mock_page(&m, mpn_at(&pm, 5, 0)), 55, DISCO_PAGE_SIZE);
    if (reason == DISCO_PMAP_REPLICA)
        ck_assert_int_eq(move(&pm, 5, 2, DISCO_PMAP_REPLICATE), 0);
    else
        share(5, &other, 9, reason);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(5)), reason);
    for (uint32_t v = 0; v < NODES3; v++)
        was[v] = uses(v, AT, 5);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REPLICATE), 0);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(purged.of[2], reason != DISCO_PMAP_REPLICA);
    asked(on(1));
    if (purged.of[2])
        ck_assert_uint_eq(purged.ppn.v, 9);
    else
        places(2, AT);
    ck_assert_uint_ne(uses(1, AT, 5).v, was[1].v);
    /* What the others have is as good as it was. */
    for (uint32_t v = 0; v < NODES3; v += 2) {
        ck_assert(in_use(was[v]));
        ck_assert_uint_eq(mpn_at(&pm, 5, v), was[v].v);
        ck_assert_uint_eq(mock_page(&m, was[v].v)[99], 55);
    }
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(5)), reason);
    /* And is taken from all when the page goes. */
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(5)), 0);
    asked(DISCO_ALL_VCPUS);
    places(7, AT);
}

START_TEST(copy_of_a_cow_page) { taken_on_the_node(DISCO_PMAP_COW); }
END_TEST

START_TEST(copy_of_a_net_page) { taken_on_the_node(DISCO_PMAP_NET); }
END_TEST

START_TEST(one_more_copy) { taken_on_the_node(DISCO_PMAP_REPLICA); }
END_TEST

/* Their places were kept, and a write takes it from all; the last copy goes with it. */
START_TEST(what_others_kept_is_taken_by_a_write)
{
    disco_mpn far;

    all_use(5);
    ck_assert_int_eq(move(&pm, 5, 2, DISCO_PMAP_REPLICATE), 0);
    far = uses(2, AT, 5);
    uses(1, AT + 2, 5);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REPLICATE), 0);
    places(2, AT + 2);
    ck_assert(in_use(far));
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(5), 0), 0);
    asked(DISCO_ALL_VCPUS);
    ck_assert_uint_eq(purged.n, 2);
    ck_assert_uint_eq(purged.p[0].vcpus, 4);
    ck_assert_uint_eq(purged.p[0].vpn.v, AT);
    ck_assert(!in_use(far));
}
END_TEST

START_TEST(users_of_other_pmaps)
{
    share(5, &other, 9, DISCO_PMAP_COW);
    all_use(5);
    ck_assert_int_eq(move(&other, 9, 2, DISCO_PMAP_REPLICATE), 0);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(purged.ppn.v, 5);
    asked(on(2));
    places(4, AT);
}
END_TEST

/* Writable or not: the page stays. */
START_TEST(remap)
{
    all_use(5);
    ck_assert_int_eq(move(&pm, 5, 2, DISCO_PMAP_REMAP), 0);
    asked(on(2));
    places(4, AT);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(5)), DISCO_PMAP_WRITABLE);
    share(5, &other, 9, DISCO_PMAP_NET);
    all_use(5);
    ck_assert_int_eq(move(&pm, 5, 0, DISCO_PMAP_REMAP), 0);
    ck_assert_uint_eq(purged.of[2], 0);
    asked(on(0));
    places(1, AT);
    /* Of no node: of all. */
    ck_assert_int_eq(move(&pm, 5, NODES3, DISCO_PMAP_REMAP), 0);
    asked(DISCO_ALL_VCPUS);
    places(7, AT);
}
END_TEST

START_TEST(a_page_entered_everywhere)
{
    for (uint64_t vpn = 0; vpn < 20; vpn += 2)
        uses(0, vpn, 5);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REMAP), 0);
    asked(on(1));
    places(on(1), DISCO_ALL_PAGES);
    ck_assert_uint_eq(mock_stats(&pm).everywhere, 0);
    /* It stays that for the others. */
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_MIGRATE), 0);
    asked(DISCO_ALL_VCPUS);
    places(DISCO_ALL_VCPUS, DISCO_ALL_PAGES);
    ck_assert_uint_eq(mock_stats(&pm).everywhere, 1);
}
END_TEST

START_TEST(nobody_on_the_node)
{
    disco_mpn was;

    deserted = true;
    share(5, &other, 9, DISCO_PMAP_COW);
    uses(0, AT, 5);
    was = uses(1, AT, 5);
    ck_assert_int_eq(move(&pm, 5, 2, DISCO_PMAP_REPLICATE), 0);
    ck_assert_uint_eq(purged.of[1], 1);
    ck_assert_uint_eq(purged.of[2], 0); /* nor one to ask in the other */
    asked(0);
    ck_assert_uint_eq(purged.n, 0);
    ck_assert(pm.entry[5].tlbe & DISCO_COPIED);
    ck_assert_uint_eq(disco_memmap_node(mm, (disco_mpn){mpn_at(&pm, 5, 2)}), 2);
    ck_assert_uint_eq(mpn_at(&other, 9, 2), mpn_at(&pm, 5, 2));
    ck_assert_uint_eq(mpn_at(&pm, 5, 1), was.v);
    ck_assert_uint_eq(mock_stats(&pm).replications, 1);
}
END_TEST

/* --- batches --- */

/*
 * Pages 5 and 6 are one; 5 is taken away on a node, for a copy or so that it is looked at anew, and by 6 all copies go.
 * Who kept 5 is asked after that, before the copy it uses is free.
 */
static void one_is_taken_partially(enum disco_pmap_move_kind kind)
{
    struct disco_pmap_move both[] = {{ppn(6), 0, DISCO_PMAP_COLLAPSE, 1}, {ppn(5), 2, kind, 1}};
    disco_mpn kept;

    share(5, &pm, 6, DISCO_PMAP_NET);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REPLICATE), 0);
    kept = uses(1, AT, 5);
    uses(2, AT, 5);
    purged.calls = 0;
    purged.watched = kept;
    disco_pmap_move_many(&pm, both, 2);
    ck_assert_int_eq(both[0].err, 0);
    ck_assert_int_eq(both[1].err, 0);
    ck_assert_uint_eq(purged.calls, 2);
    ck_assert_uint_eq(purged.ppn.v, 5);
    asked(~on(2));
    places(2, AT);
    ck_assert_int_eq(purged.was, DISCO_PAGE_REPLICA);
    ck_assert(!in_use(kept));
    ck_assert_uint_eq(uses(1, AT, 5).v, mpn_at(&pm, 6, 0));
}

START_TEST(one_is_copied_and_another_collapses) { one_is_taken_partially(DISCO_PMAP_REPLICATE); }
END_TEST

START_TEST(one_is_looked_at_anew_and_another_collapses)
{
    one_is_taken_partially(DISCO_PMAP_REMAP);
}
END_TEST

/* One revocation, each page with its own virtual CPUs. */
START_TEST(each_page_is_taken_from_its_own)
{
    struct disco_pmap_move m[] = {
        {ppn(1), 1, DISCO_PMAP_REPLICATE, 1},
        {ppn(2), 1, DISCO_PMAP_REPLICATE, 1},
        {ppn(3), 2, DISCO_PMAP_REMAP, 1},
    };

    for (uint64_t p = 1; p < 4; p++)
        ck_assert_int_eq(disco_pmap_touch(&pm, ppn(p), 0), 0);
    share(1, &other, 9, DISCO_PMAP_COW);
    ck_assert_int_eq(disco_pmap_drop(&other, ppn(9)), 0);
    for (uint64_t p = 1; p < 4; p++)
        uses(1, AT, p);
    purged.calls = 0;
    disco_pmap_move_many(&pm, m, 3);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, 3);
    ck_assert_uint_eq(purged.gone[0].vcpus, on(1));
    ck_assert_uint_eq(purged.gone[1].vcpus, DISCO_ALL_VCPUS);
    ck_assert_uint_eq(purged.gone[2].vcpus, on(2));
    ck_assert_uint_eq(purged.n, 2); /* nobody on node 2 had page 3 */
}
END_TEST

/* --- what is copied --- */

/* From the copy on the node of the processor that copies. That it is not the same as the page never happens. */
START_TEST(the_nearest_is_copied)
{
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(5), 0), 0);
    ck_assert_int_eq(move(&pm, 5, 1, DISCO_PMAP_REPLICATE), 0);
    mock_page(&m, mpn_at(&pm, 5, 1))[7] = 77;
    mock_cpu = 1; /* on node 1 */
    ck_assert_int_eq(move(&pm, 5, 2, DISCO_PMAP_REPLICATE), 0);
    mock_cpu = 0;
    ck_assert_uint_eq(mock_page(&m, mpn_at(&pm, 5, 2))[7], 77);
    ck_assert_uint_eq(mock_page(&m, mpn_at(&pm, 5, 0))[7], 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        the_first_copy_of_a_writable_page,
        migration,
        collapse,
        nobody_knows_where_they_are,
        copy_of_a_cow_page,
        copy_of_a_net_page,
        one_more_copy,
        what_others_kept_is_taken_by_a_write,
        users_of_other_pmaps,
        remap,
        a_page_entered_everywhere,
        nobody_on_the_node,
        one_is_copied_and_another_collapses,
        one_is_looked_at_anew_and_another_collapses,
        each_page_is_taken_from_its_own,
        the_nearest_is_copied,
    };

    return SUITE_RUN("pmap_move_vcpus", tests, setup_vcpus, teardown);
}
