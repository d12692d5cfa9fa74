/* SPDX-License-Identifier: BSD-2-Clause */
/* How a frame comes to a guest: into which pages, whatever these were before, and what is refused. */
#include "../mm/suite.h"
#include "world.h"

#define STABLE DISCO_NET_STABLE

static struct world w;
static struct net_vm *from, *to;
static uint8_t mac[PORTS][6], sent[DISCO_NET_FRAME_MAX], got[DISCO_NET_FRAME_MAX];
static uint32_t sent_len;

static void begin(uint64_t chunks, bool copy)
{
    const struct world_config c = {.pages = 512, .chunks = chunks, .copy = copy};

    world_init(&w, &c);
    from = &w.vm[0];
    to = &w.vm[1];
    for (unsigned i = 0; i < PORTS; i++)
        mac_of(i, mac[i]);
    header(to, OWN * PAGE, mac[0], mac[1]);
    ck_assert_int_eq(send_at(to, OWN * PAGE, 60), 0); /* the switch knows it */
    for (unsigned i = 0; i < PORTS; i++) {
        struct disco_frame f;

        disco_net_take_frame(w.net, i, &f);
    }
    for (uint64_t pa = OWN * PAGE; pa < PPNS * PAGE; pa += 8) {
        uint64_t word = pa * UINT64_C(0x9e3779b97f4a7c15);

        poke(from, pa, &word, sizeof word);
    }
}

static void setup(void) { begin(64, false); }
static void teardown(void) { world_fini(&w); }

/* 60 bytes, @p pages stable pages from page 10 on, then @p rest bytes. */
static void send(unsigned pages, uint32_t rest)
{
    const struct disco_io_seg seg[] = {{2 * PAGE, 60},
                                       {10 * PAGE, pages * PAGE | STABLE},
                                       {40 * PAGE, rest}};

    header(from, 2 * PAGE, mac[1], mac[0]);
    sent_len = 0;
    for (unsigned i = 0; i < 3; i++) {
        peek(from, seg[i].pa, sent + sent_len, seg[i].len & ~STABLE);
        sent_len += (uint32_t)(seg[i].len & ~STABLE);
    }
    ck_assert_int_eq(send_segs(from, seg, 3, 0, 0), 0);
}

static void came(void)
{
    ck_assert_uint_eq(answer_bytes(to, got), sent_len);
    ck_assert_mem_eq(got, sent, sent_len);
}

static enum disco_pmap_reason reason(struct net_vm *vm, uint64_t ppn)
{
    return disco_pmap_reason(&vm->pmap, (disco_ppn){ppn});
}

START_TEST(one_page_for_both)
{
    uint64_t before;

    send(2, 100);
    before = free_pages(&w);
    ck_assert_int_eq(recv_at(to, 20, 3), 1);
    came();
    ck_assert_uint_eq(to->answer.frags, 3);
    ck_assert_uint_eq(mpn_at(to, 20), mpn_at(from, 10));
    ck_assert_uint_eq(mpn_at(to, 21), mpn_at(from, 11));
    ck_assert_uint_eq(reason(to, 20), DISCO_PMAP_NET);
    ck_assert_uint_eq(free_pages(&w), before - 1); /* the answer's page */
    ck_assert_uint_eq(disco_memmap_refs(w.mm, (disco_mpn){mpn_at(to, 20)}), 2);
    ck_assert_uint_eq(stats_of(&w, 1).received, 1);
    ck_assert_uint_eq(stats_of(&w, 1).received_bytes, sent_len);
    ck_assert_uint_eq(mock_stats(&to->pmap).purges, 0); /* there was nothing at 20 to 22 */
    poke(to, 20 * PAGE, "mine", 4);
    ck_assert_uint_ne(mpn_at(to, 20), mpn_at(from, 10));
    peek(from, 10 * PAGE, got, 4);
    ck_assert_mem_eq(got, sent + 60, 4);
}
END_TEST

/* A page of the monitor's becomes the guest's: its first store takes it, without a copy. */
START_TEST(copied_pages_become_the_guests)
{
    uint64_t before;

    send(0, 9000);
    ck_assert_int_eq(recv_at(to, 20, 3), 1);
    came();
    before = w.m.copied;
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(reason(to, 20 + i), DISCO_PMAP_NET);
        ck_assert_uint_eq(disco_memmap_refs(w.mm, (disco_mpn){mpn_at(to, 20 + i)}), 1);
        poke(to, (20 + i) * PAGE, "mine", 4);
    }
    ck_assert_uint_eq(w.m.copied, before);
    ck_assert_uint_eq(mock_stats(&to->pmap).write_reused, 3);
    for (uint64_t i = to->answer.frag[2].len; i < PAGE; i++)
        ck_assert_uint_eq(mock_page(&w.m, mpn_at(to, 22))[i], 0);
}
END_TEST

