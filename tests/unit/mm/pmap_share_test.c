/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: sharing, write faults, migration and replication. */
#include "pmap_fixture.h"

#include <string.h>

/* Lend page 0 of `pm` to page 5 of `other`; no reference is kept but the users'. */
static uint64_t share_one(enum disco_pmap_reason reason)
{
    disco_mpn mpn = {0};

    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){8}, "shared", 6, 0), 0);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, reason, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&other, ppn(5), mpn, reason), 0);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
    return mpn.v;
}

START_TEST(sharing_takes_the_right_to_write)
{
    uint64_t shared;
    unsigned before;

    enter(2, 0, 0, 1);
    before = purged.calls;
    shared = share_one(DISCO_PMAP_COW);
    ck_assert_uint_eq(purged.calls, before + 1);
    ck_assert_uint_eq(purged.n, 1);
    ck_assert_uint_eq(mpn_at(&pm, 0, 0), shared);
    ck_assert_uint_eq(mpn_at(&other, 5, 1), shared);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(0)), DISCO_PMAP_COW);
    ck_assert_int_eq(disco_pmap_reason(&other, ppn(5)), DISCO_PMAP_COW);
    ck_assert_uint_eq(mock_rights(pm.entry[0].tlbe), DISCO_READ | DISCO_EXEC);
    ck_assert_uint_eq(mock_rights(other.entry[5].tlbe), DISCO_READ | DISCO_EXEC);
    ck_assert_uint_eq(mock_rights(enter(2, 0, 0, 1).e[0]), DISCO_READ | DISCO_EXEC);
    ck_assert_int_eq(disco_memmap_state(mm, (disco_mpn){shared}), DISCO_PAGE_SHARED);
    ck_assert_uint_eq(mock_stats(&pm).shared, 1);
}
END_TEST

START_TEST(write_fault_copies_then_takes)
{
    uint64_t shared = share_one(DISCO_PMAP_NET), own;
    char text[6];

    enter(2, 0, 0, 0);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(0), 1), 0);
    ck_assert_uint_eq(purged.ppn.v, 0);
    ck_assert_uint_eq(purged.n, 1);
    own = mpn_at(&pm, 0, 0);
    ck_assert_uint_ne(own, shared);
    ck_assert_uint_eq(disco_memmap_node(mm, (disco_mpn){own}), 1);
    ck_assert_uint_eq(mock_stats(&pm).net_copies, 1);
    ck_assert_int_eq(disco_pmap_read(&pm, (disco_pa){8}, text, 6, 0), 0);
    ck_assert_mem_eq(text, "shared", 6);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(0)), DISCO_PMAP_WRITABLE);

    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(5), 1), 0);
    ck_assert_uint_eq(mpn_at(&other, 5, 0), shared);
    ck_assert_uint_eq(mock_stats(&other).write_reused, 1);
    ck_assert_uint_eq(mock_rights(other.entry[5].tlbe), DISCO_RWX);
    /* Resolved already: nothing happens. */
    purged.calls = 0;
    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(5), 1), 0);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(PPNS), 1), DISCO_ERR_BAD_ADDRESS);
    /* Of a page that is not there yet: it comes. */
    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(6), 1), 0);
    ck_assert_uint_eq(mock_stats(&other).first_touch, 1);
}
END_TEST

/* The last user must not write on a page that a disk cache still has. */
START_TEST(a_cache_counts_as_a_user)
{
    disco_mpn cached;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_COW, &cached), 0);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(0), 0), 0);
    ck_assert_uint_ne(mpn_at(&pm, 0, 0), cached.v);
    ck_assert_uint_eq(mock_stats(&pm).cow_copies, 1);
    ck_assert_int_eq(disco_memmap_state(mm, cached), DISCO_PAGE_MONITOR);
    ck_assert_int_eq(disco_memmap_put(mm, cached), 0);
}
END_TEST

START_TEST(write_fault_without_memory)
{
    uint64_t shared = share_one(DISCO_PMAP_COW);
    struct disco_pmap_entry before = pm.entry[0];

    fill_memory();
    purged.calls = 0;
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(0), 0), DISCO_ERR_NO_MEMORY);
    ck_assert_mem_eq(&before, &pm.entry[0], sizeof before);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_uint_eq(disco_memmap_refs(mm, (disco_mpn){shared}), 2);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){0}, "x", 1, 0), DISCO_ERR_NO_MEMORY);
    empty_memory();
}
END_TEST

START_TEST(share_refuses)
{
    disco_mpn mpn;
    struct disco_pmap_entry before;

    ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &mpn), 0);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(0), 0), 0);
    before = pm.entry[0];
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), mpn, DISCO_PMAP_WRITABLE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), mpn, DISCO_PMAP_REPLICA), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(PPNS), mpn, DISCO_PMAP_COW), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), (disco_mpn){7}, DISCO_PMAP_COW),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(PPNS), 0, DISCO_PMAP_COW, &mpn),
                     DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_WRITABLE, &mpn), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), mpn, DISCO_PMAP_COW), DISCO_ERR_STATE);
    ck_assert_mem_eq(&before, &pm.entry[0], sizeof before);
    ck_assert_uint_eq(purged.calls, 0);
}
END_TEST

