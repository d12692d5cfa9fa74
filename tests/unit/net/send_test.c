/* SPDX-License-Identifier: BSD-2-Clause */
/* How a frame is gathered: what is shared, what is copied, how many pages that takes, and what is refused. */
#include "../mm/suite.h"
#include "world.h"

#define TO (PORTS - 1) /* a port of the monitor's: frames are looked at as they are */
#define STABLE DISCO_NET_STABLE

static struct world w;
static struct net_vm *vm;
static struct disco_frame f;
static uint8_t mac[PORTS][6];

/* Every byte of the VM's memory from page 2 on is its own. */
static uint8_t byte_of(uint64_t pa) { return (uint8_t)(pa * 7 + pa / 256 * 13 + 1); }

static void fill_memory_of(struct net_vm *of)
{
    static uint8_t bytes[(PPNS - OWN) * DISCO_PAGE_SIZE];

    for (uint64_t i = 0; i < sizeof bytes; i++)
        bytes[i] = byte_of(OWN * PAGE + i);
    poke(of, OWN * PAGE, bytes, sizeof bytes);
}

static void begin(bool copy)
{
    const struct world_config c = {.pages = 512, .chunks = 64, .copy = copy};

    world_init(&w, &c);
    vm = &w.vm[0];
    for (unsigned i = 0; i < PORTS; i++)
        mac_of(i, mac[i]);
    fill_memory_of(vm);
    f = small_frame(broadcast, mac[TO], 60);
    ck_assert_int_eq(disco_net_send_frame(w.net, TO, &f), 0);
    for (unsigned i = 0; i < TO; i++)
        ck_assert(disco_net_take_frame(w.net, i, &f));
    f.parts = 0;
}

static void setup(void) { begin(false); }

static void teardown(void)
{
    disco_net_free_frame(w.net, &f);
    world_fini(&w);
}

/* Send, with a header at the beginning of the first segment, and take what arrived; compare every byte. */
static void pass(const struct disco_io_seg *seg, uint32_t n)
{
    static uint8_t want[DISCO_NET_FRAME_MAX], got[DISCO_NET_FRAME_MAX];
    uint32_t len = 0;

    header(vm, seg[0].pa, mac[TO], mac[0]);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t of = seg[i].len & ~STABLE;

        peek(vm, seg[i].pa, want + len, of);
        len += (uint32_t)of;
    }
    ck_assert_int_eq(send_segs(vm, seg, n, 0, 0), 0);
    ck_assert(disco_net_take_frame(w.net, TO, &f));
    ck_assert_uint_eq(disco_frame_len(&f), len);
    ck_assert_int_eq(disco_frame_read(w.net, &f, 0, got, len), 0);
    ck_assert_mem_eq(got, want, len);
}

#define PASS(...)                                                                                  \
    do {                                                                                           \
        const struct disco_io_seg seg[] = {__VA_ARGS__};                                           \
        pass(seg, sizeof seg / sizeof seg[0]);                                                     \
    } while (0)

static bool is_shared(uint32_t part, uint64_t ppn)
{
    bool same = f.part[part].mpn.v == mpn_at(vm, ppn);

    ck_assert(!same || disco_pmap_reason(&vm->pmap, (disco_ppn){ppn}) == DISCO_PMAP_NET);
    return same && !f.part[part].off && f.part[part].len == PAGE;
}

static bool is_zero(const uint8_t *at, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        if (at[i])
            return false;
    }
    return true;
}

/* Nobody's bytes stand behind those that were copied. */
static void rest_is_zero(uint32_t part)
{
    const struct disco_net_part *p = &f.part[part];

    ck_assert_uint_eq(p->off, 0);
    ck_assert(is_zero(mock_page(&w.m, p->mpn.v) + p->len, PAGE - p->len));
}

START_TEST(small_frame_costs_no_page)
{
    uint64_t before = free_pages(&w);

    PASS({2 * PAGE + 100, 14}, {3 * PAGE + 7, 242});
    ck_assert_uint_eq(f.parts, 0);
    ck_assert_uint_eq(f.head_len, 256);
    ck_assert_uint_eq(free_pages(&w), before - 1); /* the request's page */
    ck_assert_uint_eq(stats_of(&w, 0).copied_bytes, 256);
}
END_TEST

START_TEST(longer_frame_is_packed)
{
    PASS({2 * PAGE, 54}, {5 * PAGE + 4000, 3000}, {9 * PAGE + 1, 0}, {9 * PAGE + 1, 2000});
    ck_assert_uint_eq(f.head_len, 256);
    ck_assert_uint_eq(f.parts, 2);
    ck_assert_uint_eq(f.part[0].len, PAGE);
    ck_assert_uint_eq(f.part[1].len, 54 + 3000 + 2000 - 256 - PAGE);
    rest_is_zero(1);
    ck_assert_uint_eq(stats_of(&w, 0).remapped, 0);
}
END_TEST

