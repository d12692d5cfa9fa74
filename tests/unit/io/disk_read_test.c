/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a disk that is shared: what is mapped, what is copied, and what the store is asked for. */
#include "disk_world.h"
#include "suite.h"

static struct world w;

static void setup(void) { world_init(&w, &(struct world_config){.ports = VMS}); }
static void teardown(void) { world_fini(&w); }

#define READ(vm, sector, pa, len) world_io(&w, vm, DISCO_DISK_READ, sector, pa, len)

START_TEST(a_block_is_one_page_in_all)
{
    uint64_t before = world_free(&w), page;

    ck_assert_int_eq(READ(0, 16, 4 * PAGE, PAGE), 0);
    ck_assert_uint_eq(w.store.transfers, 1);
    page = page_behind(&w, 0, 4 * PAGE);
    for (unsigned vm = 1; vm < VMS; vm++) {
        struct disco_io_seg seg = {7 * PAGE, PAGE};

        ck_assert_int_eq(world_ask(&w, vm, DISCO_DISK_READ, 16, 1, &seg, 1), 1);
        ck_assert_uint_eq(page_behind(&w, vm, 7 * PAGE), page);
        ck_assert(guest_shows(&w, vm, 7 * PAGE, 16, PAGE));
    }
    ck_assert_uint_eq(w.store.transfers, 1);
    ck_assert_uint_eq(world_free(&w),
                      before - 1 - VMS); /* and the pages that the requests lie in */
    ck_assert_uint_eq(world_stats(&w).mapped, VMS);
    ck_assert_uint_eq(world_stats(&w).copied, 0);
    ck_assert_uint_eq(world_stats(&w).hits, VMS - 1);
    ck_assert_uint_eq(world_stats(&w).misses, 1);
}
END_TEST

START_TEST(who_writes_has_a_page_alone)
{
    READ(0, 0, 0, PAGE);
    READ(1, 0, 0, PAGE);
    guest_fill(&w, 0, 100, 10, 0xab);
    ck_assert(guest_has(&w, 0, 100, 10, 0xab) && guest_shows(&w, 0, 0, 0, 100));
    ck_assert(guest_shows(&w, 1, 0, 0, PAGE));
    ck_assert_uint_ne(page_behind(&w, 0, 0), page_behind(&w, 1, 0));
    ck_assert_int_eq(READ(0, 0, PAGE, PAGE), 0);
    ck_assert(guest_shows(&w, 0, PAGE, 0, PAGE));
}
END_TEST

/* Whatever the page was before: not there, private, shared, one with replicas, or the very page that is read. */
START_TEST(a_target_in_any_state)
{
    disco_mpn mpn;

    READ(1, 40, 0, PAGE);
    guest_fill(&w, 0, 2 * PAGE, PAGE, 1);
    guest_fill(&w, 0, 3 * PAGE, PAGE, 2);
    ck_assert(!disco_pmap_lend(&w.vm[0].pmap, (disco_ppn){3}, 0, DISCO_PMAP_NET, &mpn));
    ck_assert(!disco_pmap_share(&w.vm[1].pmap, (disco_ppn){9}, mpn, DISCO_PMAP_NET));
    disco_memmap_put(w.mm, mpn);
    guest_fill(&w, 0, 4 * PAGE, PAGE, 3);
    ck_assert(!disco_pmap_replicate(&w.vm[0].pmap, (disco_ppn){4}, 1));
    for (unsigned round = 0; round < 2; round++) {
        for (uint64_t page = 1; page < 5; page++) {
            ck_assert_int_eq(READ(0, 40, page * PAGE, PAGE), 0);
            ck_assert(guest_shows(&w, 0, page * PAGE, 40, PAGE));
            ck_assert_uint_eq(page_behind(&w, 0, page * PAGE), page_behind(&w, 1, 0));
        }
    }
    ck_assert(guest_has(&w, 1, 9 * PAGE, PAGE, 2));
}
END_TEST

