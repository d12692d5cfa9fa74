/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole pages that a guest writes are lent, many with one revocation. */
#include "disk_world.h"
#include "suite.h"

#include <string.h>

#define MANY DISCO_PMAP_MANY
#define MAP 40 /* page of the map of dead pages */

static struct world w;

static void start(unsigned mode, unsigned ports)
{
    world_init(&w, &(struct world_config){.ports = ports, .mode = mode});
    for (unsigned i = 0; i < 64; i++)
        guest_fill(&w, 0, i * PAGE, PAGE, (uint8_t)(i + 1));
}

static void setup(void) { start(0, VMS); }
static void teardown(void) { world_fini(&w); }

static uint64_t revocations(void) { return mock_stats(&w.vm[0].pmap).purges; }

/* Write pieces from block @p block on. @return how many revocations that took. */
static uint64_t write(uint64_t block, const struct disco_io_seg *seg, uint32_t n)
{
    uint64_t before = revocations();
    int result = world_ask(&w, 0, DISCO_DISK_WRITE, block * 8, 1, seg, n);

    if (!result) {
        store_end_all(&w.store);
        result = 1 + world_done(&w, 0, 1);
    }
    ck_assert_int_eq(result, 1);
    return revocations() - before;
}

static uint64_t write_pages(uint64_t block, uint64_t page, uint64_t n)
{
    return write(block, &(struct disco_io_seg){page * PAGE, n * PAGE}, 1);
}

static void read_back(uint64_t block)
{
    ck_assert_int_eq(world_io(&w, 0, DISCO_DISK_READ, block * 8, 70 * PAGE, PAGE), 0);
}

/* Does the disk have @p byte in all of block @p block? */
static bool has(uint64_t block, uint8_t byte)
{
    read_back(block);
    return guest_has(&w, 0, 70 * PAGE, PAGE, byte);
}

static uint32_t refs(uint64_t page)
{
    return disco_memmap_refs(w.mm, (disco_mpn){page_behind(&w, 0, page * PAGE)});
}

START_TEST(a_request_full_of_pages)
{
    ck_assert_uint_eq(write_pages(0, 0, 64), 64 / MANY);
    ck_assert_uint_eq(world_stats(&w).lent, 64);
    for (unsigned i = 0; i < 64; i++) {
        ck_assert_uint_eq(refs(i), 2);
        ck_assert(has(i, (uint8_t)(i + 1)));
    }
    ck_assert_uint_eq(write_pages(64, 7, 1), 0); /* lent already */
    guest_fill(&w, 0, 7 * PAGE, PAGE, 99);
    ck_assert_uint_eq(write_pages(64, 0, 32), 1);
    ck_assert(has(71, 99) && has(7, 8));
}
END_TEST

/* Blocks are what matters, not where their pages lie. */
START_TEST(pages_in_any_order)
{
    struct disco_io_seg seg[MANY + 2];

    for (unsigned i = 0; i < MANY + 2; i++)
        seg[i] = (struct disco_io_seg){(i * 23 + 11) % 64 * PAGE, PAGE};
    ck_assert_uint_eq(write(5, seg, MANY + 2), 2);
    for (unsigned i = 0; i < MANY + 2; i++)
        ck_assert(has(5 + i, (uint8_t)(seg[i].pa / PAGE + 1)));
}
END_TEST

START_TEST(one_page_for_all)
{
    struct disco_io_seg seg[64];

    for (unsigned i = 0; i < 64; i++)
        seg[i] = (struct disco_io_seg){30 * PAGE, PAGE};
    ck_assert_uint_eq(write(0, seg, 64), 1);
    ck_assert_uint_eq(world_stats(&w).lent, 64);
    ck_assert_uint_eq(refs(30), 64 + 1);
    ck_assert(has(0, 31) && has(31, 31) && has(32, 31) && has(63, 31));
}
END_TEST

/* No translation is writable: nobody is asked, whatever the page is shared for. */
START_TEST(pages_that_are_read_only)
{
    struct disco_pmap *pm = &w.vm[0].pmap;
    disco_mpn mpn;

    write_pages(0, 2, 1);
    ck_assert_int_eq(world_io(&w, 0, DISCO_DISK_READ, 800, 3 * PAGE, PAGE), 0);
    ck_assert_int_eq(disco_pmap_lend(pm, (disco_ppn){4}, 0, DISCO_PMAP_NET, &mpn), 0);
    ck_assert_int_eq(disco_pmap_replicate(pm, (disco_ppn){5}, 1), 0);
    ck_assert_uint_eq(write_pages(10, 2, 4), 0);
    ck_assert_uint_eq(world_stats(&w).lent, 5);
    ck_assert(has(10, 3) && has(12, 5) && has(13, 6));
    ck_assert_int_eq(disco_memmap_put(w.mm, mpn), 0);
}
END_TEST

