/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring between model and monitor, whatever either finds there. */
#include <stdlib.h>
#include <string.h>

#include "machine.h"
#include "rng.h"

#define SLOTS 4
#define SIZE disco_flash_size(SLOTS)

static struct disco_flash_area *area;
static struct disco_flash_reader reader;

static void open(void)
{
    area = aligned_alloc(128, SIZE);
    setup();
    ring_open(&f, area);
    ck_assert_int_eq(disco_flash_attach(&reader, area, SIZE), 0);
}

static void close(void)
{
    teardown();
    free(area);
}

static void put(uint64_t page)
{
    ring_put(&f, &(struct disco_flash_record){.page = page,
                                              .node = 1,
                                              .cpu = 2,
                                              .misses = 30,
                                              .others = 4,
                                              .writes = 5,
                                              .sharers = 1});
}

static uint64_t take(void)
{
    struct disco_flash_record r;

    ck_assert_int_eq(disco_flash_take(&reader, &r), 1);
    return r.page;
}

static void none(void)
{
    struct disco_flash_record r;

    ck_assert_int_eq(disco_flash_take(&reader, &r), 0);
}

START_TEST(records_arrive_in_order)
{
    for (uint64_t round = 0; round < 5; round++) {
        none();
        for (uint64_t page = 0; page < 3; page++)
            put(page);
        for (uint64_t page = 0; page < 3; page++)
            ck_assert_uint_eq(take(), page);
    }
    ck_assert_uint_eq(f.ring.overflows, 0);
}
END_TEST

START_TEST(a_full_ring_drops_and_counts)
{
    for (uint64_t page = 0; page < SLOTS + 3; page++)
        put(page);
    ck_assert_uint_eq(area->overflows, 3);
    for (uint64_t page = 0; page < SLOTS; page++)
        ck_assert_uint_eq(take(), page);
    none();
    put(9);
    ck_assert_uint_eq(take(), 9);
}
END_TEST

START_TEST(attaching_looks_first)
{
    struct disco_flash_reader r;
    char *byte = (char *)area;

    ck_assert_int_eq(disco_flash_attach(&r, byte + 8, SIZE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_flash_attach(&r, area, SIZE - 1), DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(disco_flash_attach(&r, area, sizeof *area - 1), DISCO_ERR_NO_SPACE);
    area->slots = 3;
    ck_assert_int_eq(disco_flash_attach(&r, area, SIZE), DISCO_ERR_BAD_ARG);
    area->slots = 1 << 20;
    ck_assert_int_eq(disco_flash_attach(&r, area, UINT64_MAX), DISCO_ERR_BAD_ARG);
    area->version++;
    ck_assert_int_eq(disco_flash_attach(&r, area, SIZE), DISCO_ERR_UNSUPPORTED);
    area->magic = __builtin_bswap64(area->magic);
    ck_assert_int_eq(disco_flash_attach(&r, area, SIZE), DISCO_ERR_NOT_FOUND);
}
END_TEST

START_TEST(attaching_skips_what_is_old)
{
    put(1);
    ck_assert_int_eq(disco_flash_attach(&reader, area, SIZE), 0);
    none();
    put(2);
    ck_assert_uint_eq(take(), 2);
}
END_TEST

START_TEST(whether_there_is_one_to_take)
{
    ck_assert(!disco_flash_waiting(&reader));
    put(1);
    put(2);
    ck_assert(disco_flash_waiting(&reader));
    ck_assert_uint_eq(take(), 1);
    ck_assert(disco_flash_waiting(&reader));
    ck_assert_uint_eq(take(), 2);
    ck_assert(!disco_flash_waiting(&reader));
}
END_TEST

START_TEST(records_without_sense_are_passed_over)
{
    struct disco_flash_record *ring = (struct disco_flash_record *)(area + 1), r;

    for (uint64_t page = 0; page < 4; page++)
        put(page);
    ring[0].page = 16;
    ring[1].node = 2;
    ring[2].seq = 7;
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(disco_flash_take(&reader, &r), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(take(), 3);
    ck_assert_uint_eq(reader.bad, 3);
}
END_TEST

START_TEST(a_head_that_jumped_costs_records)
{
    put(1);
    area->head += 1000;
    none();
    ck_assert_uint_eq(reader.lost, 1001);
    none();
}
END_TEST

/* A tail of any value: the model writes into its ring and nowhere else, and goes on when it is right again. */
START_TEST(the_model_does_not_believe_the_tail)
{
    uint64_t behind[16];

    free(area);
    area = aligned_alloc(128, SIZE + sizeof behind);
    memset((char *)area + SIZE, 0x5a, sizeof behind);
    memset(behind, 0x5a, sizeof behind);
    ring_open(&f, area);
    for (uint64_t i = 0; i < 1000; i++) {
        area->tail = i * UINT64_C(0x9e3779b97f4a7c15);
        put(i);
    }
    ck_assert_int_eq(memcmp((char *)area + SIZE, behind, sizeof behind), 0);
    ck_assert_uint_gt(f.ring.overflows, 0);
    area->tail = area->head;
    ck_assert_int_eq(disco_flash_attach(&reader, area, SIZE), 0);
    put(3);
    ck_assert_uint_eq(take(), 3);
}
END_TEST

/* An area full of anything: never a record that names what does not exist, never more than there are. */
START_TEST(a_reader_survives_garbage)
{
    struct rng rng = {(uint64_t)_i};
    struct disco_flash_record r;

    rng_fill(&rng, (char *)area + offsetof(struct disco_flash_area, head),
             SIZE - offsetof(struct disco_flash_area, head));
    area->head = rng_below(&rng, 12);
    for (unsigned i = 0; i < 20; i++) {
        if (disco_flash_take(&reader, &r) == 1)
            REQUIRE(r.page < 16 && r.node < 2 && r.cpu < 4, "record %u", i);
    }
    none();
}
END_TEST

START_TEST(turned_for_a_machine_of_the_other_order)
{
    struct config c = small_machine();
    struct disco_flash_record *ring = (struct disco_flash_record *)(area + 1);

    teardown();
    c.swap = true;
    start_with(&c);
    ring_open(&f, area);
    put(11);
    ck_assert_uint_eq(area->magic, __builtin_bswap64(DISCO_FLASH_MAGIC));
    ck_assert_uint_eq(area->head, __builtin_bswap64(1));
    ck_assert_uint_eq(ring[0].seq, __builtin_bswap64(1));
    ck_assert_uint_eq(ring[0].page, __builtin_bswap64(11));
    area->tail = __builtin_bswap64(1);
    for (unsigned i = 0; i < SLOTS; i++)
        put(i);
    ck_assert_uint_eq(f.ring.overflows, 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {records_arrive_in_order,
                            a_full_ring_drops_and_counts,
                            attaching_looks_first,
                            attaching_skips_what_is_old,
                            whether_there_is_one_to_take,
                            records_without_sense_are_passed_over,
                            a_head_that_jumped_costs_records,
                            the_model_does_not_believe_the_tail,
                            turned_for_a_machine_of_the_other_order,
                            a_reader_survives_garbage};

    return SUITE_RUN("flash-ring", tests, open, close);
}
