/* SPDX-License-Identifier: BSD-2-Clause */
/* Bad requests, stores that fail or take no more, memory that runs out, ends that come too late. */
#include "disk_world.h"
#include "suite.h"

#include <string.h>

static struct world w;

static void setup(void) { world_init(&w, &(struct world_config){.ports = VMS}); }
static void teardown(void) { world_fini(&w); }

#define READ(vm, sector, pa, len) world_io(&w, vm, DISCO_DISK_READ, sector, pa, len)
#define END (VM_PAGES * PAGE)

static int ask(unsigned vm, uint64_t sector, uint64_t tag, uint64_t pa, uint64_t len)
{
    const struct disco_io_seg seg = {pa, len};

    return world_ask(&w, vm, DISCO_DISK_READ, sector, tag, &seg, 1);
}

START_TEST(bad_requests)
{
    static const struct {
        uint32_t op, segs;
        uint64_t sector;
        struct disco_io_seg seg[3];
        int err;
    } bad[] = {
        {3, 1, 0, {{0, PAGE}}, DISCO_ERR_BAD_ARG},
        {UINT32_MAX, 1, 0, {{0, PAGE}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 0, 0, {{0, 0}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_FLUSH, 1, 0, {{0, PAGE}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 1, MOST_SECTORS, {{0, 512}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 1, MOST_SECTORS - 7, {{0, PAGE}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_WRITE, 1, UINT64_MAX, {{0, 512}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_WRITE, 1, UINT64_MAX - 7, {{0, 8 * 512}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 1, 0, {{0, 0}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 2, 0, {{0, 512}, {PAGE, 0}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 1, 0, {{0, 511}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 2, 0, {{0, 100}, {PAGE, 412}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 1, 0, {{0, DISCO_DISK_BYTES + 512}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 2, 0, {{0, 512}, {0, UINT64_MAX - 511}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_WRITE,
         2,
         0,
         {{0, UINT64_C(1) << 63}, {0, UINT64_C(1) << 63}},
         DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 1, 0, {{END - 511, 512}}, DISCO_ERR_BAD_ADDRESS},
        {DISCO_DISK_WRITE, 2, 0, {{0, 512}, {END, 512}}, DISCO_ERR_BAD_ADDRESS},
        {DISCO_DISK_READ, 1, 0, {{UINT64_MAX - 100, 512}}, DISCO_ERR_OVERFLOW},
        {DISCO_DISK_READ, 2, 0, {{3 * PAGE, PAGE}, {3 * PAGE, PAGE}}, DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ,
         3,
         0,
         {{5 * PAGE, PAGE}, {0, PAGE}, {5 * PAGE + 512, 512}},
         DISCO_ERR_BAD_ARG},
        {DISCO_DISK_READ, 3, 0, {{1024, 512}, {512, 512}, {0, 513 - 1 + 512}}, DISCO_ERR_BAD_ARG},
    };

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_int_eq(world_ask(&w, 0, bad[i].op, bad[i].sector, 1, bad[i].seg, bad[i].segs),
                         bad[i].err);
        ck_assert_uint_eq(world_stats(&w).errors, i + 1);
    }
    ck_assert_uint_eq(w.store.transfers, 0);
    ck_assert_uint_eq(mock_stats(&w.vm[0].pmap).present, 1);
}
END_TEST

/* Pieces that touch, in one page too, do not overlap; sources of a write may. */
START_TEST(not_bad_at_all)
{
    const struct disco_io_seg parts[] = {{2 * PAGE + 512, 1024},
                                         {2 * PAGE + 2048, 512},
                                         {2 * PAGE, 512}};
    const struct disco_io_seg same[] = {{2 * PAGE, PAGE}, {2 * PAGE, PAGE}, {2 * PAGE + 512, 512}};

    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_READ, 0, 1, parts, 3), 0);
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 0, 1), 0);
    ck_assert(guest_shows(&w, 0, 2 * PAGE + 512, 0, 1024) &&
              guest_shows(&w, 0, 2 * PAGE + 2048, 2, 512));
    ck_assert(guest_shows(&w, 0, 2 * PAGE, 3, 512));
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_WRITE, 0, 1, same, 3), 0);
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 0, 1), 0);
    ck_assert_uint_eq(world_stats(&w).errors, 0);
}
END_TEST

/* Every order of pieces, long lists too: two that overlap are found. */
START_TEST(overlaps_are_found)
{
    uint64_t seed = 5;

    for (unsigned round = 0; round < 300; round++) {
        unsigned n = 2 + (unsigned)(mock_random(&seed) % 63),
                 twice = (unsigned)(mock_random(&seed) % n);
        struct disco_io_seg seg[64];

        for (unsigned i = 0; i < n; i++)
            seg[i] = (struct disco_io_seg){i * PAGE, PAGE};
        for (unsigned i = 0; i < n; i++) {
            unsigned k = (unsigned)(mock_random(&seed) % n);
            struct disco_io_seg x = seg[i];

            seg[i] = seg[k];
            seg[k] = x;
        }
        if (round % 2)
            seg[twice].pa = seg[(twice + 1 + mock_random(&seed) % (n - 1)) % n].pa + 512;
        MUST((world_ask(&w, 0, DISCO_DISK_READ, 0, 1, seg, n) == DISCO_ERR_BAD_ARG) == round % 2);
        store_end_all(&w.store);
        if (w.vm[0].line)
            MUST(!world_done(&w, 0, 1));
    }
}
END_TEST

/* --- stores --- */

START_TEST(a_store_that_fails)
{
    const struct disco_io_seg two = {0, 2 * PAGE};

    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_READ, 8, 1, &two, 1), 0);
    ck_assert_int_eq(ask(1, 16, 2, 0, PAGE), 0);
    store_end(&w.store, 0, DISCO_ERR_UNSUPPORTED);
    ck_assert_int_eq(world_done(&w, 0, 1), DISCO_ERR_UNSUPPORTED);
    ck_assert(guest_has(&w, 0, 0, 2 * PAGE, 0));
    ck_assert_uint_eq(w.store.n, 1); /* the other asks for itself */
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 1, 2), 0);
    ck_assert(guest_shows(&w, 1, 0, 16, PAGE));
    ck_assert_int_eq(READ(0, 8, 0, 2 * PAGE), 0);
    ck_assert(guest_shows(&w, 0, 0, 8, 2 * PAGE));
    ck_assert_uint_eq(world_stats(&w).errors, 1);
    w.store.refuse = DISCO_ERR_NOT_FOUND;
    ck_assert_int_eq(READ(0, 80, 0, PAGE), DISCO_ERR_NOT_FOUND);
    w.store.refuse = 0;
    ck_assert_int_eq(READ(0, 80, 0, PAGE), 0);
}
END_TEST

