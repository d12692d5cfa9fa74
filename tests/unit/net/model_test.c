/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A random life of three VMs and three ports of the monitor's, beside a naive model: every byte of every frame, every
 * result, every line, and now and then all memory must be the same; at the end no page is missing.
 */
#include "../mm/suite.h"
#include "model.h"

#define STEPS 1800
#define MACHINE 1600 /* pages: more than these lives ever need */
#define STABLE DISCO_NET_STABLE
#define LAZY 10

static struct world w;
static struct model m;
static uint8_t memory[VMS][PPNS * DISCO_PAGE_SIZE], got[DISCO_NET_FRAME_MAX];
static uint64_t seed;
static bool copying;
static unsigned sent, taken, shared;

static uint32_t dice(uint64_t n) { return (uint32_t)(mock_random(&seed) % n); }

/* Memory that may have changed, as the VM sees it now. */
static void look_again(unsigned v, uint64_t ppn)
{
    peek(&w.vm[v], ppn * PAGE, &memory[v][ppn * PAGE], PAGE);
}

static void calls_made(unsigned v)
{
    look_again(v, REQUEST / PAGE);
    look_again(v, ANSWER / PAGE);
}

static void memory_is_the_same(void)
{
    static uint8_t page[DISCO_PAGE_SIZE];

    for (unsigned v = 0; v < VMS; v++) {
        for (uint64_t p = 0; p < PPNS; p++) {
            peek(&w.vm[v], p * PAGE, page, PAGE);
            ck_assert_mem_eq(page, &memory[v][p * PAGE], PAGE);
        }
    }
}

static void lines_are_the_same(void)
{
    for (unsigned i = 0; i < PORTS; i++)
        ck_assert_int_eq(w.line[i].up, m.place[i].news || m.place[i].n);
}

/* --- what can happen --- */

static void store(void)
{
    unsigned v = dice(VMS);
    uint64_t pa = OWN * PAGE + dice((PPNS - OWN) * PAGE - 600);
    uint32_t len = 1 + dice(600);

    for (uint32_t i = 0; i < len; i++)
        memory[v][pa + i] = (uint8_t)dice(256);
    poke(&w.vm[v], pa, &memory[v][pa], len);
}

static uint32_t make_segs(struct disco_io_seg *seg)
{
    uint32_t n = 1 + dice(dice(3) ? 4 : 20);

    for (uint32_t i = 0; i < n; i++) {
        uint64_t pages = 1 + dice(3), ppn = OWN + dice(PPNS - OWN - 4), off = 0,
                 bytes = pages * PAGE;

        if (dice(3)) {
            off = dice(PAGE);
            bytes = dice(dice(4) ? 300 : 3 * PAGE);
        }
        seg[i] = (struct disco_io_seg){ppn * PAGE + off, bytes | (dice(4) ? STABLE : 0)};
    }
    if (seg_len(&seg[0]) < DISCO_NET_HEADER)
        seg[0].len = DISCO_NET_HEADER + dice(100);
    return n;
}

static void gather(unsigned v, const struct disco_io_seg *seg, uint32_t n, struct copy *c)
{
    static uint8_t bytes[20 * 3 * DISCO_PAGE_SIZE];

    c->bytes = bytes;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(bytes + c->len, &memory[v][seg[i].pa], seg_len(&seg[i]));
        c->len += (uint32_t)seg_len(&seg[i]);
    }
}

/* The header is a store of the guest's before it sends; it may well change other segments of the frame. */
static void address_frame(unsigned v, uint64_t pa, unsigned to, unsigned as)
{
    uint8_t mac[2][6];

    memcpy(mac[0], broadcast, 6);
    if (to < MACS)
        mac_of(to, mac[0]);
    mac_of(as, mac[1]);
    header(&w.vm[v], pa, mac[0], mac[1]);
    memcpy(&memory[v][pa], mac, sizeof mac);
}

