/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile guests on one disk: arbitrary bytes are the calls of two VMs, with requests in their memory that are half
 * sensible, half noise, and the answers of the store, while the monitor moves pages, runs short of memory, and ends VMs
 * to begin them anew. A third VM has the disk too, unless only one can: its memory stays as it was, its private changes
 * stay its own and as it made them, nothing of either is ever seen by the two, nor what a machine page held before it
 * was given out. Every request that is accepted ends once, unless its VM does. When all have ended no page is missing.
 */
#include "disk_world.h"

#include <string.h>

#define DIRECT (DISCO_DISK_VISIBLE | DISCO_DISK_KEPT)
#define VICTIM (VMS - 1)
#define PAGES 20 /* that the guests use, of those they have */
#define STEPS 150
#define SECTORS 221
#define REQUEST (PAGES * PAGE)
#define ENDS ((PAGES + 2) * PAGE)
#define SECRET UINT64_C(0x5ec4e75ec4e75ec4)  /* what the third VM's memory and log hold */
#define RUBBISH UINT64_C(0xeeeeeeeeeeeeeeee) /* what a machine page holds at first */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static struct world w;
static unsigned accepted[VMS]; /* requests whose end is still to come */
static disco_mpn taken[256];
static unsigned ntaken;
static uint64_t runs, now, later, refused, transfers;

static uint8_t next(struct input *in)
{
    if (!in->size)
        return 0;
    in->size--;
    return *in->data++;
}

/* Numbers that lead somewhere: sectors, pages, lengths, addresses about the end of the memory, and noise. */
static uint64_t number(struct input *in)
{
    uint64_t n = next(in), m = next(in);

    switch (n % 8) {
    case 0: return m;
    case 1: return m % (PAGES + 4) * PAGE;
    case 2: return m % PAGES * PAGE + n / 8 * DISCO_SECTOR;
    case 3: return m % 9 * DISCO_SECTOR;
    case 4: return (UINT64_MAX >> m % 64) - n / 8;
    case 5: return VM_PAGES * PAGE - m * 16;
    case 6: return m % SECTORS;
    default: return PAGE * (m % 4);
    }
}

/* A VM without memory for it does not write. */
static void write(unsigned vm, uint64_t pa, const void *bytes, uint64_t len)
{
    (void)!disco_pmap_write(&w.vm[vm].pmap, (disco_pa){pa}, bytes, len, vm % 2);
}

static int64_t call(unsigned vm, uint64_t nr, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t raw[DISCO_CALL_ARGS] = {a, b, c};

    return disco_calls_run(&w.vm[vm].calls, nr, raw, &w.vm[vm].pmap, vm % 2, NULL);
}

/* --- what guests do --- */

/* Mostly a page of its own: number @p i of a list that begins at page @p first. */
static struct disco_io_seg segment(struct input *in, uint8_t first, unsigned i)
{
    uint8_t how = next(in);
    uint64_t page = (first + i * 3u) % PAGES * PAGE;

    if (how < 150)
        return (struct disco_io_seg){page, PAGE * (1 + how % 16 / 15)};
    if (how < 240)
        return (struct disco_io_seg){page + how % 3 * DISCO_SECTOR, (1 + how % 5) * DISCO_SECTOR};
    return (struct disco_io_seg){number(in), number(in)};
}

static void ask(unsigned vm, uint64_t disk, uint64_t pa, uint64_t len)
{
    int64_t result = call(vm, DISCO_CALL_DISK_REQUEST, disk, pa, len);

    accepted[vm] += result == 0;
    now += result == 1;
    refused += result < 0;
}

static void request(struct input *in, unsigned vm)
{
    uint8_t how = next(in);
    struct disco_disk_request ask_for = {how % 8 < 4 ? DISCO_DISK_READ : DISCO_DISK_WRITE,
                                         1 + how / 32, next(in), how};
    struct disco_io_seg seg[8] = {{0, 0}};

    if (how % 8 == 7)
        ask_for = (struct disco_disk_request){DISCO_DISK_FLUSH, how / 64, 0, 0};
    if (how % 16 == 6)
        ask_for = (struct disco_disk_request){next(in), next(in), number(in), number(in)};
    if (how & 16)
        ask_for.sector = ask_for.sector * 8 % 160;
    for (unsigned i = 0; i < 8 && i < ask_for.segs; i++)
        seg[i] = segment(in, (uint8_t)ask_for.tag, i);
    write(vm, REQUEST, &ask_for, sizeof ask_for);
    write(vm, REQUEST + sizeof ask_for, seg, sizeof seg);
    ask(vm, 1, REQUEST, sizeof ask_for + ask_for.segs * sizeof seg[0]);
}