START_TEST(parts_are_copied)
{
    const struct disco_io_seg odd[] = {{100, 512}, {5 * PAGE - 512, 1024}, {9 * PAGE, 2 * PAGE}};

    guest_fill(&w, 0, 0, 20 * PAGE, 0x55);
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_READ, 13, 5, odd, 3), 0);
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 0, 5), 0);
    ck_assert(guest_shows(&w, 0, 100, 13, 512));
    ck_assert(guest_shows(&w, 0, 5 * PAGE - 512, 14, 1024));
    ck_assert(guest_shows(&w, 0, 9 * PAGE, 16, 2 * PAGE)); /* mapped: both begin a page */
    ck_assert(guest_has(&w, 0, 0, 100, 0x55) && guest_has(&w, 0, 612, 3 * PAGE, 0x55));
    ck_assert(guest_has(&w, 0, 5 * PAGE + 512, 3 * PAGE, 0x55));
    ck_assert(guest_has(&w, 0, 11 * PAGE, 9 * PAGE, 0x55));
    ck_assert_uint_eq(world_stats(&w).mapped, 2);
    ck_assert_uint_eq(world_stats(&w).copied, 1536);
    ck_assert_uint_eq(w.store.transfers, 1);
}
END_TEST

/* Pages that begin a page of memory but not of the disk, and the other way about. */
START_TEST(not_aligned_on_one_side)
{
    ck_assert_int_eq(READ(0, 9, 2 * PAGE, 2 * PAGE), 0);
    ck_assert_int_eq(READ(0, 16, 8 * PAGE + 512, 2 * PAGE), 0);
    ck_assert(guest_shows(&w, 0, 2 * PAGE, 9, 2 * PAGE));
    ck_assert(guest_shows(&w, 0, 8 * PAGE + 512, 16, 2 * PAGE));
    ck_assert_uint_eq(world_stats(&w).mapped, 0);
}
END_TEST

/* The longest requests: 64 blocks, and 65 where they begin in the middle of one. */
START_TEST(the_longest)
{
    ck_assert_int_eq(READ(0, 8, 0, DISCO_DISK_BYTES), 0);
    ck_assert(guest_shows(&w, 0, 0, 8, DISCO_DISK_BYTES));
    ck_assert_uint_eq(w.store.transfers, 2);
    ck_assert_uint_eq(w.store.sectors, DISCO_DISK_BYTES / DISCO_SECTOR);
    ck_assert_uint_eq(world_stats(&w).mapped, 64);
    ck_assert_int_eq(READ(1, 3, 512, DISCO_DISK_BYTES), 0);
    ck_assert(guest_shows(&w, 1, 512, 3, DISCO_DISK_BYTES));
    ck_assert_uint_eq(w.store.transfers, 3); /* the first block; the last was read before */
    ck_assert_uint_eq(world_stats(&w).misses, 65);
}
END_TEST

START_TEST(only_what_is_missing)
{
    READ(0, 3 * 8, 0, 2 * PAGE);
    READ(0, 7 * 8, 0, PAGE);
    w.store.transfers = 0;
    w.store.sectors = 0;
    ck_assert_int_eq(READ(1, 0, 0, 10 * PAGE), 0);
    ck_assert(guest_shows(&w, 1, 0, 0, 10 * PAGE));
    ck_assert_uint_eq(w.store.transfers, 3);
    ck_assert_uint_eq(w.store.sectors, 7 * 8);
}
END_TEST

START_TEST(who_comes_second_joins)
{
    const struct disco_io_seg four = {0, 4 * PAGE}, two = {PAGE, 2 * PAGE}, six = {0, 6 * PAGE};

    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_READ, 8, 1, &four, 1), 0);
    ck_assert_int_eq(world_ask(&w, 1, DISCO_DISK_READ, 16, 2, &two, 1), 0);
    ck_assert_int_eq(world_ask(&w, 2, DISCO_DISK_READ, 0, 3, &six, 1), 0);
    ck_assert_uint_eq(w.store.transfers, 2); /* the third reads block 0 alone, for now */
    store_end(&w.store, 0, 0);
    ck_assert_int_eq(world_done(&w, 0, 1), 0);
    ck_assert_int_eq(world_done(&w, 1, 2), 0);
    ck_assert(!w.vm[2].line);
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 2, 3), 0);
    ck_assert_uint_eq(w.store.transfers, 3);
    ck_assert_uint_eq(w.store.sectors, 6 * 8);
    ck_assert(guest_shows(&w, 0, 0, 8, 4 * PAGE) && guest_shows(&w, 1, PAGE, 16, 2 * PAGE));
    ck_assert(guest_shows(&w, 2, 0, 0, 6 * PAGE));
    ck_assert(!w.vm[0].line && !w.vm[1].line && !w.vm[2].line);
}
END_TEST

