/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of the monitor's own: what is refused, reading, and checksums against a naive sum. */
#include "../mm/suite.h"
#include "world.h"

static struct world w;
static struct disco_frame f;
static uint64_t seed = 77;

static void setup(void)
{
    const struct world_config c = {.pages = 256, .chunks = 64};

    world_init(&w, &c);
}

static void teardown(void)
{
    disco_net_free_frame(w.net, &f);
    world_fini(&w);
}

static uint32_t dice(uint32_t n) { return (uint32_t)(mock_random(&seed) % n); }

/* A frame of random pieces, odd ones among them; its bytes, all of them, in @p bytes. */
static uint32_t make(uint8_t *bytes)
{
    uint32_t len;

    memset(&f, 0, sizeof f);
    f.head_len = DISCO_NET_HEADER + dice(DISCO_NET_HEAD - DISCO_NET_HEADER + 1);
    for (uint32_t i = 0; i < f.head_len; i++)
        f.head[i] = (uint8_t)dice(256);
    memcpy(bytes, f.head, len = f.head_len);
    for (uint32_t n = dice(5); n; n--) {
        struct disco_net_part *p = &f.part[f.parts++];
        uint8_t *at;

        MUST(!disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &p->mpn));
        p->off = dice(2) * dice(4000);
        p->len = 1 + dice((uint32_t)PAGE - p->off);
        at = mock_page(&w.m, p->mpn.v) + p->off;
        for (uint32_t i = 0; i < p->len; i++)
            at[i] = (uint8_t)(dice(4) ? dice(256) : 0xff);
        memcpy(bytes + len, at, p->len);
        len += p->len;
    }
    return len;
}

START_TEST(read)
{
    static uint8_t bytes[DISCO_NET_FRAME_MAX], got[DISCO_NET_FRAME_MAX];

    for (unsigned i = 0; i < 300; i++) {
        uint32_t len = make(bytes), off = dice(len + 1), n = dice(len - off + 1);

        ck_assert_uint_eq(disco_frame_len(&f), len);
        ck_assert_int_eq(disco_frame_read(w.net, &f, off, got, n), 0);
        ck_assert_mem_eq(got, bytes + off, n);
        ck_assert_int_eq(disco_frame_read(w.net, &f, off, got, len - off + 1), DISCO_ERR_BAD_ARG);
        ck_assert_int_eq(disco_frame_read(w.net, &f, len + 1, got, 0), DISCO_ERR_BAD_ARG);
        ck_assert_int_eq(disco_frame_read(w.net, &f, len, got, 0), 0);
        disco_net_free_frame(w.net, &f);
    }
}
END_TEST

/* As the standard says it: a sum of 16-bit words, high byte first. */
static uint16_t naive(const uint8_t *bytes, uint32_t start, uint32_t len)
{
    uint64_t sum = 0;

    for (uint32_t i = start; i < len; i++)
        sum += (uint64_t)bytes[i] << ((i - start) % 2 ? 0 : 8);
    while (sum >> 16)
        sum = (sum >> 16) + (sum & 0xffff);
    return sum == 0xffff ? 0xffff : (uint16_t)~sum;
}

START_TEST(checksum)
{
    static uint8_t bytes[DISCO_NET_FRAME_MAX], got[DISCO_NET_FRAME_MAX];

    for (unsigned i = 0; i < 1000; i++) {
        uint32_t len = make(bytes), start = 1 + dice(f.head_len - 2);
        uint32_t at = start + dice(f.head_len - 1 - start);
        uint16_t sum = naive(bytes, start, len);

        f.csum_start = (uint16_t)start;
        f.csum_offset = (uint16_t)(at - start);
        bytes[at] = (uint8_t)(sum >> 8);
        bytes[at + 1] = (uint8_t)sum;
        ck_assert_int_eq(disco_frame_checksum(w.net, &f), 0);
        ck_assert(!f.csum_start && !f.csum_offset);
        ck_assert_int_eq(disco_frame_read(w.net, &f, 0, got, len), 0);
        ck_assert_mem_eq(got, bytes, len);
        ck_assert_int_eq(disco_frame_checksum(w.net, &f), 0); /* none to be made */
        ck_assert_int_eq(disco_frame_read(w.net, &f, 0, got, len), 0);
        ck_assert_mem_eq(got, bytes, len);
        disco_net_free_frame(w.net, &f);
    }
}
END_TEST

