/* SPDX-License-Identifier: BSD-2-Clause */
/* memmap, call by call: what each does, and what each refuses. */
#include "mock_backend.h"
#include "suite.h"

#define NODES 3
#define PAGES 12
#define FIRST 100
#define CHUNKS 3

static struct mock m;
static struct disco_memmap *mm;
static void *storage;

static void setup(void)
{
    mock_init(&m, NODES, FIRST, PAGES);
    mm = mock_memmap(&m, CHUNKS, 2, &storage);
}

static void teardown(void)
{
    free(storage);
    mock_fini(&m);
}

static disco_mpn take(unsigned node)
{
    disco_mpn mpn = {0};

    ck_assert_int_eq(disco_memmap_alloc(mm, node, DISCO_PAGE_PRIVATE, &mpn), 0);
    return mpn;
}

static struct disco_page_user user(uint32_t pmap, uint64_t ppn)
{
    return (struct disco_page_user){.pmap = pmap, .ppn = {ppn}};
}

static uint64_t free_on(unsigned node)
{
    struct disco_memmap_node_stats s;

    ck_assert_int_eq(disco_memmap_node_stats(mm, node, &s), 0);
    return s.free;
}

START_TEST(allocates_near_first)
{
    disco_mpn mpn;
    struct disco_memmap_node_stats s;

    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(disco_memmap_node(mm, take(2)), 2);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(disco_memmap_node(mm, take(2)), 1);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(disco_memmap_node(mm, take(2)), 0);
    mpn.v = 77;
    ck_assert_int_eq(disco_memmap_alloc(mm, 2, DISCO_PAGE_MONITOR, &mpn), DISCO_ERR_NO_MEMORY);
    ck_assert_uint_eq(mpn.v, 77);
    ck_assert_int_eq(disco_memmap_node_stats(mm, 1, &s), 0);
    ck_assert_uint_eq(s.total, 4);
    ck_assert_uint_eq(s.allocs, 4);
    ck_assert_uint_eq(s.remote_allocs, 4);
    ck_assert_uint_eq(s.failures, 5);
    ck_assert_uint_eq(s.low_water, 2);
    ck_assert_int_eq(disco_memmap_alloc(mm, NODES, DISCO_PAGE_PRIVATE, &mpn), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_SHARED, &mpn), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_FREE, &mpn), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_node_stats(mm, NODES, &s), DISCO_ERR_BAD_ARG);
}
END_TEST

START_TEST(preference_can_be_given)
{
    static const uint8_t good[NODES] = {0, 2, 1}, twice[NODES] = {0, 2, 2}, far[NODES] = {0, 1, 3},
                         other_first[NODES] = {1, 0, 2};

    ck_assert_int_eq(disco_memmap_prefer(mm, 0, twice), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_prefer(mm, 0, far), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_prefer(mm, 0, other_first), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_prefer(mm, NODES, good), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_prefer(mm, 0, good), 0);
    for (unsigned i = 0; i < 4; i++)
        take(0);
    ck_assert_uint_eq(disco_memmap_node(mm, take(0)), 2);
}
END_TEST

START_TEST(freed_last_goes_out_first)
{
    disco_mpn a = take(0), b = take(0);

    ck_assert_int_eq(disco_memmap_put(mm, b), 0);
    ck_assert_int_eq(disco_memmap_put(mm, a), 0);
    ck_assert_uint_eq(take(0).v, a.v);
    ck_assert_uint_eq(take(0).v, b.v);
}
END_TEST

