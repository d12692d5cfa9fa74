/* SPDX-License-Identifier: BSD-2-Clause */
/* The gateway between a real subnet and a network device at whose other end the test stands. */
#include "monitor/gateway.h"

#include <stdlib.h>
#include <string.h>

#include "mock_backend.h"
#include "monitor/drivers.h"
#include "suite.h"
#include "virtio_fake.h"

#define MAC (UINT64_C(1) << 5)
#define PAGES 128
#define HEADER 12
enum { GUEST, OUTSIDE, PORTS };
enum { IN, OUT };

static struct mock m;
static struct disco_memmap *mm;
static struct disco_net *net;
static struct virtio_net nic;
static struct gateway g;
static void *mm_storage, *net_storage;
static struct disco_backend_ops ops;

/* --- in place of drivers.c --- */

static bool (*look)(void *);
static void *look_ctx;
static unsigned woken;

struct virtio_net *drivers_net(void) { return &nic; }
void drivers_wake(void) { woken++; }

void drivers_serve_net(bool (*fn)(void *), void *ctx)
{
    look = fn;
    look_ctx = ctx;
}

/* --- */

static uint64_t now(struct disco_backend *b)
{
    (void)b;
    return 0;
}

static void guest_line(void *ctx, bool up) { (void)ctx, (void)up; }

static void make_net(void)
{
    struct disco_net_config c = {.mm = mm, .backend = &m.b, .ports = PORTS};

    net_storage = mock_storage(disco_net_size(&c));
    ck_assert_int_eq(disco_net_init(&net, net_storage, disco_net_size(&c), &c), 0);
    ck_assert_int_eq(disco_net_open(net, GUEST, (struct disco_line){guest_line, NULL}), 0);
}

static void setup(void)
{
    mock_init(&m, 1, 100, PAGES);
    ops = *m.b.ops;
    ops.now = now;
    m.b.ops = &ops;
    mm = mock_memmap(&m, PAGES, 0, &mm_storage);
    make_net();
    fake.features = MAC;
    fake.size = 256;
    memset(&nic, 0, sizeof nic);
    ck_assert_ptr_null(virtio_net_start(&nic));
    g = (struct gateway){.net = net, .mm = mm, .backend = &m.b, .port = OUTSIDE};
    ck_assert_int_eq(gateway_open(&g), 0);
}

/* However the test went, no page is lost. */
static void teardown(void)
{
    gateway_close(&g);
    disco_net_close(net, GUEST);
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES);
    ck_assert_ptr_null(look);
    fake_reset();
    free(net_storage);
    free(mm_storage);
    mock_fini(&m);
}

/* --- out --- */

static const uint8_t outside[6] = {2, 0, 0, 0, 0, 1}, guest[6] = {2, 0, 0, 0, 0, 2};

static struct disco_frame make(uint8_t mark, unsigned parts)
{
    struct disco_frame f = {.head_len = 60};

    memset(f.head, mark, sizeof f.head);
    memcpy(f.head, outside, 6);
    memcpy(f.head + 6, guest, 6);
    for (; f.parts < parts; f.parts++) {
        struct disco_net_part *p = &f.part[f.parts];

        *p = (struct disco_net_part){.off = 10 * f.parts, .len = 1000};
        ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &p->mpn), 0);
    }
    return f;
}

static int guest_sends(uint8_t mark, unsigned parts)
{
    struct disco_frame f = make(mark, parts);
    int err = disco_net_send_frame(net, GUEST, &f);

    if (err)
        disco_net_free_frame(net, &f);
    return err;
}

/* The device sends one; the mark of the frame, or -1. */
static int device_sends(void)
{
    struct ring_request r;

    if (!ring_next(&fake.queue[OUT], &r))
        return -1;
    ck_assert_uint_eq(r.in, 0);
    ck_assert_uint_eq(r.seg[0].len, HEADER);
    for (unsigned i = 0; i < HEADER; i++)
        CHECK(((uint8_t *)(uintptr_t)r.seg[0].bus)[i] == 0);
    ck_assert_uint_eq(r.seg[1].len, 60);
    for (unsigned i = 2; i < r.out; i++)
        ck_assert_uint_eq(r.seg[i].len, 1000);
    ring_end(&fake.queue[OUT], r.id, 0);
    return ((uint8_t *)(uintptr_t)r.seg[1].bus)[20];
}

