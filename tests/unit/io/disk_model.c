/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests that are under way are known to the model: it asks for nothing that would make the outcome a matter of
 * chance (two writes to one place at once), but for everything else, guests' stores to pages that are being written
 * among it. Where a request fails, the model believes the memory, and the store, as far as the request may
 * have changed them; of a log a request that fails changes nothing.
 */
#include "disk_model.h"

#include <string.h>

#define DIRECT (DISCO_DISK_VISIBLE | DISCO_DISK_KEPT)
#define PAGES 24 /* of a VM that the model plays with */
#define SECTORS 203
#define SEGS 12
#define FLYING 16

struct flight {
    bool there;
    unsigned vm, segs;
    uint32_t op;
    uint64_t sector, sectors;
    struct disco_io_seg seg[SEGS];
    uint8_t
        bytes[SEGS * 3 * DISCO_SECTOR * 8]; /* what is written: as it was when it was asked for */
};

static struct world w;
static uint8_t memory[VMS][PAGES * PAGE];
static uint8_t
    disk[VMS]
        [SECTORS * DISCO_SECTOR]; /* a VM's view; [0] is everybody's where changes are visible */
static struct flight flight[FLYING];
static struct model_counts *counts;
static uint64_t seed;
static disco_mpn hoard[64];
static unsigned hoarded;

static uint64_t dice(uint64_t n) { return mock_random(&seed) % n; }

static uint8_t *view(unsigned vm) { return disk[w.c.mode & DISCO_DISK_VISIBLE ? 0 : vm]; }

/* --- what happens while others are under way --- */

static bool meet(uint64_t a, uint64_t na, uint64_t b, uint64_t nb)
{
    return a < b + nb && b < a + na;
}

/* Is [pa, pa + len) of @p vm being read into? */
static bool is_target(unsigned vm, uint64_t pa, uint64_t len)
{
    for (unsigned i = 0; i < FLYING; i++) {
        const struct flight *f = &flight[i];

        if (!f->there || f->vm != vm || f->op != DISCO_DISK_READ)
            continue;
        for (unsigned k = 0; k < f->segs; k++) {
            if (meet(pa, len, f->seg[k].pa, f->seg[k].len))
                return true;
        }
    }
    return false;
}

static bool conflicts(const struct flight *n)
{
    for (unsigned i = 0; i < FLYING; i++) {
        const struct flight *f = &flight[i];

        if (f->there && view(f->vm) == view(n->vm) &&
            (f->op == DISCO_DISK_WRITE || n->op == DISCO_DISK_WRITE) &&
            meet(f->sector, f->sectors, n->sector, n->sectors))
            return true;
    }
    for (unsigned k = 0; k < n->segs; k++) {
        if (n->op == DISCO_DISK_READ && is_target(n->vm, n->seg[k].pa, n->seg[k].len))
            return true;
    }
    return false;
}

/* --- ends --- */

/* The page's bytes as they are; none: zeros. */
static void believe_memory(unsigned vm, uint64_t pa, uint64_t len)
{
    uint64_t page = page_behind(&w, vm, pa);

    if (len > PAGE - pa % PAGE) {
        believe_memory(vm, pa + (PAGE - pa % PAGE), len - (PAGE - pa % PAGE));
        len = PAGE - pa % PAGE;
    }
    if (page == UINT64_MAX)
        memset(&memory[vm][pa], 0, len);
    else
        memcpy(&memory[vm][pa], mock_page(&w.m, page) + pa % PAGE, len);
}

static void failed(const struct flight *f)
{
    for (unsigned k = 0; f->op == DISCO_DISK_READ && k < f->segs; k++)
        believe_memory(f->vm, f->seg[k].pa, f->seg[k].len);
    if (f->op == DISCO_DISK_WRITE && w.c.mode == DIRECT)
        memcpy(&disk[0][f->sector * DISCO_SECTOR], &w.store.bytes[f->sector * DISCO_SECTOR],
               f->sectors * DISCO_SECTOR);
}

static void succeeded(const struct flight *f)
{
    uint8_t *at = view(f->vm) + f->sector * DISCO_SECTOR;

    if (f->op == DISCO_DISK_WRITE)
        memcpy(at, f->bytes, f->sectors * DISCO_SECTOR);
    for (unsigned k = 0; f->op == DISCO_DISK_READ && k < f->segs; k++) {
        memcpy(&memory[f->vm][f->seg[k].pa], at, f->seg[k].len);
        at += f->seg[k].len;
    }
}

static void over(struct flight *f, int status)
{
    MUST(f->there);
    f->there = false;
    if (status) {
        counts->failed++;
        failed(f);
    } else {
        succeeded(f);
    }
}

static void take_ends(unsigned vm)
{
    uint64_t tag;
    int status;

    while (w.vm[vm].line) {
        MUST(disco_disk_done(w.vm[vm].port, &tag, &status));
        MUST(tag < FLYING && flight[tag].vm == vm);
        counts->done_later++;
        over(&flight[tag], status);
    }
    MUST(!disco_disk_done(w.vm[vm].port, &tag, &status));
}

