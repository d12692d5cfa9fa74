/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices of a VM, put together: what its guest can ask for by monitor call, and its one device
 * line, which goes to virtual CPU 0.
 *
 * Interval timers are polled by processor 0 alone. `timer_at` says when it has to look: TIMER_SET,
 * on any processor, writes 0 ("at once") behind the new deadline; processor 0 takes the word away,
 * looks, and then only ever lowers it. So a deadline set meanwhile is not overwritten.
 */
#include <string.h>

#include "console.h"
#include "disks.h"
#include "log.h"
#include "monitor.h"
#include "network.h"
#include "uart.h"

/* --- lines --- */

/* Up while any device has it up. Under a lock: of two changes the later one must last. */
void devices_line(void *ctx, uint32_t device, bool up)
{
    struct disco_backend *b = &mon.machine.backend;
    struct vm *vm = ctx;

    disco_lock(&vm->line_lock, b);
    vm->devices_up = up ? vm->devices_up | device : vm->devices_up & ~device;
    disco_vcpu_line(vm->vcpu[0], DISCO_LINE_DEVICE, vm->devices_up != 0);
    disco_unlock(&vm->line_lock);
}

static void console_line(void *ctx, bool up) { devices_line(ctx, DEVICE_CONSOLE, up); }

static void uart_line(void *ctx, bool up) { devices_line(ctx, DEVICE_UART, up); }

static void timer_line(void *ctx, bool up)
{
    struct vm *vm = ctx;

    devices_line(vm, DEVICE_TIMER, up);
    if (!up) { /* set anew */
        __atomic_store_n(&vm->timer_at, 0, __ATOMIC_SEQ_CST);
        monitor_attention();
    }
}

static void lower_to(uint64_t *word, uint64_t at)
{
    uint64_t old = __atomic_load_n(word, __ATOMIC_SEQ_CST);

    while (at < old &&
           !__atomic_compare_exchange_n(word, &old, at, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
}

uint64_t devices_timers(uint64_t now)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < mon.config.vms; i++) {
        struct vm *vm = mon.vm[i];
        uint64_t at = __atomic_load_n(&vm->timer_at, __ATOMIC_RELAXED);

        if (vm->life.state != LIFE_ON)
            continue;
        if (at <= now) {
            __atomic_exchange_n(&vm->timer_at, UINT64_MAX, __ATOMIC_SEQ_CST);
            at = disco_timer_poll(&vm->timer);
            lower_to(&vm->timer_at, at);
        }
        next = at < next ? at : next;
    }
    return next;
}

/* --- calls --- */

/* A hostile guest must not be able to fill the log. */
#define REPORTS_MAX 16

void devices_report(struct disco_vcpu *v, const char *what, uint64_t where)
{
    struct vm *vm = vm_of(v->vm);
    unsigned n = __atomic_fetch_add(&vm->reports, 1, __ATOMIC_RELAXED);

    if (n < REPORTS_MAX)
        say("vm %s cpu %u: %s: %lx (pc %lx)", vm->config->name, v->id, what, where,
            mips_of(v)->g.pc);
    if (n == REPORTS_MAX)
        say("vm %s: nothing more of that kind is logged", vm->config->name);
}

/* What is wrong with a call that no working guest makes; NULL for any other result. */
static const char *refusal(int64_t result)
{
    switch (result) {
    case DISCO_ERR_BAD_CALL: return "monitor call that does not exist";
    case DISCO_ERR_BAD_ARG: return "monitor call with an argument out of range";
    case DISCO_ERR_BAD_ADDRESS: return "monitor call with an address outside its memory";
    case DISCO_ERR_OVERFLOW: return "monitor call with a length that wraps around";
    default: return NULL;
    }
}

/* What follows a call: the VM may be ending, this virtual CPU may have stopped itself. */
static enum disco_next after_call(struct disco_vcpu *v, int64_t result)
{
    struct vm *vm = vm_of(v->vm);

    if (refusal(result))
        return DISCO_NEXT_RESUME;
    if (vm->vcpu_stops[v->id] || __atomic_load_n(&v->vm->ending, __ATOMIC_RELAXED)) {
        vm->vcpu_stops[v->id] = false;
        return DISCO_NEXT_STOP;
    }
    /* The guest gets the error; it had better not come again before there is memory. */
    return result == DISCO_ERR_NO_MEMORY ? hunger_no_memory(v) : DISCO_NEXT_RESUME;
}

enum disco_next devices_call(struct disco_vcpu *v, const struct disco_exit *x, int64_t *result)
{
    struct disco_backend *b = &mon.machine.backend;
    struct vm *vm = vm_of(v->vm);

