/* SPDX-License-Identifier: BSD-2-Clause */
#include "life.h"

#include "console.h"
#include "log.h"
#include "monitor.h"
#include "stats.h"

/* A guest that resets itself at once, again and again, is loaded no more often than this. */
#define RESTART_NS UINT64_C(1000000000)

/* --- starting and ending --- */

static void start(struct vm *vm)
{
    int err;

    vm->life = (struct life){.state = LIFE_ON, .at = monitor_now()};
    err = vm_make(vm);
    if (!err) {
        say("vm %s started", vm->config->name);
        return;
    }
    vm->life.state = LIFE_OFF;
    say_error("vm %s cannot be started: %s", vm->config->name, disco_strerror(err));
    say("vm %s ended: fault code 0", vm->config->name);
}

static void end(struct vm *vm, enum disco_cause cause, const char *why)
{
    vm->life.state = LIFE_ENDING;
    disco_vm_end(&vm->vm, cause, 0, why);
}

/* Its last vCPU stopped on this processor; from now on the VM is processor 0's. */
void life_ended(struct disco_vm *vm)
{
    __atomic_store_n(&vm_of(vm)->life.over, 1, __ATOMIC_SEQ_CST);
    monitor_attention();
}

static uint64_t pc_of(const struct vm *vm) { return mips_of(vm->vcpu[0])->g.pc; }

static void tell_end(struct vm *vm)
{
    static const char *const names[] = {"none", "poweroff", "reset", "panic", "fault", "killed"};
    const char *name = vm->config->name, *why = vm->vm.why;

    stats_of_vm(vm);
    if (vm->vm.cause == DISCO_CAUSE_FAULT)
        say_error("vm %s: %s at pc %lx", name, why ? why : "fault", pc_of(vm));
    say("vm %s ended: %s code %d", name, names[vm->vm.cause], vm->vm.code);
    console_note(vm, names[vm->vm.cause]);
}

/* Its counters are told before its devices and its memory go, which may take a moment. */
static void settle(struct vm *vm)
{
    struct life *l = &vm->life;
    bool reset = vm->vm.cause == DISCO_CAUSE_RESET && !mon.options.stop_on_reset;

    if (!l->told)
        tell_end(vm);
    l->told = true;
    if (!vm_free(vm)) {
        __atomic_store_n(&l->over, 1, __ATOMIC_SEQ_CST);
        return;
    }
    l->state = !l->stop && (reset || l->again) ? LIFE_WAITING : LIFE_OFF;
    l->at = l->again ? 0 : l->at + RESTART_NS;
}

/* VM time stands still while the VM may not run. */
void life_set_clock(struct vm *vm)
{
    struct life *l = &vm->life;
    bool stands = l->paused || l->hungry;

    if (stands && !l->stands_since) {
        l->stands_since = monitor_now();
        disco_timer_pause(&vm->timer);
    } else if (!stands && l->stands_since) {
        mips64_stood_still(&vm->vm, l->stands_since);
        l->stands_since = 0;
        disco_timer_resume(&vm->timer);
        vm->timer_at = 0;
    }
}

/* --- what a person asks for --- */

const char *life_start(struct vm *vm)
{
    if (vm->life.state == LIFE_ON || vm->life.state == LIFE_ENDING)
        return "is running";
    start(vm);
    return vm->life.state == LIFE_ON ? NULL : "cannot be started";
}

const char *life_stop(struct vm *vm)
{
    vm->life.stop = true;
    switch (vm->life.state) {
    case LIFE_ON: end(vm, DISCO_CAUSE_KILLED, "stopped by a person"); break;
    case LIFE_ENDING: break;
    case LIFE_WAITING: vm->life.state = LIFE_OFF; break;
    case LIFE_OFF: return "is not running";
    }
    return NULL;
}

const char *life_reset(struct vm *vm)
{
    if (vm->life.state != LIFE_ON)
        return "is not running";
    vm->life.again = true;
    end(vm, DISCO_CAUSE_RESET, "reset by a person");
    return NULL;
}

const char *life_pause(struct vm *vm)
{
    if (vm->life.state != LIFE_ON)
        return "is not running";
    if (vm->life.paused)
        return "is paused";
    vm->life.paused = true;
    disco_vm_pause(&vm->vm, DISCO_PAUSE_PERSON);
    life_set_clock(vm);
    say("vm %s paused", vm->config->name);
    return NULL;
}

const char *life_resume(struct vm *vm)
{
    if (vm->life.state != LIFE_ON || !vm->life.paused)
        return "is not paused";
    vm->life.paused = false;
    life_set_clock(vm);
    disco_vm_resume(&vm->vm, DISCO_PAUSE_PERSON);
    say("vm %s resumed", vm->config->name);
    return NULL;
}

void life_quit(void)
{
    mon.options.stay = false;
    mon.options.stop_on_reset = true;
    for (unsigned i = 0; i < mon.config.vms; i++)
        (void)life_stop(mon.vm[i]);
}

/* --- the turn --- */

static void look_after(struct vm *vm, uint64_t now)
{
    struct life *l = &vm->life;

    if (__atomic_exchange_n(&l->over, 0, __ATOMIC_SEQ_CST))
        settle(vm);
    if (l->state == LIFE_WAITING && now >= l->at)
        start(vm);
}

bool life_tick(uint64_t now)
{
    bool any = false;

    for (unsigned i = 0; i < mon.config.vms; i++) {
        look_after(mon.vm[i], now);
        any |= mon.vm[i]->life.state != LIFE_OFF;
    }
    hunger_tick(now);
    return any;
}

/* --- names --- */

const char *life_word(const struct vm *vm)
{
    static const char *const words[] = {"off", "running", "ending", "restarting"};

    if (vm->life.state == LIFE_ON && vm->life.paused)
        return "paused";
    if (vm->life.state == LIFE_ON && vm->life.hungry)
        return "out of memory";
    return words[vm->life.state];
}

struct vm *life_vm(unsigned i) { return i < mon.config.vms ? mon.vm[i] : NULL; }

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

struct vm *life_find(const char *word)
{
    unsigned n = 0;

    for (unsigned i = 0; i < mon.config.vms; i++) {
        if (same(word, mon.vm[i]->config->name))
            return mon.vm[i];
    }
    for (; *word >= '0' && *word <= '9' && n <= CONFIG_VMS; word++)
        n = n * 10 + (unsigned)(*word - '0');
    return *word || !n ? NULL : life_vm(n - 1);
}
