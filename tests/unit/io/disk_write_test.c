/* SPDX-License-Identifier: BSD-2-Clause */
/* What happens to the writes of a shared disk, on both axes of the paper. */
#include "disk_world.h"
#include "suite.h"

#define PRIVATE 0
#define VISIBLE DISCO_DISK_VISIBLE
#define KEPT DISCO_DISK_KEPT

static struct world w;

static void start(unsigned mode)
{
    world_init(&w, &(struct world_config){.ports = VMS, .mode = mode});
}

static void setup(void) { start(PRIVATE); }
static void teardown(void) { world_fini(&w); }

static void again(unsigned mode)
{
    world_fini(&w);
    start(mode);
}

#define READ(vm, sector, pa, len) world_io(&w, vm, DISCO_DISK_READ, sector, pa, len)
#define WRITE(vm, sector, pa, len) world_io(&w, vm, DISCO_DISK_WRITE, sector, pa, len)

/* VM @p vm sees @p byte in all of block @p block. */
static bool sees(unsigned vm, uint64_t block, uint8_t byte)
{
    ck_assert_int_eq(READ(vm, block * 8, 60 * PAGE, PAGE), 0);
    return guest_has(&w, vm, 60 * PAGE, PAGE, byte);
}

static bool sees_store(unsigned vm, uint64_t block)
{
    ck_assert_int_eq(READ(vm, block * 8, 60 * PAGE, PAGE), 0);
    return guest_shows(&w, vm, 60 * PAGE, block * 8, PAGE);
}

static void put(unsigned vm, uint64_t block, uint8_t byte)
{
    guest_fill(&w, vm, 61 * PAGE, PAGE, byte);
    ck_assert_int_eq(WRITE(vm, block * 8, 61 * PAGE, PAGE), 0);
}

START_TEST(private_changes)
{
    put(0, 3, 1);
    put(1, 3, 2);
    ck_assert(sees(0, 3, 1) && sees(1, 3, 2) && sees_store(2, 3));
    ck_assert(sees_store(0, 2) && sees_store(0, 4));
    ck_assert_uint_eq(w.store.writes, 0);
    ck_assert_uint_eq(world_stats(&w).logged, 2);
}
END_TEST

START_TEST(visible_changes)
{
    again(VISIBLE);
    put(0, 3, 1);
    ck_assert(sees(1, 3, 1) && sees(2, 3, 1));
    put(1, 3, 2);
    ck_assert(sees(0, 3, 2));
    ck_assert_uint_eq(w.store.writes, 0);
    ck_assert_uint_eq(world_stats(&w).logged, 1);
    ck_assert(!world_close(&w, 0) && !world_close(&w, 1));
    ck_assert(sees(2, 3, 2));
    ck_assert(!world_close(&w, 2));
    ck_assert_uint_eq(world_stats(&w).logged, 0);
    world_open(&w, 1);
    ck_assert(sees_store(1, 3));
}
END_TEST

START_TEST(lost_and_kept)
{
    uint64_t before;

    put(0, 3, 1);
    disco_pmap_drop_many(&w.vm[0].pmap, (disco_ppn){0}, VM_PAGES, NULL);
    before = world_free(&w);
    ck_assert(!world_close(&w, 0));
    ck_assert_uint_eq(world_free(&w), before + 1);
    world_open(&w, 0);
    ck_assert(sees_store(0, 3));

    again(KEPT);
    put(0, 3, 1);
    ck_assert(!world_close(&w, 0));
    world_open(&w, 0);
    ck_assert(sees(0, 3, 1) && sees_store(1, 3));
}
END_TEST