/* A sum of all ones would be written as 0, which says "no checksum" to UDP. */
START_TEST(checksum_is_never_zero)
{
    f = small_frame(broadcast, broadcast, 20);
    memset(f.head + 14, 0, 6);
    f.head[14] = f.head[15] = 0xff;
    f.csum_start = 14;
    f.csum_offset = 4;
    ck_assert_int_eq(disco_frame_checksum(w.net, &f), 0);
    ck_assert(f.head[18] == 0xff && f.head[19] == 0xff);
}
END_TEST

START_TEST(checksum_beyond_the_head)
{
    f = small_frame(broadcast, broadcast, 20);
    f.csum_start = 14;
    f.csum_offset = 5;
    ck_assert_int_eq(disco_frame_checksum(w.net, &f), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_net_send_frame(w.net, 0, &f), DISCO_ERR_BAD_ARG);
}
END_TEST

static int send(void) { return disco_net_send_frame(w.net, 0, &f); }

START_TEST(bad_frames_stay_the_callers)
{
    f = small_frame(broadcast, broadcast, 60);
    f.parts = 1;
    ck_assert_int_eq(disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &f.part[0].mpn), 0);
    f.part[0].off = 1;
    f.part[0].len = DISCO_PAGE_SIZE;
    ck_assert_int_eq(send(), DISCO_ERR_BAD_ARG);
    f.part[0].off = DISCO_PAGE_SIZE;
    f.part[0].len = 1;
    ck_assert_int_eq(send(), DISCO_ERR_BAD_ARG);
    f.part[0].off = 0;
    f.part[0].len = 0;
    ck_assert_int_eq(send(), DISCO_ERR_BAD_ARG);
    f.part[0].len = 5;
    f.head_len = 13;
    ck_assert_int_eq(send(), DISCO_ERR_BAD_ARG);
    f.head_len = DISCO_NET_HEAD + 1;
    ck_assert_int_eq(send(), DISCO_ERR_BAD_ARG);
    f.head_len = 14;
    f.parts = DISCO_NET_FRAGS + 1;
    ck_assert_int_eq(send(), DISCO_ERR_BAD_ARG);
    f.parts = 1;
    ck_assert_uint_eq(stats_of(&w, 0).bad, 6);
    disco_net_link(w.net, 0, false);
    ck_assert_int_eq(send(), DISCO_ERR_STATE);
    disco_net_link(w.net, 0, true);
    ck_assert_uint_eq(free_pages(&w), w.pages - 1);
    ck_assert_int_eq(send(), 0);
    f.parts = 0; /* the network's now */
}
END_TEST

/* Seventeen whole pages are more than a frame may have. */
START_TEST(too_long)
{
    f = small_frame(broadcast, broadcast, 14);
    for (; f.parts < DISCO_NET_FRAGS; f.parts++) {
        struct disco_net_part *p = &f.part[f.parts];

        ck_assert_int_eq(disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &p->mpn), 0);
        p->len = DISCO_PAGE_SIZE;
    }
    ck_assert_int_eq(send(), DISCO_ERR_BAD_ARG);
}
END_TEST

/* From a device into a guest, at an odd place of its page. */
START_TEST(part_within_a_page)
{
    struct net_vm *vm = &w.vm[1];
    uint8_t got[DISCO_NET_FRAME_MAX];

    f = small_frame(broadcast, broadcast, 60);
    for (; f.parts < 2; f.parts++) {
        struct disco_net_part *p = &f.part[f.parts];

        ck_assert_int_eq(disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &p->mpn), 0);
        p->off = 12;
        p->len = 100;
        memset(mock_page(&w.m, p->mpn.v), 'a' + (int)f.parts, PAGE);
    }
    ck_assert_int_eq(send(), 0);
    f.parts = 0;
    ck_assert_int_eq(recv_at(vm, 20, 2), 1);
    ck_assert_uint_eq(vm->answer.frag[1].off, 12);
    ck_assert_uint_eq(answer_bytes(vm, got), 260);
    ck_assert(got[60] == 'a' && got[159] == 'a' && got[160] == 'b' && got[259] == 'b');
}
END_TEST

int main(void)
{
    const TTest *tests[] = {read,
                            checksum,
                            checksum_is_never_zero,
                            checksum_beyond_the_head,
                            bad_frames_stay_the_callers,
                            too_long,
                            part_within_a_page};

    return SUITE_RUN("net-frame", tests, setup, teardown);
}