/* Nodes have 100..103, 104..107 and 108..111. The rest stays as it was stacked. */
START_TEST(rows)
{
    const uint64_t left[] = {104, 107};
    disco_mpn first = {7};

    ck_assert_int_eq(disco_memmap_alloc_row(mm, NODES, DISCO_PAGE_PRIVATE, 2, &first),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_alloc_row(mm, 1, DISCO_PAGE_SHARED, 2, &first),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_alloc_row(mm, 1, DISCO_PAGE_PRIVATE, 3, &first),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_alloc_row(mm, 1, DISCO_PAGE_PRIVATE, 0, &first),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_alloc_row(mm, 1, DISCO_PAGE_PRIVATE, 8, &first),
                     DISCO_ERR_NO_MEMORY);
    ck_assert_uint_eq(first.v, 7);
    ck_assert_int_eq(disco_memmap_alloc_row(mm, 1, DISCO_PAGE_PRIVATE, 2, &first), 0);
    ck_assert_uint_eq(first.v, 106);
    ck_assert_uint_eq(free_on(1), 2);
    ck_assert_int_eq(disco_memmap_state(mm, first), DISCO_PAGE_PRIVATE);
    ck_assert_uint_eq(disco_memmap_refs(mm, first), 1);
    ck_assert_int_eq(disco_memmap_alloc_row(mm, 1, DISCO_PAGE_MONITOR, 1, &first), 0);
    ck_assert_uint_eq(first.v, 105);
    ck_assert_int_eq(disco_memmap_alloc_row(mm, 1, DISCO_PAGE_MONITOR, 2, &first),
                     DISCO_ERR_NO_MEMORY);
    ck_assert_int_eq(disco_memmap_put(mm, (disco_mpn){107}), 0);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_uint_eq(take(1).v, left[1 - i]);
    ck_assert_uint_eq(disco_memmap_node(mm, take(1)),
                      0); /* one stack is empty, the others are whole */
}
END_TEST

START_TEST(low_water)
{
    ck_assert(!disco_memmap_low(mm, 0));
    take(0);
    take(0);
    ck_assert(!disco_memmap_low(mm, 0));
    take(0);
    ck_assert(disco_memmap_low(mm, 0));
    ck_assert(!disco_memmap_low(mm, NODES));
}
END_TEST

START_TEST(references)
{
    disco_mpn a = take(1);

    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_PRIVATE);
    ck_assert_uint_eq(disco_memmap_refs(mm, a), 1);
    ck_assert_int_eq(disco_memmap_get(mm, a), 0);
    ck_assert_uint_eq(disco_memmap_refs(mm, a), 2);
    ck_assert_int_eq(disco_memmap_put(mm, a), 0);
    ck_assert_uint_eq(free_on(1), 3);
    ck_assert_int_eq(disco_memmap_put(mm, a), 0);
    ck_assert_uint_eq(free_on(1), 4);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_FREE);
    /* Double free, and use after free. */
    ck_assert_int_eq(disco_memmap_put(mm, a), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_get(mm, a), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_adopt(mm, a, user(0, 0)), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_add_user(mm, a, user(0, 0)), DISCO_ERR_STATE);
    ck_assert_uint_eq(free_on(1), 4);
}
END_TEST

START_TEST(pages_outside)
{
    disco_mpn out[] = {{FIRST - 1}, {FIRST + PAGES}, {0}, {UINT64_MAX}};
    size_t n;

    for (size_t i = 0; i < sizeof out / sizeof out[0]; i++) {
        ck_assert_int_eq(disco_memmap_get(mm, out[i]), DISCO_ERR_BAD_ARG);
        ck_assert_int_eq(disco_memmap_put(mm, out[i]), DISCO_ERR_BAD_ARG);
        ck_assert_int_eq(disco_memmap_adopt(mm, out[i], user(0, 0)), DISCO_ERR_BAD_ARG);
        ck_assert_int_eq(disco_memmap_add_user(mm, out[i], user(0, 0)), DISCO_ERR_BAD_ARG);
        ck_assert_int_eq(disco_memmap_del_user(mm, out[i], user(0, 0)), DISCO_ERR_BAD_ARG);
        ck_assert_int_eq(disco_memmap_users(mm, out[i], NULL, 0, &n), DISCO_ERR_BAD_ARG);
        ck_assert_int_eq(disco_memmap_add_replica(mm, out[i], take(0)), DISCO_ERR_BAD_ARG);
        ck_assert_int_eq(disco_memmap_drop_replicas(mm, out[i]), DISCO_ERR_BAD_ARG);
        ck_assert(!disco_memmap_replicated(mm, out[i]));
        ck_assert_int_eq(disco_memmap_state(mm, out[i]), DISCO_PAGE_ABSENT);
        ck_assert_uint_eq(disco_memmap_refs(mm, out[i]), 0);
        ck_assert_uint_eq(disco_memmap_nearest(mm, out[i], 0).v, out[i].v);
        ck_assert_uint_eq(disco_memmap_master(mm, out[i]).v, out[i].v);
    }
}
END_TEST