/* The second transfer of a request fails after the first has come: the first is known from then on. */
START_TEST(half_a_request_fails)
{
    const struct disco_io_seg all = {0, DISCO_DISK_BYTES};

    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_READ, 0, 1, &all, 1), 0);
    store_end(&w.store, 0, 0);
    store_end(&w.store, 0, DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(world_done(&w, 0, 1), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(ask(1, 31 * 8, 1, 0, PAGE), 1);
    ck_assert_uint_eq(world_stats(&w).cached, 32);
}
END_TEST

START_TEST(a_store_that_takes_no_more)
{
    w.store.most = 2;
    for (unsigned i = 0; i < 12; i++)
        ck_assert_int_eq(ask(i % VMS, i * 16, i, i * PAGE, PAGE), 0);
    ck_assert_uint_eq(w.store.n, 2);
    for (unsigned i = 0; i < 12; i++) {
        ck_assert_uint_eq(w.store.n, i < 11 ? 2 : 1);
        store_end(&w.store, 0, 0);
        ck_assert_int_eq(world_done(&w, i % VMS, i), 0); /* in the order they came */
        ck_assert(guest_shows(&w, i % VMS, i * PAGE, i * 16, PAGE));
    }
    ck_assert_uint_eq(w.store.transfers, 12);
    w.store.most = 0; /* others' work, which tells us nothing when it is over */
    ck_assert_int_eq(ask(0, 300, 1, 0, PAGE), DISCO_ERR_BUSY);
    w.store.most = 1;
    ck_assert_int_eq(ask(0, 300, 1, 0, PAGE), 0);
}
END_TEST

/* A store may take a small transfer where it does not take a big one: it is not asked out of turn. */
START_TEST(nobody_overtakes)
{
    w.store.most = 1;
    ck_assert_int_eq(ask(0, 0, 1, 0, PAGE), 0);
    ck_assert_int_eq(ask(1, 80, 2, 0, PAGE), 0);
    w.store.most = 2;
    ck_assert_int_eq(ask(2, 160, 3, 0, PAGE), 0);
    ck_assert_uint_eq(w.store.n, 1);
    w.store.most = 1;
    for (unsigned vm = 0; vm < VMS; vm++) {
        store_end(&w.store, 0, 0);
        ck_assert_int_eq(world_done(&w, vm, vm + 1), 0);
    }
}
END_TEST

/* One that waits for the store finds that another has read the block meanwhile. */
START_TEST(stalled_and_found)
{
    w.store.most = 1;
    ck_assert_int_eq(ask(0, 0, 1, 0, PAGE), 0);
    ck_assert_int_eq(ask(1, 80, 2, 0, PAGE), 0);
    ck_assert_int_eq(ask(2, 80, 3, 0, PAGE), 0);
    store_end(&w.store, 0, 0);
    ck_assert_uint_eq(w.store.n, 1);
    store_end(&w.store, 0, 0);
    ck_assert_uint_eq(w.store.n, 0);
    ck_assert(!world_done(&w, 0, 1) && !world_done(&w, 1, 2) && !world_done(&w, 2, 3));
    ck_assert_uint_eq(page_behind(&w, 1, 0), page_behind(&w, 2, 0));
}
END_TEST

/* The second came first, and waits for the third; whose transfer fails. */
START_TEST(waits_for_one_that_came_later)
{
    ck_assert_int_eq(ask(0, 0, 1, 0, PAGE), 0);
    ck_assert_int_eq(ask(1, 0, 2, 0, 2 * PAGE), 0);
    ck_assert_int_eq(ask(2, 8, 3, 0, PAGE), 0);
    store_end(&w.store, 0, 0);
    ck_assert_int_eq(world_done(&w, 0, 1), 0);
    ck_assert_uint_eq(w.store.transfers, 2);
    store_end(&w.store, 0, DISCO_ERR_UNSUPPORTED);
    ck_assert_int_eq(world_done(&w, 2, 3), DISCO_ERR_UNSUPPORTED);
    ck_assert_uint_eq(w.store.transfers, 3);
    store_end(&w.store, 0, 0);
    ck_assert_int_eq(world_done(&w, 1, 2), 0);
    ck_assert(guest_shows(&w, 1, 0, 0, 2 * PAGE));
}
END_TEST

START_TEST(as_many_as_there_are_slots)
{
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < DISCO_DISK_DEPTH; i++)
            ck_assert_int_eq(ask(0, 400 * round + i * 8, i, i * PAGE, PAGE), 0);
        ck_assert_int_eq(ask(0, 0, 99, 50 * PAGE, PAGE), DISCO_ERR_BUSY);
        store_end_all(&w.store);
        ck_assert_int_eq(ask(0, 0, 99, 50 * PAGE, PAGE), DISCO_ERR_BUSY);
        ck_assert_int_eq(READ(1, 0, 50 * PAGE, PAGE), 0);
        for (unsigned i = 0; i < DISCO_DISK_DEPTH; i++)
            ck_assert_int_eq(world_done(&w, 0, i), 0);
        ck_assert(!w.vm[0].line);
        ck_assert_uint_eq(w.vm[0].risen, round + 1);
    }
    ck_assert_uint_eq(world_stats(&w).errors, 0);
}
END_TEST