static void store_step(void)
{
    if (w.store.n)
        store_end(&w.store, (unsigned)dice(w.store.n), dice(12) ? 0 : DISCO_ERR_UNSUPPORTED);
    for (unsigned vm = 0; vm < VMS; vm++) {
        if (w.vm[vm].port)
            take_ends(vm);
    }
}

static void all_over(void)
{
    while (w.store.n)
        store_step();
    store_step();
    for (unsigned i = 0; i < FLYING; i++)
        MUST(!flight[i].there);
}

/* --- requests --- */

static uint64_t some_length(void)
{
    return dice(3) ? PAGE * (1 + dice(3)) : DISCO_SECTOR * (1 + dice(20));
}

/* Pieces of memory that do not meet, if they are read into; mostly whole pages. */
static bool choose_segs(struct flight *f)
{
    uint64_t bytes = 0;

    f->segs = 1 + (unsigned)dice(SEGS);
    for (unsigned i = 0; i < f->segs; i++) {
        uint64_t len = some_length(), room = PAGES * PAGE - len;
        uint64_t pa = dice(4) ? dice(room / PAGE + 1) * PAGE : dice(room);

        for (unsigned k = 0; k < i && f->op == DISCO_DISK_READ; k++) {
            if (meet(pa, len, f->seg[k].pa, f->seg[k].len))
                return false;
        }
        f->seg[i] = (struct disco_io_seg){pa, len};
        bytes += len;
    }
    f->sectors = bytes / DISCO_SECTOR;
    return bytes <= SECTORS * DISCO_SECTOR;
}

static void snapshot(struct flight *f)
{
    uint8_t *to = f->bytes;

    for (unsigned i = 0; i < f->segs; i++) {
        memcpy(to, &memory[f->vm][f->seg[i].pa], f->seg[i].len);
        to += f->seg[i].len;
    }
}

static struct flight *seat(void)
{
    for (unsigned i = 0; i < FLYING; i++) {
        if (!flight[i].there)
            return &flight[i];
    }
    return NULL;
}

/* May @p err come of a right request? */
static bool may_be(int err)
{
    return err == DISCO_ERR_NO_MEMORY || err == DISCO_ERR_NO_SPACE || err == DISCO_ERR_BUSY;
}

static void send(struct flight *f)
{
    int result;

    snapshot(f);
    f->there = true;
    result = world_ask(&w, f->vm, f->op, f->sector, (uint64_t)(f - flight), f->seg, f->segs);
    if (!result)
        return;
    if (result == 1) {
        counts->done_now++;
        over(f, 0);
        return;
    }
    MUST(may_be(result));
    counts->refused++;
    over(f, result);
}

static void request(unsigned vm)
{
    struct flight *f = seat();

    if (!f)
        return;
    f->vm = vm;
    f->op = dice(5) < 2 ? DISCO_DISK_WRITE : DISCO_DISK_READ;
    do {
        while (!choose_segs(f))
            ;
    } while (f->sectors > SECTORS);
    f->sector = dice(4) ? dice((SECTORS - f->sectors) / 8 + 1) * 8 : dice(SECTORS - f->sectors + 1);
    if (f->sector + f->sectors > SECTORS || conflicts(f))
        return;
    send(f);
}

/* --- memory --- */

static void store_bytes(unsigned vm)
{
    uint8_t some[700];
    uint64_t len = 1 + dice(sizeof some), pa = dice(PAGES * PAGE - len);

    if (is_target(vm, pa, len))
        return;
    memset(some, (int)dice(256), len);
    if (disco_pmap_write(&w.vm[vm].pmap, (disco_pa){pa}, some, len, vm % 2)) {
        believe_memory(vm, pa, len);
        return;
    }
    memcpy(&memory[vm][pa], some, len);
    counts->stored++;
}

/* A page that comes from another VM, as over a network. */
static void share(unsigned vm)
{
    unsigned to = (unsigned)dice(VMS);
    uint64_t from_page = dice(PAGES), page = dice(PAGES);
    disco_mpn mpn;

    if (is_target(to, page * PAGE, PAGE))
        return;
    if (disco_pmap_lend(&w.vm[vm].pmap, (disco_ppn){from_page}, 0, DISCO_PMAP_NET, &mpn))
        return;
    if (!disco_pmap_share(&w.vm[to].pmap, (disco_ppn){page}, mpn, DISCO_PMAP_NET))
        memmove(&memory[to][page * PAGE], &memory[vm][from_page * PAGE], PAGE);
    MUST(!disco_memmap_put(w.mm, mpn));
}

static void disturb(unsigned vm)
{
    uint64_t page = dice(PAGES);
    disco_ppn ppn = {page};

    switch (dice(6)) {
    case 0:
        if (!is_target(vm, page * PAGE, PAGE)) {
            MUST(!disco_pmap_drop(&w.vm[vm].pmap, ppn));
            memset(&memory[vm][page * PAGE], 0, PAGE);
        }
        break;
    case 1: (void)disco_pmap_migrate(&w.vm[vm].pmap, ppn, (unsigned)dice(2)); break;
    case 2: (void)disco_pmap_replicate(&w.vm[vm].pmap, ppn, (unsigned)dice(2)); break;
    case 3: counts->evicted += disco_disk_evict(w.disk, dice(20)); break;
    case 4:
        if (hoarded < 64 && !disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &hoard[hoarded]))
            hoarded++;
        break;
    default:
        while (hoarded && dice(8))
            MUST(!disco_memmap_put(w.mm, hoard[--hoarded]));
    }
}