START_TEST(frames_go_out)
{
    ck_assert_int_eq(guest_sends(11, 0), 0);
    ck_assert_int_eq(guest_sends(12, 3), 0);
    ck_assert_uint_gt(woken, 0);
    ck_assert(!look(look_ctx));
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES - 3);
    ck_assert_int_eq(device_sends(), 11);
    ck_assert_int_eq(device_sends(), 12);
    ck_assert_int_eq(device_sends(), -1);
    ck_assert(!look(look_ctx));
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES);
    ck_assert_uint_eq(g.sent, 2);
}
END_TEST

/* A checksum is made on the way, and by nobody else. */
START_TEST(checksum)
{
    struct disco_frame f = make(0, 0);
    struct ring_request r;
    const uint8_t *head;

    f.csum_start = 20;
    f.csum_offset = 6;
    f.head[20] = 0x12;
    f.head[25] = 0x34;
    f.head[26] = 0x01; /* what the field holds already */
    ck_assert_int_eq(disco_net_send_frame(net, GUEST, &f), 0);
    ck_assert(!look(look_ctx));
    ck_assert(ring_next(&fake.queue[OUT], &r));
    head = (const uint8_t *)(uintptr_t)r.seg[1].bus;
    ck_assert_uint_eq(head[26] << 8 | head[27], 0xffff & ~(0x1200 + 0x0034 + 0x0100));
}
END_TEST

/* The switch knows who is outside: then it makes senders wait. */
static void teach(void)
{
    struct disco_frame f = make(0, 0);

    memcpy(f.head, guest, 6);
    memcpy(f.head + 6, outside, 6);
    ck_assert_int_eq(disco_net_send_frame(net, OUTSIDE, &f), 0);
    ck_assert(disco_net_take_frame(net, GUEST, &f));
}

/* The device takes no more: frames wait in order, the rest with their senders; a bounded number in each look. */
START_TEST(back_pressure)
{
    int sent = 0, got = 0, looks = 0;

    teach();
    for (int refused = 0; refused < 2;) {
        if (guest_sends((uint8_t)sent, sent % 3 == 0 ? 1 : 0) == 0)
            sent++;
        else {
            refused++;
            while (look(look_ctx))
                ck_assert_int_lt(looks++, 20);
        }
    }
    ck_assert_int_gt(sent, 100);
    for (int mark; got < sent;) {
        mark = device_sends();
        if (mark < 0)
            look(look_ctx);
        else
            ck_assert_int_eq(mark, (uint8_t)got++);
        ck_assert_int_lt(looks++, 10 * sent);
    }
    ck_assert_uint_eq(g.lost, 0);
}
END_TEST

START_TEST(device_lies)
{
    ck_assert_int_eq(guest_sends(1, 5), 0);
    ck_assert(!look(look_ctx));
    ring_end(&fake.queue[OUT], 200, 0);
    look(look_ctx);
    ck_assert(nic.dead && fake.stopped);
    ck_assert_int_eq(guest_sends(2, 1), 0);
    look(look_ctx);
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES);
    ck_assert_uint_eq(g.lost, 1);
}
END_TEST

/* The device's queue is full, one frame waits for it, and others in the port. */
START_TEST(closed_with_frames)
{
    while (!g.holds) {
        ck_assert_int_eq(guest_sends(1, 1), 0);
        look(look_ctx);
    }
    ck_assert_int_eq(guest_sends(1, 4), 0);
}
END_TEST

START_TEST(many_go_out)
{
    for (int i = 0; i < DISCO_NET_QUEUE; i++)
        ck_assert_int_eq(guest_sends((uint8_t)i, 0), 0);
    ck_assert(look(look_ctx)); /* a bounded number */
    while (look(look_ctx))
        ;
    ck_assert_uint_eq(g.sent, DISCO_NET_QUEUE);
}
END_TEST

