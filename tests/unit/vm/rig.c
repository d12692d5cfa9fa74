/* SPDX-License-Identifier: BSD-2-Clause */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

static void *store(struct rig *r, size_t size)
{
    void *p = aligned_alloc(DISCO_CACHE_LINE,
                            (size + DISCO_CACHE_LINE - 1) / DISCO_CACHE_LINE * DISCO_CACHE_LINE);

    RIG_CHECK(p);
    RIG_CHECK(r->stored < RIG_STORAGE);
    memset(p, 0xa5, size); /* an init that relies on zeroes shows */
    r->storage[r->stored++] = p;
    return p;
}

static void init_memmap(struct rig *r, const struct rig_config *c, uint64_t pages)
{
    struct disco_memmap_config mc = {.backend = r->b,
                                     .first = sim_node_first(r->m, 0),
                                     .pages = pages * c->nodes,
                                     .nodes = c->nodes,
                                     .user_chunks = 64,
                                     .low_water = 2};
    size_t size = disco_memmap_size(&mc);

    RIG_CHECK(!disco_memmap_init(&r->mm, store(r, size), size, &mc));
    for (unsigned n = 0; n < c->nodes; n++)
        RIG_CHECK(!disco_memmap_add(r->mm, sim_node_first(r->m, n), pages, n, false));
}

void rig_init(struct rig *r, const struct rig_config *c)
{
    uint64_t pages = c->pages ? c->pages : 256;
    struct sim_config sc = {.cpus = c->cpus,
                            .nodes = c->nodes,
                            .pages_per_node = pages,
                            .tlb_pairs = c->tlb_pairs,
                            .hidden = c->hidden,
                            .seed = c->seed,
                            .tagged = c->tagged};
    struct disco_sched_config s = {.slice_ns = c->slice_ns ? c->slice_ns : 100 * SIM_OP_NS,
                                   .queue_len = c->queue_len ? c->queue_len : 32};
    size_t size;

    memset(r, 0, sizeof *r);
    r->m = sim_create(&sc);
    RIG_CHECK(r->m);
    r->b = sim_backend(r->m);
    init_memmap(r, c, pages);
    s.backend = r->b;
    size = disco_sched_size(&s);
    RIG_CHECK(!disco_sched_init(&r->s, store(r, size), size, &s));
}

void rig_fini(struct rig *r)
{
    for (unsigned i = 0; i < r->vms; i++)
        disco_pmap_fini(&r->vm[i]->pmap);
    for (unsigned i = 0; i < r->stored; i++)
        free(r->storage[i]);
    sim_destroy(r->m);
}

/* --- a VM's hooks and devices --- */

static struct rig_vm *rig_of(const struct disco_vcpu *v) { return v->vm->owner; }

static enum disco_next on_call(struct disco_vcpu *v, const struct disco_exit *x, int64_t *result)
{
    struct rig_vm *vm = rig_of(v);

    if (x->call == DISCO_CALL_YIELD) {
        *result = 0;
        return DISCO_NEXT_YIELD;
    }
    *result = disco_calls_run(&vm->calls, x->call, x->arg, &vm->pmap, v->node, v);
    return DISCO_NEXT_RESUME;
}

static void on_ended(struct disco_vm *vm)
{
    struct rig_vm *r = vm->owner;

    __atomic_fetch_add(&r->ended, 1, __ATOMIC_SEQ_CST);
    /* Nobody sleeps on when there is nothing to come. */
    for (unsigned i = 0; i < vm->backend->cpus; i++)
        vm->backend->ops->kick(vm->backend, i);
}

static void on_poweroff(void *ctx, void *caller, int code)
{
    (void)caller;
    disco_vm_end(&((struct rig_vm *)ctx)->vm, DISCO_CAUSE_POWEROFF, code, NULL);
}

static void on_reset(void *ctx, void *caller)
{
    (void)caller;
    disco_vm_end(&((struct rig_vm *)ctx)->vm, DISCO_CAUSE_RESET, 0, NULL);
}

static void on_panic(void *ctx, void *caller, const char *text)
{
    struct rig_vm *vm = ctx;

    (void)caller;
    strcpy(vm->last_words, text);
    disco_vm_end(&vm->vm, DISCO_CAUSE_PANIC, 0, "the guest panicked");
}

static void on_put(void *ctx, const uint8_t *bytes, size_t n)
{
    struct rig_vm *vm = ctx;

    if (n > RIG_OUT - 1 - vm->out_n)
        n = RIG_OUT - 1 - vm->out_n;
    memcpy(vm->out + vm->out_n, bytes, n);
    vm->out_n += n;
    vm->out[vm->out_n] = 0;
}

static void on_line(void *ctx, bool up)
{
    disco_vcpu_line(&((struct rig_vm *)ctx)->vcpu[0], DISCO_LINE_DEVICE, up);
}

static void add_devices(struct rig_vm *vm, struct disco_backend *b)
{
    struct disco_line line = {on_line, vm};

    RIG_CHECK(!disco_calls_init(&vm->calls, vm->counters, b));
    vm->power = (struct disco_power){on_poweroff, on_reset, on_panic, vm};
    RIG_CHECK(!disco_console_init(&vm->console, b, on_put, vm, (struct disco_line){0}));
    RIG_CHECK(!disco_timer_init(&vm->timer, b, line));
    RIG_CHECK(!disco_console_calls(&vm->console, &vm->calls));
    RIG_CHECK(!disco_timer_calls(&vm->timer, &vm->calls));
    RIG_CHECK(!disco_power_calls(&vm->power, &vm->calls));
}

