/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When machine memory runs out: the VM that asks is paused, the others go on, and it is resumed
 * when memory has returned. Part of the life of a VM: see life.h for who may do what.
 */
#include "disks.h"
#include "log.h"
#include "memory.h"
#include "monitor.h"
#include "numa.h"

/* A VM goes on when so many pages are free: enough to get somewhere. */
#define ENOUGH_PAGES 64
/* One that runs out again and again is told of no more often than this. */
#define TELL_NS UINT64_C(1000000000)

static bool all_hungry; /* has been said */

/* Pages of disk caches that are thrown out at a time. */
#define EVICT_PAGES 256

/* Any processor. The same instruction is tried again when the VM goes on. */
enum disco_next hunger_no_memory(struct disco_vcpu *v)
{
    /* Copies for speed go before what would have to be read again. */
    if (numa_give_back(EVICT_PAGES) || disks_evict(EVICT_PAGES))
        return DISCO_NEXT_RESUME;
    disco_vm_pause(v->vm, DISCO_PAUSE_MEMORY);
    __atomic_store_n(&vm_of(v->vm)->life.starved, 1, __ATOMIC_SEQ_CST);
    monitor_attention();
    return DISCO_NEXT_YIELD;
}

static void starve(struct vm *vm, uint64_t now)
{
    struct life *l = &vm->life;

    l->hungry = true;
    l->hungry_at = now;
    life_set_clock(vm);
    if (!l->told_at || now - l->told_at > TELL_NS) {
        l->told_at = now;
        say("vm %s out of memory, paused: no machine page is free (vm list shows who has them)",
            vm->config->name);
    }
}

/* The word first: who finds no memory once more meanwhile writes it again, and is resumed again. */
static void feed(struct vm *vm)
{
    __atomic_store_n(&vm->life.starved, 0, __ATOMIC_SEQ_CST);
    vm->life.hungry = false;
    life_set_clock(vm);
    disco_vm_resume(&vm->vm, DISCO_PAUSE_MEMORY);
    if (vm->life.told_at)
        say("vm %s resumed: %lu machine pages are free", vm->config->name, memory_free());
    all_hungry = false;
}

/* One VM at a time, the one that waits longest, so that not all fight for the same few pages. */
void hunger_tick(uint64_t now)
{
    unsigned on = 0, hungry = 0;
    struct vm *longest = NULL;

    for (unsigned i = 0; i < mon.config.vms; i++) {
        struct vm *vm = mon.vm[i];

        if (vm->life.state != LIFE_ON)
            continue;
        on++;
        if (!vm->life.hungry && __atomic_load_n(&vm->life.starved, __ATOMIC_SEQ_CST))
            starve(vm, now);
        if (!vm->life.hungry)
            continue;
        hungry++;
        if (!longest || vm->life.hungry_at < longest->life.hungry_at)
            longest = vm;
    }
    if (longest && memory_free() >= ENOUGH_PAGES) {
        feed(longest);
    } else if (longest && hungry == on && !all_hungry) {
        all_hungry = true;
        say_error("every virtual machine waits for machine memory: stop one (vm stop)");
    }
}