static void vm_sends(void)
{
    unsigned v = dice(VMS), to = dice(4) ? dice(VMS) : dice(MACS + 1),
             as = dice(3) ? v : dice(MACS);
    uint64_t before = stats_of(&w, v).remapped;
    struct disco_io_seg seg[20];
    uint32_t n = make_segs(seg), pages;
    struct copy c = {0};
    int want;

    address_frame(v, seg[0].pa, to, as);
    if (dice(2)) {
        c.start = (uint16_t)(14 + dice(40));
        c.offset = (uint16_t)dice(20);
    }
    gather(v, seg, n, &c);
    if (c.len > DISCO_NET_FRAME_MAX || c.start + c.offset + 2u > c.len) {
        want = DISCO_ERR_BAD_ARG;
    } else {
        pages = model_plan(seg, n, copying, &c);
        want = model_pass(&m, v, to, as, &c);
        before += want ? 0 : pages;
        shared += want ? 0 : pages;
    }
    ck_assert_int_eq(send_segs(&w.vm[v], seg, n, c.start, c.offset), want);
    ck_assert_uint_eq(stats_of(&w, v).remapped, before);
    calls_made(v);
    sent += !want;
}

static void monitor_sends(void)
{
    unsigned from = VMS + dice(PORTS - VMS), to = dice(MACS + 1), as = dice(MACS);
    uint32_t len = DISCO_NET_HEADER + dice(DISCO_NET_HEAD - DISCO_NET_HEADER + 1);
    uint8_t mac[2][6];
    struct disco_frame f;
    struct copy c = {.len = len};

    memcpy(mac[0], broadcast, 6);
    if (to < MACS)
        mac_of(to, mac[0]);
    mac_of(as, mac[1]);
    f = small_frame(mac[0], mac[1], len);
    c.bytes = f.head;
    ck_assert_int_eq(disco_net_send_frame(w.net, from, &f), model_pass(&m, from, to, as, &c));
}

/* Bytes around a fragment: the guest's own as they were, or zeros. */
static void around(unsigned v, const struct disco_net_frag *f, uint64_t page)
{
    static uint8_t now[DISCO_PAGE_SIZE];

    peek(&w.vm[v], page, now, PAGE);
    for (uint32_t i = 0; i < PAGE; i++) {
        if (i < f->off || i >= f->off + f->len)
            ck_assert(!now[i] || now[i] == memory[v][page + i]);
    }
    memcpy(&memory[v][page], now, PAGE);
}

static void came(unsigned v, const struct copy *c)
{
    const struct disco_net_recv *r = &w.vm[v].answer;

    ck_assert_uint_eq(r->frags, c->parts);
    ck_assert_uint_eq(answer_bytes(&w.vm[v], got), c->len);
    ck_assert_mem_eq(got, c->bytes, c->len);
    ck_assert_uint_eq(r->csum_start, c->start);
    ck_assert_uint_eq(r->csum_offset, c->offset);
    for (uint32_t i = 0; i < r->frags; i++)
        around(v, &r->frag[i], r->page[i]);
}

static void vm_takes(void)
{
    unsigned v = dice(VMS);
    struct place *p = &m.place[v];
    uint32_t n = dice(3) ? DISCO_NET_FRAGS : dice(DISCO_NET_FRAGS + 1);
    int want = !p->n ? 0 : p->queue[0].parts > n ? DISCO_ERR_NO_SPACE : 1;

    ck_assert_int_eq(recv_at(&w.vm[v], OWN + dice(PPNS - OWN - DISCO_NET_FRAGS), n), want);
    if (want == DISCO_ERR_NO_SPACE)
        ck_assert_uint_eq(w.vm[v].answer.frags, p->queue[0].parts);
    if (want == 1) {
        came(v, &p->queue[0]);
        model_shift(&m, v);
        taken++;
    }
    calls_made(v);
}

