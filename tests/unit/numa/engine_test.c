/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine around its moves: storage, the queue, parameters, pmaps that come and go, time. */
#include "suite.h"
#include "world.h"

#include <string.h>

START_TEST(init_refuses)
{
    struct disco_numa_config c =
                                 {
                                     .backend = &m.b,
                                     .mm = mm,
                                     .pmaps = 3,
                                     .queue = 16,
                                     .history = 16,
                                     .replicas = 4,
                                     .params = world_params(),
                                 },
                             bad;
    struct disco_backend_ops ops = {0};
    struct disco_backend b = m.b;
    struct disco_numa *n;
    size_t size = disco_numa_size(&c);
    void *s = mock_storage(size);

    ck_assert_uint_ne(size, 0);
    ck_assert_int_eq(disco_numa_init(NULL, s, size, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_numa_init(&n, NULL, size, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_numa_init(&n, (char *)s + DISCO_CACHE_LINE / 2, size, &c),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_numa_init(&n, s, size, NULL), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_numa_init(&n, s, size - 1, &c), DISCO_ERR_NO_SPACE);
    bad = c, bad.backend = NULL;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    bad = c, bad.mm = NULL;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    bad = c, bad.pmaps = 0;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    bad = c, bad.pmaps = DISCO_MAX_PMAPS + 1;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    bad = c, bad.queue = 12;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    bad = c, bad.queue = 0;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    bad = c, bad.history = 2;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    bad = c, bad.replicas = 3;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    bad = c, bad.params.trigger = 0;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    bad = c, bad.backend = &b, b.nodes = DISCO_MAX_NODES + 1;
    ck_assert_uint_eq(disco_numa_size(&bad), 0);
    b.nodes = 1, b.ops = &ops;
    ck_assert_int_eq(disco_numa_init(&n, s, size, &bad), DISCO_ERR_MISSING_OP);
    /* 8 a pmap, 64 a queue place, 32 a history place, 8 a replica and node. */
    bad = c, bad.pmaps += 16, bad.queue *= 2, bad.history *= 2, bad.replicas *= 2;
    ck_assert_uint_eq(disco_numa_size(&bad) - size, 16 * 8 + 16 * 64 + 16 * 32 + 4 * 8 * NODES);
    free(s);
    disco_numa_fini(NULL);
}
END_TEST

/* --- the queue --- */

START_TEST(queued_and_taken)
{
    make(0, 0, 0, 1);
    ck_assert_uint_eq(disco_numa_work(numa, 10), 0);
    for (unsigned i = 0; i < 5; i++) {
        struct disco_numa_hot h = record(FIRST + i, 1);

        ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    }
    ck_assert_uint_eq(disco_numa_waiting(numa), 5);
    ck_assert_uint_eq(disco_numa_work(numa, 0), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 2), 2);
    ck_assert_uint_eq(disco_numa_waiting(numa), 3);
    ck_assert_uint_eq(disco_numa_work(numa, 10), 3);
    ck_assert_uint_eq(disco_numa_waiting(numa), 0);
    ck_assert_uint_eq(decided(DISCO_NUMA_ONE_NODE), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_FREE), 4);
}
END_TEST

/* The later one counts: it has all that the earlier has. */
START_TEST(merged)
{
    struct disco_numa_hot h = record(FIRST, 1);

    make(0, 0, 0, 1);
    h.misses = 50;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    h.misses = 100;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    h.node = h.cpu = 2, h.misses = 10;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(stats().merged, 1);
    ck_assert_uint_eq(disco_numa_waiting(numa), 2);
    ck_assert_uint_eq(disco_numa_work(numa, 10), 2);
    ck_assert_uint_eq(decided(DISCO_NUMA_ONE_NODE), 1);
    ck_assert_uint_eq(node_seen(0, 0, 0), 1);
    /* What is no longer there is not merged into. */
    h = record(master_of(0, 0), 2);
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(stats().merged, 1);
}
END_TEST

