/* SPDX-License-Identifier: BSD-2-Clause */
/* Hot records that are not what they seem: of pages that are others' by now, shared, or counted by our own copying. */
#include "suite.h"
#include "world.h"

static void queue(uint64_t mpn, unsigned node)
{
    struct disco_numa_hot h = record(mpn, node);

    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
}

/* --- whose page is it? --- */

START_TEST(not_a_guests)
{
    disco_mpn own;

    ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &own), 0);
    hot(own.v, 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_MONITOR), 1);
    ck_assert_int_eq(disco_memmap_put(mm, own), 0);
    hot(own.v, 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_FREE), 1);
    /* Just allocated for somebody, and nobody's yet. */
    ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_PRIVATE, &own), 0);
    hot(own.v, 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_MONITOR), 2);
    ck_assert_int_eq(disco_memmap_put(mm, own), 0);
    hot(FIRST - 1, 1);
    hot(FIRST + NODES * EACH, 1);
    hot(0, 1);
    hot(UINT64_MAX, 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_FOREIGN), 4);
    ck_assert_uint_eq(stats().rounds, 0);
}
END_TEST

START_TEST(not_attached)
{
    make(1, 0, 0, 7);
    ck_assert_int_eq(disco_numa_detach(numa, &pm[1]), 0);
    hot(master_of(1, 0), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_NO_USER), 1);
    ck_assert_uint_eq(node_seen(1, 0, 0), 0);
    /* One of two users is enough, and the copy is for both. */
    share(1, 0, 2, 4);
    hot(master_of(1, 0), 3);
    ck_assert_uint_eq(decided(DISCO_NUMA_READ_SHARED), 1);
    ck_assert_uint_eq(node_seen(1, 0, 3), 3);
    ck_assert_uint_eq(node_seen(2, 4, 3), 3);
}
END_TEST

START_TEST(dead_pages_map_is_wired)
{
    make(0, 0, 0, 0);
    ck_assert_int_eq(disco_pmap_set_dead(&pm[0], (disco_pa){0}, PPNS, 0), 0);
    hot(master_of(0, 0), 1);
    hot_shared(master_of(0, 0), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_WIRED), 2);
    ck_assert_uint_eq(node_seen(0, 0, 0), 0);
}
END_TEST

/* While a page is being revoked its entry leads nowhere. */
static uint64_t revoked;
static void hot_while_revoked(void) { hot(revoked, 1); }

START_TEST(being_revoked)
{
    make(0, 0, 0, 7);
    revoked = master_of(0, 0);
    in_purge = hot_while_revoked;
    ck_assert_int_eq(disco_pmap_drop(&pm[0], ppn(0)), 0);
    ck_assert_uint_eq(decided(DISCO_NUMA_CHANGED), 1);
}
END_TEST

/* The record waits; meanwhile its page is freed and becomes another's, who is judged in its place. */
START_TEST(reused)
{
    uint64_t mpn;

    make(0, 0, 0, 7);
    mpn = master_of(0, 0);
    queue(mpn, 2);
    ck_assert_int_eq(disco_pmap_drop(&pm[0], ppn(0)), 0);
    make(1, 5, 0, 9);
    ck_assert_uint_eq(master_of(1, 5), mpn);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(node_seen(1, 5, 0), 2);
    ck_assert_uint_eq(word_seen(1, 5, 0), 9);
}
END_TEST

/* --- shared pages --- */

/* Several users, and one node that misses: no migration. Stores of the time before it was shared do not count. */
START_TEST(shared_page_is_replicated)
{
    struct disco_numa_hot h;

    make(0, 0, 0, 7);
    share(0, 0, 1, 5);
    h = record(master_of(0, 0), 2);
    h.writes = 50;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_READ_SHARED), 1);
    ck_assert_uint_eq(node_seen(0, 0, 2), 2);
    ck_assert_uint_eq(node_seen(1, 5, 2), 2);
    /* One user writes and has its own; the other's replica stays. */
    store(1, 5, 3, 8);
    ck_assert_uint_eq(word_seen(0, 0, 2), 7);
    ck_assert_uint_eq(node_seen(0, 0, 2), 2);
    ck_assert_uint_eq(word_seen(1, 5, 2), 8);
}
END_TEST