/* One chunk: a page can have eight users. */
START_TEST(share_without_chunks)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_COW, &mpn), 0);
    for (unsigned i = 0; i < 7; i++)
        ck_assert_int_eq(disco_pmap_share(&other, ppn(i), mpn, DISCO_PMAP_COW), 0);
    ck_assert_int_eq(disco_pmap_touch(&other, ppn(7), 0), 0);
    ck_assert_int_eq(disco_pmap_share(&other, ppn(7), mpn, DISCO_PMAP_COW), DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(disco_pmap_reason(&other, ppn(7)), DISCO_PMAP_WRITABLE);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
}
END_TEST

START_TEST(share_over_itself)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_COW, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), mpn, DISCO_PMAP_NET), 0);
    ck_assert_uint_eq(disco_memmap_refs(mm, mpn), 2);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
    ck_assert_uint_eq(mpn_at(&pm, 0, 0), mpn.v);
}
END_TEST

START_TEST(migration)
{
    uint64_t old;
    char text[4];

    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(PPNS), 1), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 1), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){4092}, "move", 4, 0), 0);
    enter(2, 1, 0, 0);
    old = mpn_at(&pm, 0, 0);
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 0), 0);
    ck_assert_uint_eq(mpn_at(&pm, 0, 0), old);
    /* Until a processor has answered the purge it may store; that store must not be lost. */
    purged.last_store = mock_page(&m, old) + 4095;
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 1), 0);
    purged.last_store = NULL;
    ck_assert_uint_eq(disco_memmap_node(mm, (disco_mpn){mpn_at(&pm, 0, 0)}), 1);
    ck_assert_int_eq(disco_memmap_state(mm, (disco_mpn){old}), DISCO_PAGE_FREE);
    ck_assert_uint_eq(purged.p[0].vcpus, 1u << 1);
    ck_assert_int_eq(disco_pmap_read(&pm, (disco_pa){4092}, text, 4, 0), 0);
    ck_assert_mem_eq(text, "mov!", 4);
    share_one(DISCO_PMAP_COW);
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 0), DISCO_ERR_BUSY);
    fill_memory();
    ck_assert_int_eq(disco_pmap_drop(&other, ppn(5)), 0);
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 0), DISCO_ERR_NO_MEMORY);
    empty_memory();
}
END_TEST

START_TEST(replication)
{
    uint64_t master, copy;

    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(PPNS), 1), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 1), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){0}, "twin", 4, 0), 0);
    enter(2, 0, 0, 0);
    master = mpn_at(&pm, 0, 0);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 0), 0);
    ck_assert_uint_eq(purged.calls, 0);
    purged.last_store = mock_page(&m, master);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 1), 0);
    purged.last_store = NULL;
    ck_assert_uint_eq(purged.n, 1);
    copy = mpn_at(&pm, 0, 1);
    ck_assert_uint_ne(copy, master);
    ck_assert_uint_eq(mpn_at(&pm, 0, 0), master);
    ck_assert_mem_eq(mock_page(&m, copy), "!win", 4);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(0)), DISCO_PMAP_REPLICA);
    ck_assert_uint_eq(mock_rights(enter(2, 0, 0, 0).e[0]), DISCO_READ | DISCO_EXEC);
    /* A write collapses it. */
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(0), 1), 0);
    ck_assert_uint_eq(mpn_at(&pm, 0, 1), master);
    ck_assert_int_eq(disco_memmap_state(mm, (disco_mpn){copy}), DISCO_PAGE_FREE);
    ck_assert_uint_eq(mock_stats(&pm).collapses, 1);
    fill_memory();
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 1), DISCO_ERR_NO_MEMORY);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(0)), DISCO_PMAP_WRITABLE);
    empty_memory();
}
END_TEST

/* A replica's number, got by translate, may be lent on: its master is what is shared. */
START_TEST(sharing_a_replica_shares_its_master)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(0), 0), 0);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 1), 0);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 1, DISCO_PMAP_COW, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&other, ppn(0), (disco_mpn){mpn_at(&pm, 0, 1)},
                                      DISCO_PMAP_COW),
                     0);
    ck_assert_uint_eq(mpn_at(&other, 0, 0), mpn.v);
    ck_assert_uint_eq(mpn_at(&other, 0, 1), mpn_at(&pm, 0, 1));
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
}
END_TEST

START_TEST(writing_leaves_the_shared_page_alone)
{
    uint64_t shared = share_one(DISCO_PMAP_COW);

    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){8}, "mine!!", 6, 0), 0);
    ck_assert_mem_eq(mock_page(&m, shared) + 8, "shared", 6);
    ck_assert_mem_eq(mock_page(&m, mpn_at(&pm, 0, 0)) + 8, "mine!!", 6);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        sharing_takes_the_right_to_write,
        write_fault_copies_then_takes,
        a_cache_counts_as_a_user,
        write_fault_without_memory,
        share_refuses,
        share_without_chunks,
        share_over_itself,
        migration,
        replication,
        sharing_a_replica_shares_its_master,
        writing_leaves_the_shared_page_alone,
    };

    return SUITE_RUN("pmap_share", tests, setup, teardown);
}