/* With one place in the queue there is one in the index, too: other pages and nodes share it, and are told apart. */
START_TEST(told_apart)
{
    const struct world w = {
        .nodes = 2, .pages = 4, .with = 2, .queue = 1, .history = 4, .replicas = 1};
    struct disco_numa_hot h = record(FIRST, 0);

    world_end();
    world_begin_as(&w);
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    h.node = 1;
    ck_assert_int_eq(disco_numa_hot(numa, &h), DISCO_ERR_NO_SPACE);
    h.node = 0, h.mpn.v++;
    ck_assert_int_eq(disco_numa_hot(numa, &h), DISCO_ERR_NO_SPACE);
    h.mpn.v--;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(stats().merged, 1);
    ck_assert_uint_eq(stats().overflow, 2);
}
END_TEST

START_TEST(overflow)
{
    uint64_t refused = 0;

    for (unsigned i = 0; i < 3 * QUEUE; i++) {
        struct disco_numa_hot h = record(FIRST + i % EACH, i / EACH % NODES);
        int err = disco_numa_hot(numa, &h);

        ck_assert(!err || (i >= QUEUE && err == DISCO_ERR_NO_SPACE));
        refused += err != 0;
        ck_assert_uint_eq(disco_numa_waiting(numa), i < QUEUE ? i + 1 : QUEUE);
    }
    ck_assert_uint_eq(stats().hot, 3 * QUEUE);
    ck_assert_uint_eq(stats().overflow, refused);
    ck_assert_uint_eq(stats().merged, 2 * QUEUE - refused);
    ck_assert_uint_gt(refused, QUEUE);
    ck_assert_uint_eq(disco_numa_work(numa, SIZE_MAX), QUEUE);
    ck_assert_uint_eq(decided(DISCO_NUMA_FREE), QUEUE);
}
END_TEST

START_TEST(bad_records)
{
    struct disco_numa_hot h = record(FIRST, NODES);

    h.cpu = 0;
    ck_assert_int_eq(disco_numa_hot(numa, &h), DISCO_ERR_BAD_ARG);
    h.node = UINT32_MAX;
    ck_assert_int_eq(disco_numa_hot(numa, &h), DISCO_ERR_BAD_ARG);
    h.node = 0, h.cpu = NODES;
    ck_assert_int_eq(disco_numa_hot(numa, &h), DISCO_ERR_BAD_ARG);
    h.cpu = UINT32_MAX;
    ck_assert_int_eq(disco_numa_hot(numa, &h), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(stats().bad, 4);
    ck_assert_uint_eq(stats().hot, 4);
    ck_assert_uint_eq(disco_numa_waiting(numa), 0);
}
END_TEST

/* --- parameters --- */

START_TEST(set_and_get)
{
    struct disco_numa_params p = world_params(), got;

    make(0, 0, 0, 1);
    p.trigger = 101;
    ck_assert_int_eq(disco_numa_set(numa, &p), 0);
    disco_numa_get(numa, &got);
    ck_assert(!memcmp(&p, &got, sizeof p));
    hot(master_of(0, 0), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_NOT_HOT), 1);
    p.sharing = 0;
    ck_assert_int_eq(disco_numa_set(numa, &p), DISCO_ERR_BAD_ARG);
    disco_numa_get(numa, &got);
    ck_assert_uint_eq(got.sharing, 25);
    p = got, p.mode = DISCO_NUMA_OFF, p.trigger = 100;
    ck_assert_int_eq(disco_numa_set(numa, &p), 0);
    hot(master_of(0, 0), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_DISABLED), 1);
    p.mode = DISCO_NUMA_MIGRATE;
    ck_assert_int_eq(disco_numa_set(numa, &p), 0);
    hot(master_of(0, 0), 1);
    ck_assert_uint_eq(node_seen(0, 0, 0), 1);
}
END_TEST

