/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundled monitor: puts libdisco's libraries together on a Malta board.
 *
 * Read from the bottom: monitor_main() finds memory and the boot archive, takes the tables of the
 * virtual machines of vms.conf, starts processors and virtual machines, and lets the scheduler turn
 * until all of these have ended.
 */
#include "board.h"
#include "bootargs.h"
#include "console.h"
#include "disks.h"
#include "drivers.h"
#include "flash/topology.h"
#include "images.h"
#include "log.h"
#include "memory.h"
#include "monitor.h"
#include "network.h"
#include "numa.h"
#include "smp.h"
#include "stats.h"

void monitor_main(int argc, uint64_t argv, uint64_t envp, uint64_t ram);

/*
 * The keyboard, and whether memory is free, are looked at this often. A serial port holds no more
 * than 16 bytes: while bytes come, it is looked at sooner.
 */
#define LOOK_NS UINT64_C(10000000)
#define LOOK_SOON_NS UINT64_C(500000)

struct monitor mon;

/* --- running --- */

static uint64_t look_at, stats_at; /* when it is time to look, to write statistics; ns */

void monitor_attention(void)
{
    struct disco_backend *b = &mon.machine.backend;

    __atomic_store_n(&mon.attention, 1, __ATOMIC_SEQ_CST);
    if (b->ops->cpu(b))
        b->ops->kick(b, 0);
}

/* What is done now and then. */
static void look(uint64_t now)
{
    look_at = now + (console_poll() ? LOOK_SOON_NS : LOOK_NS);
    if (mon.options.stats_ns && now >= stats_at) {
        stats_at = now + mon.options.stats_ns;
        stats_all();
    }
}

/*
 * Processor 0, after most exits: what others want of it, timers that a monitor call may just have
 * set, and now and then the serial ports, which have to be asked.
 */
static uint64_t poll(void *ctx)
{
    uint64_t now = monitor_now(), next, numa, drivers = drivers_poll(now);
    bool wanted = __atomic_load_n(&mon.attention, __ATOMIC_SEQ_CST) || now >= look_at;

    (void)ctx;
    if (wanted) {
        __atomic_store_n(&mon.attention, 0, __ATOMIC_SEQ_CST);
        if (now >= look_at)
            look(now);
        if (!life_tick(now) && !mon.options.stay) {
            __atomic_store_n(&mon.over, 1, __ATOMIC_SEQ_CST);
            return now;
        }
    }
    next = devices_timers(now);
    next = drivers < next ? drivers : next;
    numa = numa_poll(NULL);
    next = numa < next ? numa : next;
    return look_at < next ? look_at : next;
}

void monitor_processor(void)
{
    struct disco_backend *b = &mon.machine.backend;
    bool first = b->ops->cpu(b) == 0;

    while (!__atomic_load_n(&mon.over, __ATOMIC_SEQ_CST))
        disco_sched_turn(mon.sched, first ? poll : mon.options.with_numa ? numa_poll : NULL, NULL);
}

void mips64_monitor_fault(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t ra)
{
    die("the monitor took an exception: cause %lx epc %lx badvaddr %lx ra %lx", cause, epc,
        badvaddr, ra);
}

/* --- putting together --- */

static void read_config(void)
{
    struct bytes text;
    struct config_error e;

    if (!archive_find(mon.archive, "vms.conf", 8, &text))
        die("no vms.conf in the boot archive");
    e = config_parse(text, &mon.config);
    if (e.what)
        die("vms.conf:%u: %s", e.line, e.what);
}

static void make_nodes(struct disco_backend *b)
{
    b->cpus = smp_processors();
    if (flash_divide(b, mon.options.nodes, mon.ram >> DISCO_PAGE_SHIFT))
        die("nodes=%u: a machine has 1 to %u", mon.options.nodes, DISCO_MAX_NODES);
}

/* What a processor alone uses lies in its node. */
static void make_processors(struct mips_machine *m)
{
    for (unsigned i = 0; i < m->backend.cpus; i++) {
        unsigned node = m->backend.node_of_cpu[i];

        m->cpu[i] = memory_storage_on(node, sizeof *m->cpu[i]);
        if (i)
            smp_stack(i, memory_storage_on(node, SMP_STACK));
    }
}

static void make_machine(void)
{
    struct mips_machine *m = &mon.machine;
    int err;

    make_nodes(&m->backend);
    memory_begin();
    make_processors(m);
    m->ipi_raise = smp_raise;
    m->ipi_lower = smp_lower;
    smp_map_controllers();
    smp_set_clock();
    err = mips64_init(m, NULL);
    if (err)
        die("this processor will not do: %s", disco_strerror(err));
}

static void make_sched(void)
{
    struct disco_sched_config c = {.backend = &mon.machine.backend,
                                   .slice_ns = mon.options.slice_ns,
                                   .queue_len = CONFIG_VMS * CONFIG_CPUS};
    size_t size = disco_sched_size(&c);
    int err = disco_sched_init(&mon.sched, memory_storage(size), size, &c);

    if (err)
        die("no scheduler: %s", disco_strerror(err));
}

static void reserve_vms(void)
{
    for (unsigned i = 0; i < mon.config.vms; i++) {
        const struct vm_config *c = &mon.config.vm[i];
        const char *wrong;

        mon.vm[i] = vm_new(i, c);
        wrong = vm_check(mon.vm[i], mon.archive);
        if (wrong)
            die("vm %s: %s: %s", c->name, c->kernel, wrong);
        vm_reserve(mon.vm[i]);
    }
}

static void tell_memory(void)
{
    uint64_t asked = 0, have = memory_pages() >> (20 - DISCO_PAGE_SHIFT);

    for (unsigned i = 0; i < mon.config.vms; i++)
        asked += mon.config.vm[i].memory >> 20;
    say("memory: %lu pages, %lu free", memory_pages(), memory_free());
    if (asked > have)
        say("memory overcommitted: VMs ask for %lu MiB of %lu MiB", asked, have);
}

static void start_processors(void)
{
    unsigned want = mon.machine.backend.cpus,
             have = want > 1 ? smp_start(&mon.machine, monitor_processor) : 1;

    if (have < want)
        die("of %u processors only %u came up", want, have);
    say("processors: %u", have);
}

static void start_vms(void)
{
    for (unsigned i = 0; i < mon.config.vms; i++)
        (void)life_start(mon.vm[i]);
    console_focus(mon.vm[0]);
}

/* What the monitor still has for guests that are gone. */
static void give_back(void)
{
    network_fini();
    drivers_stop();
    disks_fini();
    images_fini();
}

void monitor_main(int argc, uint64_t argv, uint64_t envp, uint64_t ram)
{
    uint64_t pages;

    board_init();
    bootargs_read(argc, argv, envp, ram);
    say("libdisco %d.%d.%d, %lu MiB of memory", DISCO_VERSION_MAJOR, DISCO_VERSION_MINOR,
        DISCO_VERSION_PATCH, mon.ram >> 20);
    if (mon.options.short_turns)
        board_short_turns();
    read_config();
    make_machine();
    memory_make_map();
    make_sched();
    reserve_vms();
    drivers_start(&mon.machine.backend);
    disks_make();
    network_make();
    numa_make();
    memory_share_out();
    tell_memory();
    pages = memory_free();
    start_processors();
    start_vms();
    monitor_processor();
    give_back();
    say("memory: %lu pages free", memory_free());
    if (memory_free() != pages)
        say_error("%ld machine pages were lost", (int64_t)(pages - memory_free()));
    board_power_off();
}
