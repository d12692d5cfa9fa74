/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network under fire. Three VMs of two threads each, one that sends and one that receives, and a monitor with a
 * port of its own that pulls cables. Senders write to pages that they called stable as soon as they have sent them;
 * receivers remap what came and write to it; the last VM's receiver changes the segments of what its sender is just
 * sending. Run it under ThreadSanitizer too: machine pages are copied by plain memcpy.
 *
 * What must hold: a frame arrives whole or not at all, each page filled with the value of its sender, its number and its
 * place; what was remapped reads the same; at the end no page is missing, and each port has counted what went through.
 *
 * DISCO_STRESS_SECONDS: how long, 5 unless told.
 */
#define _POSIX_C_SOURCE 200809L
#include "world.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

enum { OUT = 10, OUTS = 12, IN = 24, CACHE = 44, CACHES = 16, WORDS = DISCO_PAGE_SIZE / 8 };
#define MONITOR VMS /* its port */
#define TYPE_WHOLE 0x88
#define TYPE_TORN 0x99

/* What stands in front of a frame's pages. */
struct front {
    uint8_t to[6], from[6], type[2];
    uint16_t pages;
    uint32_t number;
    uint8_t fill[100];
};
_Static_assert(offsetof(struct front, pages) == DISCO_NET_HEADER, "no hole in the header");

struct thread {
    pthread_t id;
    unsigned vm;
    uint64_t seed, frames, pages, busy, lost;
};

_Static_assert(2 * VMS < MOCK_CPUS, "a processor for each thread");
static struct world w;
static struct thread sender[VMS], receiver[VMS], monitor;
static uint64_t stop;

static uint32_t dice(struct thread *t, uint32_t n) { return (uint32_t)(mock_random(&t->seed) % n); }

