/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gateway, between QEMU's user network and the virtual subnet: a guest with the address 10.0.2.16 asks for the
 * gateway's address, pings it, and sends datagrams to a port of the host that echoes them.
 */
#include <string.h>

#include "bare.h"
#include "gateway.h"
#include "memory.h"

enum { GUEST, OUTSIDE, PORTS };

static struct disco_net *net;
static uint8_t got[2048]; /* the last frame that came in */
static uint32_t got_len, frames;

static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0xd1, 0x5c, 0x00};
static uint8_t gateway_mac[6];
static const uint8_t ip[4] = {10, 0, 2, 16}, gateway_ip[4] = {10, 0, 2, 2};

/* --- the guest's port --- */

static void guest_line(void *ctx, bool up)
{
    (void)ctx;
    if (up)
        __atomic_add_fetch(&frames, 1, __ATOMIC_SEQ_CST);
}

static bool take(void)
{
    struct disco_frame f;

    if (!disco_net_take_frame(net, GUEST, &f))
        return false;
    got_len = disco_frame_len(&f);
    if (got_len > sizeof got || disco_frame_read(net, &f, 0, got, got_len))
        got_len = 0;
    disco_net_free_frame(net, &f);
    return true;
}

static bool make_net(void)
{
    struct disco_net_config c = {.mm = bare_memmap(), .backend = &machine.backend, .ports = PORTS};
    size_t size = disco_net_size(&c);

    return !disco_net_init(&net, memory_storage(size), size, &c) &&
           !disco_net_open(net, GUEST, (struct disco_line){guest_line, NULL}) &&
           disco_net_is_up(net, GUEST);
}

/* --- frames of the guest --- */

#define ETHERNET 14
#define IP 20
#define TRANSPORT (ETHERNET + IP)
#define FRAME_MAX 1514
#define PIECE 333

static uint8_t frame[FRAME_MAX];

static void put16(uint8_t *to, uint32_t v)
{
    to[0] = (uint8_t)(v >> 8);
    to[1] = (uint8_t)v;
}

static uint32_t get16(const uint8_t *from) { return (uint32_t)from[0] << 8 | from[1]; }

static uint32_t fold(uint32_t sum) { return (sum & 0xffff) + (sum >> 16); }

static uint32_t add_words(const uint8_t *bytes, uint32_t len)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < len; i++)
        sum += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
    return fold(fold(sum));
}

static void put_ethernet(const uint8_t to[6], uint32_t type)
{
    memcpy(frame, to, 6);
    memcpy(frame + 6, mac, 6);
    put16(frame + 12, type);
}

static void put_ip(uint8_t protocol, uint32_t len)
{
    uint8_t *h = frame + ETHERNET;

    put_ethernet(gateway_mac, 0x0800);
    memset(h, 0, IP);
    h[0] = 0x45;
    put16(h + 2, IP + len);
    h[8] = 64;
    h[9] = protocol;
    memcpy(h + 12, ip, 4);
    memcpy(h + 16, gateway_ip, 4);
    put16(h + 10, ~add_words(h, IP));
}

/* Into a head and pages, no piece of which is aligned to anything; and off with it. */
static bool send(uint32_t len, uint16_t csum_start, uint16_t csum_offset)
{
    struct disco_frame f = {.csum_start = csum_start, .csum_offset = csum_offset};
    uint32_t at = len < DISCO_NET_HEAD ? len : DISCO_NET_HEAD;

    f.head_len = at;
    memcpy(f.head, frame, at);
    for (uint32_t n; at < len; at += n) {
        struct disco_net_part *p = &f.part[f.parts++];

        n = len - at < PIECE ? len - at : PIECE;
        *p = (struct disco_net_part){.off = 1001 + f.parts * 7, .len = n};
        if (disco_memmap_alloc(bare_memmap(), 0, DISCO_PAGE_MONITOR, &p->mpn))
            return false;
        memcpy((uint8_t *)bare_bytes(p->mpn) + p->off, frame + at, n);
    }
    return !disco_net_send_frame(net, GUEST, &f);
}

