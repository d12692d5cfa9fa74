/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's disks through its call table; the disk of the world is its number 1. */
#include "disk_world.h"
#include "suite.h"

#define END (VM_PAGES * PAGE)
#define ENDS (20 * PAGE) /* where ends are told */

static struct world w;

static void setup(void) { world_init(&w, &(struct world_config){.ports = 2}); }
static void teardown(void) { world_fini(&w); }

static int64_t call(unsigned vm, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t raw[DISCO_CALL_ARGS] = {a, b, c};

    return disco_calls_run(&w.vm[vm].calls, number, raw, &w.vm[vm].pmap, 0, NULL);
}

static int64_t read_block(unsigned vm, uint64_t disk, uint64_t block, uint64_t tag)
{
    const struct disco_disk_request ask = {DISCO_DISK_READ, 1, block * 8, tag};
    const struct disco_io_seg seg = {block * PAGE, PAGE};

    guest_write(&w, vm, ASK_PAGE * PAGE, &ask, sizeof ask);
    guest_write(&w, vm, ASK_PAGE * PAGE + sizeof ask, &seg, sizeof seg);
    return call(vm, DISCO_CALL_DISK_REQUEST, disk, ASK_PAGE * PAGE, sizeof ask + sizeof seg);
}

static void end_is(unsigned vm, unsigned i, int status, uint64_t tag)
{
    struct disco_disk_done end;

    guest_read(&w, vm, ENDS + i * sizeof end, &end, sizeof end);
    ck_assert_uint_eq(end.disk, 1);
    ck_assert_int_eq(end.status, status);
    ck_assert_uint_eq(end.tag, tag);
}

START_TEST(sizes)
{
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_SIZE, 1, 0, 0), MOST_SECTORS);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_SIZE, 0, 0, 0), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_SIZE, DISCO_DISKS, 0, 0), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_SIZE, UINT64_MAX, 0, 0), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(call(2, DISCO_CALL_DISK_SIZE, 1, 0, 0), DISCO_ERR_NOT_FOUND);
}
END_TEST

START_TEST(a_request_and_its_end)
{
    ck_assert_int_eq(read_block(0, 1, 3, 55), 0);
    ck_assert_int_eq(read_block(0, 1, 4, UINT64_MAX), 0);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, ENDS, PAGE, 0), 0);
    store_end(&w.store, 1, DISCO_ERR_UNSUPPORTED);
    store_end(&w.store, 0, 0);
    ck_assert(w.vm[0].line);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, ENDS, PAGE, 0), 2);
    ck_assert(!w.vm[0].line);
    end_is(0, 0, DISCO_ERR_UNSUPPORTED, UINT64_MAX);
    end_is(0, 1, 0, 55);
    ck_assert(guest_shows(&w, 0, 3 * PAGE, 24, PAGE));
    ck_assert_int_eq(read_block(1, 1, 3, 1), 1);
    ck_assert_int_eq(call(1, DISCO_CALL_DISK_DONE, ENDS, PAGE, 0), 0);
    ck_assert_int_eq(read_block(0, 0, 3, 1), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(read_block(0, 77, 3, 1), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(read_block(2, 1, 3, 1), DISCO_ERR_NOT_FOUND);
}
END_TEST

/* As many as fit; the rest holds the line up. */
START_TEST(little_room_for_ends)
{
    for (uint64_t i = 0; i < 5; i++)
        ck_assert_int_eq(read_block(0, 1, i * 2, i), 0);
    store_end_all(&w.store);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, ENDS, 15, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, ENDS, 2 * PAGE, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, END - 16, 32, 0), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, END - 16, 16, 0), 1);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, ENDS, 47, 0), 2);
    ck_assert(w.vm[0].line);
    end_is(0, 1, 0, 2);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, ENDS, 64, 0), 2);
    ck_assert(!w.vm[0].line);
}
END_TEST

/* The guest's page for the ends cannot be made: they wait. */
START_TEST(an_end_that_does_not_arrive)
{
    static disco_mpn page[1024];
    unsigned n = 0;

    ck_assert_int_eq(read_block(0, 1, 2, 8), 0);
    store_end_all(&w.store);
    while (!disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &page[n]))
        n++;
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, ENDS, 64, 0), DISCO_ERR_NO_MEMORY);
    ck_assert(w.vm[0].line);
    while (n)
        disco_memmap_put(w.mm, page[--n]);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_DONE, ENDS, 64, 0), 1);
    end_is(0, 0, 0, 8);
}
END_TEST

START_TEST(short_requests)
{
    const struct disco_disk_request ask = {DISCO_DISK_READ, 2, 0, 0};
    const struct disco_io_seg seg[2] = {{0, 512}, {PAGE, 512}};
    uint64_t at = 2 * PAGE - sizeof ask - 8; /* across the end of a page */

    guest_write(&w, 0, at, &ask, sizeof ask);
    guest_write(&w, 0, at + sizeof ask, seg, sizeof seg);
    for (uint64_t len = 0; len < sizeof ask + sizeof seg; len++)
        ck_assert_int_eq(call(0, DISCO_CALL_DISK_REQUEST, 1, at, len), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_REQUEST, 1, at, sizeof ask + sizeof seg), 0);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_REQUEST, 1, at, 100000), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_REQUEST, 1, END - 8, 64), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(0, DISCO_CALL_DISK_REQUEST, 1, UINT64_MAX, 64), DISCO_ERR_OVERFLOW);
}
END_TEST

START_TEST(a_store_in_memory)
{
    static struct disco_memory_store m;
    static uint8_t bytes[4096];
    struct disco_store_io io = {.op = DISCO_DISK_WRITE, .segs = 1, .sector = 7};
    uint8_t *page;

    ck_assert_int_eq(disco_memory_store_init(&m, &w.m.b, bytes, 100, false), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memory_store_init(&m, &w.m.b, NULL, 512, false), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memory_store_init(&m, &w.m.b, bytes, sizeof bytes, false), 0);
    ck_assert_uint_eq(m.store.sectors, 8);
    guest_fill(&w, 0, 0, PAGE, 6);
    io.seg[0] = (struct disco_store_seg){{page_behind(&w, 0, 0)}, 1024, 512};
    ck_assert_int_eq(m.store.submit(&m.store, &io), 1);
    ck_assert(bytes[7 * 512] == 6 && bytes[4095] == 6 && !bytes[7 * 512 - 1]);
    io.op = DISCO_DISK_READ;
    io.sector = 6;
    ck_assert_int_eq(m.store.submit(&m.store, &io), 1);
    page = mock_page(&w.m, page_behind(&w, 0, 0));
    ck_assert(!page[1024] && !page[1535] && page[1023] == 6 && page[1536] == 6);
    io.seg[0].len = 1536;
    ck_assert_int_eq(m.store.submit(&m.store, &io), DISCO_ERR_BAD_ARG);
    io.sector = UINT64_MAX;
    ck_assert_int_eq(m.store.submit(&m.store, &io), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memory_store_init(&m, &w.m.b, bytes, sizeof bytes, true), 0);
    io = (struct disco_store_io){.op = DISCO_DISK_WRITE};
    ck_assert_int_eq(m.store.submit(&m.store, &io), DISCO_ERR_READ_ONLY);
    io.op = DISCO_DISK_FLUSH;
    ck_assert_int_eq(m.store.submit(&m.store, &io), 1);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        sizes,          a_request_and_its_end, little_room_for_ends, an_end_that_does_not_arrive,
        short_requests, a_store_in_memory};

    return SUITE_RUN("disk calls", tests, setup, teardown);
}
