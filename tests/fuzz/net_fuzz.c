/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile guests on one network: arbitrary bytes are the calls of two VMs, with structures in their memory that are half
 * sensible, half noise, while the monitor moves pages, pulls cables and runs short of memory. A third VM takes what
 * comes, and sends nothing. Whatever one calls, the others' memory stays as it was; nothing of the third's memory, nor
 * what a machine page held before it was given out, is ever seen by the two; when all have ended no page is missing.
 */
#include "world.h"

#define STEPS 100
#define MACHINE 700 /* pages; sometimes all but a few are taken away */
#define VICTIM (VMS - 1)
#define SECRET UINT64_C(0x5ec4e75ec4e75ec4)  /* what the third VM's memory holds */
#define RUBBISH UINT64_C(0xeeeeeeeeeeeeeeee) /* what a machine page holds at first */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static struct world w;
static uint8_t seen[VMS][PPNS * DISCO_PAGE_SIZE];

static uint8_t next(struct input *in)
{
    if (!in->size)
        return 0;
    in->size--;
    return *in->data++;
}

/* --- what is looked at after each step --- */

static const uint8_t *page_of(unsigned v, uint64_t ppn)
{
    static const uint8_t zeros[DISCO_PAGE_SIZE];
    disco_mpn mpn;

    if (disco_pmap_translate(&w.vm[v].pmap, (disco_ppn){ppn}, 0, &mpn))
        return zeros;
    return mock_page(&w.m, mpn.v);
}

static void is_as_it_was(unsigned v)
{
    for (uint64_t p = 0; p < PPNS; p++)
        MUST(!memcmp(page_of(v, p), &seen[v][p * PAGE], PAGE));
}

static void is_its_own(const uint8_t *page)
{
    for (uint64_t at = 0; at < PAGE; at += 8) {
        uint64_t word;

        memcpy(&word, page + at, sizeof word);
        MUST(word != SECRET && word != RUBBISH);
    }
}

/* @p v has done something; VMS: the monitor has. */
static void look(unsigned v)
{
    for (unsigned i = 0; i < VMS; i++) {
        if (i != v)
            is_as_it_was(i);
    }
    for (uint64_t p = 0; v < VMS && p < PPNS; p++) {
        const uint8_t *page = page_of(v, p);

        if (v != VICTIM && memcmp(page, &seen[v][p * PAGE], PAGE))
            is_its_own(page);
        memcpy(&seen[v][p * PAGE], page, PAGE);
    }
}

/* --- what can be said to the monitor --- */

/* Numbers that lead somewhere: pages, addresses within and about the memory, lengths, and noise. */
static uint64_t number(struct input *in)
{
    uint64_t n = next(in), m = next(in);

    switch (n % 8) {
    case 0: return m % 64;
    case 1: return m % (PPNS + 2) * PAGE;
    case 2: return m % (PPNS + 2) * PAGE + (n << 4);
    case 3: return m * (n + 17);
    case 4: return (UINT64_MAX >> m % 64) - n / 8;
    case 5: return (m % 18 * PAGE) | DISCO_NET_STABLE;
    case 6: return (m * (n + 1)) | DISCO_NET_STABLE;
    default: return PAGE;
    }
}

/* A VM without memory for it does not write. */
static void write(struct net_vm *vm, uint64_t pa, const void *bytes, uint64_t len)
{
    (void)!disco_pmap_write(&vm->pmap, (disco_pa){pa}, bytes, len, 0);
}

static void store(struct input *in, struct net_vm *vm)
{
    uint8_t bytes[600];
    uint64_t pa = next(in) % (PPNS - 1) * PAGE + next(in) * 16u, len = 1 + next(in) * 2u;

    memset(bytes, next(in) & 0x3f, sizeof bytes);
    write(vm, pa, bytes, len);
}

static struct disco_io_seg segment(struct input *in)
{
    uint8_t page = next(in), how = next(in);

    if (how < 128)
        return (struct disco_io_seg){page % PPNS * PAGE, PAGE | DISCO_NET_STABLE};
    if (how < 220)
        return (struct disco_io_seg){page % PPNS * PAGE + how, how * 8u};
    return (struct disco_io_seg){number(in), number(in)};
}

