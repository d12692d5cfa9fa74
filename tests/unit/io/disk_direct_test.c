/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk that is written through: one VM's, and what it wrote is in the store. */
#include "disk_world.h"
#include "suite.h"

#include <string.h>

#define DIRECT (DISCO_DISK_VISIBLE | DISCO_DISK_KEPT)

static struct world w;

static void setup(void) { world_init(&w, &(struct world_config){.mode = DIRECT, .ports = 1}); }
static void teardown(void) { world_fini(&w); }

#define READ(sector, pa, len) world_io(&w, 0, DISCO_DISK_READ, sector, pa, len)
#define WRITE(sector, pa, len) world_io(&w, 0, DISCO_DISK_WRITE, sector, pa, len)

static int ask(uint32_t op, uint64_t sector, uint64_t tag, uint64_t pa, uint64_t len)
{
    const struct disco_io_seg seg = {pa, len};

    return world_ask(&w, 0, op, sector, tag, &seg, op != DISCO_DISK_FLUSH);
}

static bool store_has(uint64_t sector, uint64_t len, uint8_t byte)
{
    for (uint64_t i = 0; i < len; i++) {
        if (w.store.bytes[sector * DISCO_SECTOR + i] != byte)
            return false;
    }
    return true;
}

static bool store_is_as_ever(uint64_t sector, uint64_t len)
{
    for (uint64_t i = sector * DISCO_SECTOR; i < sector * DISCO_SECTOR + len; i++) {
        if (w.store.bytes[i] != store_byte(i))
            return false;
    }
    return true;
}

START_TEST(one_at_a_time)
{
    struct disco_disk_port *p;
    const struct disco_line line = {0};

    ck_assert_int_eq(disco_disk_open(w.disk, 1, &w.vm[1].pmap, line, &p), DISCO_ERR_BUSY);
    ck_assert_int_eq(disco_disk_open(w.disk, 0, &w.vm[0].pmap, line, &p), DISCO_ERR_BUSY);
    ck_assert_int_eq(disco_disk_open(w.disk, VMS, &w.vm[1].pmap, line, &p), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_disk_open(w.disk, 1, NULL, line, &p), DISCO_ERR_BAD_ARG);
    ck_assert(!world_close(&w, 0));
    world_open(&w, 1);
    ck_assert_int_eq(world_io(&w, 1, DISCO_DISK_READ, 0, 0, PAGE), 0);
    ck_assert(guest_shows(&w, 1, 0, 0, PAGE));
}
END_TEST

START_TEST(through_and_back)
{
    guest_fill(&w, 0, 10 * PAGE, 3 * PAGE, 4);
    ck_assert_int_eq(WRITE(8, 10 * PAGE, 2 * PAGE), 0);
    ck_assert_int_eq(WRITE(35, 10 * PAGE + 700, 3 * 512), 0);
    ck_assert(store_has(8, 2 * PAGE, 4) && store_has(35, 3 * 512, 4));
    ck_assert(store_is_as_ever(0, PAGE) && store_is_as_ever(24, 11 * 512));
    ck_assert(store_is_as_ever(38, PAGE));
    ck_assert_uint_eq(w.store.sectors, 19);
    ck_assert_int_eq(READ(8, 20 * PAGE, 2 * PAGE), 0);
    ck_assert_int_eq(READ(36, 30 * PAGE + 20, 2 * 512), 0);
    ck_assert(guest_has(&w, 0, 20 * PAGE, 2 * PAGE, 4) &&
              guest_has(&w, 0, 30 * PAGE + 20, 1024, 4));
    memset(w.store.bytes, 5, PAGE * 10); /* no cache */
    ck_assert_int_eq(READ(8, 20 * PAGE, 2 * PAGE), 0);
    ck_assert(guest_has(&w, 0, 20 * PAGE, 2 * PAGE, 5));
    ck_assert_uint_eq(world_stats(&w).cached + world_stats(&w).logged, 0);
}
END_TEST

