/* SPDX-License-Identifier: BSD-2-Clause */
/* Split rings against a naive device, honest and lying. */
#include "mock_backend.h"
#include "ring_device.h"
#include "suite.h"

#include <string.h>

#define SIZE 32
#define ROUNDS 200000 /* the ring's counters of 16 bits go round */
#define LIARS 200

static struct virtq q;
static struct ring_device d;

/* What the driver has given, and the device has found of it. */
static struct {
    bool given, found;
    unsigned out, in;
    struct virtq_seg seg[RING_SEGS];
} model[SIZE];

static uint64_t seed;
static unsigned requests;

static unsigned dice(unsigned n) { return (unsigned)(mock_random(&seed) % n); }

static void setup(void)
{
    ring_make(&d, &q, SIZE);
    memset(model, 0, sizeof model);
    seed = 1;
}

static void teardown(void) { ring_free(&d); }

static unsigned at_work(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < SIZE; i++)
        n += model[i].given ? model[i].out + model[i].in : 0;
    return n;
}

static void give(void)
{
    unsigned out = dice(5), in = dice(5), used = at_work();
    uint16_t id = virtq_next(&q);
    struct virtq_seg seg[10] = {{0}};
    int err;

    for (unsigned i = 0; i < out + in; i++)
        seg[i] = (struct virtq_seg){mock_random(&seed), dice(1 << 20)};
    err = virtq_add(&q, seg, out, in);
    if (!(out + in) || used + out + in > SIZE) {
        CHECK(err == DISCO_ERR_BUSY);
        return;
    }
    CHECK(err == 0);
    CHECK(!model[id].given);
    requests++;
    model[id].given = true;
    model[id].found = false;
    model[id].out = out;
    model[id].in = in;
    memcpy(model[id].seg, seg, sizeof seg);
}

static void find(void)
{
    struct ring_request r;

    if (!ring_next(&d, &r))
        return;
    CHECK(model[r.id].given && !model[r.id].found);
    CHECK(r.out == model[r.id].out);
    CHECK(r.in == model[r.id].in);
    for (unsigned i = 0; i < r.out + r.in; i++) {
        CHECK(r.seg[i].bus == model[r.id].seg[i].bus);
        CHECK(r.seg[i].len == model[r.id].seg[i].len);
    }
    model[r.id].found = true;
}

static uint32_t room(unsigned id)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < model[id].in; i++)
        sum += model[id].seg[model[id].out + i].len;
    return sum;
}

/* Any of those that the device has found; taken at once. */
static void end(void)
{
    struct virtq_done done;
    unsigned id = dice(SIZE);
    uint32_t len;

    if (!model[id].given || !model[id].found)
        return;
    len = room(id) ? dice(room(id) + 1) : 0;
    ring_end(&d, id, len);
    CHECK(virtq_take(&q, &done) == 1);
    CHECK(done.id == id);
    CHECK(done.len == len);
    model[id].given = false;
}

START_TEST(random_work)
{
    struct virtq_done done;

    for (unsigned i = 0; i < ROUNDS; i++) {
        give();
        find();
        end();
        end();
        CHECK(virtq_take(&q, &done) == 0);
        CHECK(q.free == SIZE - at_work());
    }
    CHECK(!q.broken);
    ck_assert_uint_gt(requests, UINT16_MAX);
}
END_TEST

START_TEST(bell)
{
    struct virtq_seg seg = {4096, 8};

    ck_assert_int_eq(virtq_add(&q, &seg, 1, 0), 0);
    ck_assert_uint_eq(d.bell, 0);
    virtq_ring(&q);
    ck_assert_uint_eq(d.bell, 77);
    d.bell = 0;
    d.memory[d.at.used] = 1; /* the device asks for silence */
    virtq_ring(&q);
    ck_assert_uint_eq(d.bell, 0);
}
END_TEST

/* --- lies --- */