/* The guest gives pages back and takes them anew while its request is under way. */
START_TEST(memory_that_changes_meanwhile)
{
    const struct disco_io_seg seg = {2 * PAGE, 3 * PAGE};

    guest_fill(&w, 0, 2 * PAGE, 3 * PAGE, 1);
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_READ, 8, 1, &seg, 1), 0);
    ck_assert(!disco_pmap_drop(&w.vm[0].pmap, (disco_ppn){2}));
    ck_assert(!disco_pmap_drop(&w.vm[0].pmap, (disco_ppn){3}));
    guest_fill(&w, 0, 3 * PAGE, PAGE, 2);
    ck_assert(!disco_pmap_migrate(&w.vm[0].pmap, (disco_ppn){4}, 1));
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 0, 1), 0);
    ck_assert(guest_shows(&w, 0, 2 * PAGE, 8, 3 * PAGE));
}
END_TEST

/* Users of a page are recorded in chunks; where there are none, pages are copied. */
START_TEST(no_record_of_users)
{
    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = VMS, .user_chunks = 1});
    for (uint64_t page = 0; page < 20; page++)
        ck_assert_int_eq(READ(0, 0, page * PAGE, 2 * PAGE), 0);
    for (uint64_t page = 0; page < 20; page++)
        ck_assert(guest_shows(&w, 0, page * PAGE, 0, PAGE));
    ck_assert_uint_gt(world_stats(&w).copied, 10 * PAGE);
    ck_assert_uint_gt(world_stats(&w).mapped, 5);
}
END_TEST

START_TEST(always_copied)
{
    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = VMS, .copy = true});
    READ(0, 0, 0, 4 * PAGE);
    READ(1, 0, 0, 4 * PAGE);
    ck_assert(guest_shows(&w, 0, 0, 0, 4 * PAGE) && guest_shows(&w, 1, 0, 0, 4 * PAGE));
    ck_assert_uint_ne(page_behind(&w, 0, 0), page_behind(&w, 1, 0));
    ck_assert_uint_eq(world_stats(&w).mapped, 0);
    ck_assert_uint_eq(world_stats(&w).copied, 8 * PAGE);
    ck_assert_uint_eq(w.store.sectors, 4 * 8);
}
END_TEST

/* A disk that does not end with a block. */
START_TEST(the_last_sectors)
{
    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = VMS, .sectors = 8 * 3 + 5});
    ck_assert_uint_eq(disco_disk_sectors(w.disk), 29);
    ck_assert_int_eq(READ(0, 24, 0, 5 * 512), 0);
    ck_assert(guest_shows(&w, 0, 0, 24, 5 * 512) && guest_has(&w, 0, 5 * 512, 3 * 512, 0));
    ck_assert_int_eq(READ(0, 20, 0, PAGE), 0);
    ck_assert_int_eq(READ(0, 22, 0, PAGE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(world_io(&w, 0, DISCO_DISK_WRITE, 28, PAGE, 512), 0);
    ck_assert_int_eq(READ(0, 24, 0, 4 * 512), 0);
    ck_assert(guest_shows(&w, 0, 0, 24, 4 * 512));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {a_block_is_one_page_in_all,
                            who_writes_has_a_page_alone,
                            a_target_in_any_state,
                            parts_are_copied,
                            not_aligned_on_one_side,
                            the_longest,
                            only_what_is_missing,
                            who_comes_second_joins,
                            memory_that_changes_meanwhile,
                            no_record_of_users,
                            always_copied,
                            the_last_sectors};

    return SUITE_RUN("disk reads", tests, setup, teardown);
}
