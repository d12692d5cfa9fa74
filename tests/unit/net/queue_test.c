/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounded queues, who waits and who does not, links and lines. */
#include "../mm/suite.h"
#include "world.h"

static struct world w;
static uint8_t mac[PORTS][6];

static void setup(void)
{
    const struct world_config c = {.pages = 1024, .chunks = 64};

    world_init(&w, &c);
    for (unsigned i = 0; i < PORTS; i++) {
        struct disco_frame f;

        mac_of(i, mac[i]);
        f = small_frame(mac[i], mac[i], 60); /* learned, and for nobody */
        ck_assert_int_eq(disco_net_send_frame(w.net, i, &f), 0);
    }
    for (unsigned i = 0; i < PORTS; i++) {
        struct disco_frame f;

        while (disco_net_take_frame(w.net, i, &f))
            ;
        w.line[i].rises = 0;
    }
}

static void teardown(void) { world_fini(&w); }

static int send_small(unsigned from, unsigned to)
{
    struct disco_frame f = small_frame(mac[to], mac[from], 60);

    return disco_net_send_frame(w.net, from, &f);
}

static void fill(unsigned from, unsigned to)
{
    for (unsigned i = 0; i < DISCO_NET_QUEUE; i++)
        ck_assert_int_eq(send_small(from, to), 0);
}

static unsigned take(unsigned port, unsigned most)
{
    struct disco_frame f;
    unsigned n = 0;

    while (n < most && disco_net_take_frame(w.net, port, &f)) {
        disco_net_free_frame(w.net, &f);
        n++;
    }
    return n;
}

START_TEST(line_is_up_while_frames_wait)
{
    ck_assert(!w.line[1].up);
    send_small(0, 1);
    send_small(0, 1);
    ck_assert(w.line[1].up && !w.line[0].up && !w.line[2].up);
    ck_assert(disco_net_is_up(w.net, 1));
    ck_assert(w.line[1].up);
    take(1, 1);
    ck_assert(w.line[1].up);
    take(1, 1);
    ck_assert(!w.line[1].up);
    ck_assert_uint_eq(w.line[1].rises, 1);
}
END_TEST

START_TEST(full_queue_refuses_and_calls_back)
{
    fill(0, 1);
    ck_assert_int_eq(send_small(0, 1), DISCO_ERR_BUSY);
    ck_assert_int_eq(send_small(2, 1), DISCO_ERR_BUSY);
    ck_assert_int_eq(send_small(0, 3), 0); /* others are not in the way */
    ck_assert_uint_eq(stats_of(&w, 0).refused, 1);
    take(1, DISCO_NET_QUEUE / 2 - 1);
    ck_assert(!w.line[0].up && !w.line[2].up);
    take(1, 1);
    ck_assert(w.line[0].up && w.line[2].up && !w.line[3 + 1].up);
    ck_assert(disco_net_is_up(w.net, 0));
    ck_assert(!w.line[0].up && w.line[2].up);
    ck_assert_int_eq(send_small(0, 1), 0);
    take(1, DISCO_NET_QUEUE);
    ck_assert(!w.line[0].up); /* it does not wait any more */
    ck_assert_uint_eq(stats_of(&w, 1).dropped, 0);
    take(3, 1);
}
END_TEST

START_TEST(flood_drops_where_it_is_full)
{
    struct disco_frame f = small_frame(broadcast, mac[0], 60);

    fill(0, 1);
    ck_assert_int_eq(disco_net_send_frame(w.net, 0, &f), 0);
    ck_assert_uint_eq(stats_of(&w, 1).dropped, 1);
    ck_assert_uint_eq(stats_of(&w, 2).dropped, 0);
    ck_assert_uint_eq(take(1, 100), DISCO_NET_QUEUE);
    ck_assert_uint_eq(take(2, 100), 1);
    ck_assert(!w.line[0].up);
}
END_TEST

/* Pages are bounded too: nine frames of seventeen pages stand for 64 small ones. */
START_TEST(pages_are_bounded)
{
    const unsigned most = DISCO_NET_QUEUE_PAGES / 17;
    struct disco_frame f = small_frame(mac[1], mac[0], 60);

    for (unsigned n = 0; n <= most; n++) {
        f.parts = 17;
        for (unsigned i = 0; i < f.parts; i++) {
            ck_assert_int_eq(disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &f.part[i].mpn), 0);
            f.part[i].off = 0;
            f.part[i].len = 64;
        }
        ck_assert_int_eq(disco_net_send_frame(w.net, 0, &f), n < most ? 0 : DISCO_ERR_BUSY);
    }
    disco_net_free_frame(w.net, &f); /* still ours */
    ck_assert_int_eq(send_small(0, 1), 0);
    take(1, 100);
    ck_assert(w.line[0].up);
}
END_TEST