START_TEST(stable_pages_are_shared)
{
    PASS({2 * PAGE + 6, 66}, {4 * PAGE, 2 * PAGE | STABLE}, {9 * PAGE, PAGE | STABLE},
         {11 * PAGE, PAGE}, {13 * PAGE, 100 | STABLE});
    ck_assert_uint_eq(f.head_len, 66);
    ck_assert_uint_eq(f.parts, 5);
    ck_assert(is_shared(0, 4) && is_shared(1, 5) && is_shared(2, 9) && !is_shared(3, 11));
    ck_assert_uint_eq(f.part[3].len, PAGE);
    ck_assert_uint_eq(f.part[4].len, 100);
    rest_is_zero(4);
    ck_assert_uint_eq(stats_of(&w, 0).remapped, 3);
    ck_assert_uint_eq(stats_of(&w, 0).copied_bytes, 66 + PAGE + 100);
    ck_assert_uint_eq(stats_of(&w, 0).sent_bytes, 66 + 4 * PAGE + 100);
}
END_TEST

/* The whole pages in the middle of an unaligned segment, and what is left on both sides. */
START_TEST(pages_within_a_segment)
{
    PASS({2 * PAGE, 20}, {4 * PAGE + 4000, (3 * PAGE + 10) | STABLE});
    ck_assert_uint_eq(f.head_len, 20 + 96);
    ck_assert_uint_eq(f.parts, 3);
    ck_assert(is_shared(0, 5) && is_shared(1, 6) && !is_shared(2, 7));
    ck_assert_uint_eq(f.part[2].len, 10 + PAGE - 96);
    rest_is_zero(2);
}
END_TEST

START_TEST(head_stops_where_a_page_begins)
{
    PASS({2 * PAGE, 256}, {4 * PAGE, PAGE | STABLE});
    ck_assert_uint_eq(f.head_len, 256);
    ck_assert_uint_eq(f.parts, 1);
    disco_net_free_frame(w.net, &f);
    PASS({2 * PAGE, 257}, {4 * PAGE, PAGE | STABLE});
    ck_assert_uint_eq(f.head_len, 256);
    ck_assert_uint_eq(f.parts, 2);
    ck_assert_uint_eq(f.part[0].len, 1);
    rest_is_zero(0);
    ck_assert(is_shared(1, 4));
}
END_TEST

/* The Ethernet header, and a checksum's place, are always in the head. */
START_TEST(headers_are_copied)
{
    PASS({4 * PAGE, (2 * PAGE) | STABLE});
    ck_assert_uint_eq(f.head_len, 256);
    ck_assert_uint_eq(f.parts, 2);
    ck_assert(!is_shared(0, 4) && is_shared(1, 5));
    disco_net_free_frame(w.net, &f);
    PASS({2 * PAGE, 13}, {4 * PAGE, PAGE | STABLE}, {6 * PAGE, PAGE | STABLE});
    ck_assert_uint_eq(stats_of(&w, 0).remapped, 2);
    ck_assert(!is_shared(0, 4) && is_shared(1, 6));
}
END_TEST

