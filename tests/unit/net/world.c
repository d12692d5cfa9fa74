/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

const uint8_t broadcast[6] = {255, 255, 255, 255, 255, 255};

_Noreturn void net_broken(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

/* --- the machine: what the mock lacks --- */

static uint64_t now(struct disco_backend *b)
{
    return disco_load(&((struct world *)(void *)b)->now);
}

static struct disco_backend_ops ops;

static void set_line(void *ctx, bool up)
{
    struct line *l = ctx;

    l->rises += up && !l->up;
    l->up = up;
}

struct disco_line world_line(struct world *w, unsigned port)
{
    return (struct disco_line){set_line, &w->line[port]};
}

static void open_port(struct world *w, unsigned i)
{
    MUST(!disco_net_open(w->net, i, world_line(w, i)));
    MUST(disco_net_is_up(w->net, i));
}

static void make_net(struct world *w, bool copy)
{
    struct disco_net_config c = {w->mm, &w->m.b, PORTS, copy};

    w->net_storage = mock_storage(disco_net_size(&c));
    MUST(!disco_net_init(&w->net, w->net_storage, disco_net_size(&c), &c));
    for (unsigned i = 0; i < PORTS; i++)
        open_port(w, i);
}

static void make_pmap(struct world *w, struct net_vm *vm, unsigned id)
{
    struct disco_pmap_config c = {
        .id = id, .pages = PPNS, .sets = 4, .mm = w->mm, .backend = &w->m.b};

    if (!vm->storage)
        vm->storage = mock_storage(disco_pmap_size(&c));
    MUST(!disco_pmap_init(&vm->pmap, vm->storage, disco_pmap_size(&c), &c));
}

static void make_vm(struct world *w, unsigned i)
{
    struct net_vm *vm = &w->vm[i];

    make_pmap(w, vm, i);
    vm->port = i;
    vm->nic = (struct disco_nic){w->net, i};
    MUST(!disco_calls_init(&vm->calls, vm->counters, &w->m.b));
    vm->remapper.pmap = vm->memory.pmap = &vm->pmap;
    MUST(!disco_net_calls(&vm->nic, &vm->calls));
    MUST(!disco_remap_calls(&vm->remapper, &vm->calls));
    MUST(!disco_memory_calls(&vm->memory, &vm->calls));
}

void world_init(struct world *w, const struct world_config *c)
{
    memset(w, 0, sizeof *w);
    mock_init(&w->m, NODES, 32, c->pages);
    ops = *w->m.b.ops;
    ops.now = now;
    w->m.b.ops = &ops;
    w->pages = c->pages;
    w->mm = mock_memmap(&w->m, c->chunks, 0, &w->mm_storage);
    make_net(w, c->copy);
    for (unsigned i = 0; i < VMS; i++)
        make_vm(w, i);
}

void world_fini(struct world *w)
{
    for (unsigned i = 0; i < PORTS; i++)
        disco_net_close(w->net, i);
    for (unsigned i = 0; i < VMS; i++)
        disco_pmap_fini(&w->vm[i].pmap);
    MUST(free_pages(w) == w->pages);
    for (unsigned i = 0; i < VMS; i++)
        free(w->vm[i].storage);
    free(w->net_storage);
    free(w->mm_storage);
    mock_fini(&w->m);
}

void world_again(struct world *w, unsigned i)
{
    struct net_vm *vm = &w->vm[i];

    disco_net_close(w->net, i);
    disco_pmap_fini(&vm->pmap);
    make_pmap(w, vm, i);
    open_port(w, i);
}

/* --- a VM --- */

int64_t net_call(struct net_vm *vm, uint64_t number, uint64_t a, uint64_t b)
{
    const uint64_t raw[DISCO_CALL_ARGS] = {a, b};

    return disco_calls_run(&vm->calls, number, raw, &vm->pmap, vm->port % NODES, NULL);
}

void poke(struct net_vm *vm, uint64_t pa, const void *bytes, uint64_t len)
{
    MUST(!disco_pmap_write(&vm->pmap, (disco_pa){pa}, bytes, len, 0));
}

void peek(struct net_vm *vm, uint64_t pa, void *bytes, uint64_t len)
{
    MUST(!disco_pmap_read(&vm->pmap, (disco_pa){pa}, bytes, len, 0));
}

uint64_t mpn_at(struct net_vm *vm, uint64_t ppn)
{
    disco_mpn mpn = {0};

    MUST(!disco_pmap_translate(&vm->pmap, (disco_ppn){ppn}, 0, &mpn));
    return mpn.v;
}

void mac_of(unsigned i, uint8_t mac[6])
{
    static const uint8_t first[6] = {0x52, 0x54, 0, 0xd1, 0x5c, 0};

    memcpy(mac, first, sizeof first);
    mac[5] = (uint8_t)i;
    mac[4] = (uint8_t)(0x5c + (i >> 8));
}

void header(struct net_vm *vm, uint64_t pa, const uint8_t to[6], const uint8_t from[6])
{
    poke(vm, pa, to, 6);
    poke(vm, pa + 6, from, 6);
}

int64_t send_segs(struct net_vm *vm, const struct disco_io_seg *seg, uint32_t n, uint16_t start,
                  uint16_t offset)
{
    struct disco_net_send req = {n, start, offset};

    poke(vm, REQUEST, &req, sizeof req);
    poke(vm, REQUEST + sizeof req, seg, n * sizeof *seg);
    return net_call(vm, DISCO_CALL_NET_SEND, REQUEST, sizeof req + n * sizeof *seg);
}

int64_t send_at(struct net_vm *vm, uint64_t pa, uint64_t len)
{
    struct disco_io_seg seg = {pa, len};

    return send_segs(vm, &seg, 1, 0, 0);
}

int64_t recv_at(struct net_vm *vm, uint64_t ppn, uint32_t n)
{
    struct disco_net_recv r;
    int64_t got;

    memset(&r, 0xdb, sizeof r);
    r.pages = n;
    for (uint32_t i = 0; i < n && i < DISCO_NET_FRAGS; i++)
        r.page[i] = (ppn + i) * PAGE;
    poke(vm, ANSWER, &r, sizeof r);
    got = net_call(vm, DISCO_CALL_NET_RECV, ANSWER, sizeof r);
    peek(vm, ANSWER, &vm->answer, sizeof r);
    return got;
}

uint32_t answer_bytes(struct net_vm *vm, uint8_t *to)
{
    const struct disco_net_recv *r = &vm->answer;
    uint32_t len = r->head_len;

    MUST(len <= DISCO_NET_HEAD && r->frags <= DISCO_NET_FRAGS);
    memcpy(to, r->head, len);
    for (uint32_t i = 0; i < r->frags; i++) {
        const struct disco_net_frag *f = &r->frag[i];

        MUST(f->page == i && f->off + f->len <= PAGE && f->len);
        peek(vm, r->page[f->page] + f->off, to + len, f->len);
        len += f->len;
    }
    return len;
}

struct disco_frame small_frame(const uint8_t to[6], const uint8_t from[6], uint32_t len)
{
    struct disco_frame f = {.head_len = len};

    memcpy(f.head, to, 6);
    memcpy(f.head + 6, from, 6);
    for (uint32_t i = 12; i < len; i++)
        f.head[i] = (uint8_t)i;
    return f;
}

struct disco_net_stats stats_of(struct world *w, unsigned port)
{
    struct disco_net_stats s;

    MUST(!disco_net_stats(w->net, port, &s));
    return s;
}

uint64_t free_pages(const struct world *w) { return mock_free_pages(&w->m, w->mm); }
