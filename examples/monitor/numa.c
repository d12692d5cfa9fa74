/* SPDX-License-Identifier: BSD-2-Clause */
#include "numa.h"

#include <disco/flash.h>
#include <string.h>

#include "board.h"
#include "log.h"
#include "memory.h"
#include "monitor.h"
#include "smp.h"

/* How often a processor looks for hot pages, and how many it takes at a time: others shall have their share. */
#define LOOK_NS UINT64_C(2000000)
#define BUDGET 256
#define ROUND (DISCO_PMAP_MANY / 2)
#define WAIT_NS UINT64_C(10000000)
#define QUEUE 4096
#define HISTORY 4096
#define REPLICAS 8192 /* of each node */

extern const char __image_start[], __constant_end[];
#define CKSEG0 UINT64_C(0xffffffff80000000)

static struct disco_numa *engine;
/* Of one processor, in its node. */
struct own {
    uint64_t look_at; /* ns */
};
static struct own *own[SMP_MAX];
static struct disco_flash_reader reader;
/* By themselves in a line: a processor empties the ring; when a few pages shall move, too, ns; both atomically. */
static struct {
    DISCO_OWN_LINE uint32_t by;
    uint64_t next;
    /* Modelled time of any processor, ns: of who empties the ring, as what follows */
    uint64_t latest;
    uint64_t foreign; /* records of pages that are no guest's */
} reading;

/* --- making --- */

static void find_area(void)
{
    void *at = (void *)(MIPS_XKPHYS + BOARD_RAM + MEMORY_FLASH);
    const struct disco_flash_reader *r = &reader;
    int err = disco_flash_attach(&reader, at, MEMORY_FLASH_SIZE);

    if (err)
        die("numa: what the node controllers share, %lu KiB from %lx in RAM: %s",
            MEMORY_FLASH_SIZE >> 10, MEMORY_FLASH, disco_strerror(err));
    if (r->nodes != mon.machine.backend.nodes || r->cpus != mon.machine.backend.cpus ||
        r->pages != mon.ram >> DISCO_PAGE_SHIFT)
        die("numa: the node controllers know of %lu nodes, %lu processors, %lu pages: another "
            "machine",
            r->nodes, r->cpus, r->pages);
}

/*
 * Text and constants lie in every node (section 4). The controllers lead fetches and loads from where the image was
 * linked to the node's own copy; nothing is ever written there, but by choose_vectors() before this.
 */
static void copy_text(void)
{
    size_t size = (size_t)(__constant_end - __image_start);
    uint64_t from = ((uint64_t)__image_start - CKSEG0) >> DISCO_PAGE_SHIFT;

    for (unsigned node = 1; node < mon.machine.backend.nodes; node++)
        memcpy(memory_storage_on(node, size), __image_start, size);
    disco_flash_copied(&reader, from, from + (size >> DISCO_PAGE_SHIFT));
}

/* Modelled time, which QEMU's own has little to do with. */
static uint64_t clock_now(struct disco_backend *b)
{
    __asm__ volatile(".word 0x3400d150 + %0" ::"i"(DISCO_FLASH_TELL_CLOCK) : "memory");
    return disco_flash_clock(&reader, b->ops->cpu(b));
}

/* In an interval every processor may spend a tenth of its time on moves of 100 us, no more. */
static uint32_t usual_cap(const struct disco_numa_params *p)
{
    return (uint32_t)(p->interval / 1000000 * mon.machine.backend.cpus);
}

void numa_make(void)
{
    struct disco_numa_config c = {
        .backend = &mon.machine.backend,
        .mm = mon.mm,
        .pmaps = CONFIG_VMS,
        .queue = QUEUE,
        .history = HISTORY,
        .replicas = REPLICAS,
        .now = clock_now,
        .params = mon.options.numa,
    };
    size_t size;
    int err;

    if (!mon.options.with_numa)
        return;
    find_area();
    copy_text();
    for (unsigned i = 0; i < mon.machine.backend.cpus; i++)
        own[i] = memory_storage_on(mon.machine.backend.node_of_cpu[i], DISCO_CACHE_LINE);
    c.params.cap = c.params.cap ? c.params.cap : usual_cap(&c.params);
    size = disco_numa_size(&c);
    err = disco_numa_init(&engine, memory_storage(size), size, &c);
    if (err)
        die("numa: these numbers of the policy will not do: %s", disco_strerror(err));
    disco_flash_set(&reader, c.params.trigger, c.params.sharing);
}

int numa_attach(struct vm *vm) { return engine ? disco_numa_attach(engine, &vm->pmap) : DISCO_OK; }

void numa_detach(struct vm *vm)
{
    if (engine)
        (void)disco_numa_detach(engine, &vm->pmap); /* NOT_FOUND: it was never made */
}

/* --- running --- */

/* Of a page that is no guest's: the monitor's tables, for instance, which stay where they are. */
static bool is_foreign(disco_mpn mpn)
{
    enum disco_page_state state = disco_memmap_state(mon.mm, mpn);

    return state == DISCO_PAGE_ABSENT || state == DISCO_PAGE_MONITOR;
}

