/* SPDX-License-Identifier: BSD-2-Clause */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mock m;
struct disco_memmap *mm;
struct disco_pmap pm[VMS];
struct disco_numa *numa;
uint64_t time_ns;
unsigned running, purges;
void (*in_purge)(void);
unsigned purged_of;
disco_ppn purged_at;

static struct disco_backend_ops ops;
static void *mm_storage, *storage[VMS], *numa_storage;
static void (*copy)(struct disco_backend *b, disco_mpn to, disco_mpn from);

_Noreturn void broken(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
    abort();
}

static uint64_t now(struct disco_backend *b)
{
    (void)b;
    return __atomic_load_n(&time_ns, __ATOMIC_RELAXED);
}

static unsigned cpu(struct disco_backend *b)
{
    (void)b;
    return running;
}

static void page_copy(struct disco_backend *b, disco_mpn to, disco_mpn from)
{
    copy(b, to, from);
    __atomic_fetch_add(&time_ns, 10000, __ATOMIC_RELAXED);
}

static void purge(void *ctx, const struct disco_pmap_gone *gone, size_t pages,
                  const struct disco_purge *places, size_t n)
{
    (void)pages, (void)places, (void)n;
    purges++;
    purged_of = (unsigned)((struct disco_pmap *)ctx - pm);
    purged_at = gone[0].ppn;
    if (in_purge)
        in_purge();
}

static void machine(const struct world *w)
{
    struct disco_memmap_config c = {
        .backend = &m.b,
        .first = {FIRST},
        .pages = w->with * w->pages,
        .nodes = w->nodes,
        .user_chunks = 16,
        .low_water = w->low_water,
    };

    mock_init(&m, w->nodes, FIRST, w->with * w->pages);
    ops = *m.b.ops;
    copy = ops.page_copy;
    ops.page_copy = page_copy;
    ops.cpu = cpu;
    ops.now = now;
    m.b.ops = &ops;
    m.b.cpus = w->nodes;
    for (unsigned i = 0; i < w->nodes; i++)
        m.b.node_of_cpu[i] = (uint8_t)i;
    mm_storage = mock_storage(disco_memmap_size(&c));
    MUST(!disco_memmap_init(&mm, mm_storage, disco_memmap_size(&c), &c));
    for (unsigned n = 0; n < w->with; n++)
        MUST(!disco_memmap_add(mm, (disco_mpn){FIRST + n * w->pages}, w->pages, n, false));
}

void pmap_begin(unsigned vm)
{
    struct disco_pmap_config c = {
        .id = vm,
        .pages = PPNS,
        .sets = 4,
        .mm = mm,
        .backend = &m.b,
        .purge = purge,
        .purge_ctx = &pm[vm],
    };

    if (!storage[vm])
        storage[vm] = mock_storage(disco_pmap_size(&c));
    MUST(!disco_pmap_init(&pm[vm], storage[vm], disco_pmap_size(&c), &c));
}

struct disco_numa_params world_params(void)
{
    return (struct disco_numa_params){
        .mode = DISCO_NUMA_ON,
        .trigger = 100,
        .sharing = 25,
        .write = 1,
        .migrate = 2,
        .cap = 40,
        .copy = 32,
        .interval = 1000 * 1000,
    };
}

static void engine(const struct world *w)
{
    struct disco_numa_config c = {
        .backend = &m.b,
        .mm = mm,
        .pmaps = VMS,
        .queue = w->queue,
        .history = w->history,
        .replicas = w->replicas,
        .params = world_params(),
    };

    numa_storage = mock_storage(disco_numa_size(&c));
    MUST(!disco_numa_init(&numa, numa_storage, disco_numa_size(&c), &c));
    for (unsigned v = 0; v < VMS; v++)
        MUST(w->unattached || !disco_numa_attach(numa, &pm[v]));
}

void world_begin_as(const struct world *w)
{
    time_ns = 0;
    running = purges = 0;
    in_purge = NULL;
    machine(w);
    for (unsigned v = 0; v < VMS; v++)
        pmap_begin(v);
    engine(w);
}

void world_begin(void)
{
    world_begin_as(&(struct world){
        .nodes = NODES,
        .pages = EACH,
        .with = NODES,
        .queue = QUEUE,
        .history = HISTORY,
        .replicas = REPLICAS,
    });
}

void world_end(void)
{
    in_purge = NULL;
    disco_numa_fini(numa);
    for (unsigned v = 0; v < VMS; v++) {
        disco_pmap_fini(&pm[v]);
        free(storage[v]);
        storage[v] = NULL;
    }
    MUST(mock_free_pages(&m, mm) == m.pages);
    free(numa_storage);
    free(mm_storage);
    mock_fini(&m);
}

/* --- pages --- */

disco_ppn ppn(uint64_t v) { return (disco_ppn){v}; }

uint64_t seen(unsigned vm, uint64_t p, unsigned node)
{
    disco_mpn mpn;

    return disco_pmap_translate(&pm[vm], ppn(p), node, &mpn) ? UINT64_MAX : mpn.v;
}

unsigned node_seen(unsigned vm, uint64_t p, unsigned node)
{
    return disco_memmap_node(mm, (disco_mpn){seen(vm, p, node)});
}

uint64_t master_of(unsigned vm, uint64_t p)
{
    return disco_memmap_master(mm, (disco_mpn){seen(vm, p, 0)}).v;
}

uint64_t word_seen(unsigned vm, uint64_t p, unsigned node)
{
    uint64_t value;

    memcpy(&value, mock_page(&m, seen(vm, p, node)), sizeof value);
    return value;
}

void store(unsigned vm, uint64_t p, unsigned node, uint64_t value)
{
    int err = disco_pmap_write(&pm[vm], disco_ppn_base(ppn(p)), &value, sizeof value, node);

    MUST(!err || err == DISCO_ERR_NO_MEMORY);
}

void make(unsigned vm, uint64_t p, unsigned node, uint64_t value)
{
    MUST(!disco_pmap_touch(&pm[vm], ppn(p), node));
    MUST(node_seen(vm, p, node) == node);
    store(vm, p, node, value);
}

void share(unsigned from, uint64_t p, unsigned to, uint64_t q)
{
    disco_mpn mpn;

    MUST(!disco_pmap_lend(&pm[from], ppn(p), 0, DISCO_PMAP_COW, &mpn));
    MUST(!disco_pmap_share(&pm[to], ppn(q), mpn, DISCO_PMAP_COW));
    MUST(!disco_memmap_put(mm, mpn));
}

/* --- records --- */

struct disco_numa_hot record(uint64_t mpn, unsigned node)
{
    return (struct disco_numa_hot){.mpn = {mpn}, .node = node, .cpu = node, .misses = 100};
}

static void offer(struct disco_numa_hot h)
{
    MUST(!disco_numa_hot(numa, &h));
    MUST(disco_numa_work(numa, 1) == 1);
}

void hot(uint64_t mpn, unsigned node) { offer(record(mpn, node)); }

void hot_shared(uint64_t mpn, unsigned node)
{
    struct disco_numa_hot h = record(mpn, node);

    h.others = 25;
    offer(h);
}

struct disco_numa_stats stats(void)
{
    struct disco_numa_stats s;

    disco_numa_stats(numa, &s);
    return s;
}

uint64_t decided(enum disco_numa_reason r) { return stats().decided[r]; }
