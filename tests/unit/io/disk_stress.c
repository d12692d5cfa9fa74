/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks under fire. Each VM has two threads as virtual CPUs, which read and write; another thread ends the store's
 * transfers, some with an error, and another throws pages out of the cache, on a machine with little memory. One VM has
 * one virtual CPU, which closes its port and opens it again with requests under way. Run it under ThreadSanitizer
 * too: pages are copied by plain memcpy, so that a page that is changed while somebody reads it is a data race.
 *
 * What must hold:
 *   1. blocks that nobody writes show what the store has;
 *   2. blocks that one thread alone writes, in a log of its own VM or on a disk that is its VM's, show what it wrote
 *      last, in parts as well;
 *   3. blocks of a visible disk that all write, each time full of one byte, are full of one byte;
 *   4. the VM that begins anew finds nothing of its former life;
 *   5. no request is missing in the disk's counters, and no page at the end.
 *
 * DISCO_STRESS_SECONDS: how long for each kind of disk, 2 unless told.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "disk_world.h"

#include <disco/atomic.h>

#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>

#define DIRECT (DISCO_DISK_VISIBLE | DISCO_DISK_KEPT)
#define CPUS 2       /* of a VM */
#define PART 16      /* pages of memory that a thread has */
#define READ_ONLY 40 /* blocks from 0 on that nobody writes */
#define COMMON 8     /* and then: blocks that all write, if all see it */
#define OWN 12       /* and then: of each thread */
#define BLOCK 4096
#define OWN_BYTES (OWN * BLOCK)
#define TAGS (VMS * CPUS)
_Static_assert(TAGS + 2 <= MOCK_CPUS, "a processor for each thread");
#define ENOUGH 100 /* requests, however busy the computer is */

static struct world w;
static uint64_t stop, stop_store, ended[TAGS], line[VMS];
static int status[TAGS];
static uint64_t did[4]; /* requests done, failed, refused; lives begun anew */
static uint64_t asked;  /* requests that the disk got */

struct thread {
    pthread_t id;
    unsigned vm, cpu, tag;
    uint64_t seed;
    uint8_t own[OWN_BYTES];
    uint64_t pa; /* of its memory */
};

static uint64_t dice(struct thread *t, uint64_t n) { return mock_random(&t->seed) % n; }

static void set_line(void *ctx, bool up) { disco_store(ctx, up); }

static void open_port(unsigned vm)
{
    MUST(!disco_disk_open(w.disk, vm, &w.vm[vm].pmap, (struct disco_line){set_line, &line[vm]},
                          &w.vm[vm].port));
}

/* --- requests --- */

static int ask(struct thread *t, uint32_t op, uint64_t sector, const struct disco_io_seg *seg,
               uint32_t n)
{
    struct disco_disk_request head = {op, n, sector, t->tag};
    struct disco_buf in = {&w.vm[t->vm].pmap,
                           {t->pa + (PART - 1) * PAGE},
                           sizeof head + n * sizeof *seg,
                           t->vm % 2,
                           DISCO_READ};
    int err = disco_pmap_write(in.pmap, in.pa, &head, sizeof head, 0);

    if (!err)
        err = disco_pmap_write(in.pmap, (disco_pa){in.pa.v + sizeof head}, seg, n * sizeof *seg, 0);
    if (err)
        return err;
    disco_count(&asked, 1);
    return disco_disk_request(w.vm[t->vm].port, &in, t->vm % 2);
}

/* Ends are taken by either virtual CPU, for the other as well. */
static void take_ends(unsigned vm)
{
    uint64_t tag;
    int s;

    while (disco_disk_done(w.vm[vm].port, &tag, &s)) {
        MUST(tag < TAGS && tag / CPUS == vm && !disco_load(&ended[tag]));
        status[tag] = s;
        disco_store_release(&ended[tag], 1);
    }
}

/* @return whether it is done. What cannot be done now is not tried again. */
static bool io(struct thread *t, uint32_t op, uint64_t sector, const struct disco_io_seg *seg,
               uint32_t n)
{
    int result;

    disco_store(&ended[t->tag], 0);
    result = ask(t, op, sector, seg, n);
    if (!result) {
        while (!disco_load_acquire(&ended[t->tag])) {
            if (disco_load(&line[t->vm]))
                take_ends(t->vm);
            sched_yield();
        }
        result = status[t->tag] ? status[t->tag] : 1;
    }
    MUST(result == 1 || result == DISCO_ERR_NO_MEMORY || result == DISCO_ERR_UNSUPPORTED ||
         result == DISCO_ERR_NO_SPACE || result == DISCO_ERR_BUSY);
    disco_count(&did[result == 1 ? 0 : result == DISCO_ERR_UNSUPPORTED ? 1 : 2], 1);
    return result == 1;
}

static bool get(struct thread *t, uint64_t pa, void *to, uint64_t len)
{
    return !disco_pmap_read(&w.vm[t->vm].pmap, (disco_pa){t->pa + pa}, to, len, t->vm % 2);
}