    if (x->call == DISCO_CALL_YIELD) {
        *result = DISCO_OK;
        return DISCO_NEXT_YIELD;
    }
    *result =
        disco_calls_run(&vm->calls, x->call, x->arg, &vm->pmap, b->node_of_cpu[b->ops->cpu(b)], v);
    if (refusal(*result))
        devices_report(v, refusal(*result), x->call);
    return after_call(v, *result);
}

/* --- power --- */

static void poweroff(void *ctx, void *caller, int code)
{
    (void)caller;
    disco_vm_end(&((struct vm *)ctx)->vm, DISCO_CAUSE_POWEROFF, code, "power off");
}

static void reset(void *ctx, void *caller)
{
    (void)caller;
    disco_vm_end(&((struct vm *)ctx)->vm, DISCO_CAUSE_RESET, 0, "reset");
}

static void panic(void *ctx, void *caller, const char *text)
{
    struct vm *vm = ctx;

    (void)caller;
    say_error("vm %s panicked: %s", vm->config->name, text);
    disco_vm_end(&vm->vm, DISCO_CAUSE_PANIC, 1, "panic");
}

/* --- virtual processors --- */

/* Under the device's lock. One that is STOPPED is nobody's until it starts. */
static int start_vcpu(void *ctx, unsigned id, uint64_t pc, uint64_t sp, uint64_t gp)
{
    static const uint64_t no_args[4];
    struct vm *vm = ctx;
    struct disco_vcpu *v = vm->vcpu[id];
    int err;

    if (__atomic_load_n(&v->state, __ATOMIC_SEQ_CST) != DISCO_VCPU_STOPPED)
        return DISCO_ERR_STATE;
    disco_l2tlb_wipe(v->l2tlb);
    disco_vcpu_line(v, DISCO_LINE_IPI, false);
    err = mon.machine.backend.ops->vcpu_reset(v);
    if (err)
        return err;
    mips64_vcpu_same_time(v, vm->vcpu[0]);
    mips64_vcpu_boot(v, pc, sp, gp, no_args);
    return disco_vcpu_start(v, mon.sched);
}

static void stop_vcpu(void *ctx, void *caller)
{
    ((struct vm *)ctx)->vcpu_stops[((struct disco_vcpu *)caller)->id] = true;
}

static void raise_ipi(void *ctx, unsigned id)
{
    disco_vcpu_line(((struct vm *)ctx)->vcpu[id], DISCO_LINE_IPI, true);
}

static void lower_ipi(void *ctx, void *caller)
{
    (void)ctx;
    disco_vcpu_line(caller, DISCO_LINE_IPI, false);
}

/* --- making --- */

static int add_calls(struct vm *vm)
{
    int err = disco_console_calls(&vm->console, &vm->calls);

    err = err ? err : disco_timer_calls(&vm->timer, &vm->calls);
    err = err ? err : disco_power_calls(&vm->power, &vm->calls);
    err = err ? err : disco_memory_calls(&vm->memory, &vm->calls);
    err = err ? err : disco_disk_calls(&vm->disks, &vm->calls);
    err = err ? err : disco_remap_calls(&vm->remapper, &vm->calls);
    if (vm->nic.net)
        err = err ? err : disco_net_calls(&vm->nic, &vm->calls);
    return err ? err : disco_smp_calls(&vm->smp, vm->config->cpus, &vm->calls);
}

int devices_make(struct vm *vm)
{
    struct disco_backend *b = &mon.machine.backend;
    int err = disco_calls_init(&vm->calls, vm->calls_counters, b);

    memset(vm->vcpu_stops, 0, sizeof vm->vcpu_stops);
    vm->devices_up = 0;
    vm->timer_at = 0;
    vm->power = (struct disco_power){poweroff, reset, panic, vm};
    vm->memory = (struct disco_memory){.pmap = &vm->pmap};
    vm->remapper = (struct disco_remapper){.pmap = &vm->pmap};
    vm->smp = (struct disco_smp){.backend = b,
                                 .start = start_vcpu,
                                 .stop = stop_vcpu,
                                 .raise = raise_ipi,
                                 .lower = lower_ipi,
                                 .ctx = vm};
    err = err ? err
              : disco_console_init(&vm->console, b, console_put, vm,
                                   (struct disco_line){console_line, vm});
    err = err ? err : uart_make(vm, (struct disco_line){uart_line, vm});
    err = err ? err : disco_timer_init(&vm->timer, b, (struct disco_line){timer_line, vm});
    err = err ? err : disks_open(vm);
    err = err ? err : network_open(vm);
    return err ? err : add_calls(vm);
}

bool devices_free(struct vm *vm)
{
    network_close(vm);
    return disks_close(vm);
}