/* --- pmaps --- */

START_TEST(attach_and_detach)
{
    struct disco_pmap x = pm[0];

    ck_assert_int_eq(disco_numa_attach(numa, NULL), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_numa_attach(numa, &pm[0]), DISCO_ERR_BUSY);
    x.id = VMS;
    ck_assert_int_eq(disco_numa_attach(numa, &x), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_numa_detach(numa, &x), DISCO_ERR_NOT_FOUND);
    x.id = 0;
    ck_assert_int_eq(disco_numa_attach(numa, &x), DISCO_ERR_BUSY);
    ck_assert_int_eq(disco_numa_detach(numa, &x), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(disco_numa_detach(numa, NULL), DISCO_ERR_NOT_FOUND);
    x.mm = NULL;
    ck_assert_int_eq(disco_numa_attach(numa, &x), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_numa_detach(numa, &pm[0]), 0);
    ck_assert_int_eq(disco_numa_detach(numa, &pm[0]), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(disco_numa_attach(numa, &pm[0]), 0);
}
END_TEST

/* A virtual machine is reset while records of its pages wait; one is of a page that its successor has. */
START_TEST(reset_while_records_wait)
{
    struct disco_numa_hot h;

    make(0, 0, 0, 1);
    make(0, 1, 0, 2);
    for (unsigned i = 0; i < 2; i++) {
        h = record(master_of(0, i), 2);
        ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    }
    ck_assert_int_eq(disco_numa_detach(numa, &pm[0]), 0);
    disco_pmap_fini(&pm[0]);
    pmap_begin(0);
    make(0, 5, 0, 3);
    ck_assert_int_eq(disco_numa_attach(numa, &pm[0]), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 10), 2);
    ck_assert_uint_eq(decided(DISCO_NUMA_FREE), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_ONE_NODE), 1);
    ck_assert_uint_eq(word_seen(0, 5, 3), 3);
}
END_TEST

/* --- time --- */

START_TEST(ticks)
{
    struct disco_numa_params p = world_params();

    ck_assert_uint_le(disco_numa_interval_end(numa), 5);
    ck_assert(disco_numa_tick(numa, 5));
    ck_assert(!disco_numa_tick(numa, 5));
    ck_assert_uint_eq(disco_numa_interval_end(numa), 1000005);
    ck_assert(!disco_numa_tick(numa, 1000004));
    ck_assert(disco_numa_tick(numa, 1000005));
    ck_assert(!disco_numa_tick(numa, 1000006));
    ck_assert(disco_numa_tick(numa, 9000000));
    ck_assert(!disco_numa_tick(numa, 9999999));
    ck_assert(disco_numa_tick(numa, 10000000));
    ck_assert_uint_eq(stats().intervals, 4);
    /* Back by less than an interval: nothing; by more: a new one, and it goes on from there. */
    ck_assert(!disco_numa_tick(numa, 10000000 - 1));
    ck_assert(!disco_numa_tick(numa, 10000000 + 1000000 - 1));
    ck_assert(disco_numa_tick(numa, 17));
    ck_assert(disco_numa_tick(numa, 1000017));
    ck_assert(disco_numa_tick(numa, UINT64_MAX - 1));
    ck_assert(!disco_numa_tick(numa, UINT64_MAX - 1));
    ck_assert(disco_numa_tick(numa, 0));
    p.interval = 10;
    ck_assert_int_eq(disco_numa_set(numa, &p), 0);
    ck_assert(disco_numa_tick(numa, 1));
    ck_assert(!disco_numa_tick(numa, 10));
    ck_assert(disco_numa_tick(numa, 11));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {init_refuses, queued_and_taken,  merged,
                            told_apart,   overflow,          bad_records,
                            set_and_get,  attach_and_detach, reset_while_records_wait,
                            ticks};

    return SUITE_RUN("numa engine", tests, world_begin, world_end);
}