static uint64_t value(unsigned vm, uint32_t number, uint32_t i)
{
    return (((uint64_t)vm << 40 | (uint64_t)number << 8 | i) + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static void fill(struct net_vm *vm, uint64_t ppn, uint64_t v)
{
    uint64_t words[WORDS];

    for (unsigned i = 0; i < WORDS; i++)
        words[i] = v;
    poke(vm, ppn * PAGE, words, sizeof words);
}

static void check(struct net_vm *vm, uint64_t ppn, uint64_t v)
{
    uint64_t words[WORDS];

    peek(vm, ppn * PAGE, words, sizeof words);
    for (unsigned i = 0; i < WORDS; i++)
        MUST(words[i] == v);
}

/* --- sending --- */

static void send_one(struct thread *t, uint32_t number)
{
    struct net_vm *vm = &w.vm[t->vm];
    uint32_t pages = dice(t, 9), to = dice(t, VMS + 2);
    struct front f = {.pages = (uint16_t)pages, .number = number};
    struct disco_io_seg seg[16] = {{OWN * PAGE, sizeof f}};
    int64_t got;

    memcpy(f.to, broadcast, 6);
    if (to <= MONITOR)
        mac_of(to, f.to);
    mac_of(t->vm, f.from);
    f.type[0] = t->vm == VMS - 1 ? TYPE_TORN : TYPE_WHOLE;
    poke(vm, OWN * PAGE, &f, sizeof f);
    for (uint32_t i = 0; i < pages; i++) {
        uint64_t ppn = OUT + (number + i) % OUTS;

        fill(vm, ppn, value(t->vm, number, i));
        seg[1 + i] = (struct disco_io_seg){ppn * PAGE, PAGE | (dice(t, 4) ? DISCO_NET_STABLE : 0)};
    }
    got = send_segs(vm, seg, 1 + pages, 0, 0);
    MUST(!got || got == DISCO_ERR_BUSY || got == DISCO_ERR_STATE || f.type[0] == TYPE_TORN);
    t->frames += !got;
    t->busy += got == DISCO_ERR_BUSY;
    if (pages)
        fill(vm, OUT + (number + dice(t, pages)) % OUTS, 0);
}

static void *run_sender(void *arg)
{
    struct thread *t = arg;

    mock_cpu = t->vm;
    for (uint32_t number = 0; !disco_load(&stop); number++) {
        send_one(t, number);
        net_call(&w.vm[t->vm], DISCO_CALL_NET_STATE, 0, 0);
    }
    return NULL;
}

/* --- receiving --- */

/* What came is remapped, read again, and written to. */
static void keep(struct thread *t, uint64_t ppn, uint64_t v)
{
    struct net_vm *vm = &w.vm[t->vm];
    uint64_t to = CACHE + dice(t, CACHES);
    int64_t err = net_call(vm, DISCO_CALL_REMAP, to * PAGE, ppn * PAGE);

    MUST(!err || err == DISCO_ERR_NO_SPACE);
    if (err)
        return;
    check(vm, to, v);
    fill(vm, dice(t, 2) ? to : ppn, 1);
}

static void look_at(struct thread *t)
{
    struct net_vm *vm = &w.vm[t->vm];
    const struct disco_net_recv *r = &vm->answer;
    struct front f;
    uint8_t from[6];

    MUST(r->head_len >= sizeof f && r->frags <= DISCO_NET_FRAGS);
    memcpy(&f, r->head, sizeof f);
    if (f.type[0] != TYPE_WHOLE)
        return;
    mac_of(f.from[5], from);
    MUST(!memcmp(f.from, from, 6));
    /* Nothing was shared: then head and pages do not begin at the same places. */
    if (r->head_len != sizeof f)
        return;
    MUST(r->frags == f.pages);
    for (uint32_t i = 0; i < r->frags; i++) {
        uint64_t ppn = r->page[r->frag[i].page] / PAGE;

        MUST(r->frag[i].len == PAGE);
        check(vm, ppn, value(f.from[5], f.number, i));
        t->pages++;
    }
    for (uint32_t i = 0; i < r->frags; i++)
        keep(t, r->page[r->frag[i].page] / PAGE, value(f.from[5], f.number, i));
}

static void receive_one(struct thread *t)
{
    struct net_vm *vm = &w.vm[t->vm];
    int64_t got = recv_at(vm, IN, DISCO_NET_FRAGS);

    MUST(got == 0 || got == 1);
    if (got) {
        t->frames++;
        look_at(t);
    } else {
        sched_yield();
    }
}

/* Another segment in the midst of a call: from the VM's own pages, of any length. */
static void tear(struct thread *t)
{
    struct disco_io_seg seg = {(OUT + dice(t, OUTS - 4)) * PAGE + dice(t, 2) * dice(t, 4096),
                               dice(t, 3 * DISCO_PAGE_SIZE) | (uint64_t)dice(t, 2) << 63};

    poke(&w.vm[t->vm], REQUEST + sizeof(struct disco_net_send) + (1 + dice(t, 8)) * sizeof seg,
         &seg, sizeof seg);
}

static void *run_receiver(void *arg)
{
    struct thread *t = arg;

    mock_cpu = VMS + t->vm;
    while (!disco_load(&stop)) {
        receive_one(t);
        if (t->vm == VMS - 1)
            tear(t);
    }
    return NULL;
}

/* --- the monitor --- */

/* A frame comes by: read, and sent on to somebody else. */
static void gateway(struct thread *t)
{
    static uint8_t bytes[DISCO_NET_FRAME_MAX];
    struct disco_frame f;
    int err;

    if (!disco_net_take_frame(w.net, MONITOR, &f))
        return;
    MUST(!disco_frame_read(w.net, &f, 0, bytes, disco_frame_len(&f)));
    f.csum_start = 14;
    f.csum_offset = 2 + offsetof(struct front, fill) - DISCO_NET_HEADER;
    MUST(!disco_frame_checksum(w.net, &f));
    mac_of(dice(t, VMS), f.head);
    err = disco_net_send_frame(w.net, MONITOR, &f);
    t->frames += !err;
    t->lost += err != 0;
    if (err)
        disco_net_free_frame(w.net, &f);
}

static void *run_monitor(void *arg)
{
    struct thread *t = arg;

    mock_cpu = 2 * VMS;
    while (!disco_load(&stop)) {
        gateway(t);
        if (!dice(t, 2000)) {
            unsigned port = dice(t, VMS);

            disco_net_link(w.net, port, false);
            sched_yield();
            disco_net_link(w.net, port, true);
        }
        if (!dice(t, 5000)) {
            disco_net_close(w.net, MONITOR);
            MUST(!disco_net_open(w.net, MONITOR, world_line(&w, MONITOR)));
        }
        disco_store(&w.now, disco_load(&w.now) + 1000);
        sched_yield();
    }
    return NULL;
}

/* --- the world --- */

static void yield(void *ctx)
{
    (void)ctx;
    sched_yield();
}

static void start(struct thread *t, unsigned vm, void *(*run)(void *))
{
    static uint64_t seeds;

    t->vm = vm;
    t->seed = 0xd15c0 + ++seeds;
    MUST(!pthread_create(&t->id, NULL, run, t));
}

static void finish(struct thread *t, const char *what)
{
    pthread_join(t->id, NULL);
    printf("%-9s %u: %9llu frames, %9llu pages, %7llu refused, %7llu lost\n", what, t->vm,
           (unsigned long long)t->frames, (unsigned long long)t->pages, (unsigned long long)t->busy,
           (unsigned long long)t->lost);
    MUST(t->frames);
}

int main(void)
{
    const struct world_config c = {.pages = 4096, .chunks = 1024};
    const char *wish = getenv("DISCO_STRESS_SECONDS");
    struct timespec time = {wish ? atoi(wish) : 5, 0};

    world_init(&w, &c);
    w.m.relax = yield;
    for (unsigned i = 0; i < VMS; i++) {
        start(&sender[i], i, run_sender);
        start(&receiver[i], i, run_receiver);
    }
    start(&monitor, MONITOR, run_monitor);
    nanosleep(&time, NULL);
    disco_store(&stop, 1);
    for (unsigned i = 0; i < VMS; i++) {
        finish(&sender[i], "sender");
        finish(&receiver[i], "receiver");
        MUST(i == VMS - 1 || receiver[i].pages);
    }
    finish(&monitor, "monitor");
    for (unsigned i = 0; i < VMS; i++) {
        const struct disco_net_stats s = stats_of(&w, i);

        MUST(s.sent == sender[i].frames && s.refused == sender[i].busy);
        MUST(s.received == receiver[i].frames);
    }
    MUST(stats_of(&w, MONITOR).sent == monitor.frames);
    world_fini(&w);
    return 0;
}