/* One processor at a time: records are the controllers' until they are taken. */
static void empty_ring(void)
{
    struct disco_flash_record r;
    int got = 1;

    for (unsigned n = 0; n < QUEUE && got; n++) {
        got = disco_flash_take(&reader, &r);
        if (got != 1)
            continue;
        const struct disco_numa_hot h = {
            .mpn = {disco_ma_page((disco_ma){BOARD_RAM}).v + r.page},
            .node = (unsigned)r.node,
            .cpu = (unsigned)r.cpu,
            .misses = r.misses,
            .others = r.others,
            .writes = r.writes,
            .sharers = r.sharers,
        };
        if (is_foreign(h.mpn))
            reading.foreign++;
        else
            (void)disco_numa_hot(engine, &h); /* it counts what it does not take */
    }
}

/* Mostly there is nothing to do; to see that, nothing is written that others read. */
static bool take_turn(uint64_t now)
{
    if (!disco_flash_waiting(&reader) && now < disco_numa_interval_end(engine))
        return false;
    return !__atomic_load_n(&reading.by, __ATOMIC_RELAXED) &&
           !__atomic_exchange_n(&reading.by, 1, __ATOMIC_ACQUIRE);
}

/* The interval is one of modelled time, as misses are the model's. */
static void read_controllers(void)
{
    uint64_t now = clock_now(&mon.machine.backend);

    if (!take_turn(now))
        return;
    empty_ring();
    reading.latest = now > reading.latest ? now : reading.latest;
    if (disco_numa_tick(engine, reading.latest))
        disco_flash_reset(&reader);
    __atomic_store_n(&reading.by, 0, __ATOMIC_RELEASE);
}

/*
 * A round costs nearly the same however many pages move in it: wait for some more, if not for long. Where two
 * processors think that it is time, one finds the engine at work.
 */
static bool enough(uint64_t now)
{
    uint64_t n = disco_numa_waiting(engine);

    if (!n || (n < ROUND && now < disco_load(&reading.next)))
        return false;
    disco_store(&reading.next, now + WAIT_NS);
    return true;
}

/* Where memory is short, replicas make place for pages that are needed. */
static void relieve(unsigned node)
{
    struct disco_memmap_node_stats s;

    if (disco_memmap_low(mon.mm, node) && !disco_memmap_node_stats(mon.mm, node, &s))
        (void)disco_numa_drop_replicas(engine, node, s.low_water);
}

uint64_t numa_poll(void *ctx)
{
    struct disco_backend *b = &mon.machine.backend;
    unsigned cpu = b->ops->cpu(b);
    uint64_t now;

    (void)ctx;
    if (!engine)
        return UINT64_MAX;
    now = monitor_now();
    if (now >= own[cpu]->look_at) {
        read_controllers();
        if (enough(now))
            (void)disco_numa_work(engine, BUDGET);
        relieve(b->node_of_cpu[cpu]);
        own[cpu]->look_at = monitor_now() + LOOK_NS;
    }
    return own[cpu]->look_at;
}

uint64_t numa_give_back(uint64_t pages)
{
    uint64_t n = 0;

    for (unsigned node = 0; engine && node < mon.machine.backend.nodes && n < pages; node++) {
        struct disco_memmap_node_stats s;

        if (!disco_memmap_node_stats(mon.mm, node, &s))
            n += disco_numa_drop_replicas(engine, node, s.free + pages - n);
    }
    return n;
}

/* --- counting --- */

static void by_action(stats_put *put, const char *what, const uint64_t *n)
{
    char name[48];

    for (unsigned i = DISCO_NUMA_DO_MIGRATE; i < DISCO_NUMA_ACTIONS; i++) {
        log_format(name, sizeof name, "%s_%s", what,
                   disco_numa_action_name((enum disco_numa_action)i));
        put("numa", name, n[i]);
    }
}

static void by_reason(stats_put *put, const uint64_t *n)
{
    char name[48];

    for (unsigned i = 0; i < DISCO_NUMA_REASONS; i++) {
        log_format(name, sizeof name, "decided_%s",
                   disco_numa_reason_name((enum disco_numa_reason)i));
        put("numa", name, n[i]);
    }
}

static uint64_t replicas(void)
{
    uint64_t n = 0, pages = mon.ram >> DISCO_PAGE_SHIFT,
             first = disco_ma_page((disco_ma){BOARD_RAM}).v;

    for (uint64_t i = 0; i < pages; i++)
        n += disco_memmap_state(mon.mm, (disco_mpn){first + i}) == DISCO_PAGE_REPLICA;
    return n;
}

void numa_stats(stats_put *put)
{
    struct disco_numa_stats s;

    if (!engine)
        return;
    disco_numa_stats(engine, &s);
    put("numa", "replicas", replicas());
    put("numa", "hot", s.hot);
    put("numa", "merged", s.merged);
    put("numa", "overflow", s.overflow);
    put("numa", "bad", s.bad + reader.bad);
    put("numa", "foreign", reading.foreign);
    put("numa", "ring_lost", reader.lost);
    put("numa", "ring_overflow", disco_load(&reader.area->overflows));
    by_reason(put, s.decided);
    by_action(put, "moved", s.moved);
    by_action(put, "failed", s.failed);
    by_action(put, "ns", s.ns);
    put("numa", "rounds", s.rounds);
    put("numa", "dropped", s.dropped);
    put("numa", "forgotten", s.forgotten);
    put("numa", "evicted", s.evicted);
    put("numa", "intervals", s.intervals);
}
