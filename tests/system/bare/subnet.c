/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The gateway, between QEMU's user network and a stand-in for the virtual subnet: a guest with the address 10.0.2.16
 * asks for the gateway's address, pings it, and sends datagrams to a port of the host that echoes them.
 */
#include <string.h>

#include "bare.h"
#include "gateway.h"

static struct disco_frame to_device; /* what the guest sends next */
static bool sends;
static uint8_t got[2048]; /* the last frame that came in */
static uint32_t got_len, frames;
static struct disco_line line;
static uint64_t out; /* parts of sent frames that have not come back */

static const uint8_t mac[6] = {0x52, 0x54, 0x00, 0xd1, 0x5c, 0x00};
static uint8_t gateway_mac[6];
static const uint8_t ip[4] = {10, 0, 2, 16}, gateway_ip[4] = {10, 0, 2, 2};

/* --- the stand-in --- */

int disco_net_open(struct disco_net *n, unsigned port, struct disco_line l)
{
    (void)n, (void)port;
    line = l;
    return DISCO_OK;
}

void disco_net_close(struct disco_net *n, unsigned port) { (void)n, (void)port; }

bool disco_net_is_up(struct disco_net *n, unsigned port)
{
    (void)n, (void)port;
    return true;
}

bool disco_net_take_frame(struct disco_net *n, unsigned port, struct disco_frame *f)
{
    (void)n, (void)port;
    line.set(line.ctx, false);
    if (!sends)
        return false;
    sends = false;
    *f = to_device;
    return true;
}

uint32_t disco_frame_len(const struct disco_frame *f)
{
    uint32_t len = f->head_len;

    for (uint32_t i = 0; i < f->parts; i++)
        len += f->part[i].len;
    return len;
}

static uint8_t *byte_of(const struct disco_frame *f, uint32_t at)
{
    uint32_t i = 0;

    if (at < f->head_len)
        return (uint8_t *)&f->head[at];
    for (at -= f->head_len; at >= f->part[i].len; i++)
        at -= f->part[i].len;
    return (uint8_t *)bare_bytes(f->part[i].mpn) + f->part[i].off + at;
}

int disco_frame_read(struct disco_net *n, const struct disco_frame *f, uint32_t off, void *to,
                     uint32_t len)
{
    (void)n;
    for (uint32_t i = 0; i < len; i++)
        ((uint8_t *)to)[i] = *byte_of(f, off + i);
    return DISCO_OK;
}

void disco_net_free_frame(struct disco_net *n, struct disco_frame *f)
{
    (void)n;
    out -= f->parts;
}

int disco_net_send_frame(struct disco_net *n, unsigned port, const struct disco_frame *f)
{
    (void)port;
    got_len = disco_frame_len(f);
    if (got_len > sizeof got)
        return DISCO_ERR_BAD_ARG;
    (void)disco_frame_read(n, f, 0, got, got_len);
    for (uint32_t i = 0; i < f->parts; i++)
        (void)disco_memmap_put(bare_memmap(), f->part[i].mpn);
    __atomic_add_fetch(&frames, 1, __ATOMIC_SEQ_CST);
    return DISCO_OK;
}

/* --- frames of the guest --- */

#define ETHERNET 14
#define IP 20
#define TRANSPORT (ETHERNET + IP)
#define FRAME_MAX 1514

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

/* Into a head and pages, no piece of which is aligned to anything. */
static void cut(uint32_t len, uint16_t csum_start, uint16_t csum_offset)
{
    struct disco_frame *f = &to_device;
    uint32_t at = len < DISCO_NET_HEAD ? len : DISCO_NET_HEAD;

    *f = (struct disco_frame){.head_len = at, .csum_start = csum_start, .csum_offset = csum_offset};
    memcpy(f->head, frame, at);
    for (uint32_t n; at < len; at += n) {
        disco_mpn mpn = bare_page(BARE_PAGES - 1 - f->parts);
        uint32_t off = 1001 + f->parts * 6;

        n = len - at < 333 ? len - at : 333;
        memcpy((uint8_t *)bare_bytes(mpn) + off, frame + at, n);
        f->part[f->parts++] = (struct disco_net_part){mpn, off, n};
    }
    out += f->parts;
}

/* Send it, and wait until a frame has come that is an answer. */
static bool answered(bool (*is_answer)(uint32_t len), uint32_t len)
{
    uint32_t seen = frames;

    sends = true;
    line.set(line.ctx, true);
    do {
        if (!bare_wait(&frames, ++seen))
            return false;
    } while (!is_answer(len));
    return true;
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
    cut(42, 0, 0);
    return answered(is_arp_answer, 0);
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
    cut(TRANSPORT + 8 + len, TRANSPORT, 2);
    return answered(is_ping_answer, len);
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
    cut(TRANSPORT + 8 + len, TRANSPORT, 6);
    return answered(is_echo, len);
}

/* A checksum whose field is not there. */
static bool impossible(void)
{
    struct disco_frame f = {.head_len = 60, .csum_start = 40, .csum_offset = 19};

    return !gateway_checksum(NULL, &f) && f.csum_start == 40;
}

void subnet_test(unsigned port)
{
    struct gateway gateway = {.mm = bare_memmap(), .backend = &machine.backend, .port = 3};
    uint64_t before = bare_free_pages();

    bare_result("net", "open", !gateway_open(&gateway));
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
    bare_result("net", "impossible checksum", impossible());
    gateway_close(&gateway);
    bare_result("net", "pages", out == 0 && bare_free_pages() == before);
}