/* A header, mostly; then segments. */
static void net_send(struct input *in, struct net_vm *vm)
{
    uint8_t how = next(in), mac[2][6];
    struct disco_net_send req = {1 + how % 8, 0, 0};
    struct disco_io_seg seg[8] = {{OWN * PAGE, 14u + how}};

    mac_of(next(in) % 8, mac[0]);
    mac_of(next(in) % 8, mac[1]);
    if (how & 128)
        memcpy(mac[0], broadcast, 6);
    if (how & 64)
        req.csum_start = next(in), req.csum_offset = next(in) % 32;
    for (uint32_t i = how & 32 ? 0 : 1; i < req.segs; i++)
        seg[i] = segment(in);
    write(vm, OWN * PAGE, mac, sizeof mac);
    write(vm, REQUEST, &req, sizeof req);
    write(vm, REQUEST + sizeof req, seg, sizeof seg);
    net_call(vm, DISCO_CALL_NET_SEND, REQUEST, sizeof req + req.segs * sizeof seg[0]);
}

static void net_recv(struct input *in, struct net_vm *vm)
{
    uint8_t how = next(in);
    struct disco_net_recv r;
    uint32_t pages;

    memset(&r, 0, sizeof r);
    r.pages = how < 250 ? how % (DISCO_NET_FRAGS + 1) : how;
    for (unsigned i = 0; i < DISCO_NET_FRAGS; i++)
        r.page[i] = how % 3 ? (how + i) % PPNS * PAGE : number(in);
    write(vm, ANSWER, &r, sizeof r);
    /* Where there was no memory for it, an older offer stands. */
    (void)!disco_pmap_read(&vm->pmap, (disco_pa){ANSWER}, &r, sizeof r, 0);
    pages = r.pages;
    if (net_call(vm, DISCO_CALL_NET_RECV, ANSWER, sizeof r) == 1) {
        peek(vm, ANSWER, &r, sizeof r); /* `pages` may be part of the frame by now */
        MUST(r.frags <= pages && r.head_len >= DISCO_NET_HEADER && r.head_len <= DISCO_NET_HEAD);
    }
}

static void remap(struct input *in, struct net_vm *vm)
{
    struct disco_remap pair[DISCO_REMAP_MAX];
    uint64_t n = next(in) % (DISCO_REMAP_MAX + 1);
    int64_t done;

    for (uint64_t i = 0; i < n; i++) {
        uint8_t to = next(in), from = next(in);

        pair[i].to = to % (PPNS + 1) * PAGE + (to == 255);
        pair[i].from = from % (PPNS + 1) * PAGE;
    }
    write(vm, REQUEST, pair, n * sizeof pair[0]);
    done = net_call(vm, DISCO_CALL_REMAP_MANY, REQUEST, n * sizeof pair[0]);
    MUST(done <= (int64_t)n);
}

/* Any call with any arguments; the map of dead pages among them. */
static void any(struct input *in, struct net_vm *vm)
{
    static const uint8_t numbers[] = {DISCO_CALL_NET_SEND,   DISCO_CALL_NET_RECV,
                                      DISCO_CALL_NET_STATE,  DISCO_CALL_REMAP,
                                      DISCO_CALL_REMAP,      DISCO_CALL_REMAP_MANY,
                                      DISCO_CALL_DEAD_PAGES, DISCO_CALL_PAGES_FREE,
                                      DISCO_CALL_PAGE_ZERO};
    uint8_t n = next(in);

    net_call(vm, n < 240 ? numbers[n % sizeof numbers] : n, number(in), number(in));
}

static void dead(struct input *in, struct net_vm *vm)
{
    uint64_t at = next(in) % PPNS * PAGE;

    net_call(vm, DISCO_CALL_DEAD_PAGES, at, next(in) % 5 ? PPNS : 0);
}

static void free_page(struct input *in, struct net_vm *vm)
{
    net_call(vm, DISCO_CALL_PAGES_FREE, next(in) % PPNS * PAGE, PAGE);
}

/* --- what the monitor does --- */

