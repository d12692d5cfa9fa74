/* SPDX-License-Identifier: BSD-2-Clause */
/* A virtio disk as a store: what the device is told, what is made of its answers, and of its lies. */
#include "monitor/virtio_blk.h"

#include <string.h>

#include "suite.h"
#include "virtio_fake.h"

#define SECTORS 1000
#define RING 64
#define FLUSH (UINT64_C(1) << 9)
#define READ_ONLY (UINT64_C(1) << 5)
#define SEG_MAX (UINT64_C(1) << 2)

static struct virtio_blk b;
static struct disco_store_io io[RING];
static int status[RING], ended;

static void done(struct disco_store_io *i, int result)
{
    ck_assert_int_eq(status[i - io], 99); /* once */
    ck_assert_uint_eq(b.lock.held, 0);
    status[i - io] = result;
    ended++;
}

static void prepare(uint64_t features)
{
    memset(&b, 0, sizeof b);
    fake.size = RING;
    fake.features = features;
    fake.config[0] = SECTORS;
    fake.config[3] = 126;
    ended = 0;
    for (unsigned i = 0; i < RING; i++)
        status[i] = 99;
}

static void setup(void)
{
    prepare(FLUSH | SEG_MAX);
    ck_assert_ptr_null(virtio_blk_start(&b, NULL));
}

static void teardown(void) { fake_reset(); }

static int submit(unsigned i, uint32_t op, uint64_t sector, unsigned segs)
{
    io[i] = (struct disco_store_io){.op = op, .sector = sector, .segs = segs, .done = done};
    for (unsigned s = 0; s < segs; s++) /* no two of them touch */
        io[i].seg[s] = (struct disco_store_seg){{1000 + 2 * s}, 0, DISCO_PAGE_SIZE};
    return b.store.submit(&b.store, &io[i]);
}

static uint64_t little(const uint8_t *at, unsigned bytes)
{
    uint64_t v = 0;

    while (bytes--)
        v = v << 8 | at[bytes];
    return v;
}

/* What the device finds next has this header, so many segments of data, and a byte for its status. */
static struct ring_request found(uint32_t type, uint64_t sector, unsigned data)
{
    struct ring_request r = {0};
    const uint8_t *header;

    ck_assert(ring_next(&fake.queue[0], &r));
    header = (const uint8_t *)(uintptr_t)r.seg[0].bus;
    ck_assert_uint_eq(r.seg[0].len, 16);
    ck_assert_uint_eq(little(header, 4), type);
    ck_assert_uint_eq(little(header + 8, 8), sector);
    ck_assert_uint_eq(r.in, type == 0 ? data + 1 : 1);
    ck_assert_uint_eq(r.out, type == 0 ? 1 : data + 1);
    ck_assert_uint_eq(r.seg[data + 1].len, 1);
    return r;
}

static void answer(const struct ring_request *r, uint8_t code, uint32_t len)
{
    *(uint8_t *)(uintptr_t)r->seg[r->out + r->in - 1].bus = code;
    ring_end(&fake.queue[0], r->id, len);
}

/* --- honest devices --- */