/* Pages among pieces that are copied: half blocks, a block from the middle of two pages, sectors of a block. */
START_TEST(pages_among_pieces)
{
    const struct disco_io_seg seg[] = {{10 * PAGE, PAGE},           {20 * PAGE, PAGE / 2},
                                       {21 * PAGE + 512, PAGE / 2}, {12 * PAGE, PAGE},
                                       {13 * PAGE + 512, PAGE},     {15 * PAGE, 512}};

    ck_assert_uint_eq(write(1, seg, 6), 1);
    ck_assert_uint_eq(world_stats(&w).lent, 2);
    ck_assert(has(1, 11) && has(3, 13));
    read_back(2);
    ck_assert(guest_has(&w, 0, 70 * PAGE, PAGE / 2, 21));
    ck_assert(guest_has(&w, 0, 70 * PAGE + PAGE / 2, PAGE / 2, 22));
    read_back(4);
    ck_assert(guest_has(&w, 0, 70 * PAGE, PAGE - 512, 14));
    ck_assert(guest_has(&w, 0, 71 * PAGE - 512, 512, 15));
    read_back(5);
    ck_assert(guest_has(&w, 0, 70 * PAGE, 512, 16));
    ck_assert(guest_shows(&w, 0, 70 * PAGE + 512, 41, PAGE - 512));
}
END_TEST

START_TEST(written_through)
{
    world_fini(&w);
    start(DISCO_DISK_VISIBLE | DISCO_DISK_KEPT, 1);
    ck_assert_uint_eq(write_pages(3, 0, MANY), 1);
    for (unsigned i = 0; i < MANY; i++) {
        ck_assert_uint_eq(w.store.bytes[(3 + i) * PAGE + i], i + 1);
        ck_assert_uint_eq(refs(i), 1);
    }
}
END_TEST

/* Of a map of dead pages a copy would be lent, for which there is no memory. The disk has what gives way to its own. */
START_TEST(a_page_that_cannot_be_lent)
{
    const struct disco_io_seg seg[] = {{5 * PAGE, PAGE}, {MAP * PAGE, PAGE}, {6 * PAGE, PAGE}};
    static disco_mpn page[1024];
    unsigned n;

    ck_assert_int_eq(disco_pmap_set_dead(&w.vm[0].pmap, (disco_pa){MAP * PAGE}, VM_PAGES, 0), 0);
    ck_assert_int_eq(world_io(&w, 1, DISCO_DISK_READ, 0, 0, PAGE), 0);
    disco_pmap_drop(&w.vm[1].pmap, (disco_ppn){0});
    guest_fill(&w, 0, ASK_PAGE * PAGE, PAGE, 0);
    n = world_hoard(&w, page, 0);
    ck_assert_uint_eq(write(10, seg, 3), 1);
    world_let_go(&w, page, n);
    ck_assert_uint_eq(world_stats(&w).lent, 2);
    ck_assert(has(10, 6) && has(12, 7));
    read_back(11);
    ck_assert(guest_has(&w, 0, 70 * PAGE + VM_PAGES, PAGE - VM_PAGES, MAP + 1));
}
END_TEST

/* Nor has the disk any: what was lent in vain is the guest's again, who needs no memory to write to it. */
START_TEST(lent_in_vain)
{
    const struct disco_io_seg seg[] = {{5 * PAGE, PAGE}, {MAP * PAGE, PAGE}, {6 * PAGE, PAGE}};
    static disco_mpn page[1024];
    unsigned n;

    ck_assert_int_eq(disco_pmap_set_dead(&w.vm[0].pmap, (disco_pa){MAP * PAGE}, VM_PAGES, 0), 0);
    guest_fill(&w, 0, ASK_PAGE * PAGE, PAGE, 0);
    n = world_hoard(&w, page, 0);
    ck_assert_int_eq(world_ask(&w, 0, DISCO_DISK_WRITE, 80, 1, seg, 3), DISCO_ERR_NO_MEMORY);
    ck_assert_uint_eq(refs(5), 1);
    ck_assert_uint_eq(refs(6), 1);
    guest_fill(&w, 0, 5 * PAGE, 2 * PAGE, 77);
    world_let_go(&w, page, n);
    ck_assert_uint_eq(world_stats(&w).logged, 0);
    ck_assert(guest_has(&w, 0, 5 * PAGE, 2 * PAGE, 77));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {a_request_full_of_pages,    pages_in_any_order, one_page_for_all,
                            pages_that_are_read_only,   pages_among_pieces, written_through,
                            a_page_that_cannot_be_lent, lent_in_vain};

    return SUITE_RUN("disk lends", tests, setup, teardown);
}
