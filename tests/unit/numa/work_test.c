/* SPDX-License-Identifier: BSD-2-Clause */
/* Hot records worked off: what becomes of pages, in which rounds, and within which limits. */
#include "numa_private.h"
#include "suite.h"
#include "world.h"

#include <pthread.h>
#include <sched.h>

#define EVERY(n) for (unsigned n = 0; n < NODES; n++)

/* --- the four actions --- */

START_TEST(migrates)
{
    uint64_t old;

    make(0, 3, 0, 77);
    old = master_of(0, 3);
    hot(old, 2);
    ck_assert_uint_eq(decided(DISCO_NUMA_ONE_NODE), 1);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_MIGRATE], 1);
    ck_assert_int_eq(disco_memmap_state(mm, (disco_mpn){old}), DISCO_PAGE_FREE);
    EVERY(n)
    {
        ck_assert_uint_eq(node_seen(0, 3, n), 2);
        ck_assert_uint_eq(word_seen(0, 3, n), 77);
    }
    ck_assert_uint_eq(stats().rounds, 1);
    ck_assert_uint_eq(purges, 1);
    ck_assert_uint_eq(stats().ns[DISCO_NUMA_DO_MIGRATE], 10000);
}
END_TEST

START_TEST(replicates)
{
    make(0, 3, 0, 77);
    hot_shared(master_of(0, 3), 2);
    ck_assert_uint_eq(decided(DISCO_NUMA_READ_SHARED), 1);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_REPLICATE], 1);
    EVERY(n)
    {
        ck_assert_uint_eq(node_seen(0, 3, n), n == 2 ? 2 : 0);
        ck_assert_uint_eq(word_seen(0, 3, n), 77);
    }
    ck_assert_int_eq(disco_pmap_reason(&pm[0], ppn(3)), DISCO_PMAP_REPLICA);
    ck_assert_uint_eq(stats().ns[DISCO_NUMA_DO_REPLICATE], 10000);
}
END_TEST

/* A store makes it one page again, and it is not replicated any more until the interval is over. */
START_TEST(written_after_all)
{
    make(0, 3, 0, 77);
    hot_shared(master_of(0, 3), 2);
    store(0, 3, 1, 78);
    EVERY(n)
    {
        ck_assert_uint_eq(node_seen(0, 3, n), 0);
        ck_assert_uint_eq(word_seen(0, 3, n), 78);
    }
    hot_shared(master_of(0, 3), 2);
    ck_assert_uint_eq(decided(DISCO_NUMA_WRITE_SHARED), 1);
    ck_assert_uint_eq(node_seen(0, 3, 2), 0);
    ck_assert(disco_numa_tick(numa, 0));
    hot_shared(master_of(0, 3), 2);
    ck_assert_uint_eq(node_seen(0, 3, 2), 2);
}
END_TEST

/* Stores that were counted before the page had replicas are no reason to drop them; those that came after are. */
START_TEST(collapses)
{
    struct disco_numa_hot h;

    make(0, 3, 0, 77);
    h = record(master_of(0, 3), 2);
    h.others = 25, h.writes = 1;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    h.node = h.cpu = 1, h.writes = 2; /* one more: it may have one */
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_READ_SHARED), 2);
    h.node = h.cpu = 3, h.writes = 3;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_WRITTEN), 1);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_COLLAPSE], 1);
    EVERY(n)
    ck_assert_uint_eq(node_seen(0, 3, n), 0);
    ck_assert_int_eq(disco_pmap_reason(&pm[0], ppn(3)), DISCO_PMAP_WRITABLE);
    ck_assert_uint_eq(word_seen(0, 3, 3), 77);
}
END_TEST

/* Node 2 has a replica and goes on missing on the master: its processors use a far one. */
START_TEST(remaps)
{
    struct disco_numa_hot h;

    make(0, 3, 0, 77);
    h = record(master_of(0, 3), 2);
    hot_shared(h.mpn.v, 2);
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    purges = 0;
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_FAR_COPY), 1);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_REMAP], 1);
    ck_assert_uint_eq(purges, 1);
    EVERY(n)
    ck_assert_uint_eq(node_seen(0, 3, n), n == 2 ? 2 : 0);
    /* On a replica that lies elsewhere: the master's node. */
    hot(seen(0, 3, 2), 0);
    ck_assert_uint_eq(decided(DISCO_NUMA_FAR_COPY), 2);
    /* And one on its own replica is served already. */
    hot(seen(0, 3, 2), 2);
    ck_assert_uint_eq(decided(DISCO_NUMA_LOCAL), 1);
}
END_TEST