START_TEST(each_kind)
{
    struct ring_request r;

    ck_assert_int_eq(submit(0, DISCO_DISK_READ, 8, 2), 0);
    ck_assert_int_eq(submit(1, DISCO_DISK_WRITE, SECTORS - 8, 1), 0);
    ck_assert_int_eq(submit(2, DISCO_DISK_FLUSH, 17, 0), 0);
    ck_assert_uint_eq(fake.queue[0].bell, 77);
    r = found(0, 8, 2);
    ck_assert_uint_eq(r.seg[1].bus, 1000 * DISCO_PAGE_SIZE);
    ck_assert_uint_eq(r.seg[2].bus, 1002 * DISCO_PAGE_SIZE);
    answer(&r, 0, 2 * DISCO_PAGE_SIZE + 1);
    r = found(1, SECTORS - 8, 1);
    answer(&r, 0, 1);
    r = found(4, 0, 0);
    answer(&r, 0, 1);
    ck_assert(!virtio_blk_poll(&b));
    ck_assert_int_eq(ended, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(status[i], 0);
}
END_TEST

START_TEST(any_order)
{
    struct ring_request first, second;

    ck_assert_int_eq(submit(0, DISCO_DISK_READ, 0, 1), 0);
    ck_assert_int_eq(submit(1, DISCO_DISK_READ, 8, 1), 0);
    first = found(0, 0, 1);
    second = found(0, 8, 1);
    answer(&second, 1, DISCO_PAGE_SIZE + 1);
    virtio_blk_poll(&b);
    ck_assert_int_eq(status[0], 99);
    ck_assert_int_lt(status[1], 0);
    answer(&first, 0, DISCO_PAGE_SIZE + 1);
    virtio_blk_poll(&b);
    ck_assert_int_eq(status[0], 0);
}
END_TEST

START_TEST(pieces_that_touch)
{
    struct disco_store_io *i = &io[0];
    struct ring_request r;

    *i = (struct disco_store_io){.op = DISCO_DISK_WRITE, .segs = 5, .done = done};
    i->seg[0] = (struct disco_store_seg){{50}, 3584, 512};
    i->seg[1] = (struct disco_store_seg){{51}, 0, 4096};
    i->seg[2] = (struct disco_store_seg){{52}, 0, 1024};
    i->seg[3] = (struct disco_store_seg){{52}, 1536, 512};
    i->seg[4] = (struct disco_store_seg){{51}, 0, 512};
    ck_assert_int_eq(b.store.submit(&b.store, i), 0);
    r = found(1, 0, 3);
    ck_assert_uint_eq(r.seg[1].bus, 50 * DISCO_PAGE_SIZE + 3584);
    ck_assert_uint_eq(r.seg[1].len, 512 + 4096 + 1024);
    ck_assert_uint_eq(r.seg[2].bus, 52 * DISCO_PAGE_SIZE + 1536);
    ck_assert_uint_eq(r.seg[3].bus, 51 * DISCO_PAGE_SIZE);
}
END_TEST

START_TEST(failures)
{
    static const struct {
        uint8_t code;
        int err;
    } row[] = {{1, DISCO_ERR_STATE},
               {2, DISCO_ERR_UNSUPPORTED},
               {3, DISCO_ERR_STATE},
               {254, DISCO_ERR_STATE}};

    for (unsigned i = 0; i < 4; i++) {
        struct ring_request r;

        ck_assert_int_eq(submit(i, DISCO_DISK_WRITE, i, 1), 0);
        r = found(1, i, 1);
        answer(&r, row[i].code, 1);
        virtio_blk_poll(&b);
        ck_assert_int_eq(status[i], row[i].err);
    }
    ck_assert(!b.dead);
}
END_TEST

START_TEST(full)
{
    unsigned given = 0;
    struct ring_request r;

    while (submit(given, DISCO_DISK_READ, 0, 1) == 0)
        given++;
    ck_assert_uint_eq(given, RING / 3);
    ck_assert_int_eq(submit(given, DISCO_DISK_READ, 0, 1), DISCO_ERR_BUSY);
    r = found(0, 0, 1);
    answer(&r, 0, DISCO_PAGE_SIZE + 1);
    virtio_blk_poll(&b);
    ck_assert_int_eq(submit(given, DISCO_DISK_READ, 0, 1), 0);
    ck_assert_int_eq(ended, 1);
}
END_TEST

START_TEST(refused)
{
    struct disco_store_io *i = &io[0];

    ck_assert_int_eq(submit(0, DISCO_DISK_READ, SECTORS - 7, 1), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(submit(0, DISCO_DISK_READ, UINT64_MAX - 7, 1), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(submit(0, DISCO_DISK_READ, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(submit(0, 3, 0, 1), DISCO_ERR_UNSUPPORTED);
    i->op = DISCO_DISK_READ;
    i->segs = DISCO_STORE_SEGS + 1;
    ck_assert_int_eq(b.store.submit(&b.store, i), DISCO_ERR_BAD_ARG);
    i->segs = 1;
    i->seg[0] = (struct disco_store_seg){{50}, 3584, 1024};
    ck_assert_int_eq(b.store.submit(&b.store, i), DISCO_ERR_BAD_ARG);
    i->seg[0] = (struct disco_store_seg){{50}, 0, 100};
    ck_assert_int_eq(b.store.submit(&b.store, i), DISCO_ERR_BAD_ARG);
    i->seg[0] = (struct disco_store_seg){{50}, 4096, UINT32_MAX - 4095};
    ck_assert_int_eq(b.store.submit(&b.store, i), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(b.q.free, RING);
}
END_TEST

/* --- starting --- */

START_TEST(read_only)
{
    fake_reset();
    prepare(READ_ONLY);
    ck_assert_ptr_null(virtio_blk_start(&b, NULL));
    ck_assert(b.store.read_only);
    ck_assert_int_eq(submit(0, DISCO_DISK_WRITE, 0, 1), DISCO_ERR_READ_ONLY);
    ck_assert_int_eq(submit(0, DISCO_DISK_FLUSH, 0, 0), 1);
    ck_assert_int_eq(submit(0, DISCO_DISK_READ, 0, 1), 0);
}
END_TEST

static const char *start_with(uint64_t features, unsigned ring, uint64_t seg_max, uint64_t sectors)
{
    fake_reset();
    prepare(features);
    fake.size = ring;
    fake.config[0] = sectors;
    fake.config[3] = seg_max;
    return virtio_blk_start(&b, NULL);
}

START_TEST(will_not_do)
{
    ck_assert_ptr_null(start_with(FLUSH, RING, 0, SECTORS));
    ck_assert_str_eq(start_with(0, RING, 0, SECTORS), "it can be written but not flushed");
    ck_assert_str_eq(start_with(FLUSH | SEG_MAX, RING, 31, SECTORS),
                     "it takes too few segments in a request");
    ck_assert_str_eq(start_with(FLUSH, 32, 0, SECTORS), "its queue is too short");
    ck_assert_str_eq(start_with(FLUSH, RING, 0, UINT64_MAX / 512 + 1), "it is larger than can be");
}
END_TEST

/* --- lies --- */

/* Three are at work; after the lie all of them have failed, and nothing is submitted any more. */
static void is_dead(void)
{
    ck_assert(!fake.stopped);
    virtio_blk_poll(&b);
    ck_assert(b.dead && b.why && fake.stopped);
    ck_assert_int_eq(ended, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(status[i], DISCO_ERR_STATE);
    ck_assert_int_eq(submit(3, DISCO_DISK_READ, 0, 1), DISCO_ERR_STATE);
    ck_assert_int_eq(submit(3, DISCO_DISK_FLUSH, 0, 0), DISCO_ERR_STATE);
    ck_assert(!virtio_blk_poll(&b));
    virtio_blk_stop(&b, NULL);
    ck_assert_int_eq(ended, 3);
}

static struct ring_request three(void)
{
    for (unsigned i = 0; i < 3; i++)
        ck_assert_int_eq(submit(i, DISCO_DISK_READ, i, 1), 0);
    return found(0, 0, 1);
}

START_TEST(unknown_id)
{
    three();
    ring_end(&fake.queue[0], RING + 5, 0);
    is_dead();
}
END_TEST

START_TEST(too_many)
{
    three();
    ring_jump(&fake.queue[0], 50);
    is_dead();
}
END_TEST

START_TEST(good_but_not_filled)
{
    struct ring_request r = three();

    answer(&r, 0, DISCO_PAGE_SIZE);
    is_dead();
}
END_TEST

START_TEST(no_status)
{
    struct ring_request r = three();

    ring_end(&fake.queue[0], r.id, DISCO_PAGE_SIZE + 1);
    is_dead();
}
END_TEST

START_TEST(stopped)
{
    three();
    virtio_blk_stop(&b, "why not");
    ck_assert_int_eq(ended, 3);
    ck_assert_str_eq(b.why, "why not");
    ck_assert_int_eq(submit(3, DISCO_DISK_READ, 0, 1), DISCO_ERR_STATE);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {each_kind,  any_order, pieces_that_touch,   failures,
                            full,       refused,   read_only,           will_not_do,
                            unknown_id, too_many,  good_but_not_filled, no_status,
                            stopped};

    return SUITE_RUN("virtio-blk", tests, setup, teardown);
}