static void monitor(struct input *in)
{
    uint8_t what = next(in), more = next(in);
    struct net_vm *vm = &w.vm[what / 8 % VMS];
    disco_ppn ppn = {more % PPNS};
    struct disco_frame f;

    switch (what % 8) {
    case 0: disco_net_link(w.net, what / 8 % PORTS, more % 4); break;
    case 1: (void)disco_pmap_migrate(&vm->pmap, ppn, more >> 7); break;
    case 2: (void)disco_pmap_replicate(&vm->pmap, ppn, more >> 7); break;
    case 3: w.now += (uint64_t)more << 24; break;
    default:
        while (disco_net_take_frame(w.net, VMS + what / 8 % (PORTS - VMS), &f)) {
            (void)disco_frame_checksum(w.net, &f);
            disco_net_free_frame(w.net, &f);
        }
        break;
    }
}

static void again(unsigned v)
{
    world_again(&w, v);
    memset(seen[v], 0, sizeof seen[v]);
}

/* --- a run --- */

static void step(struct input *in)
{
    static void (*const what[])(struct input *, struct net_vm *) = {
        net_send, net_send, net_send, net_recv, net_recv, net_recv, remap,
        remap,    any,      any,      store,    store,    dead,     free_page,
    };
    const uint8_t kinds = sizeof what / sizeof what[0];
    uint8_t n = next(in);
    unsigned v = n & 1;

    if (n >= 250) {
        again(v);
    } else if (n >= 224) {
        monitor(in);
        v = VMS;
    } else if (n >= 196) {
        v = VICTIM;
        (n & 1 ? net_recv : free_page)(in, &w.vm[v]);
    } else {
        what[n / 2 % kinds](in, &w.vm[v]);
    }
    look(v);
}

static void fill_victim(void)
{
    uint64_t words[DISCO_PAGE_SIZE / 8];

    for (unsigned i = 0; i < DISCO_PAGE_SIZE / 8; i++)
        words[i] = SECRET;
    for (uint64_t p = 0; p < PPNS; p++)
        poke(&w.vm[VICTIM], p * PAGE, words, PAGE);
    look(VICTIM);
}

/* All but @p leave pages are out of reach. */
static unsigned take_memory(disco_mpn *out, unsigned leave)
{
    unsigned n = 0;

    while (!disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &out[n]))
        n++;
    while (leave-- && n)
        MUST(!disco_memmap_put(w.mm, out[--n]));
    return n;
}

static void report(void);
static struct disco_net_stats total;
static uint64_t remapped, runs;

static void count(void)
{
    for (unsigned i = 0; i < VMS; i++) {
        struct disco_net_stats s = stats_of(&w, i);
        struct disco_calls_stats calls;

        total.sent += s.sent;
        total.received += s.received;
        total.remapped += s.remapped;
        total.bad += s.bad;
        total.dropped += s.dropped;
        disco_calls_stats(&w.vm[i].calls, &calls);
        remapped += calls.remapped;
    }
    if (!runs++)
        atexit(report);
}

/* What the guests came to: inputs whose calls all failed would be too dull. */
static void report(void)
{
    printf("%llu runs: %llu frames sent, %llu received, %llu dropped, %llu bad; pages: %llu shared "
           "by sending, "
           "%llu by remap\n",
           (unsigned long long)runs, (unsigned long long)total.sent,
           (unsigned long long)total.received, (unsigned long long)total.dropped,
           (unsigned long long)total.bad, (unsigned long long)total.remapped,
           (unsigned long long)remapped);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static disco_mpn taken[MACHINE];
    struct input in = {data, size};
    uint8_t how = next(&in);
    const struct world_config c = {MACHINE, how & 1 ? 200 : 3, (how & 14) == 14};
    unsigned n = 0;

    memset(seen, 0, sizeof seen);
    world_init(&w, &c);
    fill_victim();
    if ((how & 48) == 48)
        n = take_memory(taken, 8 + how / 4u);
    for (unsigned i = 0; i < STEPS && in.size; i++)
        step(&in);
    count();
    while (n)
        MUST(!disco_memmap_put(w.mm, taken[--n]));
    world_fini(&w);
    return 0;
}