/* A log with more pages than are given back at a time, in many ranges. */
START_TEST(a_long_log_is_lost)
{
    uint64_t before = world_free(&w);

    for (unsigned i = 0; i < 100; i++)
        put(1, i * 37 % 120, (uint8_t)i);
    ck_assert_uint_eq(world_stats(&w).logged, 100);
    ck_assert(!world_close(&w, 1));
    ck_assert_uint_eq(world_stats(&w).logged, 0);
    disco_pmap_drop_many(&w.vm[1].pmap, (disco_ppn){0}, VM_PAGES, NULL);
    ck_assert_uint_eq(world_free(&w), before);
}
END_TEST

/* The guest's own page is the log's from then on; what it stores later is its alone. */
START_TEST(a_whole_page_is_lent)
{
    uint64_t page;

    guest_fill(&w, 0, 5 * PAGE, PAGE, 1);
    page = page_behind(&w, 0, 5 * PAGE);
    ck_assert_int_eq(WRITE(0, 16, 5 * PAGE, PAGE), 0);
    ck_assert_uint_eq(world_stats(&w).lent, 1);
    ck_assert_uint_eq(page_behind(&w, 0, 5 * PAGE), page);
    ck_assert_int_eq(READ(0, 16, 6 * PAGE, PAGE), 0);
    ck_assert_uint_eq(page_behind(&w, 0, 6 * PAGE), page);
    guest_fill(&w, 0, 5 * PAGE, PAGE, 2);
    ck_assert_uint_ne(page_behind(&w, 0, 5 * PAGE), page);
    ck_assert(sees(0, 2, 1) && guest_has(&w, 0, 6 * PAGE, PAGE, 1));
}
END_TEST

/* A page of the log that is mapped stays what it was when the block is written again, whole or in part. */
START_TEST(a_mapped_page_does_not_change)
{
    put(0, 2, 1);
    ck_assert_int_eq(READ(0, 16, 5 * PAGE, PAGE), 0);
    put(0, 2, 2);
    ck_assert(guest_has(&w, 0, 5 * PAGE, PAGE, 1));
    ck_assert_int_eq(READ(0, 16, 6 * PAGE, PAGE), 0);
    guest_fill(&w, 0, 0, 512, 3);
    ck_assert_int_eq(WRITE(0, 18, 0, 512), 0);
    ck_assert(guest_has(&w, 0, 6 * PAGE, PAGE, 2));
    ck_assert_int_eq(READ(0, 16, 7 * PAGE, PAGE), 0);
    ck_assert(guest_has(&w, 0, 7 * PAGE, 1024, 2) && guest_has(&w, 0, 7 * PAGE + 1024, 512, 3));
    ck_assert(guest_has(&w, 0, 7 * PAGE + 1536, PAGE - 1536, 2));
    ck_assert_uint_eq(world_stats(&w).logged, 1);
}
END_TEST

/* Sectors at both ends of blocks that nobody has read: what is around them comes from the store. */
START_TEST(parts_of_blocks)
{
    guest_fill(&w, 0, 10 * PAGE, 3 * PAGE, 9);
    ck_assert_int_eq(WRITE(0, 13, 10 * PAGE + 8, 2 * PAGE), 0); /* blocks 1 (part), 2, 3 (part) */
    ck_assert_uint_eq(w.store.sectors, 16);
    ck_assert_int_eq(READ(0, 8, 20 * PAGE, 3 * PAGE), 0);
    ck_assert(guest_shows(&w, 0, 20 * PAGE, 8, 5 * 512));
    ck_assert(guest_has(&w, 0, 20 * PAGE + 5 * 512, 2 * PAGE, 9));
    ck_assert(guest_shows(&w, 0, 22 * PAGE + 5 * 512, 29, 3 * 512));
    ck_assert_int_eq(READ(1, 8, 20 * PAGE, 3 * PAGE), 0);
    ck_assert(guest_shows(&w, 1, 20 * PAGE, 8, 3 * PAGE));
}
END_TEST