static bool put(struct thread *t, uint64_t pa, const void *from, uint64_t len)
{
    return !disco_pmap_write(&w.vm[t->vm].pmap, (disco_pa){t->pa + pa}, from, len, t->vm % 2);
}

/* --- what a virtual CPU does --- */

static void read_only(struct thread *t)
{
    uint64_t n = 1 + dice(t, 6), block = dice(t, READ_ONLY - n),
             at = dice(t, 3) ? 0 : 512 * dice(t, 3);
    struct disco_io_seg seg = {t->pa + at, n * PAGE - at};
    uint8_t bytes[64];

    if (!io(t, DISCO_DISK_READ, block * 8, &seg, 1))
        return;
    for (unsigned k = 0; k < 8; k++) {
        uint64_t in = dice(t, n * PAGE - at - sizeof bytes);

        MUST(get(t, at + in, bytes, sizeof bytes));
        for (unsigned i = 0; i < sizeof bytes; i++)
            MUST(bytes[i] == store_byte(block * BLOCK + in + i));
    }
}

static uint64_t own_sector(const struct thread *t)
{
    return (READ_ONLY + COMMON + (uint64_t)t->tag * OWN) * 8;
}

/* The thread's blocks, in part or whole, from memory that it changes before the request has ended. */
static void write_own(struct thread *t)
{
    uint64_t n = 1 + dice(t, 20), first = dice(t, OWN * 8 - n),
             pa = dice(t, 2) ? 512 * dice(t, 8) : 0;
    struct disco_io_seg seg[2] = {{t->pa + pa, n * 512}};
    uint8_t bytes[21 * 512];

    if (dice(t, 2)) {
        n = 16;
        first = first / 8 * 8;
        first -= first == (OWN - 1) * 8 ? 8 : 0;
        seg[0] = (struct disco_io_seg){t->pa, 2 * PAGE};
        pa = 0;
    }
    for (uint64_t i = 0; i < n * 512; i++)
        bytes[i] = (uint8_t)(t->seed >> (i % 50));
    if (!put(t, pa, bytes, n * 512))
        return;
    if (io(t, DISCO_DISK_WRITE, own_sector(t) + first, seg, 1))
        memcpy(t->own + first * 512, bytes, n * 512);
    else if (w.c.mode == DIRECT) /* it may have failed after the first half */
        memcpy(t->own + first * 512, &w.store.bytes[(own_sector(t) + first) * 512], n * 512);
    put(t, pa, "changed", 7);
}

static void read_own(struct thread *t)
{
    uint64_t n = 1 + dice(t, 4 * 8), first = dice(t, OWN * 8 - n),
             pa = dice(t, 2) ? 512 * dice(t, 8) : 0;
    struct disco_io_seg seg = {t->pa + pa, n * 512};
    uint8_t bytes[4 * BLOCK];

    if (dice(t, 2)) {
        n = 32;
        first = first / 8 * 8;
        first -= first > (OWN - 4) * 8 ? 24 : 0;
        seg = (struct disco_io_seg){t->pa, 4 * PAGE};
        pa = 0;
    }
    if (!io(t, DISCO_DISK_READ, own_sector(t) + first, &seg, 1) || !get(t, pa, bytes, n * 512))
        return;
    MUST(!memcmp(bytes, t->own + first * 512, n * 512));
    put(t, pa, "mine", 4);
}

static void common(struct thread *t)
{
    uint64_t block = READ_ONLY + dice(t, COMMON);
    struct disco_io_seg seg = {t->pa + 4 * PAGE, PAGE};
    uint8_t bytes[BLOCK];

    if (dice(t, 2)) {
        memset(bytes, (int)dice(t, 256), sizeof bytes);
        if (put(t, 4 * PAGE, bytes, sizeof bytes))
            io(t, DISCO_DISK_WRITE, block * 8, &seg, 1);
        return;
    }
    if (!io(t, DISCO_DISK_READ, block * 8, &seg, 1) || !get(t, 4 * PAGE, bytes, sizeof bytes))
        return;
    if (bytes[0] == store_byte(block * BLOCK) && bytes[1] == store_byte(block * BLOCK + 1))
        return;
    for (unsigned i = 1; i < sizeof bytes; i++)
        MUST(bytes[i] == bytes[0]);
}

/* With requests under way; those of the former life never end. Its log is lost, unless others see it too. */
static void begin_anew(struct thread *t)
{
    struct disco_io_seg seg = {t->pa, 3 * PAGE};

    ask(t, DISCO_DISK_READ, dice(t, READ_ONLY) * 8, &seg, 1);
    seg.len = 512;
    ask(t, DISCO_DISK_WRITE, own_sector(t) + 3, &seg, 1);
    ask(t, DISCO_DISK_READ, dice(t, READ_ONLY) * 8, &seg, 1);
    while (disco_disk_close(w.vm[t->vm].port))
        sched_yield();
    MUST(!disco_load(&line[t->vm]));
    open_port(t->vm);
    memcpy(t->own, &w.store.bytes[own_sector(t) * 512], sizeof t->own);
    disco_count(&did[3], 1);
}