/* One who takes nothing is waited for, but not for ever; then nobody waits until it takes again. */
START_TEST(nobody_waits_for_the_dead)
{
    fill(0, 1);
    w.now = 5000;
    ck_assert_int_eq(send_small(0, 1), DISCO_ERR_BUSY);
    w.now += DISCO_NET_STUCK_NS;
    ck_assert_int_eq(send_small(0, 1), DISCO_ERR_BUSY);
    w.now += 2;
    ck_assert_int_eq(send_small(0, 1), 0);
    ck_assert_int_eq(send_small(2, 1), 0);
    ck_assert_uint_eq(stats_of(&w, 1).dropped, 2);
    take(1, 1);
    ck_assert_int_eq(send_small(0, 1), 0);
    ck_assert_int_eq(send_small(0, 1), DISCO_ERR_BUSY);
    ck_assert_uint_eq(take(1, 100), DISCO_NET_QUEUE);
}
END_TEST

START_TEST(link)
{
    send_small(0, 1);
    fill(2, 1 + 2);
    ck_assert_int_eq(send_small(1, 3), DISCO_ERR_BUSY);
    disco_net_link(w.net, 3, false);
    ck_assert(w.line[1].up);
    ck_assert(w.line[3].up && !disco_net_is_up(w.net, 3) && !w.line[3].up);
    ck_assert_uint_eq(take(3, 100), 0);
    ck_assert_uint_eq(stats_of(&w, 3).dropped, DISCO_NET_QUEUE);
    ck_assert_int_eq(send_small(3, 0), DISCO_ERR_STATE);
    ck_assert_int_eq(send_small(0, 3), 0); /* unknown now: to everybody else */
    ck_assert_uint_eq(take(3, 100), 0);
    ck_assert_uint_eq(take(2, 100), 1);
    disco_net_link(w.net, 3, true);
    ck_assert(w.line[3].up && disco_net_is_up(w.net, 3) && !w.line[3].up);
    disco_net_link(w.net, 3, true); /* no news */
    ck_assert(!w.line[3].up);
    ck_assert_int_eq(send_small(3, 0), 0);
    ck_assert_int_eq(send_small(0, 3), 0);
    ck_assert_uint_eq(take(3, 100), 1);
    ck_assert_uint_eq(take(0, 100), 1);
}
END_TEST

START_TEST(close_gives_everything_back)
{
    struct net_vm *vm = &w.vm[0];
    uint64_t before;

    header(vm, OWN * PAGE, mac[1], mac[0]);
    before = free_pages(&w);
    ck_assert_int_eq(send_at(vm, OWN * PAGE, 5000), 0);
    ck_assert_int_eq(send_at(vm, OWN * PAGE, 5000), 0);
    ck_assert_uint_lt(free_pages(&w), before);
    disco_net_close(w.net, 1);
    ck_assert(!w.line[1].up);
    ck_assert_uint_eq(free_pages(&w) + 2, before); /* its request, and the second page sent */
    ck_assert_int_eq(recv_at(&w.vm[1], OWN, 3), DISCO_ERR_STATE);
    disco_net_link(w.net, 1, true);
    ck_assert(!w.line[1].up && !disco_net_is_up(w.net, 1));
    disco_net_close(w.net, 1);
}
END_TEST

/* A guest that still boots has nothing that could lower the line. */
START_TEST(line_waits_for_the_receiver)
{
    disco_net_close(w.net, 1);
    ck_assert_int_eq(disco_net_open(w.net, 1, world_line(&w, 1)), 0);
    send_small(0, 1);
    disco_net_link(w.net, 1, false);
    disco_net_link(w.net, 1, true);
    send_small(0, 1);
    ck_assert(!w.line[1].up);
    ck_assert_int_eq(net_call(&w.vm[1], DISCO_CALL_NET_STATE, 0, 0), DISCO_NET_UP);
    ck_assert(w.line[1].up);
    ck_assert_int_eq(recv_at(&w.vm[1], OWN, 1), 1);
    ck_assert(!w.line[1].up);
}
END_TEST

START_TEST(state_call)
{
    ck_assert_int_eq(net_call(&w.vm[0], DISCO_CALL_NET_STATE, 0, 0), DISCO_NET_UP);
    disco_net_link(w.net, 0, false);
    ck_assert(w.line[0].up);
    ck_assert_int_eq(net_call(&w.vm[0], DISCO_CALL_NET_STATE, 0, 0), 0);
    ck_assert(!w.line[0].up);
    ck_assert_int_eq(send_at(&w.vm[0], OWN * PAGE, 60), DISCO_ERR_STATE);
    ck_assert_int_eq(recv_at(&w.vm[0], OWN, 1), 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {line_is_up_while_frames_wait,
                            full_queue_refuses_and_calls_back,
                            flood_drops_where_it_is_full,
                            pages_are_bounded,
                            nobody_waits_for_the_dead,
                            link,
                            close_gives_everything_back,
                            line_waits_for_the_receiver,
                            state_call};

    return SUITE_RUN("net-queue", tests, setup, teardown);
}
