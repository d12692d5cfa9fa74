/* SPDX-License-Identifier: BSD-2-Clause */
#include "model.h"

#include <string.h>

unsigned model_byte(struct model *md) { return md->at < md->size ? md->data[md->at++] : 0; }

/* Mostly the same few pages, so that much happens to them in an interval. */
static unsigned few(unsigned byte, unsigned n) { return byte < 192 ? byte % 2 : byte % n; }
static unsigned vm_of(struct model *md) { return few(model_byte(md), VMS); }
static unsigned ppn_of(struct model *md) { return few(model_byte(md), PPNS); }
static unsigned node(struct model *md) { return model_byte(md) % NODES; }

/* --- what guests do --- */

static void touch(struct model *md)
{
    unsigned v = vm_of(md), p = ppn_of(md);
    int err = disco_pmap_touch(&pm[v], ppn(p), node(md));

    MUST(!err || err == DISCO_ERR_NO_MEMORY);
    md->there[v][p] |= !err;
}

static void write(struct model *md)
{
    unsigned v = vm_of(md), p = ppn_of(md);
    uint64_t value = ((uint64_t)v << 32 | p << 16 | model_byte(md)) + 1;
    int err = disco_pmap_write(&pm[v], disco_ppn_base(ppn(p)), &value, sizeof value, node(md));

    MUST(!err || err == DISCO_ERR_NO_MEMORY);
    md->there[v][p] |= !err;
    if (!err)
        md->value[v][p] = value;
}

static void give(struct model *md)
{
    unsigned v = vm_of(md), p = ppn_of(md), w = vm_of(md), q = ppn_of(md);
    enum disco_pmap_reason r = model_byte(md) % 2 ? DISCO_PMAP_COW : DISCO_PMAP_NET;
    disco_mpn mpn;

    if (disco_pmap_lend(&pm[v], ppn(p), node(md), r, &mpn))
        return;
    md->there[v][p] = true;
    if (!disco_pmap_share(&pm[w], ppn(q), mpn, r)) {
        md->there[w][q] = true;
        md->value[w][q] = md->value[v][p];
    }
    MUST(!disco_memmap_put(mm, mpn));
}

static void drop(struct model *md)
{
    unsigned v = vm_of(md), p = ppn_of(md);

    MUST(!disco_pmap_drop(&pm[v], ppn(p)));
    md->there[v][p] = false;
    md->value[v][p] = 0;
}

/* A virtual machine comes, goes, or is reset. */
static void life(struct model *md)
{
    unsigned v = vm_of(md);

    MUST(disco_numa_detach(numa, &pm[v]) == (md->attached[v] ? 0 : DISCO_ERR_NOT_FOUND));
    md->attached[v] = model_byte(md) % 4;
    if (model_byte(md) % 2) {
        disco_pmap_fini(&pm[v]);
        pmap_begin(v);
        memset(md->there[v], 0, sizeof md->there[v]);
        memset(md->value[v], 0, sizeof md->value[v]);
    }
    if (md->attached[v])
        MUST(!disco_numa_attach(numa, &pm[v]));
}

/* The monitor takes pages for itself, and gives them back. */
static void squeeze(struct model *md)
{
    unsigned n = model_byte(md) % 16, where = node(md);

    if (model_byte(md) % 2) {
        while (n-- && md->nheld < NODES * EACH &&
               !disco_memmap_alloc(mm, where, DISCO_PAGE_MONITOR, &md->held[md->nheld]))
            md->nheld++;
        return;
    }
    while (n-- && md->nheld)
        MUST(!disco_memmap_put(mm, md->held[--md->nheld]));
}

/* --- records --- */

static uint64_t count_near(struct model *md, uint64_t threshold)
{
    unsigned b = model_byte(md);

    switch (b % 4) {
    case 0: return b / 4 % 2 ? UINT64_MAX : 0;
    case 1: return threshold + b / 4 % 3 - (threshold > 0);
    default: return threshold * (b / 4) / 16;
    }
}

/* Mostly of a page that somebody has, and mostly as hardware would count. */
static struct disco_numa_hot any_record(struct model *md)
{
    struct disco_numa_hot h = {.node = node(md), .misses = 1000};
    unsigned what = model_byte(md), v = vm_of(md), p = ppn_of(md);
    struct disco_numa_params params;

    disco_numa_get(numa, &params);
    h.cpu = h.node;
    h.mpn.v = seen(v, p, node(md));
    if (h.mpn.v == UINT64_MAX || what % 16 == 0)
        h.mpn.v = FIRST - 4 + model_byte(md) % (NODES * EACH + 8);
    if (what & 16)
        h.others = count_near(md, params.sharing);
    if (what & 32)
        h.writes = count_near(md, params.copy);
    if (what & 64)
        h.sharers = model_byte(md);
    if (what & 128)
        h.misses = count_near(md, params.trigger);
    return h;
}