/* --- memory --- */

START_TEST(no_memory)
{
    static disco_mpn page[2048];
    unsigned n;

    READ(0, 0, 0, PAGE);
    READ(1, 0, 0, PAGE);
    n = world_hoard(&w, page, 0);
    ck_assert_int_eq(ask(0, 8, 1, PAGE, PAGE), DISCO_ERR_NO_MEMORY);
    ck_assert_int_eq(ask(0, 0, 1, PAGE, PAGE), 1);                      /* mapped: needs none */
    ck_assert_int_eq(ask(0, 0, 1, 2 * PAGE, 512), DISCO_ERR_NO_MEMORY); /* copied: needs one */
    world_let_go(&w, page, n);
    n = world_hoard(&w, page, 2);
    ck_assert_int_eq(ask(0, 8, 1, PAGE, 4 * PAGE), 0); /* as many as there are, then no more */
    ck_assert_uint_eq(w.store.n, 1);
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 0, 1), DISCO_ERR_NO_MEMORY);
    world_let_go(&w, page, n);
    ck_assert_int_eq(READ(0, 8, PAGE, 4 * PAGE), 0);
    ck_assert(guest_shows(&w, 0, PAGE, 8, 4 * PAGE));
}
END_TEST

/* Where memory runs out, the disk gives up what nobody maps before it refuses anything. */
START_TEST(the_cache_gives_way)
{
    static disco_mpn page[2048];
    unsigned n;

    READ(0, 0, 0, DISCO_DISK_BYTES);
    READ(1, 0, 0, 4 * PAGE);
    disco_pmap_drop_many(&w.vm[0].pmap, (disco_ppn){0}, 64, NULL);
    n = world_hoard(&w, page, 0);
    ck_assert_uint_eq(world_stats(&w).cached, 64);
    ck_assert_int_eq(READ(0, 800, 10 * PAGE, 10 * PAGE), 0);
    ck_assert(guest_shows(&w, 0, 10 * PAGE, 800, 10 * PAGE));
    ck_assert(guest_shows(&w, 1, 0, 0, 4 * PAGE));
    ck_assert_uint_eq(world_stats(&w).evicted, 32);
    ck_assert_int_eq(ask(1, 0, 1, 20 * PAGE, 4 * PAGE), 1); /* what is mapped stayed */
    world_let_go(&w, page, n);
}
END_TEST