/* A long list, its addresses in an order of its own. */
static void long_request(struct input *in, unsigned vm)
{
    uint8_t how = next(in), stride = next(in);
    struct disco_disk_request head = {how & 1, how % (DISCO_DISK_SEGS + 1), next(in), how};
    struct disco_io_seg seg[DISCO_DISK_SEGS];

    for (unsigned i = 0; i < head.segs; i++)
        seg[i] = (struct disco_io_seg){i * stride % (PAGES * 8) * DISCO_SECTOR, DISCO_SECTOR};
    write(vm, REQUEST, &head, sizeof head);
    write(vm, REQUEST + sizeof head, seg, head.segs * sizeof seg[0]);
    ask(vm, 1, REQUEST, sizeof head + head.segs * sizeof seg[0]);
}

static void took(unsigned vm, int64_t ends)
{
    if (ends <= 0)
        return;
    MUST((uint64_t)ends <= accepted[vm]);
    accepted[vm] -= (unsigned)ends;
    later += (uint64_t)ends;
}

static void take_ends(struct input *in, unsigned vm)
{
    uint8_t how = next(in);

    took(vm, how < 200 ? call(vm, DISCO_CALL_DISK_DONE, ENDS, 16 + how, 0)
                       : call(vm, DISCO_CALL_DISK_DONE, number(in), number(in), 0));
}

static void any(struct input *in, unsigned vm)
{
    uint64_t nr = DISCO_CALL_DISK_SIZE + next(in) % 4, a = number(in), b = number(in),
             c = number(in);

    if (nr == DISCO_CALL_DISK_REQUEST)
        ask(vm, a, b, c);
    else if (nr == DISCO_CALL_DISK_DONE)
        took(vm, call(vm, nr, a, b, 0));
    else
        call(vm, nr, a, b, c);
}

static void store(struct input *in, unsigned vm)
{
    uint8_t bytes[600];
    uint64_t pa = next(in) % (PAGES - 1) * PAGE + next(in) * 16u, len = 1 + next(in) * 2u;

    memset(bytes, next(in) & 0x3f, sizeof bytes);
    write(vm, pa, bytes, len);
}

/* --- what the store and the monitor do --- */

static void answer(struct input *in, unsigned vm)
{
    uint8_t how = next(in);

    (void)vm;
    if (w.store.n)
        store_end(&w.store, how % w.store.n, how < 220 ? 0 : -(int)(how % 13) - 1);
}

static void change_store(struct input *in, unsigned vm)
{
    uint8_t how = next(in);

    (void)vm;
    w.store.most = how & 1 ? 1 + how / 64 : VMS * DISCO_DISK_DEPTH;
    w.store.now = how % 4 == 2;
    w.store.refuse = how % 32 == 31 ? -(int)(how / 32) : 0;
}

static void move_pages(struct input *in, unsigned vm)
{
    uint8_t what = next(in), more = next(in);
    disco_ppn ppn = {more % PAGES}, to = {next(in) % PAGES};
    struct disco_pmap *pm = &w.vm[vm].pmap;
    disco_mpn mpn;

    switch (what % 4) {
    case 0: (void)disco_pmap_migrate(pm, ppn, more >> 7); break;
    case 1: (void)disco_pmap_replicate(pm, ppn, more >> 7); break;
    case 2: (void)disco_pmap_drop(pm, ppn); break;
    default:
        if (disco_pmap_lend(pm, ppn, 0, what & 4 ? DISCO_PMAP_NET : DISCO_PMAP_COW, &mpn))
            break;
        (void)disco_pmap_share(&w.vm[what / 8 % VICTIM].pmap, to, mpn, DISCO_PMAP_NET);
        MUST(!disco_memmap_put(w.mm, mpn));
    }
}

static void memory(struct input *in, unsigned vm)
{
    uint8_t how = next(in);

    (void)vm;
    if (how & 1)
        disco_disk_evict(w.disk, how);
    for (unsigned n = how / 4; how & 2 && n && ntaken < 256; n--) {
        if (!disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &taken[ntaken]))
            ntaken++;
    }
    while (!(how & 2) && ntaken)
        MUST(!disco_memmap_put(w.mm, taken[--ntaken]));
}

static void close_port(unsigned vm)
{
    while (world_close(&w, vm)) {
        MUST(w.c.mode == DIRECT && w.store.n);
        store_end(&w.store, 0, 0);
    }
    accepted[vm] = 0;
}

/* Where one VM at a time has the disk, the other gets it. */
static void again(struct input *in, unsigned vm)
{
    (void)in;
    if (!w.vm[vm].port)
        vm = !vm;
    close_port(vm);
    world_open(&w, w.c.mode == DIRECT ? !vm : vm);
}

/* --- the third VM --- */

static void fill_victim(void)
{
    uint64_t words[DISCO_PAGE_SIZE / 8];

    for (unsigned i = 0; i < DISCO_PAGE_SIZE / 8; i++)
        words[i] = SECRET;
    for (uint64_t p = 0; p < 4; p++)
        guest_write(&w, VICTIM, p * PAGE, words, PAGE);
    if (w.c.mode & DISCO_DISK_VISIBLE)
        return;
    w.store.now = true;
    MUST(!world_io(&w, VICTIM, DISCO_DISK_WRITE, 8, 0, 2 * PAGE));
    MUST(!world_io(&w, VICTIM, DISCO_DISK_WRITE, 45, 0, 2 * DISCO_SECTOR));
    MUST(!world_io(&w, VICTIM, DISCO_DISK_READ, 8, 4 * PAGE, 2 * PAGE));
}