/* Two parts of one block, both waiting for what is around them: neither undoes the other. */
START_TEST(two_parts_at_once)
{
    const struct disco_io_seg one = {PAGE, 512}, two = {2 * PAGE, 1024};

    guest_fill(&w, 0, PAGE, 512, 1);
    guest_fill(&w, 0, 2 * PAGE, 1024, 2);
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_WRITE, 8, 1, &one, 1), 0);
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_WRITE, 13, 2, &two, 1), 0);
    guest_fill(&w, 0, PAGE, 2 * PAGE, 7); /* too late */
    ck_assert_uint_eq(w.store.transfers, 1);
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 0, 1), 0);
    ck_assert_int_eq(world_done(&w, 0, 2), 0);
    ck_assert_int_eq(READ(0, 8, 4 * PAGE, PAGE), 0);
    ck_assert(guest_has(&w, 0, 4 * PAGE, 512, 1) && guest_shows(&w, 0, 4 * PAGE + 512, 9, 4 * 512));
    ck_assert(guest_has(&w, 0, 4 * PAGE + 5 * 512, 1024, 2));
    ck_assert(guest_shows(&w, 0, 4 * PAGE + 7 * 512, 15, 512));
}
END_TEST

/* Its first block is written to by another after what is around it was read, and before the request goes on. */
START_TEST(surroundings_that_change)
{
    const struct disco_io_seg seg = {10 * PAGE, 2 * PAGE};

    guest_fill(&w, 0, 10 * PAGE, 2 * PAGE, 1);
    guest_fill(&w, 0, 20 * PAGE, 512, 2);
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_WRITE, 4, 1, &seg, 1), 0);
    store_end(&w.store, 0, 0);
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_WRITE, 2, 2,
                               &(struct disco_io_seg){20 * PAGE, 512}, 1),
                     1);
    store_end(&w.store, 0, 0);
    ck_assert_int_eq(world_done(&w, 0, 1), 0);
    ck_assert_int_eq(READ(0, 0, 30 * PAGE, 3 * PAGE), 0);
    ck_assert(guest_shows(&w, 0, 30 * PAGE, 0, 1024) && guest_has(&w, 0, 30 * PAGE + 1024, 512, 2));
    ck_assert(guest_shows(&w, 0, 30 * PAGE + 1536, 3, 512));
    ck_assert(guest_has(&w, 0, 30 * PAGE + 2048, 2 * PAGE, 1));
}
END_TEST

/* The first block's surroundings come, the last one's do not: the request fails, nothing is left of it. */
START_TEST(surroundings_that_cannot_be_read)
{
    const struct disco_io_seg seg = {10 * PAGE, PAGE};

    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_WRITE, 13, 1, &seg, 1), 0);
    store_end(&w.store, 0, 0);
    store_end(&w.store, 0, DISCO_ERR_UNSUPPORTED);
    ck_assert_int_eq(world_done(&w, 0, 1), DISCO_ERR_UNSUPPORTED);
    ck_assert_uint_eq(world_stats(&w).logged, 0);
    ck_assert_uint_eq(world_stats(&w).errors, 1);
    ck_assert(sees_store(0, 1) && sees_store(0, 2));
}
END_TEST

/* The same page as source of many blocks, as zeros are written. */
START_TEST(one_source_for_all)
{
    struct disco_io_seg seg[64];

    for (unsigned i = 0; i < 64; i++)
        seg[i] = (struct disco_io_seg){30 * PAGE, PAGE};
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_WRITE, 0, 1, seg, 64), 1);
    ck_assert(sees(0, 0, 0) && sees(0, 63, 0) && sees_store(0, 64));
    guest_fill(&w, 0, 30 * PAGE, PAGE, 1);
    ck_assert(sees(0, 17, 0));
}
END_TEST