START_TEST(checksum_is_in_the_head)
{
    const struct disco_io_seg seg[] = {{2 * PAGE, 50},
                                       {4 * PAGE, PAGE | STABLE},
                                       {6 * PAGE, PAGE | STABLE}};

    header(vm, 2 * PAGE, mac[TO], mac[0]);
    ck_assert_int_eq(send_segs(vm, seg, 3, 34, 16), 0);
    ck_assert(disco_net_take_frame(w.net, TO, &f));
    ck_assert_uint_eq(f.head_len, 256);
    ck_assert_uint_eq(f.csum_start, 34);
    ck_assert_uint_eq(f.csum_offset, 16);
    ck_assert(is_shared(1, 6));
    disco_net_free_frame(w.net, &f);
    ck_assert_int_eq(send_segs(vm, seg, 3, 32, 16), 0);
    ck_assert(disco_net_take_frame(w.net, TO, &f));
    ck_assert_uint_eq(f.head_len, 50);
    ck_assert_int_eq(send_segs(vm, seg, 3, 254, 1), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(send_segs(vm, seg, 3, 65535, 65535), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(send_segs(vm, seg, 1, 34, 15), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(send_segs(vm, seg, 1, 34, 14), 0);
}
END_TEST

/* Too many parts: pages between odd pieces. Then everything is copied, and fits. */
START_TEST(too_many_parts_are_copied_densely)
{
    struct disco_io_seg seg[1 + 2 * 12];

    seg[0] = (struct disco_io_seg){2 * PAGE, 60};
    for (unsigned i = 0; i < 12; i++) {
        seg[1 + 2 * i] = (struct disco_io_seg){(10 + i) * PAGE, PAGE | STABLE};
        seg[2 + 2 * i] = (struct disco_io_seg){(30 + i) * PAGE + i, 5};
    }
    pass(seg, 1 + 2 * 8);
    ck_assert_uint_eq(f.parts, 16);
    ck_assert_uint_eq(stats_of(&w, 0).remapped, 8);
    disco_net_free_frame(w.net, &f);
    pass(seg, 1 + 2 * 9);
    ck_assert_uint_eq(f.parts, 9);
    ck_assert_uint_eq(f.head_len, 256);
    ck_assert_uint_eq(stats_of(&w, 0).remapped, 8);
}
END_TEST

START_TEST(longest_frame)
{
    PASS({2 * PAGE, DISCO_NET_FRAME_MAX});
    ck_assert_uint_eq(f.parts, 16);
    disco_net_free_frame(w.net, &f);
    PASS({2 * PAGE, 13}, {4 * PAGE, 16 * PAGE | STABLE});
    ck_assert_uint_eq(f.parts, 16);
    ck_assert_uint_eq(stats_of(&w, 0).remapped, 15);
}
END_TEST

/* All pages of a frame together; one of them is named twice, and taken once. */
START_TEST(one_revocation_for_a_frame)
{
    uint64_t before = mock_stats(&vm->pmap).purges;

    PASS({2 * PAGE, 14}, {4 * PAGE, 3 * PAGE | STABLE}, {9 * PAGE, PAGE | STABLE},
         {5 * PAGE, PAGE | STABLE});
    ck_assert_uint_eq(mock_stats(&vm->pmap).purges, before + 1);
    ck_assert_uint_eq(stats_of(&w, 0).remapped, 5);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert(is_shared(i, 4 + i));
    ck_assert(is_shared(3, 9));
    ck_assert(is_shared(4, 5));
    ck_assert_uint_eq(disco_memmap_refs(w.mm, f.part[0].mpn), 2);
    ck_assert_uint_eq(disco_memmap_refs(w.mm, f.part[1].mpn), 3);
}
END_TEST

START_TEST(refuses)
{
    struct disco_io_seg seg[DISCO_NET_SEGS + 1] = {{2 * PAGE, DISCO_NET_FRAME_MAX}, {3 * PAGE, 1}};
    struct disco_net_send many = {DISCO_NET_SEGS + 1, 0, 0};
    uint64_t before = (poke(vm, REQUEST, &many, sizeof many), free_pages(&w));

    ck_assert_int_eq(send_segs(vm, seg, 2, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(send_at(vm, 2 * PAGE, 13), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(send_at(vm, 2 * PAGE, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(send_segs(vm, seg, 0, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(send_at(vm, PPNS * PAGE - 20, 21), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(send_at(vm, -UINT64_C(20), 60), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(send_at(vm, 2 * PAGE, UINT64_MAX & ~STABLE), DISCO_ERR_BAD_ARG);
    poke(vm, REQUEST, &many, sizeof many);
    ck_assert_int_eq(net_call(vm, DISCO_CALL_NET_SEND, REQUEST, 16 + 64 * 16), DISCO_ERR_BAD_ARG);
    many.segs = 2;
    poke(vm, REQUEST, &many, sizeof many);
    ck_assert_int_eq(net_call(vm, DISCO_CALL_NET_SEND, REQUEST, 8 + 16), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(net_call(vm, DISCO_CALL_NET_SEND, REQUEST, 7), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(free_pages(&w), before);
    ck_assert_uint_eq(stats_of(&w, 0).sent, 0);
    ck_assert_uint_ge(stats_of(&w, 0).bad, 8);
}
END_TEST

/* A frame that is refused leaves nothing behind, and the sender its pages. */
START_TEST(refused_frame)
{
    const struct disco_io_seg seg[] = {{2 * PAGE, 600}, {4 * PAGE, PAGE | STABLE}};
    uint64_t before;

    header(vm, 2 * PAGE, mac[TO], mac[0]);
    for (unsigned i = 0; i < DISCO_NET_QUEUE; i++)
        ck_assert_int_eq(send_at(vm, 2 * PAGE, 60), 0);
    before = free_pages(&w);
    ck_assert_int_eq(send_segs(vm, seg, 2, 0, 0), DISCO_ERR_BUSY);
    ck_assert_uint_eq(free_pages(&w), before);
    ck_assert_int_eq(disco_pmap_reason(&vm->pmap, (disco_ppn){4}), DISCO_PMAP_WRITABLE);
}
END_TEST

START_TEST(no_memory)
{
    const struct disco_io_seg seg[] = {{2 * PAGE, 600}, {4 * PAGE, PAGE | STABLE}, {6 * PAGE, 50}};
    disco_mpn hold[512];
    unsigned n = 0;

    header(vm, 2 * PAGE, mac[TO], mac[0]);
    ck_assert_int_eq(send_at(vm, 2 * PAGE, 60), 0); /* the request's page exists */
    while (!disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &hold[n]))
        n++;
    ck_assert_int_eq(disco_memmap_put(w.mm, hold[--n]), 0); /* one of two */
    ck_assert_int_eq(send_segs(vm, seg, 3, 0, 0), DISCO_ERR_NO_MEMORY);
    ck_assert_uint_eq(free_pages(&w), 1);
    ck_assert_uint_eq(stats_of(&w, 0).sent, 1);
    /* Nor does a page stay lent that the frame never came to. */
    ck_assert_int_eq(disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &hold[n++]), 0);
    ck_assert_int_eq(send_segs(vm, seg, 3, 0, 0), DISCO_ERR_NO_MEMORY);
    ck_assert_uint_eq(disco_memmap_refs(w.mm, (disco_mpn){mpn_at(vm, 4)}), 1);
    while (n--)
        ck_assert_int_eq(disco_memmap_put(w.mm, hold[n]), 0);
}
END_TEST

/* What the sender writes after sending is its own affair; the frame stays what it was. */
START_TEST(sender_writes_later)
{
    uint8_t before[8], after[8], changed[8] = "changed";

    PASS({2 * PAGE, 60}, {4 * PAGE, PAGE | STABLE});
    peek(vm, 4 * PAGE, before, 8);
    poke(vm, 4 * PAGE, changed, 8);
    ck_assert_int_eq(disco_frame_read(w.net, &f, 60, after, 8), 0);
    ck_assert_mem_eq(after, before, 8);
    peek(vm, 4 * PAGE, after, 8);
    ck_assert_mem_eq(after, changed, 8);
    ck_assert_uint_eq(mock_stats(&vm->pmap).net_copies, 1);
    disco_net_free_frame(w.net, &f);
    PASS({2 * PAGE, 60}, {4 * PAGE, PAGE | STABLE});
    disco_net_free_frame(w.net, &f);
    poke(vm, 4 * PAGE, changed, 8); /* nobody else has it any more */
    ck_assert_uint_eq(mock_stats(&vm->pmap).net_copies, 1);
}
END_TEST

START_TEST(page_that_was_never_touched)
{
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){4}), 0);
    PASS({2 * PAGE, 60}, {4 * PAGE, PAGE | STABLE});
    ck_assert(is_shared(0, 4));
    ck_assert(is_zero(mock_page(&w.m, f.part[0].mpn.v), PAGE));
}
END_TEST

/* The monitor writes to the map of dead pages behind the pmap's back: what is sent of it is a copy. */
START_TEST(map_of_dead_pages_is_copied)
{
    ck_assert_int_eq(net_call(vm, DISCO_CALL_DEAD_PAGES, 4 * PAGE, PPNS), 0);
    PASS({2 * PAGE, 60}, {4 * PAGE, PAGE | STABLE});
    ck_assert_uint_eq(f.parts, 1);
    ck_assert(!is_shared(0, 4));
}
END_TEST

START_TEST(never_share)
{
    teardown();
    begin(true);
    PASS({2 * PAGE, 60}, {4 * PAGE, 2 * PAGE | STABLE});
    ck_assert_uint_eq(f.head_len, 256);
    ck_assert_uint_eq(f.parts, 2);
    ck_assert_uint_eq(stats_of(&w, 0).remapped, 0);
    ck_assert_uint_eq(stats_of(&w, 0).copied_bytes, 60 + 2 * PAGE);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {small_frame_costs_no_page,
                            longer_frame_is_packed,
                            stable_pages_are_shared,
                            pages_within_a_segment,
                            head_stops_where_a_page_begins,
                            headers_are_copied,
                            checksum_is_in_the_head,
                            too_many_parts_are_copied_densely,
                            longest_frame,
                            one_revocation_for_a_frame,
                            refuses,
                            refused_frame,
                            no_memory,
                            sender_writes_later,
                            page_that_was_never_touched,
                            map_of_dead_pages_is_copied,
                            never_share};

    return SUITE_RUN("net-send", tests, setup, teardown);
}