static const uint64_t *page_of(unsigned vm, uint64_t page)
{
    uint64_t mpn = page_behind(&w, vm, page * PAGE);

    return mpn == UINT64_MAX ? NULL : (const uint64_t *)(const void *)mock_page(&w.m, mpn);
}

static void victim_is_whole(void)
{
    for (uint64_t p = 0; p < (w.c.mode & DISCO_DISK_VISIBLE ? 4 : 6); p++) {
        const uint64_t *words = page_of(VICTIM, p);

        MUST(words);
        for (unsigned i = 0; i < PAGE / 8; i++)
            MUST(words[i] == SECRET);
    }
}

static void nothing_was_seen(void)
{
    for (unsigned vm = 0; vm < VICTIM; vm++) {
        for (uint64_t p = 0; p < VM_PAGES; p++) {
            const uint64_t *words = page_of(vm, p);

            for (unsigned i = 0; words && i < PAGE / 8; i++)
                MUST(words[i] != SECRET && words[i] != RUBBISH);
        }
    }
}

/* The victim's log, and around it what the store had at first. */
static void victim_reads_back(void)
{
    disco_pmap_drop_many(&w.vm[VICTIM].pmap, (disco_ppn){0}, 6, NULL);
    MUST(!world_io(&w, VICTIM, DISCO_DISK_READ, 8, 0, 2 * PAGE));
    MUST(!world_io(&w, VICTIM, DISCO_DISK_READ, 45, 2 * PAGE, 2 * DISCO_SECTOR));
    MUST(guest_shows(&w, VICTIM, 0, 8, 0));
    for (uint64_t at = 0; at < 2 * PAGE + 2 * DISCO_SECTOR; at += 8) {
        uint64_t word;

        guest_read(&w, VICTIM, at, &word, sizeof word);
        MUST(word == SECRET);
    }
    MUST(!world_io(&w, VICTIM, DISCO_DISK_READ, 40, 3 * PAGE, 5 * DISCO_SECTOR));
    MUST(guest_shows(&w, VICTIM, 3 * PAGE, 40, 5 * DISCO_SECTOR));
}

/* --- a run --- */

static void report(void)
{
    printf("%llu runs: %llu requests done at once, %llu later, %llu refused; %llu transfers\n",
           (unsigned long long)runs, (unsigned long long)now, (unsigned long long)later,
           (unsigned long long)refused, (unsigned long long)transfers);
}

static void step(struct input *in)
{
    static void (*const what[])(struct input *, unsigned) = {
        request, request, request,   request,   request,    long_request, answer, answer,
        answer,  store,   take_ends, take_ends, move_pages, memory,       any,    change_store,
    };
    uint8_t n = next(in);

    if (n >= 248)
        again(in, n & 1);
    else if (w.vm[n & 1].port || n / 2 % 16 > 5)
        what[n / 2 % 16](in, n & 1);
}

static void begin(uint8_t how)
{
    world_init(&w, &(struct world_config){.mode = how % 4,
                                          .copy = (how & 28) == 28,
                                          .pages = how & 32 ? 300 : 130,
                                          .cache_pages = how & 64 ? 10 : 0,
                                          .log_pages = how & 128 ? 7 : 0,
                                          .nodes = (how & 20) == 20 ? 4 : 0,
                                          .sectors = SECTORS,
                                          .user_chunks = (how & 12) == 12 ? 5 : 0,
                                          .ports = how % 4 == DIRECT ? 1 : VMS});
    memset(accepted, 0, sizeof accepted);
    fill_victim();
    w.store.now = false;
}

/* All that was accepted ends now. */
static void end(void)
{
    while (ntaken)
        MUST(!disco_memmap_put(w.mm, taken[--ntaken]));
    w.store.most = VMS * DISCO_DISK_DEPTH;
    w.store.refuse = 0;
    w.store.now = false;
    store_end_all(&w.store);
    for (unsigned vm = 0; vm < VICTIM; vm++) {
        while (accepted[vm] && w.vm[vm].port)
            took(vm, call(vm, DISCO_CALL_DISK_DONE, ENDS, PAGE, 0));
        MUST(!w.vm[vm].line);
    }
    nothing_was_seen();
    if (!(w.c.mode & DISCO_DISK_VISIBLE))
        victim_reads_back();
    transfers += w.store.transfers;
    world_fini(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};

    if (!runs++)
        atexit(report);
    begin(next(&in));
    for (unsigned i = 0; i < STEPS && in.size; i++) {
        step(&in);
        victim_is_whole();
    }
    end();
    return 0;
}