static void *cpu(void *arg)
{
    struct thread *t = arg;

    mock_cpu = t->tag;
    while (!disco_load(&stop)) {
        switch (dice(t, 8)) {
        case 0:
        case 1: write_own(t); break;
        case 2:
        case 3: read_own(t); break;
        case 4:
            if (w.c.mode & DISCO_DISK_VISIBLE)
                common(t);
            else if (t->vm == VMS - 1 && !w.c.mode)
                begin_anew(t);
            break;
        case 5:
            disco_pmap_drop(&w.vm[t->vm].pmap, (disco_ppn){t->pa / PAGE + dice(t, PART)});
            break;
        default: read_only(t);
        }
    }
    return NULL;
}

/* --- the rest of the machine --- */

static void *store(void *arg)
{
    struct thread *t = arg;

    mock_cpu = TAGS;
    while (!disco_load(&stop_store)) {
        store_end(&w.store, (unsigned)dice(t, 3), dice(t, 50) ? 0 : DISCO_ERR_UNSUPPORTED);
        sched_yield();
    }
    return NULL;
}

static void *evict(void *arg)
{
    struct thread *t = arg;

    mock_cpu = TAGS + 1;
    while (!disco_load(&stop_store)) {
        disco_disk_evict(w.disk, dice(t, 10));
        sched_yield();
    }
    return NULL;
}

static void relax(void *ctx)
{
    (void)ctx;
    sched_yield();
}

static void init_thread(struct thread *t, unsigned tag, uint64_t seed)
{
    t->vm = tag / CPUS;
    t->cpu = tag % CPUS;
    t->tag = tag;
    t->seed = seed * 97 + tag + 1;
    t->pa = t->cpu * PART * PAGE;
    memcpy(t->own, &w.store.bytes[own_sector(t) * 512], sizeof t->own);
}

static void start_world(unsigned mode)
{
    world_init(&w, &(struct world_config){.mode = mode, .pages = 90, .cache_pages = 60});
    w.m.relax = relax;
    w.store.most = 6;
    memset(did, 0, sizeof did);
    asked = 0;
    memset(line, 0, sizeof line);
    for (unsigned vm = 0; vm < (mode == DIRECT ? 1 : VMS); vm++)
        open_port(vm);
}

static void start_threads(struct thread *t, unsigned cpus, uint64_t seed)
{
    for (unsigned i = 0; i < cpus; i++) {
        init_thread(&t[i], i, seed);
        MUST(!pthread_create(&t[i].id, NULL, cpu, &t[i]));
    }
    t[TAGS].seed = t[TAGS + 1].seed = seed + 1;
    MUST(!pthread_create(&t[TAGS].id, NULL, store, &t[TAGS]));
    MUST(!pthread_create(&t[TAGS + 1].id, NULL, evict, &t[TAGS + 1]));
}

/* The store last: who waits for an end needs it. */
static void end_threads(struct thread *t, unsigned cpus)
{
    disco_store(&stop, 1);
    for (unsigned i = 0; i < cpus; i++)
        MUST(!pthread_join(t[i].id, NULL));
    disco_store(&stop_store, 1);
    MUST(!pthread_join(t[TAGS].id, NULL) && !pthread_join(t[TAGS + 1].id, NULL));
}

static void run(unsigned mode, uint64_t ns, uint64_t seed)
{
    static struct thread t[TAGS + 2];
    const struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    unsigned cpus = mode == DIRECT ? CPUS : TAGS - 1; /* the last VM has one */
    struct disco_disk_stats s;

    start_world(mode);
    stop = stop_store = 0;
    start_threads(t, cpus, seed);
    do
        nanosleep(&time, NULL);
    while (disco_load(&did[0]) < ENOUGH);
    end_threads(t, cpus);
    s = world_stats(&w);
    printf("kind %u: %llu requests, %llu failed, %llu refused, %llu lives; %llu mapped, %llu "
           "evicted\n",
           mode, (unsigned long long)did[0], (unsigned long long)did[1], (unsigned long long)did[2],
           (unsigned long long)did[3], (unsigned long long)s.mapped, (unsigned long long)s.evicted);
    MUST(s.mapped);
    /* Of a former life some may still be under way. */
    MUST(mode ? s.reads + s.writes == asked : s.reads + s.writes <= asked);
    world_fini(&w);
}

int main(void)
{
    const char *wish = getenv("DISCO_STRESS_SECONDS");
    uint64_t ns = (uint64_t)((wish ? atof(wish) : 2) * 1e9);

    for (unsigned mode = 0; mode < 4; mode++)
        run(mode, ns, (uint64_t)time(NULL));
    return EXIT_SUCCESS;
}