static void work(struct model *md, size_t budget)
{
    uint64_t before = acts();
    size_t waiting = disco_numa_waiting(numa);

    MUST(disco_numa_work(numa, budget) == (waiting < budget ? waiting : budget));
    md->lost |= acts() != before;
}

static void hot_now(struct model *md)
{
    const struct disco_numa_hot h = any_record(md);

    running = node(md);
    if (disco_numa_waiting(numa))
        work(md, SIZE_MAX);
    oracle_hot(md, &h);
}

static void hot_later(struct model *md)
{
    for (unsigned n = 1 + model_byte(md) % 8; n; n--) {
        struct disco_numa_hot h = any_record(md);

        if (model_byte(md) % 16 == 0)
            h.node = model_byte(md);
        (void)disco_numa_hot(numa, &h);
    }
}

static void short_of_memory(struct model *md)
{
    unsigned where = node(md);
    struct disco_memmap_node_stats s, t;
    uint64_t dropped = stats().dropped, n;

    MUST(!disco_memmap_node_stats(mm, where, &s));
    n = disco_numa_drop_replicas(numa, where, s.free + model_byte(md) % 8);
    MUST(!disco_memmap_node_stats(mm, where, &t));
    MUST(t.free == s.free + n);
    MUST(stats().dropped == dropped + n);
    md->lost |= n > 0;
}

/* Parameters change, and so does the highest cap of the interval. */
static void set(struct model *md)
{
    struct disco_numa_params p = world_params();

    p.mode = model_byte(md) % 8 ? DISCO_NUMA_ON : model_byte(md) % 4;
    p.trigger = 1 + model_byte(md);
    p.sharing = 1 + model_byte(md) % p.trigger;
    p.write = model_byte(md) % 4;
    p.migrate = model_byte(md) % 4;
    p.cap = model_byte(md) % 64;
    p.copy = model_byte(md) % 64;
    MUST(!disco_numa_set(numa, &p));
    if (p.cap > md->acts_max)
        md->acts_max = p.cap;
}

static void tick(struct model *md)
{
    struct disco_numa_params p;

    time_ns += (uint64_t)model_byte(md) << 13;
    if (!disco_numa_tick(numa, time_ns))
        return;
    disco_numa_get(numa, &p);
    md->acts_max = p.cap;
    oracle_forget(md);
}

/* --- what always holds --- */

static void check_contents(const struct model *md)
{
    for (unsigned v = 0; v < VMS; v++) {
        for (unsigned p = 0; p < PPNS; p++) {
            MUST(md->there[v][p] == (seen(v, p, 0) != UINT64_MAX));
            for (unsigned n = 0; md->there[v][p] && n < NODES; n++)
                MUST(word_seen(v, p, n) == md->value[v][p]);
        }
    }
}

static void check_stats(const struct model *md)
{
    const struct disco_numa_stats s = stats();
    uint64_t sum = s.merged + s.overflow + s.bad + disco_numa_waiting(numa);

    for (unsigned r = 0; r < DISCO_NUMA_REASONS; r++)
        sum += s.decided[r];
    MUST(sum == s.hot);
    for (unsigned a = DISCO_NUMA_DO_MIGRATE; a < DISCO_NUMA_ACTIONS; a++) {
        uint64_t wanted = s.decided[a - 1] + (a == DISCO_NUMA_DO_COLLAPSE ? s.dropped : 0);

        MUST(s.moved[a] + s.failed[a] == wanted);
    }
    MUST(acts() - md->acts_before <= md->acts_max);
}

static void step(struct model *md)
{
    switch (model_byte(md) % 24) {
    case 0:
    case 1: touch(md); break;
    case 2:
    case 3:
    case 4: write(md); break;
    case 5:
    case 6: give(md); break;
    case 7: drop(md); break;
    case 8: life(md); break;
    case 9: squeeze(md); break;
    case 10: hot_later(md); break;
    case 11: work(md, model_byte(md) % 64); break;
    case 12: short_of_memory(md); break;
    case 13: set(md); break;
    case 14:
    case 15: tick(md); break;
    default: hot_now(md); break;
    }
    check_contents(md);
    check_stats(md);
}

size_t numa_model_run(const uint8_t *data, size_t size)
{
    struct model md = {.data = data, .size = size};
    size_t foretold = 0;

    world_begin_as(&(struct world){
        .nodes = NODES,
        .pages = EACH,
        .with = NODES,
        .low_water = 4,
        .queue = QUEUE,
        .history = HISTORY,
        .replicas = REPLICAS,
    });
    for (unsigned v = 0; v < VMS; v++)
        md.attached[v] = true;
    md.acts_max = world_params().cap;
    while (md.at < size)
        step(&md);
    while (md.nheld)
        MUST(!disco_memmap_put(mm, md.held[--md.nheld]));
    world_end();
    for (unsigned r = 0; r < DISCO_NUMA_REASONS; r++)
        foretold += md.foretold[r];
    return foretold;
}