START_TEST(evicted_by_others)
{
    READ(0, 0, 0, DISCO_DISK_BYTES);
    READ(1, 8 * 10, 0, 2 * PAGE);
    ck_assert_uint_eq(disco_disk_evict(w.disk, 100), 0);
    disco_pmap_drop_many(&w.vm[0].pmap, (disco_ppn){0}, 64, NULL);
    ck_assert_uint_eq(disco_disk_evict(w.disk, 5), 5);
    ck_assert_uint_eq(disco_disk_evict(w.disk, UINT64_MAX), 64 - 5 - 2);
    ck_assert_uint_eq(world_stats(&w).cached, 2);
    ck_assert_int_eq(READ(0, 0, 0, DISCO_DISK_BYTES), 0);
    ck_assert(guest_shows(&w, 0, 0, 0, DISCO_DISK_BYTES));
}
END_TEST

START_TEST(a_small_cache)
{
    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = VMS, .cache_pages = 5});
    for (unsigned i = 0; i < 40; i++) {
        unsigned vm = i % VMS;
        uint64_t sector = i * 56 % 900;

        ck_assert_int_eq(READ(vm, sector, i * PAGE, 3 * PAGE), 0);
        ck_assert(guest_shows(&w, vm, i * PAGE, sector, 3 * PAGE));
        ck_assert_uint_le(world_stats(&w).cached, 5);
    }
    READ(0, 0, 0, DISCO_DISK_BYTES);
    ck_assert(guest_shows(&w, 0, 0, 0, DISCO_DISK_BYTES));
    disco_pmap_drop_many(&w.vm[0].pmap, (disco_ppn){0}, 64, NULL);
    READ(1, 1000, 70 * PAGE, PAGE); /* the newest has a place */
    ck_assert_int_eq(ask(2, 1000, 1, 70 * PAGE, PAGE), 1);
}
END_TEST

/* To throw out what lies between pages that are mapped would take a node, which others are promised. */
START_TEST(no_node_to_evict_with)
{
    world_fini(&w);
    world_init(&w, &(struct world_config){.ports = VMS, .nodes = 8});
    READ(0, 0, 0, 32 * PAGE);
    READ(1, 0, 0, PAGE);
    READ(1, 31 * 8, PAGE, PAGE);
    guest_fill(&w, 2, 0, 64 * PAGE, 1);
    for (uint64_t i = 0; i < 64; i++)
        world_io(&w, 2, DISCO_DISK_WRITE, 512 + i * 8 % 512, (i * 7 % 64) * PAGE, PAGE);
    disco_pmap_drop_many(&w.vm[0].pmap, (disco_ppn){0}, 64, NULL);
    ck_assert_uint_eq(disco_disk_evict(w.disk, 10), 0);
    ck_assert(!disco_pmap_drop(&w.vm[1].pmap, (disco_ppn){1}));
    ck_assert_uint_eq(disco_disk_evict(w.disk, 10), 10);
    ck_assert_uint_eq(world_stats(&w).cached, 22);
    READ(0, 0, 0, 32 * PAGE);
    ck_assert(guest_shows(&w, 0, 0, 0, 32 * PAGE));
}
END_TEST

/* --- ends --- */

/* Requests of all states are forgotten; those that read for others too go on doing so. */
START_TEST(closed_under_way)
{
    const struct disco_io_seg seg = {0, PAGE};
    struct disco_disk_port *port;

    w.store.most = 1;
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_READ, 0, 1, &seg, 1), 0); /* at the store */
    ck_assert_int_eq(world_ask(&w, 1, DISCO_DISK_READ, 0, 2, &seg, 1), 0); /* waits for the first */
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_READ, 0, 3, &seg, 1), 0); /* this one, too */
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_READ, 80, 4, &seg, 1),
                     0); /* waits for the store */
    ck_assert_int_eq(world_ask(&w, 2, DISCO_DISK_READ, 80, 5, &seg, 1), 0); /* the same */
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_WRITE, 83, 6, &(struct disco_io_seg){0, 512}, 1),
                     0);
    port = w.vm[0].port;
    ck_assert_int_eq(world_close(&w, 0), 0);
    ck_assert_int_eq(disco_disk_close(port), 0);
    ck_assert_int_eq(disco_disk_fini(w.disk), DISCO_ERR_BUSY);
    disco_pmap_drop_many(&w.vm[0].pmap, (disco_ppn){0}, VM_PAGES, NULL);
    store_end_all(&w.store);
    ck_assert_int_eq(world_done(&w, 1, 2), 0);
    ck_assert_int_eq(world_done(&w, 2, 5), 0);
    ck_assert(guest_shows(&w, 1, 0, 0, PAGE) && guest_shows(&w, 2, 0, 80, PAGE));
    ck_assert_uint_eq(mock_stats(&w.vm[0].pmap).present, 0);
    ck_assert(!w.vm[0].line);
}
END_TEST