/* --- rounds --- */

static void queue(uint64_t mpn, unsigned node)
{
    struct disco_numa_hot h = record(mpn, node);

    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
}

/* Five pages of one virtual machine and three of another, in turns: two revocations. */
START_TEST(rounds_of_one_pmap)
{
    for (unsigned i = 0; i < 5; i++) {
        make(0, i, 0, i);
        if (i < 3)
            make(1, i, 0, i);
    }
    for (unsigned i = 0; i < 5; i++) {
        queue(master_of(0, i), 1);
        if (i < 3)
            queue(master_of(1, i), 2);
    }
    ck_assert_uint_eq(disco_numa_work(numa, 100), 8);
    ck_assert_uint_eq(stats().rounds, 2);
    ck_assert_uint_eq(purges, 2);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_MIGRATE], 8);
    ck_assert_uint_eq(stats().ns[DISCO_NUMA_DO_MIGRATE], 80000);
    for (unsigned i = 0; i < 5; i++)
        ck_assert_uint_eq(node_seen(0, i, 0), 1);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(node_seen(1, i, 0), 2);
}
END_TEST

/* Two pages hot from every node at once: each round has both, for one node. */
START_TEST(hot_from_everywhere)
{
    make(0, 0, 0, 7);
    make(0, 1, 0, 8);
    for (unsigned i = 0; i < 2; i++) {
        EVERY(n)
        {
            struct disco_numa_hot h = record(master_of(0, i), n);

            h.others = 1000, h.sharers = 0xf & ~(1u << n);
            ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
        }
    }
    ck_assert_uint_eq(disco_numa_work(numa, 100), 2 * NODES);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_REPLICATE], 2 * (NODES - 1));
    ck_assert_uint_eq(decided(DISCO_NUMA_LOCAL), 2);
    ck_assert_uint_eq(stats().rounds, NODES - 1);
    EVERY(n)
    {
        ck_assert_uint_eq(node_seen(0, 0, n), n);
        ck_assert_uint_eq(word_seen(0, 0, n), 7);
        ck_assert_uint_eq(word_seen(0, 1, n), 8);
    }
}
END_TEST

/* Somebody waits for the lock: the round ends, and what is left is the next caller's. */
static pthread_t waiter;
static uint64_t detached;

static void *detach(void *arg)
{
    (void)arg;
    ck_assert_int_eq(disco_numa_detach(numa, &pm[2]), 0);
    disco_store_release(&detached, 1);
    return NULL;
}

static void wait_for_it(void)
{
    in_purge = NULL;
    ck_assert_int_eq(pthread_create(&waiter, NULL, detach, NULL), 0);
    while (!__atomic_load_n(&numa->waiters, __ATOMIC_RELAXED))
        sched_yield();
    ck_assert(!disco_load_acquire(&detached));
}

START_TEST(makes_way)
{
    make(0, 0, 0, 7);
    make(1, 0, 0, 8);
    queue(master_of(0, 0), 1);
    queue(master_of(1, 0), 1);
    in_purge = wait_for_it;
    ck_assert_uint_eq(disco_numa_work(numa, 2), 2);
    pthread_join(waiter, NULL);
    ck_assert_uint_eq(stats().rounds, 1);
    ck_assert_uint_eq(disco_numa_waiting(numa), 1);
    ck_assert_uint_eq(disco_numa_work(numa, 0), 0);
    ck_assert_uint_eq(disco_numa_waiting(numa), 1);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 0);
    ck_assert_uint_eq(disco_numa_waiting(numa), 0);
    ck_assert_uint_eq(node_seen(1, 0, 0), 1);
}
END_TEST

/* --- limits --- */

START_TEST(restless)
{
    make(0, 0, 0, 7);
    hot(master_of(0, 0), 1);
    hot(master_of(0, 0), 2);
    hot(master_of(0, 0), 3);
    ck_assert_uint_eq(node_seen(0, 0, 0), 2);
    ck_assert_uint_eq(decided(DISCO_NUMA_RESTLESS), 1);
    ck_assert(disco_numa_tick(numa, 0));
    hot(master_of(0, 0), 3);
    ck_assert_uint_eq(node_seen(0, 0, 0), 3);
}
END_TEST