START_TEST(a_full_log)
{
    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = VMS, .log_pages = 3});
    guest_fill(&w, 0, 0, 4 * PAGE, 1);
    ck_assert_int_eq(WRITE(0, 0, 0, 4 * PAGE), DISCO_ERR_NO_SPACE);
    ck_assert(sees_store(0, 0));
    ck_assert_int_eq(WRITE(0, 0, 0, 3 * PAGE), 0);
    ck_assert_int_eq(WRITE(0, 24, 0, PAGE), DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(WRITE(0, 16, 0, 512), 0);
    ck_assert_int_eq(WRITE(0, 7 * 8, 0, 512), DISCO_ERR_NO_SPACE);
    ck_assert(sees(0, 1, 1) && sees_store(0, 3) && sees_store(0, 7));
    put(1, 0, 5);
    put(1, 9, 5);
    ck_assert_uint_eq(world_stats(&w).logged, 5);
}
END_TEST

/* Without nodes nothing can be cached, and logs take what merges; none of it is another's harm. */
START_TEST(few_nodes)
{
    unsigned refused = 0;

    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = VMS, .nodes = 2});
    for (unsigned i = 0; i < 60; i++) {
        guest_fill(&w, 0, PAGE, PAGE, (uint8_t)(i + 100));
        if (!WRITE(0, i * 16, PAGE, PAGE))
            ck_assert(sees(0, i * 2, (uint8_t)(i + 100)));
        else
            refused += sees_store(0, i * 2);
        ck_assert(sees_store(1, i * 2));
    }
    ck_assert_uint_gt(refused, 20);
    ck_assert_uint_eq(world_stats(&w).logged, 60 - refused);
}
END_TEST

/* A log of many ranges ends where the others' shares begin: two nodes of each log, three of the cache. */
START_TEST(nodes_that_others_are_promised)
{
    unsigned written = 0;

    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = VMS, .nodes = 12});
    guest_fill(&w, 0, PAGE, PAGE, 1);
    for (unsigned i = 0; i < 64; i++)
        written += !WRITE(0, i * 16, PAGE, PAGE);
    ck_assert_uint_gt(written, 28);
    ck_assert_uint_lt(written, 64);
    for (unsigned i = 0; i < DISCO_RANGES_KEYS; i++) {
        put(1, i * 2, 2);
        put(2, i * 2, 3);
    }
    ck_assert(sees(0, 0, 1) && sees(1, 0, 2) && sees(2, 0, 3) && sees_store(1, 1));
    ck_assert_uint_eq(world_stats(&w).cached, 1);
    ck_assert(!world_close(&w, 0));
    for (unsigned i = DISCO_RANGES_KEYS; i < 2 * DISCO_RANGES_KEYS; i++)
        put(1, i * 2, 2);
    world_open(&w, 0); /* what it had before is not counted as its share */
    guest_fill(&w, 1, PAGE, PAGE, 1);
    for (unsigned i = 0; i < 64; i++)
        (void)WRITE(1, i * 16, PAGE, PAGE);
    for (unsigned i = 0; i < DISCO_RANGES_KEYS; i++)
        put(0, i * 2, 2);
}
END_TEST

START_TEST(writes_that_are_copied)
{
    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = VMS, .copy = true});
    put(0, 1, 1);
    ck_assert_uint_eq(world_stats(&w).lent, 0);
    guest_fill(&w, 0, 61 * PAGE, PAGE, 2);
    ck_assert(sees(0, 1, 1));
}
END_TEST

START_TEST(nothing_to_flush)
{
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_FLUSH, 0, 1, NULL, 0), 1);
    ck_assert_uint_eq(w.store.transfers, 0);
    ck_assert_uint_eq(world_stats(&w).flushes, 1);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {private_changes,
                            visible_changes,
                            lost_and_kept,
                            a_long_log_is_lost,
                            a_whole_page_is_lent,
                            a_mapped_page_does_not_change,
                            parts_of_blocks,
                            two_parts_at_once,
                            surroundings_that_change,
                            surroundings_that_cannot_be_read,
                            one_source_for_all,
                            a_full_log,
                            few_nodes,
                            nodes_that_others_are_promised,
                            writes_that_are_copied,
                            nothing_to_flush};

    return SUITE_RUN("disk writes", tests, setup, teardown);
}