/* A frame has come that is an answer. */
static bool answered(bool (*is_answer)(uint32_t len), uint32_t len)
{
    for (;;) {
        uint32_t seen = frames;

        while (take()) {
            if (is_answer(len))
                return true;
        }
        if (!bare_wait(&frames, seen + 1))
            return false;
    }
}

/* --- tests --- */

static bool is_arp_answer(uint32_t len)
{
    (void)len;
    if (got_len < 42 || get16(got + 12) != 0x0806 || get16(got + 20) != 2 || memcmp(got, mac, 6) ||
        memcmp(got + 28, gateway_ip, 4))
        return false;
    memcpy(gateway_mac, got + 22, 6);
    return true;
}

static bool arp(void)
{
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const uint8_t request[8] = {0, 1, 8, 0, 6, 4, 0, 1};

    memset(frame, 0, sizeof frame);
    put_ethernet(everybody, 0x0806);
    memcpy(frame + 14, request, 8);
    memcpy(frame + 22, mac, 6);
    memcpy(frame + 28, ip, 4);
    memcpy(frame + 38, gateway_ip, 4);
    return send(42, 0, 0) && answered(is_arp_answer, 0);
}

/* The answer has the same data, behind a header of 8 bytes. */
static bool same_data(uint32_t len)
{
    return got_len >= TRANSPORT + 8 + len && !memcmp(got, mac, 6) &&
           !memcmp(got + TRANSPORT + 8, frame + TRANSPORT + 8, len);
}

static void put_data(uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        frame[TRANSPORT + 8 + i] = (uint8_t)(i * 7 + len);
}

static bool is_ping_answer(uint32_t len)
{
    return same_data(len) && got[ETHERNET + 9] == 1 && got[TRANSPORT] == 0 &&
           add_words(got + TRANSPORT, 8 + len) == 0xffff;
}

static bool ping(uint32_t len)
{
    put_ip(1, 8 + len);
    memset(frame + TRANSPORT, 0, 8);
    frame[TRANSPORT] = 8;
    put16(frame + TRANSPORT + 6, len);
    put_data(len);
    return send(TRANSPORT + 8 + len, TRANSPORT, 2) && answered(is_ping_answer, len);
}

static bool is_echo(uint32_t len)
{
    return same_data(len) && got[ETHERNET + 9] == 17 && get16(got + TRANSPORT + 2) == 4000;
}

/* The field of the checksum holds the sum of what UDP adds of the header before it. */
static bool echo(uint32_t len, unsigned port)
{
    put_ip(17, 8 + len);
    put16(frame + TRANSPORT, 4000);
    put16(frame + TRANSPORT + 2, port);
    put16(frame + TRANSPORT + 4, 8 + len);
    put16(frame + TRANSPORT + 6, fold(add_words(frame + ETHERNET + 12, 8) + 17 + 8 + len));
    put_data(len);
    return send(TRANSPORT + 8 + len, TRANSPORT, 6) && answered(is_echo, len);
}

void subnet_test(unsigned port)
{
    uint64_t before = bare_free_pages();
    bool good = make_net();
    struct gateway gateway = {.net = net,
                              .mm = bare_memmap(),
                              .backend = &machine.backend,
                              .port = OUTSIDE};

    bare_result("net", "open", good && !gateway_open(&gateway));
    bare_result("net", "arp", arp());
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t len = 1; len <= 1400; len = len * 2 + 5)
            bare_result("net", "ping", ping(len));
    }
    if (port) {
        bare_result("net", "echo", echo(1, port));
        bare_result("net", "echo", echo(500, port));
        bare_result("net", "echo", echo(1471, port));
    }
    gateway_close(&gateway);
    disco_net_close(net, GUEST);
    bare_result("net", "pages", bare_free_pages() == before);
}