START_TEST(users_come_and_go)
{
    struct disco_page_user u[8];
    disco_mpn a = take(0);
    size_t n;

    ck_assert_int_eq(disco_memmap_adopt(mm, a, user(DISCO_MAX_PMAPS, 0)), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_adopt(mm, a, user(0, UINT64_C(1) << 48)), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_adopt(mm, a, user(DISCO_MAX_PMAPS - 1, 7)), 0);
    ck_assert_int_eq(disco_memmap_adopt(mm, a, user(1, 7)), DISCO_ERR_STATE);
    ck_assert_uint_eq(disco_memmap_refs(mm, a), 1);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_PRIVATE);
    /* The user's reference is not for put to take. */
    ck_assert_int_eq(disco_memmap_put(mm, a), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_add_user(mm, a, user(2, 9)), 0);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_SHARED);
    ck_assert_int_eq(disco_memmap_users(mm, a, u, 8, &n), 0);
    ck_assert_uint_eq(n, 2);
    ck_assert_uint_eq(u[0].pmap, DISCO_MAX_PMAPS - 1);
    ck_assert_uint_eq(u[0].ppn.v, 7);
    ck_assert_uint_eq(u[1].pmap, 2);
    ck_assert_uint_eq(u[1].ppn.v, 9);
    ck_assert_int_eq(disco_memmap_del_user(mm, a, user(2, 8)), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(disco_memmap_del_user(mm, a, user(DISCO_MAX_PMAPS - 1, 7)), 0);
    ck_assert_int_eq(disco_memmap_users(mm, a, u, 8, &n), 0);
    ck_assert_uint_eq(n, 1);
    ck_assert_uint_eq(u[0].pmap, 2);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_PRIVATE);
    ck_assert_int_eq(disco_memmap_del_user(mm, a, user(2, 9)), 0);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_FREE);
    ck_assert_int_eq(disco_memmap_del_user(mm, a, user(2, 9)), DISCO_ERR_NOT_FOUND);
}
END_TEST

START_TEST(state_follows_the_references)
{
    disco_mpn a;

    ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &a), 0);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_MONITOR);
    ck_assert_int_eq(disco_memmap_add_user(mm, a, user(1, 1)), 0);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_SHARED);
    ck_assert_int_eq(disco_memmap_put(mm, a), 0);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_PRIVATE);
    ck_assert_int_eq(disco_memmap_get(mm, a), 0);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_SHARED);
    ck_assert_int_eq(disco_memmap_del_user(mm, a, user(1, 1)), 0);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_MONITOR);
    ck_assert_int_eq(disco_memmap_put(mm, a), 0);
    ck_assert_int_eq(disco_memmap_state(mm, a), DISCO_PAGE_FREE);
}
END_TEST

/* 1 + 7 * 3 users fit: one in the entry, seven in each chunk. */
START_TEST(pool_of_users_runs_out)
{
    struct disco_page_user u[4];
    disco_mpn a = take(0);
    size_t n;

    ck_assert_int_eq(disco_memmap_adopt(mm, a, user(0, 0)), 0);
    for (unsigned i = 1; i <= 7 * CHUNKS; i++)
        ck_assert_int_eq(disco_memmap_add_user(mm, a, user(i, i)), 0);
    ck_assert_int_eq(disco_memmap_add_user(mm, a, user(99, 99)), DISCO_ERR_NO_SPACE);
    ck_assert_uint_eq(disco_memmap_refs(mm, a), 7 * CHUNKS + 1);
    ck_assert_int_eq(disco_memmap_users(mm, a, u, 4, &n), 0);
    ck_assert_uint_eq(n, 7 * CHUNKS + 1);
    for (unsigned i = 0; i <= 7 * CHUNKS; i++)
        ck_assert_int_eq(disco_memmap_del_user(mm, a, user(i, i)), 0);
    ck_assert_uint_eq(free_on(0), 4);
    /* Every chunk came back. */
    a = take(0);
    for (unsigned i = 0; i <= 7 * CHUNKS; i++)
        ck_assert_int_eq(disco_memmap_add_user(mm, a, user(i, i)), 0);
    ck_assert_int_eq(disco_memmap_add_user(mm, a, user(99, 99)), DISCO_ERR_NO_SPACE);
}
END_TEST

