/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving way: what a guest's spin lock does when it has waited in vain (more virtual CPUs than
 * processors, and the holder does not run). The lock here goes round: each virtual CPU waits until
 * it is its turn, works, and passes it on; so everyone but the holder always waits.
 */
#include "../mm/suite.h"
#include "rig.h"

#include <string.h>

#define GOTO(place)                                                                                \
    {                                                                                              \
        SIM_BEQ, 0, 0, place                                                                       \
    }
#define SLICE 1000 /* operations */
#define WORK 200   /* operations under the lock, about */
#define ROUNDS 50

static struct rig r;

/*
 * r7 = own number, r8 = the next one's, r3 = where the lock is, r9 = rounds done, r10 = rounds to
 * do, r6 = work. r2 stays 0.
 */
#define WORKER(waiting)                                                                            \
    [0] = {SIM_LOAD, 1, 3, 0}, [1] = {SIM_BEQ, 1, 7, 5}, [2] = {SIM_SET, 0, 0, DISCO_CALL_YIELD},  \
    [3] = waiting, [4] = {SIM_BEQ, 0, 0, 0}, [5] = {SIM_SET, 5, 0, 0}, [6] = {SIM_ADD, 5, 5, 1},   \
    [7] = {SIM_BNE, 5, 6, 6}, [8] = {SIM_STORE, 8, 3, 0}, [9] = {SIM_ADD, 9, 9, 1},                \
    [10] = {SIM_BNE, 9, 10, 0}, [11] = {SIM_SET, 0, 0, DISCO_CALL_POWEROFF},                       \
    [12] = {SIM_CALL, 0, 0, 0}

static const struct sim_insn yielding[] = {WORKER(((struct sim_insn){SIM_CALL, 0, 0, 0}))};
static const struct sim_insn spinning[] = {WORKER(((struct sim_insn){SIM_NOP, 0, 0, 0}))};
static const struct sim_insn only_yields[] = {{SIM_SET, 0, 0, DISCO_CALL_YIELD},
                                              {SIM_CALL, 0, 0, 0},
                                              GOTO(0)};
static const struct sim_insn busy[] = {{SIM_ADD, 1, 1, 1}, GOTO(0)};

static void make(unsigned cpus)
{
    struct rig_config c = {.cpus = cpus, .nodes = 1, .slice_ns = SLICE * SIM_OP_NS};

    rig_init(&r, &c);
}

static void start_all(struct rig_vm *vm)
{
    for (unsigned i = 0; i < vm->vm.vcpus; i++)
        ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0);
}

static struct rig_vm *workers(unsigned n, const struct sim_insn *program)
{
    struct rig_vm *vm = rig_add(&r, 8, n, program, 13);

    for (unsigned i = 0; i < n; i++) {
        struct sim_guest *g = sim_guest(&vm->vcpu[i]);

        g->r[3] = SIM_UNMAPPED;
        g->r[6] = WORK / 2;
        g->r[7] = i;
        g->r[8] = (i + 1) % n;
        g->r[10] = ROUNDS;
    }
    start_all(vm);
    return vm;
}

static uint64_t calls; /* of the last run */

/* The machine's time that n workers on so many processors take for all their rounds. */
static uint64_t time_of(unsigned cpus, unsigned n, const struct sim_insn *program)
{
    struct rig_vm *vm;
    uint64_t t;

    calls = 0;

    make(cpus);
    vm = workers(n, program);
    for (unsigned i = 0; !rig_ended(vm) && i < 1000000; i++)
        rig_turn(&r, i % cpus);
    ck_assert(rig_ended(vm));
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_POWEROFF);
    for (unsigned i = 0; i < n; i++)
        calls += vm->vcpu[i].stats.exits[DISCO_EXIT_CALL];
    t = r.b->ops->now(r.b) / cpus; /* one thread plays them one after the other */
    rig_fini(&r);
    return t / SIM_OP_NS;
}

START_TEST(a_preempted_holder_does_not_cost_a_slice)
{
    uint64_t without = time_of(2, 4, spinning), with = time_of(2, 4, yielding);
    uint64_t passed_on = (ROUNDS - 1) * 4;

    ck_assert_uint_gt(without, passed_on * SLICE / 2); /* or there is nothing to gain here */
    ck_assert_msg(with < passed_on * (WORK + SLICE / 10), "%llu operations, %llu without",
                  (unsigned long long)with, (unsigned long long)without);
    ck_assert_uint_lt(calls, passed_on * 4); /* a round of all of them, at most */
}
END_TEST

START_TEST(nor_on_one_processor)
{
    ck_assert_uint_lt(time_of(1, 8, yielding), ROUNDS * 8 * (WORK + SLICE / 10));
    ck_assert_uint_lt(calls, ROUNDS * 8 * 8);
}
END_TEST