static void monitor_takes(void)
{
    unsigned port = VMS + dice(PORTS - VMS);
    struct place *p = &m.place[port];
    struct disco_frame f;

    ck_assert_int_eq(disco_net_take_frame(w.net, port, &f), p->n != 0);
    if (!p->n)
        return;
    ck_assert_uint_eq(disco_frame_len(&f), p->queue[0].len);
    ck_assert_int_eq(disco_frame_read(w.net, &f, 0, got, p->queue[0].len), 0);
    ck_assert_mem_eq(got, p->queue[0].bytes, p->queue[0].len);
    disco_net_free_frame(w.net, &f);
    model_shift(&m, port);
}

static void remaps(void)
{
    unsigned v = dice(VMS);
    uint32_t n = dice(20);
    struct disco_remap pair[20];

    for (uint32_t i = 0; i < n; i++) {
        pair[i].to = (OWN + dice(PPNS - OWN)) * PAGE;
        pair[i].from = (OWN + dice(PPNS - OWN)) * PAGE;
        memmove(&memory[v][pair[i].to], &memory[v][pair[i].from], PAGE);
    }
    poke(&w.vm[v], REQUEST, pair, n * sizeof *pair);
    ck_assert_int_eq(net_call(&w.vm[v], DISCO_CALL_REMAP_MANY, REQUEST, n * sizeof *pair), n);
    calls_made(v);
}

/* What a monitor does to pages, and a guest that gives some back. */
static void moves(void)
{
    unsigned v = dice(VMS);
    disco_ppn ppn = {OWN + dice(PPNS - OWN)};

    switch (dice(3)) {
    case 0: disco_pmap_migrate(&w.vm[v].pmap, ppn, dice(NODES)); break;
    case 1: disco_pmap_replicate(&w.vm[v].pmap, ppn, dice(NODES)); break;
    default:
        ck_assert_int_ge(net_call(&w.vm[v], DISCO_CALL_PAGES_FREE, ppn.v * PAGE, PAGE), 0);
        memset(&memory[v][ppn.v * PAGE], 0, PAGE);
        break;
    }
}

static void cables(void)
{
    unsigned port = dice(PORTS);
    bool up = dice(5);

    disco_net_link(w.net, port, up);
    if (up != m.place[port].up) {
        if (!up)
            model_down(&m, port);
        m.place[port].up = up;
        m.place[port].news = true;
    }
}

static void states(void)
{
    unsigned port = dice(PORTS);

    ck_assert_int_eq(disco_net_is_up(w.net, port), m.place[port].up);
    m.place[port].news = false;
}

static void new_vm(void)
{
    unsigned v = dice(VMS);

    world_again(&w, v);
    model_down(&m, v);
    m.place[v].up = true;
    m.place[v].news = false;
    memset(memory[v], 0, sizeof memory[v]);
}

typedef void happening(void);

/* For a while nobody takes anything: then only the first LAZY of these happen. */
static void step(unsigned number)
{
    static happening *const what[] = {
        vm_sends, vm_sends,      vm_sends,      vm_sends, vm_sends, store,         remaps,
        moves,    states,        states,        vm_takes, vm_takes, vm_takes,      vm_takes,
        vm_takes, monitor_sends, monitor_takes, vm_takes, store,    monitor_takes,
    };
    const uint32_t all = sizeof what / sizeof what[0];
    uint32_t rare = dice(600);

    if (rare < 3)
        cables();
    else if (rare == 3)
        new_vm();
    else
        what[dice(number / 600 % 2 ? all : LAZY)]();
}

START_TEST(life)
{
    const struct world_config c = {.pages = MACHINE, .chunks = 8192, .copy = _i % 4 == 3};

    seed = 0xd15c0 + (uint64_t)_i;
    copying = c.copy;
    world_init(&w, &c);
    model_init(&m);
    memset(memory, 0, sizeof memory);
    for (unsigned i = 0; i < STEPS; i++) {
        step(i);
        lines_are_the_same();
        if (i % 100 == 0)
            memory_is_the_same();
    }
    memory_is_the_same();
    model_fini(&m);
    world_fini(&w);
    ck_assert(sent > 100 && taken > 50 && m.busy > 5 && m.flooded > 10);
    ck_assert(copying || shared > 100);
}
END_TEST

int main(void) { return SUITE_LOOP("net-model", life, 6); }
