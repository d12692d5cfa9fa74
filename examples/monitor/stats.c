/* SPDX-License-Identifier: BSD-2-Clause */
#include "stats.h"

#include <disco/atomic.h>

#include "disks.h"
#include "images.h"
#include "log.h"
#include "memory.h"
#include "monitor.h"
#include "network.h"
#include "numa.h"

struct row {
    const char *name;
    uint64_t value;
};

static void to_log(const char *of, const char *name, uint64_t value)
{
    say("stat %s.%s %lu", of, name, value);
}

static const char *const exc_name[32] = {
    [MIPS_EXC_INT] = "exit_interrupt",
    [MIPS_EXC_MOD] = "exit_tlb_modified",
    [MIPS_EXC_TLBL] = "exit_tlb_load",
    [MIPS_EXC_TLBS] = "exit_tlb_store",
    [MIPS_EXC_ADEL] = "exit_address_load",
    [MIPS_EXC_ADES] = "exit_address_store",
    [MIPS_EXC_SYS] = "exit_syscall",
    [MIPS_EXC_BP] = "exit_break",
    [MIPS_EXC_RI] = "exit_reserved",
    [MIPS_EXC_CPU] = "exit_coprocessor",
    [MIPS_EXC_TLBRI] = "exit_read_inhibit",
    [MIPS_EXC_TLBXI] = "exit_execute_inhibit",
    [MIPS_EXC_FPE] = "exit_fpu",
};

static const char *const insn_name[64] = {
    [MIPS_INSN_MFC0] = "insn_mfc0",       [MIPS_INSN_DMFC0] = "insn_dmfc0",
    [MIPS_INSN_MTC0] = "insn_mtc0",       [MIPS_INSN_DMTC0] = "insn_dmtc0",
    [MIPS_INSN_DI] = "insn_di",           [MIPS_INSN_EI] = "insn_ei",
    [MIPS_INSN_TLBP] = "insn_tlbp",       [MIPS_INSN_TLBR] = "insn_tlbr",
    [MIPS_INSN_TLBWI] = "insn_tlbwi",     [MIPS_INSN_TLBWR] = "insn_tlbwr",
    [MIPS_INSN_TLBINV] = "insn_tlbinv",   [MIPS_INSN_TLBINVF] = "insn_tlbinvf",
    [MIPS_INSN_ERET] = "insn_eret",       [MIPS_INSN_WAIT] = "insn_wait",
    [MIPS_INSN_HYPCALL] = "insn_hypcall", [MIPS_INSN_CACHE] = "insn_cache",
    [MIPS_INSN_RDHWR] = "insn_rdhwr",
};

static void put_rows(stats_put *put, const char *of, const struct row *row, size_t n)
{
    for (; n; n--, row++)
        put(of, row->name, row->value);
}
#define ROWS(row) (row), sizeof(row) / sizeof((row)[0])

/* --- of a VM --- */

struct sums {
    struct mips_stats m;
    struct disco_vcpu_stats v;
    struct disco_pmap_stats p;
    uint64_t hits, misses, inserts;
    struct disco_calls_stats c;
    uint64_t remaps, asked, state, paused, hungry;
};

#define OF(field) offsetof(struct sums, field)

static const struct {
    const char *name;
    size_t offset;
} sum_name[] = {
    {"l2tlb_hits", OF(hits)},
    {"l2tlb_misses", OF(misses)},
    {"l2tlb_inserts", OF(inserts)},
    {"pmap_hits", OF(m.pmap_hits)},
    {"exits", OF(m.exits)},
    {"miss_l2tlb", OF(v.miss_l2tlb)},
    {"miss_pmap", OF(v.miss_pmap)},
    {"miss_guest", OF(v.miss_guest)},
    {"write_monitor", OF(v.write_monitor)},
    {"write_guest", OF(v.write_guest)},
    {"bus_errors", OF(v.bus_errors)},
    {"device_accesses", OF(v.device_accesses)},
    {"reflected", OF(m.reflected)},
    {"walks", OF(m.walks)},
    {"interrupts", OF(m.interrupts)},
    {"insn_runs", OF(m.runs)},
    {"fpu_loads", OF(m.fpu_loads)},
    {"calls_bad", OF(c.bad)},
    {"ipis", OF(c.ipis)},
    {"pages_freed", OF(c.pages_freed)},
    {"pages_zeroed", OF(c.pages_zeroed)},
    {"pages_present", OF(p.present)},
    {"pages_shared", OF(p.shared)},
    {"pages_asked", OF(asked)},
    {"first_touch", OF(p.first_touch)},
    {"purges", OF(p.purges)},
    {"collapses", OF(p.collapses)},
    {"cow_copies", OF(p.cow_copies)},
    {"net_copies", OF(p.net_copies)},
    {"copies_reused", OF(p.write_reused)},
    {"superpages", OF(p.promoted)},
    {"superpages_demoted", OF(p.demoted)},
    {"copies_dead", OF(p.dead)},
    {"remap_calls", OF(remaps)},
    {"remap_pages", OF(c.remapped)},
    {"remap_failed", OF(c.remaps_failed)},
    {"switches", OF(v.switches)},
    {"migrations", OF(v.migrations)},
    {"run_ns", OF(v.run_ns)},
    {"state", OF(state)},
    {"paused", OF(paused)},
    {"hungry", OF(hungry)},
};