/* A yield is a matter of the VM that yields: another that computes keeps its share, and no more. */
START_TEST(others_keep_their_share)
{
    struct rig_vm *vm, *other;
    uint64_t all, theirs;

    make(1);
    other = RIG_ADD(&r, 8, 1, busy);
    vm = workers(2, yielding);
    for (unsigned i = 0; i < 2; i++)
        sim_guest(&vm->vcpu[i])->r[10] = 1000000;
    start_all(other);
    for (unsigned i = 0; i < 2000; i++)
        rig_turn(&r, 0);
    all = r.b->ops->now(r.b) / SIM_OP_NS;
    theirs = sim_guest(&other->vcpu[0])->ops;
    ck_assert_uint_ge(theirs * 100, all * 33 * 95 / 100);
    ck_assert_uint_le(theirs * 100, all * 67);
}
END_TEST

START_TEST(two_that_yield_to_each_other_starve_nobody)
{
    struct rig_vm *pair, *other;

    for (unsigned cpus = 1; cpus <= 2; cpus++) {
        make(cpus);
        pair = RIG_ADD(&r, 8, 4, only_yields);
        start_all(pair);
        other = RIG_ADD(&r, 8, 2, busy);
        start_all(other);
        for (unsigned i = 0; i < 4000; i++)
            rig_turn(&r, i % cpus);
        for (unsigned i = 0; i < 2; i++)
            ck_assert_uint_ge(sim_guest(&other->vcpu[i])->ops * 6 * SIM_OP_NS, r.b->ops->now(r.b));
        for (unsigned i = 0; i < 4; i++) /* nor are they starved */
            ck_assert_uint_gt(sim_guest(&pair->vcpu[i])->ops, 300);
        if (cpus == 1)
            rig_fini(&r);
    }
}
END_TEST

/* Having given way often, it gets its share as soon as it computes. */
START_TEST(who_gave_way_is_not_behind_for_ever)
{
    struct rig_vm *gives, *other;
    uint64_t before[2];

    make(1);
    gives = RIG_ADD(&r, 8, 1, only_yields);
    other = RIG_ADD(&r, 8, 1, busy);
    start_all(gives);
    start_all(other);
    for (unsigned i = 0; i < 400; i++)
        rig_turn(&r, 0);
    sim_load(&gives->vcpu[0], busy, 2);
    before[0] = sim_guest(&gives->vcpu[0])->ops;
    before[1] = sim_guest(&other->vcpu[0])->ops;
    for (unsigned i = 0; i < 40; i++)
        rig_turn(&r, 0);
    ck_assert_uint_ge(sim_guest(&gives->vcpu[0])->ops - before[0], 19 * SLICE);
    ck_assert_uint_ge(sim_guest(&other->vcpu[0])->ops - before[1], 18 * SLICE);
}
END_TEST

START_TEST(a_yield_to_nobody_is_no_switch)
{
    struct disco_sched_stats s;
    struct rig_vm *vm;

    make(2);
    vm = RIG_ADD(&r, 8, 1, only_yields);
    start_all(vm);
    rig_turn(&r, 0);
    ck_assert_uint_gt(vm->vcpu[0].stats.exits[DISCO_EXIT_CALL], SLICE / 4);
    ck_assert_uint_eq(vm->vcpu[0].stats.switches, 1);
    ck_assert_int_eq(disco_sched_stats(r.s, 0, &s), 0);
    ck_assert_uint_eq(s.turns, 1);
}
END_TEST

START_TEST(a_waiting_sibling_is_fetched_from_another_queue)
{
    struct rig_vm *a, *b;

    make(2);
    b = RIG_ADD(&r, 8, 1, busy);
    start_all(b); /* processor 0 */
    a = RIG_ADD(&r, 8, 3, busy);
    sim_load(&a->vcpu[0], only_yields, 3);
    start_all(a); /* 1, 0, 1 */
    ck_assert_uint_eq(a->vcpu[0].cpu, 1);
    ck_assert_uint_eq(a->vcpu[1].cpu, 0);
    disco_vcpu_pause(&a->vcpu[2], DISCO_PAUSE_PERSON);
    rig_turn(&r, 1); /* yields: its only sibling waits for processor 0 */
    rig_turn(&r, 1);
    ck_assert_uint_eq(a->vcpu[1].cpu, 1);
    ck_assert_uint_ge(sim_guest(&a->vcpu[1])->ops, SLICE / 2);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        a_preempted_holder_does_not_cost_a_slice,
        nor_on_one_processor,
        others_keep_their_share,
        two_that_yield_to_each_other_starve_nobody,
        who_gave_way_is_not_behind_for_ever,
        a_yield_to_nobody_is_no_switch,
        a_waiting_sibling_is_fetched_from_another_queue,
    };

    return SUITE_RUN("yield", tests, NULL, NULL);
}
