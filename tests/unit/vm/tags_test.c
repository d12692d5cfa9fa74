/* SPDX-License-Identifier: BSD-2-Clause */
/* Both regimes of the hardware TLB, on one thread: what stays, what must go, what is revoked. */
#include "../mm/suite.h"
#include "rig.h"

#include <string.h>

#define GOTO(place)                                                                                \
    {                                                                                              \
        SIM_BEQ, 0, 0, place                                                                       \
    }

static const struct sim_insn spin[] = {{SIM_ADD, 1, 1, 1}, GOTO(0)};
static const struct sim_insn touch[] = {{SIM_SET, 2, 0, (int64_t)SIM_UNMAPPED},
                                        {SIM_LOAD, 3, 2, 0},
                                        GOTO(1)};

static struct rig r;

static void make(unsigned cpus, bool tagged)
{
    struct rig_config c = {.cpus = cpus, .nodes = 1, .hidden = 4, .tagged = tagged};

    rig_init(&r, &c);
}

static struct rig_vm *started(unsigned vcpus, const struct sim_insn *program)
{
    struct rig_vm *vm = rig_add(&r, 8, vcpus, program, program == spin ? 2 : 3);

    for (unsigned i = 0; i < vcpus; i++)
        ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0);
    return vm;
}

static disco_mpn page_of(struct rig_vm *vm)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_translate(&vm->pmap, (disco_ppn){0}, 0, &mpn), 0);
    return mpn;
}

static uint64_t misses(void)
{
    struct sim_cpu_stats s;

    sim_cpu_stats(r.m, 0, &s);
    return s.misses;
}

START_TEST(with_tags_two_that_alternate_keep_what_they_have)
{
    for (unsigned tags = 0; tags < 2; tags++) {
        make(1, tags);
        started(2, touch);
        for (unsigned i = 0; i < 20; i++)
            rig_turn(&r, 0);
        ck_assert_uint_eq(misses(), tags ? 2 : 20);
        if (!tags)
            rig_fini(&r);
    }
}
END_TEST

START_TEST(the_same_address_is_not_the_same_page)
{
    struct rig_vm *a, *b;

    make(1, true);
    a = started(1, touch);
    b = started(1, touch);
    rig_poke(a, 0, 111);
    rig_poke(b, 0, 222);
    for (unsigned i = 0; i < 6; i++)
        rig_turn(&r, 0);
    ck_assert_uint_eq(sim_guest(&a->vcpu[0])->r[3], 111);
    ck_assert_uint_eq(sim_guest(&b->vcpu[0])->r[3], 222);
}
END_TEST

/* Revoked while another runs there: it must be gone all the same. */
START_TEST(a_page_is_revoked_under_one_that_does_not_run)
{
    struct rig_vm *vm;
    disco_mpn old;

    for (unsigned tags = 0; tags < 2; tags++) {
        make(1, tags);
        vm = started(1, touch);
        rig_turn(&r, 0);
        disco_vcpu_pause(&vm->vcpu[0], DISCO_PAUSE_PERSON);
        started(1, spin);
        rig_turn(&r, 0);
        old = page_of(vm);
        ck_assert_uint_eq(sim_reaches(r.m, 0, &vm->vcpu[0], old), tags);
        ck_assert_int_eq(disco_memmap_get(r.mm, old), 0); /* so that it is not used again */
        ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){0}), 0);
        ck_assert(!sim_reaches(r.m, 0, NULL, old));
        rig_poke(vm, 0, 4711);
        disco_vcpu_resume(&vm->vcpu[0], DISCO_PAUSE_PERSON);
        rig_turn(&r, 0);
        rig_turn(&r, 0);
        ck_assert_uint_eq(sim_guest(&vm->vcpu[0])->r[3], 4711);
        ck_assert_int_eq(disco_memmap_put(r.mm, old), 0);
        if (!tags)
            rig_fini(&r);
    }
}
END_TEST

/* What it left on a processor it has moved away from is not revoked there, and must not be used. */
START_TEST(coming_back_it_finds_no_old_entries)
{
    struct rig_vm *vm;
    disco_mpn old;

    make(2, true);
    vm = started(1, touch);
    rig_turn(&r, 0);
    old = page_of(vm);
    ck_assert_int_eq(disco_memmap_get(r.mm, old), 0);
    rig_turn(&r, 1); /* stolen */
    ck_assert_uint_eq(vm->vcpu[0].seen, 2);
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){0}), 0);
    ck_assert(sim_reaches(r.m, 0, &vm->vcpu[0], old));
    ck_assert(!sim_reaches(r.m, 1, &vm->vcpu[0], old));
    rig_poke(vm, 0, 4711);
    rig_turn(&r, 0);
    ck_assert(!sim_reaches(r.m, 0, NULL, old));
    ck_assert_uint_eq(sim_guest(&vm->vcpu[0])->r[3], 4711);
}
END_TEST

/* Another virtual CPU, made in the storage of one that was here, has the same tag on sim. */
START_TEST(made_anew_it_finds_no_old_entries)
{
    struct rig_vm *vm;
    disco_mpn old;

    make(1, true);
    vm = started(1, touch);
    rig_turn(&r, 0);
    old = page_of(vm);
    ck_assert_int_eq(disco_memmap_get(r.mm, old), 0);
    disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    ck_assert(sim_reaches(r.m, 0, &vm->vcpu[0], old));
    rig_again(vm, touch, 3);
    ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[0], r.s), 0);
    rig_poke(vm, 0, 4711);
    rig_turn(&r, 0);
    ck_assert_uint_eq(sim_guest(&vm->vcpu[0])->r[3], 4711);
}
END_TEST

static enum disco_next stops(struct disco_vcpu *v, const struct disco_exit *x, int64_t *result)
{
    (void)v, (void)x, (void)result;
    return DISCO_NEXT_STOP;
}

/* Stopped and started again it is a new one: nothing of its earlier life matches. */
START_TEST(started_again_it_finds_no_old_entries)
{
    static const struct sim_insn once[] = {{SIM_SET, 2, 0, (int64_t)SIM_UNMAPPED},
                                           {SIM_LOAD, 3, 2, 0},
                                           {SIM_CALL, 0, 0, 0}};
    struct rig_vm *vm;

    make(1, true);
    vm = started(2, touch);
    disco_vcpu_pause(&vm->vcpu[1], DISCO_PAUSE_PERSON); /* keeps the VM alive */
    vm->vm.hooks.call = stops;
    sim_load(&vm->vcpu[0], once, 3);
    rig_turn(&r, 0);
    ck_assert_uint_eq(rig_state(&vm->vcpu[0]), DISCO_VCPU_STOPPED);
    ck_assert(sim_reaches(r.m, 0, &vm->vcpu[0], page_of(vm)));
    ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[0], r.s), 0);
    rig_turn(&r, 0); /* at the call again, which stops it */
    ck_assert(!sim_reaches(r.m, 0, &vm->vcpu[0], page_of(vm)));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        with_tags_two_that_alternate_keep_what_they_have,
        the_same_address_is_not_the_same_page,
        a_page_is_revoked_under_one_that_does_not_run,
        coming_back_it_finds_no_old_entries,
        made_anew_it_finds_no_old_entries,
        started_again_it_finds_no_old_entries,
    };

    return SUITE_RUN("tags", tests, NULL, NULL);
}
