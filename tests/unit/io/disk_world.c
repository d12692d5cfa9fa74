/* SPDX-License-Identifier: BSD-2-Clause */
#include "disk_world.h"

#include <string.h>

uint8_t store_byte(uint64_t at)
{
    return (uint8_t)(at / DISCO_SECTOR * 31 + at % DISCO_SECTOR * 7);
}

/* --- the store --- */

static void move(struct slow_store *s, const struct disco_store_io *io)
{
    uint8_t *at = s->bytes + io->sector * DISCO_SECTOR;

    for (uint32_t i = 0; i < io->segs; i++) {
        const struct disco_store_seg *g = &io->seg[i];
        uint8_t *page = (uint8_t *)s->backend->ops->page(s->backend, g->mpn) + g->offset;

        MUST(g->offset + g->len <= PAGE && g->len && g->len % DISCO_SECTOR == 0);
        MUST(at + g->len <= s->bytes + s->store.sectors * DISCO_SECTOR);
        if (io->op == DISCO_DISK_READ)
            memcpy(page, at, g->len);
        else
            memcpy(at, page, g->len);
        at += g->len;
    }
    s->sectors += (uint64_t)(at - s->bytes) / DISCO_SECTOR - io->sector;
}

static void note(struct slow_store *s, const struct disco_store_io *io)
{
    MUST(io->done && (io->op == DISCO_DISK_FLUSH) == !io->segs && io->segs <= DISCO_STORE_SEGS);
    s->transfers++;
    s->reads += io->op == DISCO_DISK_READ;
    s->writes += io->op == DISCO_DISK_WRITE;
    s->flushes += io->op == DISCO_DISK_FLUSH;
}

static int begin(struct slow_store *s, struct disco_store_io *io)
{
    if (s->refuse)
        return s->refuse;
    if (s->n == s->most)
        return DISCO_ERR_BUSY;
    note(s, io);
    if (s->now) {
        move(s, io);
        return 1;
    }
    s->waiting[s->n++] = io;
    return 0;
}

static int submit(struct disco_store *store, struct disco_store_io *io)
{
    struct slow_store *s = (struct slow_store *)(void *)store;
    int err;

    disco_lock(&s->lock, NULL);
    err = begin(s, io);
    disco_unlock(&s->lock);
    return err;
}

void store_end(struct slow_store *s, unsigned i, int status)
{
    struct disco_store_io *io = NULL;

    disco_lock(&s->lock, NULL);
    if (i < s->n) {
        io = s->waiting[i];
        memmove(&s->waiting[i], &s->waiting[i + 1], (--s->n - i) * sizeof s->waiting[0]);
        if (!status)
            move(s, io);
    }
    disco_unlock(&s->lock);
    if (io)
        io->done(io, status);
}

void store_end_all(struct slow_store *s)
{
    while (s->n)
        store_end(s, 0, 0);
}

/* Made once: a fuzzer comes here often. */
static const uint8_t *first_bytes(void)
{
    static uint8_t bytes[MOST_SECTORS * DISCO_SECTOR];

    for (uint64_t i = 0; i < sizeof bytes && !bytes[sizeof bytes - 1]; i++)
        bytes[i] = store_byte(i);
    return bytes;
}

static void init_store(struct world *w, const struct world_config *c)
{
    struct slow_store *s = &w->store;

    s->store = (struct disco_store){c->sectors ? c->sectors : MOST_SECTORS, c->read_only, submit};
    s->backend = &w->m.b;
    s->most = VMS * DISCO_DISK_DEPTH;
    memcpy(s->bytes, first_bytes(), sizeof s->bytes);
}

/* --- machine, VMs, disk --- */

static void init_vm(struct world *w, unsigned i)
{
    struct disco_pmap_config c = {
        .id = i + 1, .pages = VM_PAGES, .sets = 8, .mm = w->mm, .backend = &w->m.b};
    struct world_vm *vm = &w->vm[i];

    vm->storage = mock_storage(disco_pmap_size(&c));
    MUST(!disco_pmap_init(&vm->pmap, vm->storage, disco_pmap_size(&c), &c));
    vm->disks.port[2] = NULL;
    MUST(!disco_calls_init(&vm->calls, vm->counters, &w->m.b));
    MUST(!disco_disk_calls(&vm->disks, &vm->calls));
}

static void init_disk(struct world *w, const struct world_config *c)
{
    size_t size;

    w->c = (struct disco_disk_config){.store = &w->store.store,
                                      .mm = w->mm,
                                      .backend = &w->m.b,
                                      .mode = c->mode,
                                      .ports = VMS,
                                      .cache_pages = c->cache_pages,
                                      .log_pages = c->log_pages ? c->log_pages : 1000,
                                      .nodes = c->nodes ? c->nodes : 200,
                                      .copy = c->copy};
    size = disco_disk_size(&w->c);
    MUST(size);
    w->disk_storage = mock_storage(size);
    MUST(!disco_disk_init(&w->disk, w->disk_storage, size, &w->c));
}

void world_init(struct world *w, const struct world_config *c)
{
    memset(w, 0, sizeof *w);
    w->pages = c->pages ? c->pages : 1024;
    mock_init(&w->m, 2, 100, w->pages);
    w->mm = mock_memmap(&w->m, c->user_chunks ? c->user_chunks : 200, 0, &w->mm_storage);
    init_store(w, c);
    init_disk(w, c);
    for (unsigned i = 0; i < VMS; i++)
        init_vm(w, i);
    for (unsigned i = 0; i < c->ports; i++)
        world_open(w, i);
}

