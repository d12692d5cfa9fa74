/* SPDX-License-Identifier: BSD-2-Clause */
/* Where frames go: learning, moving, flooding, and a table that is bounded. */
#include "../mm/suite.h"
#include "world.h"

static struct world w;

static void setup(void)
{
    const struct world_config c = {.pages = 256, .chunks = 64};

    world_init(&w, &c);
}

static void teardown(void) { world_fini(&w); }

static int send_from(unsigned port, unsigned to, unsigned from)
{
    uint8_t a[6], b[6];
    struct disco_frame f;

    mac_of(to, a);
    mac_of(from, b);
    f = small_frame(a, b, 60);
    return disco_net_send_frame(w.net, port, &f);
}

/* Who got a frame? One each at most. */
static unsigned receivers(void)
{
    unsigned mask = 0;
    struct disco_frame f;

    for (unsigned i = 0; i < PORTS; i++) {
        if (disco_net_take_frame(w.net, i, &f))
            mask |= 1u << i;
        ck_assert(!disco_net_take_frame(w.net, i, &f));
    }
    return mask;
}

#define ALL ((1u << PORTS) - 1)

START_TEST(unknown_is_flooded_and_learned)
{
    ck_assert_int_eq(send_from(0, 1, 0), 0);
    ck_assert_uint_eq(receivers(), ALL & ~1u);
    ck_assert_int_eq(send_from(1, 0, 1), 0);
    ck_assert_uint_eq(receivers(), 1);
    ck_assert_int_eq(send_from(0, 1, 0), 0);
    ck_assert_uint_eq(receivers(), 2);
}
END_TEST

START_TEST(groups_are_flooded_and_not_learned)
{
    struct disco_frame f = small_frame(broadcast, broadcast, 60);
    uint8_t multicast[6] = {0x33, 0x33, 0, 0, 0, 1};

    ck_assert_int_eq(disco_net_send_frame(w.net, 2, &f), 0);
    ck_assert_uint_eq(receivers(), ALL & ~4u);
    f = small_frame(broadcast, multicast, 60);
    ck_assert_int_eq(disco_net_send_frame(w.net, 0, &f), 0);
    ck_assert_uint_eq(receivers(), ALL & ~1u);
    f = small_frame(multicast, broadcast, 60);
    ck_assert_int_eq(disco_net_send_frame(w.net, 0, &f), 0);
    ck_assert_uint_eq(receivers(), ALL & ~1u);
    send_from(0, 1, 0);
    receivers();
    for (unsigned i = 0; i < 4000; i++) {
        multicast[4] = (uint8_t)(i >> 8);
        multicast[5] = (uint8_t)i;
        f = small_frame(broadcast, multicast, 60);
        ck_assert_int_eq(disco_net_send_frame(w.net, 0, &f), 0);
        receivers();
    }
    send_from(1, 0, 1); /* they took nobody's place */
    ck_assert_uint_eq(receivers(), 1);
}
END_TEST

START_TEST(address_that_moves)
{
    send_from(0, 9, 7);
    send_from(3, 9, 7);
    for (unsigned i = 0; i < PORTS; i++)
        disco_net_link(w.net, i, false), disco_net_link(w.net, i, true);
    send_from(0, 9, 7);
    receivers();
    send_from(1, 7, 1);
    ck_assert_uint_eq(receivers(), 1);
    send_from(3, 9, 7);
    receivers();
    send_from(1, 7, 1);
    ck_assert_uint_eq(receivers(), 8);
}
END_TEST

START_TEST(to_oneself_goes_nowhere)
{
    send_from(0, 9, 0);
    receivers();
    ck_assert_int_eq(send_from(0, 0, 5), 0);
    ck_assert_uint_eq(receivers(), 0);
    ck_assert_uint_eq(stats_of(&w, 0).sent, 2);
}
END_TEST

START_TEST(closed_port_is_forgotten)
{
    send_from(1, 9, 1);
    receivers();
    disco_net_close(w.net, 1);
    send_from(0, 1, 0);
    ck_assert_uint_eq(receivers(), ALL & ~3u);
    ck_assert_int_eq(send_from(1, 0, 1), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_net_open(w.net, 1, world_line(&w, 1)), 0);
    send_from(0, 1, 0);
    ck_assert_uint_eq(receivers(), ALL & ~1u);
}
END_TEST

/* One who invents addresses drives out few of others', however many it invents. */
START_TEST(table_is_bounded_and_fair)
{
    unsigned flooded = 0;

    for (unsigned i = 0; i < 64; i++)
        send_from(1, 5000, 100 + i), receivers();
    for (unsigned i = 0; i < 4000; i++)
        send_from(0, 5000, 1000 + i), receivers();
    for (unsigned i = 0; i < 64; i++) {
        send_from(2, 100 + i, 2);
        flooded += receivers() != 2;
    }
    ck_assert_uint_lt(flooded, 16);
    send_from(2, 1000 + 3999, 2); /* the last is remembered */
    ck_assert_uint_eq(receivers(), 1);
}
END_TEST

START_TEST(refuses)
{
    struct disco_net_config c = {w.mm, &w.m.b, PORTS, false};
    struct disco_frame f = small_frame(broadcast, broadcast, 60);
    struct disco_net_stats s;
    struct disco_net *n;

    ck_assert_int_eq(disco_net_init(&n, w.net_storage, disco_net_size(&c) - 1, &c),
                     DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(disco_net_init(&n, (char *)w.net_storage + 8, 1 << 30, &c), DISCO_ERR_BAD_ARG);
    c.ports = 65;
    ck_assert_uint_eq(disco_net_size(&c), 0);
    c.ports = 0;
    ck_assert_uint_eq(disco_net_size(&c), 0);
    ck_assert_int_eq(disco_net_open(w.net, 0, world_line(&w, 0)), DISCO_ERR_BUSY);
    ck_assert_int_eq(disco_net_open(w.net, PORTS, world_line(&w, 0)), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_net_send_frame(w.net, PORTS, &f), DISCO_ERR_BAD_ARG);
    ck_assert(!disco_net_take_frame(w.net, PORTS, &f));
    ck_assert(!disco_net_is_up(w.net, PORTS));
    ck_assert_int_eq(disco_net_stats(w.net, PORTS, &s), DISCO_ERR_BAD_ARG);
    disco_net_close(w.net, PORTS);
    disco_net_link(w.net, PORTS, false);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {unknown_is_flooded_and_learned,
                            groups_are_flooded_and_not_learned,
                            address_that_moves,
                            to_oneself_goes_nowhere,
                            closed_port_is_forgotten,
                            table_is_bounded_and_fair,
                            refuses};

    return SUITE_RUN("net-switch", tests, setup, teardown);
}