/* More pieces than one transfer takes, at the ends in the middle of blocks. */
START_TEST(in_several_transfers)
{
    for (uint64_t i = 0; i < 66; i++)
        guest_fill(&w, 0, i * PAGE, PAGE, (uint8_t)(i + 1));
    ck_assert_int_eq(WRITE(8, 0, DISCO_DISK_BYTES), 0);
    ck_assert_uint_eq(w.store.transfers, 2);
    for (uint64_t i = 0; i < 64; i++)
        ck_assert(store_has(8 + i * 8, PAGE, (uint8_t)(i + 1)));
    ck_assert_int_eq(WRITE(13, 0, DISCO_DISK_BYTES), 0);
    ck_assert_uint_eq(w.store.transfers, 5);
    ck_assert(store_has(8, 5 * 512, 1) && store_has(13, PAGE, 1) &&
              store_has(21 + 62 * 8, PAGE, 64));
    ck_assert(store_is_as_ever(13 + 64 * 8, PAGE));
    ck_assert_int_eq(READ(13, 70 * PAGE - DISCO_DISK_BYTES + 512, DISCO_DISK_BYTES), 0);
    ck_assert(guest_has(&w, 0, 6 * PAGE + 512, PAGE, 1) &&
              guest_has(&w, 0, 69 * PAGE + 512, PAGE, 64));
}
END_TEST

/* What is written is what was there when the guest asked, whatever it does before the store takes it. */
START_TEST(memory_that_changes_meanwhile)
{
    guest_fill(&w, 0, 10 * PAGE, 3 * PAGE, 1);
    ck_assert_int_eq(ask(DISCO_DISK_WRITE, 8, 1, 10 * PAGE, PAGE), 0);
    ck_assert_int_eq(ask(DISCO_DISK_WRITE, 20, 2, 11 * PAGE, 2 * 512), 0);
    ck_assert_int_eq(ask(DISCO_DISK_WRITE, 32, 3, 12 * PAGE, PAGE), 0);
    guest_fill(&w, 0, 10 * PAGE, 2 * PAGE, 2);
    ck_assert(!disco_pmap_drop(&w.vm[0].pmap, (disco_ppn){12}));
    store_end_all(&w.store);
    for (uint64_t tag = 1; tag < 4; tag++)
        ck_assert_int_eq(world_done(&w, 0, tag), 0);
    ck_assert(store_has(8, PAGE, 1) && store_has(20, 1024, 1) && store_has(32, PAGE, 1));
    ck_assert(guest_has(&w, 0, 10 * PAGE, 2 * PAGE, 2) && guest_has(&w, 0, 12 * PAGE, PAGE, 0));
}
END_TEST

/* The page that was lent is the guest's alone again: its next store copies nothing. */
START_TEST(a_lent_page_comes_back)
{
    uint64_t page, free;

    guest_fill(&w, 0, 10 * PAGE, PAGE, 1);
    page = page_behind(&w, 0, 10 * PAGE);
    free = world_free(&w);
    ck_assert_int_eq(WRITE(8, 10 * PAGE, PAGE), 0);
    guest_fill(&w, 0, 10 * PAGE, PAGE, 2);
    ck_assert_uint_eq(page_behind(&w, 0, 10 * PAGE), page);
    ck_assert_uint_eq(world_free(&w), free - 1); /* the request's own page */
    ck_assert_uint_eq(mock_stats(&w.vm[0].pmap).cow_copies, 0);
    ck_assert_uint_eq(world_stats(&w).lent, 1);
}
END_TEST

