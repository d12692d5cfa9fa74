/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machine memory runs out: the VM that asks is paused, others go on, and when memory has come back
 * it continues with the instruction that could not be completed.
 */
#include "../mm/suite.h"
#include "rig.h"

#include <string.h>

#define MACHINE_PAGES 16
#define PAGES 20
#define GOTO(place)                                                                                \
    {                                                                                              \
        SIM_BEQ, 0, 0, place                                                                       \
    }

/* Store r5 + 1 into PAGES pages, read them back into r8, then end. */
static const struct sim_insn fill[] = {
    {SIM_SET, 1, 0, (int64_t)SIM_UNMAPPED},
    {SIM_SET, 2, 0, (int64_t)(SIM_UNMAPPED + PAGES / 2 * DISCO_PAGE_SIZE)},
    {SIM_ADD, 5, 5, 1},
    {SIM_STORE, 5, 1, 0},
    {SIM_ADD, 1, 1, (int64_t)DISCO_PAGE_SIZE},
    {SIM_BNE, 1, 2, 2},
    {SIM_SET, 1, 0, (int64_t)SIM_UNMAPPED},
    {SIM_LOAD, 3, 1, 0},
    {SIM_SUM, 8, 3, 0},
    {SIM_ADD, 1, 1, (int64_t)DISCO_PAGE_SIZE},
    {SIM_BNE, 1, 2, 7},
    {SIM_SET, 1, 0, 0},
    {SIM_SET, 0, 0, DISCO_CALL_POWEROFF},
    {SIM_CALL, 0, 0, 0},
};
static const struct sim_insn spin[] = {{SIM_ADD, 1, 1, 1}, GOTO(0)};

static struct rig r;
static enum disco_next after;

static enum disco_next pause_it(struct disco_vcpu *v)
{
    __atomic_fetch_add(&((struct rig_vm *)v->vm->owner)->no_memory, 1, __ATOMIC_SEQ_CST);
    disco_vm_pause(v->vm, DISCO_PAUSE_MEMORY);
    return after;
}

static struct rig_vm *add(unsigned vcpus, const struct sim_insn *program, uint32_t length)
{
    struct rig_vm *vm = rig_add(&r, PAGES, vcpus, program, length);

    vm->vm.hooks.no_memory = pause_it;
    for (unsigned i = 0; i < vcpus; i++)
        ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0);
    return vm;
}

/* @p n pages of the machine go to a VM that does not run. */
static struct rig_vm *take_pages(uint64_t n)
{
    struct rig_vm *vm = rig_add(&r, PAGES, 0, spin, 2);

    for (uint64_t ppn = 0; ppn < n; ppn++)
        rig_poke(vm, ppn * DISCO_PAGE_SIZE, 1);
    return vm;
}

static void turns(unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        rig_turn(&r, i % r.b->cpus);
}

START_TEST(paused_until_there_is_memory)
{
    struct rig_config c = {.cpus = 2, .nodes = 1, .pages = MACHINE_PAGES, .tagged = _i & 1};
    struct rig_vm *holder, *vm, *other;
    uint64_t before;

    after = _i & 2 ? DISCO_NEXT_RESUME : DISCO_NEXT_YIELD; /* paused, it makes no difference */
    rig_init(&r, &c);
    holder = take_pages(12);
    vm = add(2, fill, sizeof fill / sizeof fill[0]);
    sim_load(&vm->vcpu[1], spin, 2); /* its sibling stands still as well */
    other = add(1, spin, 2);
    turns(40);
    ck_assert_uint_eq(vm->no_memory, 1);
    ck_assert_uint_eq(vm->vm.paused_by, DISCO_PAUSE_MEMORY);
    for (unsigned i = 0; i < 2; i++)
        ck_assert_uint_eq(rig_state(&vm->vcpu[i]), DISCO_VCPU_PAUSED);
    ck_assert(!rig_ended(vm));
    before = sim_guest(&other->vcpu[0])->ops;
    turns(10);
    ck_assert_uint_gt(sim_guest(&other->vcpu[0])->ops, before + 400);
    /* Too early: nothing has come back. It asks again, and is paused again. */
    disco_vm_resume(&vm->vm, DISCO_PAUSE_MEMORY);
    turns(10);
    ck_assert_uint_eq(vm->no_memory, 2);
    for (uint64_t ppn = 0; ppn < 12; ppn++)
        ck_assert_int_eq(disco_pmap_drop(&holder->pmap, (disco_ppn){ppn}), 0);
    disco_vm_resume(&vm->vm, DISCO_PAUSE_MEMORY);
    turns(20);
    ck_assert(rig_ended(vm));
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_POWEROFF);
    ck_assert_uint_eq(vm->no_memory, 2);
    ck_assert_uint_eq(sim_guest(&vm->vcpu[0])->r[8], 55); /* 1 + ... + 10: nothing was lost */
    rig_fini(&r);
}
END_TEST

int main(void) { return SUITE_LOOP("nomem", paused_until_there_is_memory, 4); }