START_TEST(offered_pages_are_replaced_with_one_revocation)
{
    uint64_t old, before;

    for (unsigned i = 0; i < 5; i++)
        poke(to, (20 + i) * PAGE, "old", 3);
    old = mpn_at(to, 23);
    send(3, 0);
    before = free_pages(&w);
    ck_assert_int_eq(recv_at(to, 20, 5), 1);
    came();
    ck_assert_uint_eq(free_pages(&w), before + 3 - 1);
    ck_assert_uint_eq(mock_stats(&to->pmap).purges, 1);
    ck_assert_uint_eq(mpn_at(to, 23), old); /* not used */
    peek(to, 23 * PAGE, got, 3);
    ck_assert_mem_eq(got, "old", 3);
}
END_TEST

START_TEST(lone_short_part_is_copied)
{
    uint64_t mpn;

    poke(to, 20 * PAGE + 3000, "own", 4);
    mpn = mpn_at(to, 20);
    send(0, DISCO_NET_LONE + 196);
    ck_assert_int_eq(recv_at(to, 20, 1), 1);
    came();
    ck_assert_uint_eq(to->answer.frag[0].len, DISCO_NET_LONE);
    ck_assert_uint_eq(mpn_at(to, 20), mpn);
    ck_assert_uint_eq(reason(to, 20), DISCO_PMAP_WRITABLE);
    peek(to, 20 * PAGE + 3000, got, 4);
    ck_assert_str_eq((char *)got, "own");
    send(0, DISCO_NET_LONE + 197);
    ck_assert_int_eq(recv_at(to, 20, 1), 1);
    came();
    ck_assert_uint_ne(mpn_at(to, 20), mpn);
}
END_TEST

START_TEST(small_frame_needs_no_page)
{
    send(0, 100);
    ck_assert_int_eq(recv_at(to, 20, 0), 1);
    came();
    ck_assert_uint_eq(to->answer.frags, 0);
    ck_assert_int_eq(recv_at(to, 20, 0), 0);
}
END_TEST

/* Nothing of the monitor's stack in what comes back. */
START_TEST(answer_is_clean)
{
    send(1, 0);
    ck_assert_int_eq(recv_at(to, 20, 4), 1);
    for (unsigned i = 1; i < DISCO_NET_FRAGS; i++)
        ck_assert(!to->answer.frag[i].page && !to->answer.frag[i].off && !to->answer.frag[i].len);
    for (unsigned i = to->answer.head_len; i < DISCO_NET_HEAD; i++)
        ck_assert_uint_eq(to->answer.head[i], 0xdb); /* as the guest left it */
    ck_assert_uint_eq(to->answer.pages, 4);
    ck_assert_uint_eq(to->answer.page[3], 23 * PAGE);
}
END_TEST

START_TEST(too_few_pages)
{
    send(2, 100);
    ck_assert_int_eq(recv_at(to, 20, 2), DISCO_ERR_NO_SPACE);
    ck_assert_uint_eq(to->answer.frags, 3);
    ck_assert_uint_eq(to->answer.head_len, 0xdbdbdbdb);
    ck_assert(w.line[1].up);
    ck_assert_int_eq(recv_at(to, 20, 3), 1);
    came();
    ck_assert(!w.line[1].up);
}
END_TEST

static int64_t recv_with(uint32_t pages, uint64_t first, uint64_t second)
{
    struct disco_net_recv r = {.pages = pages, .page = {first, second}};

    poke(to, ANSWER, &r, sizeof r);
    return net_call(to, DISCO_CALL_NET_RECV, ANSWER, sizeof r);
}