/* Whose processor uses a far copy of a shared page is not known: its users take turns. */
static unsigned asked[VMS];
static disco_ppn asked_at[VMS];

static void note_purge(void)
{
    asked[purged_of]++;
    asked_at[purged_of] = purged_at;
}

START_TEST(users_take_turns)
{
    make(0, 0, 0, 7);
    share(0, 0, 1, 5);
    share(0, 0, 2, 6);
    hot(master_of(0, 0), 3);
    in_purge = note_purge;
    for (unsigned i = 0; i < 6; i++)
        hot(master_of(0, 0), 3);
    ck_assert_uint_eq(decided(DISCO_NUMA_FAR_COPY), 6);
    for (unsigned v = 0; v < VMS; v++)
        ck_assert_uint_eq(asked[v], 2);
    ck_assert_uint_eq(asked_at[1].v, 5);
}
END_TEST

/* --- counts that are our own doing --- */

/* Copying the page left 32 stores on it, and the processor that copied looks like a user. */
START_TEST(copying_does_not_count)
{
    struct disco_numa_hot h;

    running = 1;
    make(0, 0, 0, 7);
    hot(master_of(0, 0), 2);
    h = record(master_of(0, 0), 3);
    h.writes = 33, h.others = 32, h.sharers = 2;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_ONE_NODE), 2);
    ck_assert_uint_eq(node_seen(0, 0, 0), 3);
    /* 33 are more than a copy leaves; and nodes 1 and 2 are not the one that copied. */
    h = record(master_of(0, 0), 0);
    h.writes = 33, h.others = 33, h.sharers = 2;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_READ_SHARED), 1);
    h = record(master_of(0, 0), 1);
    h.writes = 35, h.others = 32, h.sharers = 6;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_WRITTEN), 1);
}
END_TEST

/* A record that came while its page was being copied is older than the copy. */
static void hot_while_copied(void)
{
    in_purge = NULL;
    queue(revoked, 2);
}

/* Replicate a page, and look at the record that `happens` queues meanwhile. */
static void replicate_while(void (*happens)(void))
{
    struct disco_numa_hot h;

    make(0, 0, 0, 7);
    revoked = master_of(0, 0);
    h = record(revoked, 2);
    h.others = 25;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    in_purge = happens;
    ck_assert_uint_eq(disco_numa_work(numa, 10), 1);
    ck_assert_uint_eq(disco_numa_work(numa, 10), 1);
}

START_TEST(stale)
{
    replicate_while(hot_while_copied);
    ck_assert_uint_eq(decided(DISCO_NUMA_READ_SHARED), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_STALE), 1);
    ck_assert_uint_eq(stats().rounds, 1);
}
END_TEST

/* Stores that another node's record counted before the page was replicated do not collapse it. */
static void written_while_copied(void)
{
    struct disco_numa_hot h = record(revoked, 3);

    in_purge = NULL;
    h.writes = 50;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
}

START_TEST(old_stores)
{
    replicate_while(written_while_copied);
    ck_assert_uint_eq(decided(DISCO_NUMA_READ_SHARED), 2);
}
END_TEST

START_TEST(counts_without_sense)
{
    struct disco_numa_hot h;

    make(0, 0, 0, 7);
    h = record(master_of(0, 0), 1);
    h.misses = 0;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_NOT_HOT), 1);
    h.misses = h.others = h.writes = h.sharers = UINT64_MAX;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(decided(DISCO_NUMA_WRITE_SHARED), 1);
    h.others = h.writes = 0;
    ck_assert_int_eq(disco_numa_hot(numa, &h), 0);
    ck_assert_uint_eq(disco_numa_work(numa, 1), 1);
    ck_assert_uint_eq(node_seen(0, 0, 0), 1);
    ck_assert_uint_eq(word_seen(0, 0, 0), 7);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        not_a_guests,
        not_attached,
        dead_pages_map_is_wired,
        being_revoked,
        reused,
        shared_page_is_replicated,
        users_take_turns,
        copying_does_not_count,
        stale,
        old_stores,
        counts_without_sense,
    };

    return SUITE_RUN("numa look", tests, world_begin, world_end);
}