static struct sums sum(const struct vm *vm)
{
    struct sums s = {
        .asked = vm->config->memory >> DISCO_PAGE_SHIFT,
        .state = vm->life.state,
        .paused = vm->life.paused,
        .hungry = vm->life.hungry,
    };

    disco_pmap_stats(&vm->pmap, &s.p);
    disco_calls_stats(&vm->calls, &s.c);
    s.remaps = s.c.made[DISCO_CALL_REMAP] + s.c.made[DISCO_CALL_REMAP_MANY];
    for (unsigned i = 0; i < vm->vm.vcpus; i++) {
        const struct disco_l2tlb *l = vm->vcpu[i]->l2tlb;

        disco_counters_add(&s.m, &mips_of(vm->vcpu[i])->stats, sizeof s.m);
        disco_counters_add(&s.v, &vm->vcpu[i]->stats, sizeof s.v);
        s.hits += l->hits;
        s.misses += l->misses;
        s.inserts += l->inserts;
    }
    return s;
}

static void put_names(stats_put *put, const char *of, const char *const *name,
                      const uint64_t *value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (name[i])
            put(of, name[i], value[i]);
    }
}

void stats_walk(struct vm *vm, stats_put *put)
{
    const struct sums s = sum(vm);
    const char *of = vm->config->name;

    for (size_t i = 0; i < sizeof sum_name / sizeof sum_name[0]; i++)
        put(of, sum_name[i].name, *(const uint64_t *)((const char *)&s + sum_name[i].offset));
    network_stats(vm, put);
    put_names(put, of, exc_name, s.m.code, 32);
    put_names(put, of, insn_name, s.m.insn, 64);
}

static void walk_vcpu(struct vm *vm, unsigned i)
{
    const struct disco_vcpu *v = vm->vcpu[i];
    const struct mips_stats *m = &mips_of(v)->stats;
    const struct row rows[] = {
        {"at_ns", monitor_now()}, /* to print all takes long enough to matter */
        {"run_ns", v->stats.run_ns},
        {"user_ns", m->user_ticks * MIPS_NS_PER_TICK},
        {"kernel_ns", m->kernel_ticks * MIPS_NS_PER_TICK},
        {"monitor_ns", m->monitor_ticks * MIPS_NS_PER_TICK},
        {"switches", v->stats.switches},
        {"migrations", v->stats.migrations},
        {"cpu", v->cpu},
        {"state", v->state},
    };
    char of[CONFIG_NAME + 8];

    log_format(of, sizeof of, "%s.vcpu%u", vm->config->name, i);
    put_rows(to_log, of, ROWS(rows));
}

/* A VM that is off has nothing to count. */
static void walk_vm(struct vm *vm)
{
    if (vm->life.state != LIFE_ON && vm->life.state != LIFE_ENDING)
        return;
    stats_walk(vm, to_log);
    for (unsigned i = 0; i < vm->vm.vcpus; i++)
        walk_vcpu(vm, i);
}

/* --- of the machine --- */

static uint64_t asked(void)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < mon.config.vms; i++)
        bytes += mon.vm[i]->life.state == LIFE_OFF ? 0 : mon.config.vm[i].memory;
    return bytes;
}

/* What is neither a guest's time nor idle is the monitor's. */
static void walk_cpu(unsigned i)
{
    const struct mips_cpu *c = mon.machine.cpu[i];
    uint64_t user = c->user_ticks * MIPS_NS_PER_TICK, kernel = c->kernel_ticks * MIPS_NS_PER_TICK;
    struct disco_sched_stats s = {0};
    char of[8];

    (void)disco_sched_stats(mon.sched, i, &s);
    const struct row rows[] = {
        {"user_ns", user},
        {"kernel_ns", kernel},
        {"idle_ns", s.idle_ns},
        {"monitor_ns", monitor_now() - user - kernel - s.idle_ns},
        {"flushes", c->flushes},
        {"ipis", c->ipis},
        {"switches", s.switches},
        {"steals", s.steals},
        {"kicks", s.kicks},
        {"waiting", disco_sched_load(mon.sched, i)},
        {"timers_renewed", c->renewed},
    };

    log_format(of, sizeof of, "cpu%u", i);
    put_rows(to_log, of, ROWS(rows));
}

static void walk_machine(void)
{
    const struct row rows[] = {
        {"cpus", mon.machine.backend.cpus},  {"pages_total", memory_pages()},
        {"pages_free", memory_free()},       {"memory_asked_pages", asked() >> DISCO_PAGE_SHIFT},
        {"pages_kernels", images_pages()},   {"pages_kernels_used", images_used()},
        {"pages_monitor", memory_monitor()},
    };

    put_rows(to_log, "machine", ROWS(rows));
    say("stat end %lu", monitor_now());
}

void stats_of_vm(struct vm *vm)
{
    walk_vm(vm);
    disks_stats(to_log);
    numa_stats(to_log);
    walk_machine();
}

void stats_all(void)
{
    for (unsigned i = 0; i < mon.config.vms; i++)
        walk_vm(mon.vm[i]);
    for (unsigned i = 0; i < mon.machine.backend.cpus; i++)
        walk_cpu(i);
    disks_stats(to_log);
    numa_stats(to_log);
    walk_machine();
}