/* The VM ends and begins anew, with its memory as it was; its requests are forgotten. */
static void reopen(unsigned vm)
{
    uint64_t lost = (uint64_t)(w.c.mode & DISCO_DISK_KEPT ? 0 : 1);

    if (w.c.mode == DIRECT)
        all_over();
    while (world_close(&w, vm))
        store_step();
    for (unsigned i = 0; i < FLYING; i++) {
        if (flight[i].there && flight[i].vm == vm) {
            flight[i].there = false;
            failed(&flight[i]);
        }
    }
    if (lost && !(w.c.mode & DISCO_DISK_VISIBLE))
        memcpy(disk[vm], w.store.bytes, sizeof disk[vm]);
    world_open(&w, vm);
    counts->reopened++;
}

/* --- checks --- */

static void memory_is_right(unsigned vm)
{
    for (uint64_t page = 0; page < PAGES; page++) {
        const uint8_t *m = &memory[vm][page * PAGE];
        uint64_t mpn = page_behind(&w, vm, page * PAGE);
        const uint8_t *real = mpn == UINT64_MAX ? NULL : mock_page(&w.m, mpn);

        if (real && memcmp(real, m, PAGE))
            MUST(!"memory as the model has it");
        for (uint64_t i = 0; !real && i < PAGE; i++)
            MUST(!m[i]);
    }
}

/* Everything that the VM may find on its disk, read to the end; a little at a time, for logs may fill the memory. */
static void disk_is_right(unsigned vm)
{
    for (uint64_t sector = 0; sector < SECTORS; sector += 12) {
        uint64_t n = SECTORS - sector < 12 ? SECTORS - sector : 12;

        MUST(!world_io(&w, vm, DISCO_DISK_READ, sector, 0, n * DISCO_SECTOR));
        memcpy(memory[vm], view(vm) + sector * DISCO_SECTOR, n * DISCO_SECTOR);
        memory_is_right(vm);
    }
}

/* --- runs --- */

static void start(void)
{
    struct world_config c = {.mode = (unsigned)dice(4), .sectors = SECTORS, .copy = !dice(6)};

    c.pages = dice(3) ? 400 : 110;
    c.cache_pages = dice(3) ? 0 : 1 + dice(20);
    c.log_pages = dice(3) ? 0 : 1 + dice(20);
    c.user_chunks = dice(3) ? 200 : 4;
    c.ports = c.mode == DIRECT ? 1 : VMS;
    world_init(&w, &c);
    w.store.most = dice(3) ? VMS * DISCO_DISK_DEPTH : 1 + (unsigned)dice(3);
    w.store.now = !dice(5);
    memset(memory, 0, sizeof memory);
    memset(flight, 0, sizeof flight);
    for (unsigned vm = 0; vm < VMS; vm++)
        memcpy(disk[vm], w.store.bytes, sizeof disk[vm]);
}

/* Guests' pages that requests lie in are there from the beginning, for memory may be short later. */
static void prepare(void)
{
    for (unsigned vm = 0; vm < VMS; vm++)
        guest_fill(&w, vm, ASK_PAGE * PAGE, DISCO_SECTOR, 0);
}

static void step(void)
{
    unsigned vm = (unsigned)dice(VMS), on_disk = w.vm[vm].port ? vm : 0;

    switch (dice(10)) {
    case 0:
    case 1:
    case 2:
    case 3: request(on_disk); break;
    case 4:
    case 5: store_step(); break;
    case 6: store_bytes(vm); break;
    case 7: share(vm); break;
    case 8: disturb(vm); break;
    default:
        if (!dice(30))
            reopen(on_disk);
    }
}

static void finish(void)
{
    while (hoarded)
        MUST(!disco_memmap_put(w.mm, hoard[--hoarded]));
    all_over();
    w.store.most = VMS * DISCO_DISK_DEPTH;
    for (unsigned vm = 0; vm < VMS; vm++) {
        memory_is_right(vm);
        disco_pmap_drop_many(&w.vm[vm].pmap, (disco_ppn){0}, PAGES, NULL);
        memset(memory[vm], 0, sizeof memory[vm]);
    }
    for (unsigned vm = 0; vm < VMS; vm++) {
        if (w.vm[vm].port)
            disk_is_right(vm);
    }
    world_fini(&w);
}

void disk_model_run(uint64_t start_with, unsigned steps, struct model_counts *c)
{
    seed = start_with * 2 + 1;
    for (unsigned i = 0; i < 10; i++)
        dice(2);
    counts = c;
    start();
    prepare();
    for (unsigned i = 0; i < steps; i++) {
        step();
        if (i % 16 == 0)
            memory_is_right((unsigned)dice(VMS));
    }
    finish();
}