START_TEST(bad_offers_keep_the_frame)
{
    send(2, 0);
    ck_assert_int_eq(recv_with(DISCO_NET_FRAGS + 1, 0, PAGE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(recv_with(2, 20 * PAGE, 21 * PAGE + 8), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(recv_with(2, 20 * PAGE, PPNS * PAGE), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(recv_with(2, 20 * PAGE, -PAGE), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(net_call(to, DISCO_CALL_NET_RECV, ANSWER, sizeof(struct disco_net_recv) - 1),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(recv_at(to, 20, 2), 1);
    came();
}
END_TEST

START_TEST(same_page_twice_loses_the_frame)
{
    send(2, 0);
    ck_assert_int_eq(recv_with(2, 20 * PAGE, 20 * PAGE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(recv_at(to, 20, 2), 0);
    ck_assert_uint_eq(stats_of(&w, 1).dropped, 1);
    ck_assert_uint_eq(stats_of(&w, 1).received, 0);
    ck_assert_uint_eq(stats_of(&w, 1).received_bytes, 0);
}
END_TEST

/* Shared, sent away, replicated, of the map of dead pages, the very page of the call: all the same. */
START_TEST(whatever_the_page_was)
{
    disco_mpn lent;

    poke(to, 20 * PAGE, "cow", 3);
    ck_assert_int_eq(disco_pmap_lend(&to->pmap, (disco_ppn){20}, 0, DISCO_PMAP_COW, &lent), 0);
    poke(to, 21 * PAGE, "copies", 6);
    ck_assert_int_eq(disco_pmap_replicate(&to->pmap, (disco_ppn){21}, 0), 0);
    ck_assert_int_eq(disco_pmap_replicate(&to->pmap, (disco_ppn){21}, 1), 0);
    ck_assert_int_eq(net_call(to, DISCO_CALL_DEAD_PAGES, 22 * PAGE, PPNS), 0);
    send(4, 0);
    ck_assert_int_eq(recv_at(to, 20, 4), 1);
    came();
    ck_assert_mem_eq(mock_page(&w.m, lent.v), "cow", 3);
    ck_assert_int_eq(disco_memmap_put(w.mm, lent), 0);
    send(1, 0);
    ck_assert_int_eq(recv_at(to, ANSWER / PAGE, 1), 1);
}
END_TEST

START_TEST(own_page_comes_back)
{
    const struct disco_io_seg seg[] = {{2 * PAGE, 60}, {10 * PAGE, PAGE | STABLE}};
    struct disco_frame f;

    header(from, 2 * PAGE, mac[5], mac[0]);
    ck_assert_int_eq(send_segs(from, seg, 2, 0, 0), 0); /* flooded */
    ck_assert(disco_net_take_frame(w.net, 3, &f));
    memcpy(f.head, mac[0], 6);
    memcpy(f.head + 6, mac[3], 6);
    ck_assert_int_eq(disco_net_send_frame(w.net, 3, &f), 0);
    ck_assert_int_eq(recv_at(from, 10, 1), 1);
    ck_assert_int_eq(recv_at(to, 10, 1), 1);
    ck_assert_uint_eq(mpn_at(from, 10), mpn_at(to, 10));
}
END_TEST

/* One page, a reference for each receiver; the last one gives it back. */
START_TEST(flooded_frame)
{
    const struct disco_io_seg seg[] = {{2 * PAGE, 60},
                                       {10 * PAGE, PAGE | STABLE},
                                       {40 * PAGE, 500}};
    disco_mpn mpn = {mpn_at(from, 10)};

    header(from, 2 * PAGE, broadcast, mac[0]);
    ck_assert_int_eq(send_segs(from, seg, 3, 0, 0), 0);
    ck_assert_uint_eq(disco_memmap_refs(w.mm, mpn), PORTS);
    ck_assert_int_eq(recv_at(&w.vm[1], 20, 2), 1);
    ck_assert_int_eq(recv_at(&w.vm[2], 30, 2), 1);
    ck_assert_uint_eq(mpn_at(&w.vm[1], 21), mpn_at(&w.vm[2], 31));
    for (unsigned i = VMS; i < PORTS; i++)
        disco_net_link(w.net, i, false);
    ck_assert_uint_eq(disco_memmap_refs(w.mm, mpn), 3);
    poke(&w.vm[1], 21 * PAGE, "mine", 4);
    peek(&w.vm[2], 31 * PAGE, got, 4);
    peek(from, 40 * PAGE, sent, 4);
    ck_assert_mem_eq(got, sent, 4);
}
END_TEST

/* No place to write down who uses a page: then it is copied. */
START_TEST(no_place_for_users)
{
    teardown();
    begin(0, false);
    send(2, 100);
    ck_assert_int_eq(recv_at(to, 20, 3), 1);
    came();
    ck_assert_uint_eq(reason(to, 20), DISCO_PMAP_WRITABLE);
    ck_assert_uint_eq(reason(to, 22), DISCO_PMAP_NET);
}
END_TEST

START_TEST(never_share)
{
    teardown();
    begin(64, true);
    poke(to, 20 * PAGE, "old", 3);
    send(2, 5000);
    ck_assert_int_eq(recv_at(to, 20, 4), 1);
    came();
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(reason(to, 20 + i), DISCO_PMAP_WRITABLE);
    ck_assert_uint_eq(mock_stats(&from->pmap).shared + mock_stats(&to->pmap).shared, 0);
}
END_TEST

START_TEST(no_memory)
{
    disco_mpn hold[512];
    unsigned n = 0;

    send(0, 600);
    ck_assert_int_eq(recv_with(DISCO_NET_FRAGS + 1, 0, 0), DISCO_ERR_BAD_ARG); /* the page exists */
    while (!disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &hold[n]))
        n++;
    ck_assert_int_eq(recv_with(1, 20 * PAGE, 0), DISCO_ERR_NO_MEMORY);
    ck_assert_uint_eq(free_pages(&w), 1); /* the frame's */
    while (n--)
        ck_assert_int_eq(disco_memmap_put(w.mm, hold[n]), 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {one_page_for_both,
                            copied_pages_become_the_guests,
                            offered_pages_are_replaced_with_one_revocation,
                            lone_short_part_is_copied,
                            small_frame_needs_no_page,
                            answer_is_clean,
                            too_few_pages,
                            bad_offers_keep_the_frame,
                            same_page_twice_loses_the_frame,
                            whatever_the_page_was,
                            own_page_comes_back,
                            flooded_frame,
                            no_place_for_users,
                            never_share,
                            no_memory};

    return SUITE_RUN("net-recv", tests, setup, teardown);
}