START_TEST(capped)
{
    struct disco_numa_params p = world_params();

    p.cap = 3;
    ck_assert_int_eq(disco_numa_set(numa, &p), 0);
    for (unsigned i = 0; i < 5; i++) {
        make(0, i, 0, i);
        queue(master_of(0, i), 1);
    }
    ck_assert_uint_eq(disco_numa_work(numa, 100), 5);
    ck_assert_uint_eq(decided(DISCO_NUMA_CAPPED), 2);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_MIGRATE], 3);
    ck_assert(disco_numa_tick(numa, 0));
    hot(master_of(0, 4), 1);
    ck_assert_uint_eq(node_seen(0, 4, 0), 1);
}
END_TEST

/* What is remembered of pages is lost when there are too many of them; that is counted. */
START_TEST(history_is_bounded)
{
    const struct world w = {
        .nodes = 2, .pages = 30, .with = 2, .queue = 64, .history = 4, .replicas = 4};

    world_end();
    world_begin_as(&w);
    for (unsigned i = 0; i < 6; i++) {
        make(0, i, 0, i);
        hot(master_of(0, i), 1);
    }
    ck_assert_uint_eq(stats().evicted, 2);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_MIGRATE], 6);
}
END_TEST

/* --- memory --- */

/* Node 1 has one page left, which is below its mark; then none. Node 2 has no memory at all. */
START_TEST(memory_is_short)
{
    const struct world w = {.nodes = 3,
                            .pages = 8,
                            .with = 2,
                            .low_water = 3,
                            .queue = 64,
                            .history = 64,
                            .replicas = 4};

    world_end();
    world_begin_as(&w);
    make(0, 0, 0, 7);
    make(0, 1, 0, 8);
    for (unsigned i = 2; i < 9; i++)
        make(0, i, 1, i);
    hot_shared(master_of(0, 0), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_LOW_MEMORY), 1);
    hot(master_of(0, 0), 1);
    ck_assert_uint_eq(node_seen(0, 0, 0), 1);
    hot(master_of(0, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_NO_MEMORY), 1);
    hot(master_of(0, 1), 2);
    hot_shared(master_of(0, 1), 2);
    ck_assert_uint_eq(decided(DISCO_NUMA_NO_MEMORY), 3);
    ck_assert_uint_eq(node_seen(0, 1, 0), 0);
}
END_TEST

/* There is one page when it is decided, of two moves; the second fails. */
START_TEST(memory_runs_out_in_a_round)
{
    const struct world w = {
        .nodes = 2, .pages = 4, .with = 2, .queue = 64, .history = 64, .replicas = 4};

    world_end();
    world_begin_as(&w);
    make(0, 0, 0, 7);
    make(0, 1, 0, 8);
    for (unsigned i = 2; i < 5; i++)
        make(0, i, 1, i);
    queue(master_of(0, 0), 1);
    queue(master_of(0, 1), 1);
    ck_assert_uint_eq(disco_numa_work(numa, 100), 2);
    ck_assert_uint_eq(stats().moved[DISCO_NUMA_DO_MIGRATE], 1);
    ck_assert_uint_eq(stats().failed[DISCO_NUMA_DO_MIGRATE], 1);
    ck_assert_uint_eq(node_seen(0, 0, 0) + node_seen(0, 1, 0), 1);
    ck_assert_uint_eq(word_seen(0, 0, 0), 7);
    ck_assert_uint_eq(word_seen(0, 1, 0), 8);
}
END_TEST

START_TEST(one_node)
{
    const struct world w = {
        .nodes = 1, .pages = 8, .with = 1, .queue = 64, .history = 64, .replicas = 4};

    world_end();
    world_begin_as(&w);
    make(0, 0, 0, 7);
    hot(master_of(0, 0), 0);
    hot_shared(master_of(0, 0), 0);
    ck_assert_uint_eq(decided(DISCO_NUMA_LOCAL), 2);
    ck_assert_uint_eq(disco_numa_drop_replicas(numa, 0, 10), 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        migrates,
        replicates,
        written_after_all,
        collapses,
        remaps,
        rounds_of_one_pmap,
        hot_from_everywhere,
        makes_way,
        restless,
        capped,
        history_is_bounded,
        memory_is_short,
        memory_runs_out_in_a_round,
        one_node,
    };

    return SUITE_RUN("numa work", tests, world_begin, world_end);
}