static void init_pmap(struct rig *r, struct rig_vm *vm, uint32_t id)
{
    struct disco_pmap_config c = {.id = id,
                                  .pages = vm->pages,
                                  .sets = vm->pages / 4 + 1,
                                  .mm = r->mm,
                                  .backend = r->b,
                                  .purge = disco_vm_purge,
                                  .vcpus_on = disco_vm_vcpus_on,
                                  .purge_ctx = &vm->vm};
    size_t size = disco_pmap_size(&c);

    if (!vm->pmap_storage)
        vm->pmap_storage = store(r, size);
    RIG_CHECK(!disco_pmap_init(&vm->pmap, vm->pmap_storage, size, &c));
}

static void init_vcpu(struct rig_vm *vm, void *storage, unsigned i, const struct sim_insn *program,
                      uint32_t length)
{
    size_t size = disco_vcpu_size(vm->rig->b, RIG_SETS);

    RIG_CHECK(!disco_vcpu_init(&vm->vcpu[i], storage, size,
                               vm->rig->b->node_of_cpu[i % vm->rig->b->cpus], &vm->vm, RIG_SETS));
    sim_load(&vm->vcpu[i], program, length);
}

struct rig_vm *rig_add(struct rig *r, uint64_t pages, unsigned vcpus,
                       const struct sim_insn *program, uint32_t length)
{
    struct rig_vm *vm = memset(store(r, sizeof *vm), 0, sizeof *vm);

    RIG_CHECK(vcpus <= RIG_VCPUS);
    vm->rig = r;
    vm->pages = pages;
    vm->counters = store(r, r->b->cpus * sizeof *vm->counters);
    init_pmap(r, vm, r->vms);
    vm->vm = (struct disco_vm){.name = "rig",
                               .backend = r->b,
                               .pmap = &vm->pmap,
                               .owner = vm,
                               .hooks = {.call = on_call, .ended = on_ended}};
    RIG_CHECK(!disco_vm_init(&vm->vm));
    for (unsigned i = 0; i < vcpus; i++)
        init_vcpu(vm, store(r, disco_vcpu_size(r->b, RIG_SETS)), i, program, length);
    add_devices(vm, r->b);
    r->vm[r->vms++] = vm;
    return vm;
}

void rig_again(struct rig_vm *vm, const struct sim_insn *program, uint32_t length)
{
    unsigned vcpus = vm->vm.vcpus;

    disco_pmap_fini(&vm->pmap);
    init_pmap(vm->rig, vm, vm->pmap.id);
    RIG_CHECK(!disco_vm_init(&vm->vm));
    for (unsigned i = 0; i < vcpus; i++)
        init_vcpu(vm, vm->vcpu[i].arch, i, program, length);
}

/* --- turns --- */

static uint64_t poll(void *ctx)
{
    struct rig *r = ctx;
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < r->vms; i++) {
        uint64_t at = disco_timer_poll(&r->vm[i]->timer);

        next = at < next ? at : next;
    }
    return next;
}

void rig_turn(struct rig *r, unsigned cpu)
{
    sim_become(r->m, cpu);
    disco_sched_turn(r->s, poll, r);
}

uint32_t rig_state(const struct disco_vcpu *v)
{
    return __atomic_load_n(&v->state, __ATOMIC_SEQ_CST);
}

void rig_settle(struct rig *r, struct disco_vcpu *v, unsigned turns)
{
    while (turns-- && (rig_state(v) == DISCO_VCPU_READY || rig_state(v) == DISCO_VCPU_RUNNING))
        rig_turn(r, 0);
}

bool rig_ended(const struct rig_vm *vm)
{
    return __atomic_load_n(&vm->ended, __ATOMIC_SEQ_CST) != 0;
}

bool rig_all_ended(const struct rig *r)
{
    for (unsigned i = 0; i < r->vms; i++) {
        if (!rig_ended(r->vm[i]))
            return false;
    }
    return true;
}

bool rig_run(struct rig *r, unsigned turns)
{
    while (turns && !rig_all_ended(r)) {
        for (unsigned cpu = 0; cpu < r->b->cpus; cpu++)
            rig_turn(r, cpu);
        turns--;
    }
    return rig_all_ended(r);
}

static void take_turns(void *ctx, unsigned cpu)
{
    struct rig *r = ctx;

    (void)cpu;
    while (!rig_all_ended(r))
        disco_sched_turn(r->s, poll, r);
}

void rig_run_threads(struct rig *r) { sim_run(r->m, take_turns, r); }

void rig_bring_in(struct rig *r, struct disco_vcpu *v)
{
    static const struct sim_insn wait[] = {{SIM_WAIT, 0, 0, 0}};
    struct sim_guest *g = sim_guest(v);
    const struct sim_insn *program = g->program;
    uint32_t length = g->length;

    sim_load(v, wait, 1);
    RIG_CHECK(!disco_vcpu_start(v, r->s));
    rig_settle(r, v, 10);
    RIG_CHECK(rig_state(v) == DISCO_VCPU_BLOCKED);
    RIG_CHECK(v->cpu == 0);
    sim_load(v, program, length);
    memset(&v->stats, 0, sizeof v->stats);
}

struct disco_pmap_stats rig_stats(const struct rig_vm *vm)
{
    struct disco_pmap_stats s;

    disco_pmap_stats(&vm->pmap, &s);
    return s;
}

uint64_t rig_peek(struct rig_vm *vm, uint64_t pa)
{
    uint64_t value;

    RIG_CHECK(!disco_pmap_read(&vm->pmap, (disco_pa){pa}, &value, sizeof value, 0));
    return value;
}

void rig_poke(struct rig_vm *vm, uint64_t pa, uint64_t value)
{
    RIG_CHECK(!disco_pmap_write(&vm->pmap, (disco_pa){pa}, &value, sizeof value, 0));
}