/* Three requests, with 0, 8 and 12 bytes to write on. */
static void three(void)
{
    const struct virtq_seg seg[3] = {{4096, 8}, {8192, 4}, {16384, 4}};

    ck_assert_int_eq(virtq_add(&q, seg, 1, 0), 0);
    ck_assert_int_eq(virtq_add(&q, seg, 0, 1), 0);
    ck_assert_int_eq(virtq_add(&q, seg, 0, 2), 0);
}

/* What was at work comes back, each once; the ring says no for ever. */
static void broken(unsigned left)
{
    struct virtq_seg seg = {4096, 8};
    struct virtq_done done;
    uint16_t id;
    uint32_t seen = 0;

    ck_assert_int_eq(virtq_take(&q, &done), DISCO_ERR_STATE);
    ck_assert_int_eq(virtq_add(&q, &seg, 1, 0), DISCO_ERR_STATE);
    for (unsigned i = 0; i < left; i++) {
        ck_assert(virtq_take_back(&q, &id));
        ck_assert_uint_lt(id, SIZE);
        ck_assert(!(seen & UINT32_C(1) << id));
        seen |= UINT32_C(1) << id;
    }
    ck_assert(!virtq_take_back(&q, &id));
    ck_assert_uint_eq(q.free, SIZE);
    ck_assert_int_eq(virtq_take(&q, &done), DISCO_ERR_STATE);
    ck_assert_int_eq(virtq_add(&q, &seg, 1, 0), DISCO_ERR_STATE);
}

static void lie(uint32_t id, uint32_t len)
{
    three();
    ring_end(&d, id, len);
    broken(3);
}

START_TEST(id_out_of_range) { lie(SIZE, 0); }
END_TEST

START_TEST(id_of_16_bits) { lie(UINT32_C(0x10000), 0); }
END_TEST

START_TEST(id_far_out) { lie(UINT32_MAX, 0); }
END_TEST

START_TEST(id_inside_a_request) { lie(3, 0); }
END_TEST

START_TEST(id_of_nobody) { lie(SIZE - 1, 0); }
END_TEST

START_TEST(written_where_nothing_is) { lie(0, 1); }
END_TEST

START_TEST(written_too_much) { lie(2, 13); }
END_TEST

START_TEST(twice)
{
    struct virtq_done done;

    three();
    ring_end(&d, 1, 8);
    ring_end(&d, 1, 8);
    ck_assert_int_eq(virtq_take(&q, &done), 1);
    broken(2);
}
END_TEST

START_TEST(more_than_there_are)
{
    three();
    ring_jump(&d, 4);
    broken(3);
}
END_TEST

START_TEST(backwards)
{
    three();
    ring_jump(&d, 0xffff);
    broken(3);
}
END_TEST

/* Any numbers in the device's part of the ring: what is taken was given, at most once. */
static void random_lies_of(uint64_t liar)
{
    struct virtq_done done;

    for (seed = liar + 1; !q.broken;) {
        give();
        find();
        ring_end(&d, dice(4) ? dice(SIZE + 2) : (uint32_t)mock_random(&seed),
                 dice(3) ? 0 : dice(1 << 21));
        if (!dice(10))
            ring_jump(&d, (uint16_t)dice(5));
        if (virtq_take(&q, &done) == 1) {
            CHECK(model[done.id].given);
            CHECK(done.len <= room(done.id));
            model[done.id].given = false;
        }
    }
}

START_TEST(random_lies)
{
    for (uint64_t liar = 0; liar < LIARS; liar++) {
        random_lies_of(liar);
        teardown();
        setup();
    }
}
END_TEST

int main(void)
{
    const TTest *tests[] = {random_work,         bell,
                            id_out_of_range,     id_of_16_bits,
                            id_far_out,          id_inside_a_request,
                            id_of_nobody,        written_where_nothing_is,
                            written_too_much,    twice,
                            more_than_there_are, backwards,
                            random_lies};

    return SUITE_RUN("virtq", tests, setup, teardown);
}