START_TEST(replicas)
{
    disco_mpn master = take(0), one = take(1), two = take(2), again = take(1), home = take(0);

    ck_assert_int_eq(disco_memmap_adopt(mm, master, user(0, 0)), 0);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, master), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, home), DISCO_ERR_BUSY);
    ck_assert(!disco_memmap_replicated(mm, master));
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, one), 0);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, again), DISCO_ERR_BUSY);
    ck_assert_int_eq(disco_memmap_state(mm, again), DISCO_PAGE_PRIVATE);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, one), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_add_replica(mm, one, two), DISCO_ERR_STATE);
    ck_assert_uint_eq(disco_memmap_nearest(mm, master, 2).v, master.v);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, two), 0);
    ck_assert_uint_eq(disco_memmap_nearest(mm, master, 0).v, master.v);
    ck_assert_uint_eq(disco_memmap_nearest(mm, master, 1).v, one.v);
    ck_assert_uint_eq(disco_memmap_nearest(mm, master, 2).v, two.v);
    ck_assert_uint_eq(disco_memmap_nearest(mm, one, 2).v, one.v);
    ck_assert_uint_eq(disco_memmap_master(mm, two).v, master.v);
    ck_assert_uint_eq(disco_memmap_master(mm, master).v, master.v);
    ck_assert(disco_memmap_replicated(mm, master));
    ck_assert(!disco_memmap_replicated(mm, one));
    ck_assert_int_eq(disco_memmap_state(mm, one), DISCO_PAGE_REPLICA);

    /* A replica is its master's. */
    ck_assert_int_eq(disco_memmap_put(mm, one), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_get(mm, one), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_add_user(mm, one, user(1, 1)), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_adopt(mm, one, user(1, 1)), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_drop_replicas(mm, one), DISCO_ERR_STATE);

    ck_assert_int_eq(disco_memmap_drop_replicas(mm, master), 0);
    ck_assert(!disco_memmap_replicated(mm, master));
    ck_assert_uint_eq(disco_memmap_nearest(mm, master, 1).v, master.v);
    ck_assert_int_eq(disco_memmap_state(mm, one), DISCO_PAGE_FREE);
    ck_assert_uint_eq(disco_memmap_master(mm, one).v, one.v);
    ck_assert_uint_eq(free_on(2), 4);
}
END_TEST

START_TEST(replicas_go_with_their_master)
{
    disco_mpn master = take(0), one = take(1), two = take(2);

    ck_assert_int_eq(disco_memmap_adopt(mm, master, user(0, 0)), 0);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, one), 0);
    ck_assert_int_eq(disco_memmap_add_replica(mm, master, two), 0);
    ck_assert_int_eq(disco_memmap_del_user(mm, master, user(0, 0)), 0);
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES);
    ck_assert(!disco_memmap_replicated(mm, master));
    ck_assert_int_eq(disco_memmap_drop_replicas(mm, master), DISCO_ERR_STATE);
    /* And each page can be had again, once. */
    for (unsigned i = 0; i < PAGES; i++)
        take(0);
    ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_PRIVATE, &one), DISCO_ERR_NO_MEMORY);
}
END_TEST

/* A page on the free list is linked like a master to its replicas; it must not be taken for one. */
START_TEST(free_pages_are_no_replicas)
{
    disco_mpn a = take(0), b = take(0);

    ck_assert_int_eq(disco_memmap_put(mm, a), 0);
    ck_assert_int_eq(disco_memmap_put(mm, b), 0);
    for (unsigned n = 0; n < NODES; n++)
        ck_assert_uint_eq(disco_memmap_nearest(mm, b, n).v, b.v);
    ck_assert(!disco_memmap_replicated(mm, b));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        allocates_near_first,
        preference_can_be_given,
        freed_last_goes_out_first,
        rows,
        low_water,
        references,
        pages_outside,
        users_come_and_go,
        state_follows_the_references,
        pool_of_users_runs_out,
        replicas,
        replicas_go_with_their_master,
        free_pages_are_no_replicas,
    };

    return SUITE_RUN("memmap", tests, setup, teardown);
}