/* What the guest reads lies in pages of its own; it can be read before nothing has come. */
START_TEST(a_read_under_way)
{
    guest_fill(&w, 0, 10 * PAGE, 2 * PAGE, 1);
    ck_assert_int_eq(ask(DISCO_DISK_READ, 8, 1, 10 * PAGE, 2 * PAGE), 0);
    ck_assert(guest_has(&w, 0, 10 * PAGE, 2 * PAGE, 1));
    guest_fill(&w, 0, 10 * PAGE, 512, 2);
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 0, 1), 0);
    ck_assert(guest_shows(&w, 0, 10 * PAGE, 8, 2 * PAGE));
    guest_fill(&w, 0, 10 * PAGE, PAGE, 3);
    ck_assert_uint_eq(mock_stats(&w.vm[0].pmap).cow_copies, 0);
}
END_TEST

START_TEST(a_flush_is_the_stores)
{
    ck_assert_int_eq(ask(DISCO_DISK_FLUSH, 0, 9, 0, 0), 0);
    ck_assert_uint_eq(w.store.flushes, 1);
    store_end(&w.store, 0, DISCO_ERR_UNSUPPORTED);
    ck_assert_int_eq(world_done(&w, 0, 9), DISCO_ERR_UNSUPPORTED);
    w.store.now = true;
    ck_assert_int_eq(ask(DISCO_DISK_FLUSH, 0, 9, 0, 0), 1);
    w.store.refuse = DISCO_ERR_STATE;
    ck_assert_int_eq(ask(DISCO_DISK_FLUSH, 0, 9, 0, 0), DISCO_ERR_STATE);
}
END_TEST

START_TEST(read_only)
{
    world_fini(&w);
    world_init(&w, &(struct world_config){.mode = DIRECT, .ports = 1, .read_only = true});
    ck_assert_int_eq(ask(DISCO_DISK_WRITE, 8, 1, 0, PAGE), DISCO_ERR_READ_ONLY);
    ck_assert_int_eq(READ(8, 0, PAGE), 0);
    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = 1, .read_only = true});
    ck_assert_int_eq(WRITE(8, 0, PAGE), 0); /* into a log */
}
END_TEST

/* Nobody else gets the disk before what the last one wrote is there. */
START_TEST(closed_under_way)
{
    struct disco_disk_port *p;

    guest_fill(&w, 0, 10 * PAGE, PAGE, 1);
    guest_fill(&w, 0, 20 * PAGE, PAGE, 1);
    ck_assert_int_eq(ask(DISCO_DISK_WRITE, 8, 1, 10 * PAGE, PAGE), 0);
    ck_assert_int_eq(ask(DISCO_DISK_READ, 16, 2, 20 * PAGE, PAGE), 0);
    ck_assert_int_eq(world_close(&w, 0), DISCO_ERR_BUSY);
    ck_assert_int_eq(ask(DISCO_DISK_READ, 16, 2, 20 * PAGE, PAGE), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_disk_open(w.disk, 1, &w.vm[1].pmap, (struct disco_line){0}, &p),
                     DISCO_ERR_BUSY);
    ck_assert_int_eq(disco_disk_fini(w.disk), DISCO_ERR_BUSY);
    store_end(&w.store, 0, 0);
    ck_assert_int_eq(world_close(&w, 0), DISCO_ERR_BUSY);
    store_end(&w.store, 0, 0);
    ck_assert(!w.vm[0].line && guest_has(&w, 0, 20 * PAGE, PAGE, 1));
    ck_assert(store_has(8, PAGE, 1));
    ck_assert_int_eq(world_close(&w, 0), 0);
    world_open(&w, 0);
    ck_assert(!w.vm[0].line);
    for (unsigned i = 0; i < DISCO_DISK_DEPTH; i++)
        ck_assert_int_eq(ask(DISCO_DISK_READ, 16, 2, 20 * PAGE, PAGE), 0);
    ck_assert_int_eq(ask(DISCO_DISK_READ, 16, 2, 20 * PAGE, PAGE), DISCO_ERR_BUSY);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {one_at_a_time,          through_and_back,
                            in_several_transfers,   memory_that_changes_meanwhile,
                            a_lent_page_comes_back, a_read_under_way,
                            a_flush_is_the_stores,  read_only,
                            closed_under_way};

    return SUITE_RUN("disks written through", tests, setup, teardown);
}