/* A VM comes back while a transfer of its former life is at the store: it gets nothing of that. */
START_TEST(closed_and_opened)
{
    for (unsigned i = 0; i < DISCO_DISK_DEPTH; i++)
        ck_assert_int_eq(ask(0, 16 * i, i, 0, PAGE), 0);
    ck_assert_int_eq(world_close(&w, 0), 0);
    world_open(&w, 0);
    ck_assert_int_eq(ask(0, 0, 77, PAGE, PAGE), DISCO_ERR_BUSY);
    store_end(&w.store, 0, 0);
    ck_assert(!w.vm[0].line);
    ck_assert_int_eq(ask(0, 0, 77, PAGE, PAGE), 1);
    ck_assert_int_eq(ask(0, 16, 78, PAGE, PAGE), 0); /* joins one of its former life */
    ck_assert_int_eq(world_close(&w, 0), 0);
    world_open(&w, 0);
    store_end_all(&w.store);
    ck_assert(!w.vm[0].line);
    for (unsigned i = 0; i < DISCO_DISK_DEPTH; i++)
        ck_assert_int_eq(ask(0, 800 + 8 * (i % 4), i, PAGE, PAGE), 0);
}
END_TEST

/* Nobody is behind one that is gone. */
START_TEST(closed_while_stalled)
{
    w.store.most = 1;
    ck_assert_int_eq(ask(0, 0, 1, 0, PAGE), 0);
    ck_assert_int_eq(ask(1, 80, 2, 0, PAGE), 0);
    ck_assert_int_eq(world_close(&w, 1), 0);
    w.store.most = 2;
    ck_assert_int_eq(ask(2, 160, 3, 0, PAGE), 0);
    ck_assert_uint_eq(w.store.n, 2);
}
END_TEST

START_TEST(ends_not_taken)
{
    READ(0, 0, 0, PAGE);
    ck_assert_int_eq(ask(0, 80, 1, 0, PAGE), 0);
    store_end_all(&w.store);
    ck_assert(w.vm[0].line);
    ck_assert_int_eq(world_close(&w, 0), 0);
    world_open(&w, 0);
    ck_assert(!w.vm[0].line && !disco_disk_done(w.vm[0].port, &(uint64_t){0}, &(int){0}));
}
END_TEST

START_TEST(bad_disks)
{
    struct disco_disk_config good = w.c, c;
    struct disco_disk *d;
    size_t size = disco_disk_size(&good);
    void *storage = mock_storage(size);

#define BAD(change) (c = good, c.change, !disco_disk_size(&c))
    ck_assert(BAD(store = NULL) && BAD(mm = NULL) && BAD(backend = NULL) && BAD(ports = 0));
    ck_assert(BAD(ports = 65) && BAD(mode = 4) && BAD(nodes = UINT64_MAX));
    ck_assert_uint_eq(disco_disk_size(NULL), 0);
    ck_assert_int_eq(disco_disk_init(&d, storage, size - 1, &good), DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(disco_disk_init(&d, (char *)storage + 8, size, &good), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_disk_init(&d, storage, size, &c), DISCO_ERR_BAD_ARG);
    free(storage);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {bad_requests,
                            not_bad_at_all,
                            overlaps_are_found,
                            a_store_that_fails,
                            half_a_request_fails,
                            a_store_that_takes_no_more,
                            nobody_overtakes,
                            stalled_and_found,
                            waits_for_one_that_came_later,
                            as_many_as_there_are_slots,
                            no_memory,
                            the_cache_gives_way,
                            evicted_by_others,
                            a_small_cache,
                            no_node_to_evict_with,
                            closed_under_way,
                            closed_and_opened,
                            closed_while_stalled,
                            ends_not_taken,
                            bad_disks};

    return SUITE_RUN("disks in trouble", tests, setup, teardown);
}
