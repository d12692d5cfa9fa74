/* SPDX-License-Identifier: BSD-2-Clause */
/* Replicas given back because a node runs short. */
#include "suite.h"
#include "world.h"

static uint64_t free_on(unsigned node)
{
    struct disco_memmap_node_stats s;

    ck_assert_int_eq(disco_memmap_node_stats(mm, node, &s), 0);
    return s.free;
}

/* Pages 0 .. n-1 of VM 0, on node 0, with a replica on @p node. */
static void replicated(unsigned n, unsigned node)
{
    for (unsigned i = 0; i < n; i++) {
        if (seen(0, i, 0) == UINT64_MAX)
            make(0, i, 0, 100 + i);
        hot_shared(master_of(0, i), node);
        ck_assert_uint_eq(node_seen(0, i, node), node);
    }
}

START_TEST(oldest_first)
{
    uint64_t before;

    replicated(6, 2);
    before = free_on(2);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, before + 2), 2);
    ck_assert_uint_eq(free_on(2), before + 2);
    for (unsigned i = 0; i < 6; i++) {
        ck_assert_uint_eq(node_seen(0, i, 2), i < 2 ? 0 : 2);
        ck_assert_uint_eq(word_seen(0, i, 2), 100 + i);
    }
    ck_assert_int_eq(disco_pmap_reason(&pm[0], ppn(0)), DISCO_PMAP_WRITABLE);
    ck_assert_uint_eq(stats().dropped, 2);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_COLLAPSE], 2);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, 100), 4);
    ck_assert_uint_eq(free_on(2), before + 6);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, 100), 0);
}
END_TEST

/* One revocation for all that belong to a virtual machine and fit. */
START_TEST(in_rounds)
{
    uint64_t rounds;

    replicated(6, 2);
    rounds = stats().rounds;
    purges = 0;
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, 100), 6);
    ck_assert_uint_eq(stats().rounds, rounds + 1);
    ck_assert_uint_eq(purges, 1);
}
END_TEST

/* Other nodes' are not looked at, but go with the page. */
START_TEST(all_of_a_page)
{
    replicated(3, 2);
    hot_shared(master_of(0, 0), 3);
    hot_shared(master_of(0, 1), 3);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 3, 100), 2);
    ck_assert_uint_eq(node_seen(0, 0, 2), 0);
    ck_assert_uint_eq(node_seen(0, 1, 2), 0);
    ck_assert_uint_eq(node_seen(0, 2, 2), 2);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, 100), 1);
}
END_TEST

/* Replicas that are gone for another reason, and pages that are: passed over. */
START_TEST(gone_already)
{
    replicated(4, 2);
    store(0, 0, 0, 5);
    ck_assert_int_eq(disco_pmap_drop(&pm[0], ppn(1)), 0);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, free_on(2) + 1), 1);
    ck_assert_uint_eq(node_seen(0, 2, 2), 0);
    ck_assert_uint_eq(node_seen(0, 3, 2), 2);
    ck_assert_int_eq(disco_numa_detach(numa, &pm[0]), 0);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, free_on(2) + 1), 0);
    ck_assert_uint_eq(node_seen(0, 3, 2), 2);
}
END_TEST

/* A ring of eight forgets the first two of ten. */
START_TEST(ring_forgets)
{
    replicated(10, 1);
    ck_assert_uint_eq(stats().forgotten, 2);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 1, 100), 8);
    ck_assert_uint_eq(node_seen(0, 0, 1), 1);
    ck_assert_uint_eq(node_seen(0, 1, 1), 1);
    ck_assert_uint_eq(node_seen(0, 2, 1), 0);
}
END_TEST

/* A page that two virtual machines share goes from both; read-only it stays. */
START_TEST(shared_page)
{
    uint64_t before;

    make(0, 0, 0, 7);
    share(0, 0, 1, 5);
    hot(master_of(0, 0), 2);
    ck_assert_uint_eq(node_seen(1, 5, 2), 2);
    before = free_on(2);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, 100), 1);
    ck_assert_uint_eq(free_on(2), before + 1);
    ck_assert_uint_eq(node_seen(0, 0, 2), 0);
    ck_assert_uint_eq(node_seen(1, 5, 2), 0);
    ck_assert_int_eq(disco_pmap_reason(&pm[1], ppn(5)), DISCO_PMAP_COW);
    ck_assert_uint_eq(word_seen(1, 5, 2), 7);
}
END_TEST

/* That memory was short does not mean that the page is written: it may have a replica elsewhere at once. */
START_TEST(elsewhere)
{
    replicated(1, 2);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, 100), 1);
    hot_shared(master_of(0, 0), 3);
    ck_assert_uint_eq(node_seen(0, 0, 3), 3);
}
END_TEST

/* Nothing was copied, so nobody looks like a user who only copied; whatever a record says of nodes there are not. */
START_TEST(nobody_copied)
{
    struct disco_numa_hot h;

    replicated(1, 2);
    ck_assert(disco_numa_tick(numa, 0));
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 2, 100), 1);
    h = record(master_of(0, 0), 3);
    h.others = 30, h.sharers = UINT64_C(1) << 63;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_ONE_NODE), 0);
    ck_assert_uint_eq(node_seen(0, 0, 3), 3);
}
END_TEST

START_TEST(no_such_node)
{
    replicated(1, 1);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, NODES, 100), 0);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, UINT32_MAX, 100), 0);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 1, free_on(1)), 0);
    ck_assert_uint_eq(node_seen(0, 0, 1), 1);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {oldest_first, in_rounds, all_of_a_page, gone_already, ring_forgets,
                            shared_page,  elsewhere, nobody_copied, no_such_node};

    return SUITE_RUN("numa drop", tests, world_begin, world_end);
}