static void set_line(void *ctx, bool up)
{
    struct world_vm *vm = ctx;

    vm->risen += up && !vm->line;
    vm->line = up;
}

void world_open(struct world *w, unsigned vm)
{
    struct world_vm *v = &w->vm[vm];

    MUST(!disco_disk_open(w->disk, vm, &v->pmap, (struct disco_line){set_line, v}, &v->port));
    v->disks.port[1] = v->port;
    v->disks.disk[1] = w->disk;
}

int world_close(struct world *w, unsigned vm)
{
    int err = disco_disk_close(w->vm[vm].port);

    MUST(!w->vm[vm].line);
    if (!err)
        w->vm[vm].port = w->vm[vm].disks.port[1] = NULL;
    return err;
}

void world_fini(struct world *w)
{
    for (unsigned i = 0; i < VMS; i++) {
        if (w->vm[i].port && world_close(w, i)) {
            store_end_all(&w->store);
            MUST(!world_close(w, i));
        }
    }
    store_end_all(&w->store);
    MUST(!disco_disk_fini(w->disk));
    for (unsigned i = 0; i < VMS; i++)
        disco_pmap_fini(&w->vm[i].pmap);
    MUST(world_free(w) == w->pages);
    for (unsigned i = 0; i < VMS; i++)
        free(w->vm[i].storage);
    free(w->disk_storage);
    free(w->mm_storage);
    mock_fini(&w->m);
}

/* --- requests --- */

int world_ask(struct world *w, unsigned vm, uint32_t op, uint64_t sector, uint64_t tag,
              const struct disco_io_seg *seg, uint32_t n)
{
    struct disco_disk_request ask = {op, n, sector, tag};
    struct disco_buf in = {
        &w->vm[vm].pmap, {ASK_PAGE * PAGE}, sizeof ask + n * sizeof *seg, 0, DISCO_READ};

    guest_write(w, vm, in.pa.v, &ask, sizeof ask);
    guest_write(w, vm, in.pa.v + sizeof ask, seg, n * sizeof *seg);
    return disco_disk_request(w->vm[vm].port, &in, vm % 2);
}

int world_done(struct world *w, unsigned vm, uint64_t tag)
{
    uint64_t got;
    int status;

    MUST(w->vm[vm].line);
    MUST(disco_disk_done(w->vm[vm].port, &got, &status));
    MUST(got == tag);
    return status;
}

int world_io(struct world *w, unsigned vm, uint32_t op, uint64_t sector, uint64_t pa, uint64_t len)
{
    const struct disco_io_seg seg = {pa, len};
    int result = world_ask(w, vm, op, sector, 77, &seg, op != DISCO_DISK_FLUSH);

    if (result)
        return result == 1 ? 0 : result;
    store_end_all(&w->store);
    return world_done(w, vm, 77);
}

/* --- memory --- */

void guest_write(struct world *w, unsigned vm, uint64_t pa, const void *from, uint64_t len)
{
    MUST(!disco_pmap_write(&w->vm[vm].pmap, (disco_pa){pa}, from, len, vm % 2));
}

void guest_read(struct world *w, unsigned vm, uint64_t pa, void *to, uint64_t len)
{
    MUST(!disco_pmap_read(&w->vm[vm].pmap, (disco_pa){pa}, to, len, vm % 2));
}

void guest_fill(struct world *w, unsigned vm, uint64_t pa, uint64_t len, uint8_t byte)
{
    uint8_t some[DISCO_SECTOR];

    memset(some, byte, sizeof some);
    for (uint64_t at = 0; at < len; at += sizeof some)
        guest_write(w, vm, pa + at, some, len - at < sizeof some ? len - at : sizeof some);
}

bool guest_has(struct world *w, unsigned vm, uint64_t pa, uint64_t len, uint8_t byte)
{
    for (uint64_t i = 0; i < len; i++) {
        uint8_t got;

        guest_read(w, vm, pa + i, &got, 1);
        if (got != byte)
            return false;
    }
    return true;
}

bool guest_shows(struct world *w, unsigned vm, uint64_t pa, uint64_t sector, uint64_t len)
{
    for (uint64_t i = 0; i < len; i++) {
        uint8_t got;

        guest_read(w, vm, pa + i, &got, 1);
        if (got != store_byte(sector * DISCO_SECTOR + i))
            return false;
    }
    return true;
}

uint64_t page_behind(struct world *w, unsigned vm, uint64_t pa)
{
    disco_mpn mpn;

    if (disco_pmap_translate(&w->vm[vm].pmap, disco_pa_page((disco_pa){pa}), 0, &mpn))
        return UINT64_MAX;
    return disco_memmap_master(w->mm, mpn).v;
}

struct disco_disk_stats world_stats(struct world *w)
{
    struct disco_disk_stats s;

    disco_disk_stats(w->disk, &s);
    return s;
}

uint64_t world_free(const struct world *w) { return mock_free_pages(&w->m, w->mm); }

unsigned world_hoard(struct world *w, disco_mpn *page, uint64_t rest)
{
    unsigned n = 0;

    while (world_free(w) > rest)
        MUST(!disco_memmap_alloc(w->mm, 0, DISCO_PAGE_MONITOR, &page[n++]));
    return n;
}

void world_let_go(struct world *w, disco_mpn *page, unsigned n)
{
    while (n)
        MUST(!disco_memmap_put(w->mm, page[--n]));
}