/* --- in --- */

/* A frame of `len` bytes comes in. */
static void arrives(uint32_t len)
{
    struct ring_request r;
    uint8_t *to;

    ck_assert(ring_next(&fake.queue[IN], &r));
    ck_assert_uint_eq(r.out + r.in, 1);
    ck_assert_uint_ge(r.seg[0].len, HEADER + len);
    to = (uint8_t *)(uintptr_t)r.seg[0].bus;
    for (uint32_t i = 0; i < len; i++)
        to[HEADER + i] = i == 0 ? 0xff : (uint8_t)(i * 7 + len);
    ring_end(&fake.queue[IN], r.id, HEADER + len);
}

static void guest_finds(uint32_t len)
{
    struct disco_frame f;
    uint8_t bytes[2048];

    ck_assert(disco_net_take_frame(net, GUEST, &f));
    ck_assert_uint_eq(disco_frame_len(&f), len);
    ck_assert_uint_eq(f.parts, len > DISCO_NET_HEAD);
    ck_assert_int_eq(disco_frame_read(net, &f, 0, bytes, len), 0);
    for (uint32_t i = 1; i < len; i++)
        CHECK(bytes[i] == (uint8_t)(i * 7 + len));
    if (f.parts) {
        const uint8_t *page = mock_page(&m, f.part[0].mpn.v);

        for (uint32_t i = f.part[0].len; i < DISCO_PAGE_SIZE; i++)
            CHECK(page[i] == 0);
    }
    disco_net_free_frame(net, &f);
}

START_TEST(frames_come_in)
{
    static const uint32_t len[] = {14, 60, 255, 256, 257, 1000, 1514, 1518};

    for (int round = 0; round < 40; round++) { /* each buffer is used again and again */
        for (unsigned i = 0; i < 8; i++)
            arrives(len[i]);
        ck_assert(!look(look_ctx));
        for (unsigned i = 0; i < 8; i++)
            guest_finds(len[i]);
    }
    ck_assert_uint_eq(g.received, 320);
}
END_TEST

START_TEST(many_come_in)
{
    for (int i = 0; i < VNIC_RECEIVE_RING; i++)
        arrives(100);
    ck_assert(look(look_ctx)); /* a bounded number */
    while (look(look_ctx))
        ;
    for (int i = 0; i < VNIC_RECEIVE_RING; i++)
        guest_finds(100);
}
END_TEST

START_TEST(no_memory)
{
    disco_mpn taken[PAGES];
    unsigned n = 0;

    while (!disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &taken[n]))
        n++;
    arrives(1000);
    arrives(100);
    look(look_ctx);
    guest_finds(100);
    ck_assert_uint_eq(g.lost, 1);
    while (n--)
        ck_assert_int_eq(disco_memmap_put(mm, taken[n]), 0);
}
END_TEST

static void in_lie(uint32_t id, uint32_t len)
{
    ring_end(&fake.queue[IN], id, len);
    look(look_ctx);
    ck_assert(nic.dead && nic.why && fake.stopped);
    ck_assert(!disco_net_take_frame(net, GUEST, &(struct disco_frame){0}));
    ck_assert(!look(look_ctx));
}

START_TEST(no_header) { in_lie(0, HEADER + 13); }
END_TEST

START_TEST(longer_than_its_buffer) { in_lie(0, HEADER + VNIC_RECEIVE_MAX + 1); }
END_TEST

START_TEST(no_such_buffer) { in_lie(VNIC_RECEIVE_RING, 100); }
END_TEST

int main(void)
{
    const TTest *tests[] = {
        frames_go_out,      checksum,    back_pressure,          device_lies,
        closed_with_frames, many_go_out, frames_come_in,         many_come_in,
        no_memory,          no_header,   longer_than_its_buffer, no_such_buffer};

    return SUITE_RUN("gateway", tests, setup, teardown);
}
