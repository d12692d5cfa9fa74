/* SPDX-License-Identifier: BSD-2-Clause */
/* Time sharing: fairness, slices, placement, stealing, affinity, idling. */
#include "../mm/suite.h"
#include "rig.h"

#include "sched.h"

#include <string.h>

#define GOTO(place)                                                                                \
    {                                                                                              \
        SIM_BEQ, 0, 0, place                                                                       \
    }

static const struct sim_insn spin[] = {{SIM_ADD, 1, 1, 1}, GOTO(0)};
static const struct sim_insn sleeper[] = {{SIM_WAIT, 0, 0, 0}, GOTO(0)};

static struct rig r;

static void make(unsigned cpus, unsigned nodes)
{
    struct rig_config c = {.cpus = cpus, .nodes = nodes, .slice_ns = 100 * SIM_OP_NS};

    rig_init(&r, &c);
}

static struct rig_vm *started(unsigned vcpus, const struct sim_insn *program, uint32_t length)
{
    struct rig_vm *vm = rig_add(&r, 8, vcpus, program, length);

    for (unsigned i = 0; i < vcpus; i++)
        ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0);
    return vm;
}
#define STARTED(vcpus, program) started(vcpus, program, sizeof(program) / sizeof((program)[0]))

static uint64_t ops_of(const struct disco_vcpu *v) { return sim_guest(v)->ops; }

START_TEST(config_is_checked)
{
    struct disco_sched_config c = {.queue_len = 4};
    struct disco_sched *s;
    static DISCO_OWN_LINE uint8_t storage[4096];

    make(1, 1);
    ck_assert_uint_eq(disco_sched_size(NULL), 0);
    ck_assert_uint_eq(disco_sched_size(&c), 0);
    c.backend = r.b;
    ck_assert_uint_gt(disco_sched_size(&c), 0);
    ck_assert_int_eq(disco_sched_init(&s, storage, disco_sched_size(&c) - 1, &c),
                     DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(disco_sched_init(&s, storage + DISCO_CACHE_LINE / 2, 4000, &c),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_sched_init(NULL, storage, 4096, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_sched_init(&s, NULL, 4096, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_sched_init(&s, storage, sizeof storage, &c), 0);
    ck_assert_uint_eq(disco_sched_load(s, 0), 0);
    ck_assert_uint_eq(disco_sched_load(s, 77), 0);
    c.queue_len = 0;
    ck_assert_uint_eq(disco_sched_size(&c), 0);
    c.queue_len = UINT32_MAX;
    ck_assert_uint_eq(disco_sched_size(&c), 0);
}
END_TEST

START_TEST(equal_virtual_cpus_get_equal_time)
{
    struct rig_vm *vm;
    uint64_t least = UINT64_MAX, most = 0;

    make(1, 1);
    vm = STARTED(5, spin);
    for (unsigned i = 0; i < 500; i++)
        rig_turn(&r, 0);
    for (unsigned i = 0; i < 5; i++) {
        uint64_t n = ops_of(&vm->vcpu[i]);

        least = n < least ? n : least;
        most = n > most ? n : most;
        ck_assert_uint_eq(vm->vcpu[i].stats.switches, 100);
    }
    ck_assert_uint_ge(least, 9000); /* 100 slices of 100 operations, less the way in and out */
    ck_assert_uint_le(most, 10100);
    ck_assert_uint_le(most - least, 100);
}
END_TEST

START_TEST(two_processors_share_four)
{
    struct rig_vm *vm;

    make(2, 1);
    vm = STARTED(4, spin);
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 2);
    ck_assert_uint_eq(disco_sched_load(r.s, 1), 2);
    for (unsigned i = 0; i < 400; i++)
        rig_turn(&r, i % 2);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(vm->vcpu[i].stats.switches, 100);
        ck_assert_uint_eq(vm->vcpu[i].stats.migrations, 0);
        ck_assert_uint_ge(vm->vcpu[i].stats.run_ns, 100 * 100 * SIM_OP_NS);
    }
}
END_TEST

START_TEST(a_slice_ends_on_time)
{
    struct rig_vm *vm;
    uint64_t before;

    make(1, 1);
    vm = STARTED(1, spin);
    before = r.b->ops->now(r.b);
    rig_turn(&r, 0);
    ck_assert_uint_eq(r.b->ops->now(r.b) - before, 100 * SIM_OP_NS);
    ck_assert_uint_eq(ops_of(&vm->vcpu[0]), 100);
    ck_assert_uint_eq(rig_state(&vm->vcpu[0]), DISCO_VCPU_READY);
}
END_TEST

START_TEST(alone_it_keeps_its_translations)
{
    static const struct sim_insn touch[] = {{SIM_SET, 2, 0, (int64_t)SIM_UNMAPPED},
                                            {SIM_LOAD, 3, 2, 0},
                                            GOTO(1)};
    struct rig_vm *vm;
    struct sim_cpu_stats s;

    make(1, 1);
    vm = STARTED(1, touch);
    for (unsigned i = 0; i < 10; i++)
        rig_turn(&r, 0);
    sim_cpu_stats(r.m, 0, &s);
    ck_assert_uint_eq(s.misses, 1);
    STARTED(1, spin); /* another comes between: the hardware has no tags, all is lost */
    for (unsigned i = 0; i < 10; i++)
        rig_turn(&r, 0);
    sim_cpu_stats(r.m, 0, &s);
    ck_assert_uint_eq(s.misses, 1 + 4); /* of five times, the first found everything in place */
    ck_assert_uint_eq(vm->vcpu[0].stats.switches, 15);
}
END_TEST

static uint64_t polled;

static uint64_t poll_soon(void *ctx)
{
    polled++;
    return r.b->ops->now(r.b) + *(uint64_t *)ctx;
}

START_TEST(poll_is_called_when_it_wants)
{
    uint64_t every = 10 * SIM_OP_NS;

    make(1, 1);
    STARTED(1, spin);
    polled = 0;
    disco_sched_turn(r.s, poll_soon, &every);
    ck_assert_uint_ge(polled, 10); /* ten times in a slice, and once at its start */
    ck_assert_uint_le(polled, 12);
}
END_TEST

static uint64_t poll_long(void *ctx)
{
    uint64_t *left = ctx;

    if (*left && r.s->q[0].running)
        /* The second time: a thousand slices */
        sim_advance(r.m, --*left ? 0 : 1000 * 100 * SIM_OP_NS);
    return r.b->ops->now(r.b) + 10 * SIM_OP_NS;
}

/* What the monitor does on a processor is not the time of whoever happens to run there. */
START_TEST(the_monitors_own_work_is_nobodys_time)
{
    uint64_t left = 2;
    struct rig_vm *vm;

    make(1, 1);
    vm = STARTED(2, spin);
    for (unsigned i = 0; i < 20; i++)
        disco_sched_turn(r.s, poll_long, &left);
    ck_assert_uint_eq(left, 0);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert_uint_ge(ops_of(&vm->vcpu[i]), 800);
        ck_assert_uint_le(vm->vcpu[i].stats.run_ns, 1100 * SIM_OP_NS);
    }
}
END_TEST

START_TEST(idling_lasts_until_poll_wants_it)
{
    uint64_t wait = 12345678, before;

    make(1, 1);
    before = r.b->ops->now(r.b);
    disco_sched_turn(r.s, poll_soon, &wait);
    ck_assert_uint_eq(r.b->ops->now(r.b) - before, wait);
}
END_TEST

START_TEST(an_idle_processor_steals)
{
    struct rig_vm *vm;

    make(2, 1);
    vm = STARTED(3, spin); /* 0 and 2 to processor 0, 1 to processor 1 */
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 2);
    disco_vcpu_pause(&vm->vcpu[1], DISCO_PAUSE_PERSON);
    rig_turn(&r, 1);
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 1);
    ck_assert_uint_eq(disco_sched_load(r.s, 1), 1);
    ck_assert_uint_eq(vm->vcpu[0].cpu, 1);
    ck_assert_uint_gt(ops_of(&vm->vcpu[0]), 0);
    ck_assert_uint_eq(vm->vcpu[0].seen, 2);
}
END_TEST

START_TEST(a_thief_prefers_what_belongs_to_its_node)
{
    struct rig_vm *vm;

    make(2, 2);
    vm = STARTED(4, spin); /* 0 and 2 on node 0, 1 and 3 on node 1 */
    disco_vcpu_pause(&vm->vcpu[1], DISCO_PAUSE_PERSON);
    disco_vcpu_pause(&vm->vcpu[3], DISCO_PAUSE_PERSON);
    rig_turn(&r, 1); /* leaves 0 to the processor of its node, which may be about to take it */
    ck_assert_uint_eq(vm->vcpu[0].cpu, 0);
    sim_advance(r.m, r.s->slice_ns);
    rig_turn(&r, 1); /* steals 0 */
    ck_assert_uint_eq(vm->vcpu[0].cpu, 1);
    ck_assert_uint_eq(vm->vcpu[0].node, 0);
    disco_vcpu_pause(&vm->vcpu[2], DISCO_PAUSE_PERSON);
    disco_vcpu_pause(&vm->vcpu[0], DISCO_PAUSE_PERSON);
    disco_vcpu_resume(&vm->vcpu[1], DISCO_PAUSE_PERSON);
    disco_vcpu_resume(&vm->vcpu[3], DISCO_PAUSE_PERSON);
    disco_vcpu_resume(&vm->vcpu[0], DISCO_PAUSE_PERSON);      /* queue 1: 1, 3, 0 */
    vm->vcpu[0].served = vm->vcpu[1].served + 50 * SIM_OP_NS; /* half a slice ahead: no matter */
    rig_turn(&r, 0); /* of those three, the last is at home here */
    ck_assert_uint_eq(vm->vcpu[0].cpu, 0);
    ck_assert_uint_eq(vm->vcpu[0].stats.migrations, 1);
}
END_TEST

static void turns(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        for (unsigned cpu = 0; cpu < r.b->cpus; cpu++)
            rig_turn(&r, cpu);
    }
}

static uint64_t migrations(const struct rig_vm *vm)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < vm->vm.vcpus; i++)
        n += vm->vcpu[i].stats.migrations;
    return n;
}

/* Ten seconds of slices of 10 ms: does everyone get its share, within @p percent? */
static void check_shares(struct rig_vm *vm, uint64_t ticks, unsigned percent)
{
    uint64_t share = ticks * 100 * r.b->cpus / vm->vm.vcpus;

    for (unsigned i = 0; i < vm->vm.vcpus; i++) {
        uint64_t got = ops_of(&vm->vcpu[i]);

        ck_assert_msg(got * 100 >= share * (100 - percent) && got * 100 <= share * (100 + percent),
                      "virtual CPU %u of %u on %u got %llu of %llu", i, vm->vm.vcpus, r.b->cpus,
                      (unsigned long long)got, (unsigned long long)share);
    }
}

static const struct {
    unsigned cpus, vcpus;
} loads[] = {
    {2, 3}, {4, 8}, {4, 5}, {4, 7}, {3, 8}, {1, 3}, {4, 4},
};
#define LOADS (sizeof loads / sizeof loads[0])

START_TEST(shares_are_equal_whatever_the_numbers)
{
    for (unsigned i = 0; i < LOADS; i++) {
        struct rig_vm *vm;

        make(loads[i].cpus, 1);
        vm = STARTED(loads[i].vcpus, spin);
        turns(1000);
        check_shares(vm, 1000, 2);
        if (vm->vm.vcpus % r.b->cpus == 0)
            ck_assert_uint_eq(migrations(vm), 0); /* nothing to gain: they stay */
        else
            ck_assert_uint_lt(migrations(vm), 1000 * r.b->cpus / 2);
        if (i + 1 < LOADS)
            rig_fini(&r);
    }
}
END_TEST

START_TEST(shares_are_equal_when_they_begin_unequally)
{
    struct rig_vm *vm;

    make(4, 2);
    vm = STARTED(8, spin);
    for (unsigned i = 0; i < 8; i++) /* all home on processor 0 or 1 */
        disco_vcpu_pause(&vm->vcpu[i], DISCO_PAUSE_PERSON);
    for (unsigned i = 0; i < 8; i++) {
        vm->vcpu[i].cpu = i < 6 ? 0 : 1;
        disco_vcpu_resume(&vm->vcpu[i], DISCO_PAUSE_PERSON);
    }
    turns(1000);
    check_shares(vm, 1000, 3);
}
END_TEST

/* Service is counted in 64 bits and may wrap: nothing happens then. */
START_TEST(shares_are_equal_when_the_count_wraps)
{
    struct rig_vm *vm;

    make(2, 1);
    r.s->floor = UINT64_MAX - 1000 * SIM_OP_NS;
    vm = RIG_ADD(&r, 8, 3, spin);
    for (unsigned i = 0; i < 3; i++) {
        vm->vcpu[i].served = r.s->floor - 1;
        ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0);
        ck_assert_uint_eq(vm->vcpu[i].served, UINT64_MAX - 1000 * SIM_OP_NS);
    }
    turns(1000);
    ck_assert_uint_lt(vm->vcpu[0].served, UINT64_MAX / 2);
    check_shares(vm, 1000, 2);
}
END_TEST

START_TEST(who_ran_alone_owes_nothing)
{
    struct rig_vm *a, *b;
    uint64_t before;

    make(1, 1);
    a = STARTED(1, spin);
    turns(1000);
    b = STARTED(1, spin);
    before = ops_of(&a->vcpu[0]);
    turns(20);
    ck_assert_uint_ge(ops_of(&a->vcpu[0]) - before, 900);
    ck_assert_uint_ge(ops_of(&b->vcpu[0]), 900);
}
END_TEST

/* The same when nobody was there to compare with while it happened. */
START_TEST(who_ran_alone_and_then_slept_owes_nothing)
{
    struct rig_vm *a, *b;
    uint64_t before;

    make(1, 1);
    b = STARTED(1, sleeper);
    turns(1);
    a = STARTED(1, spin);
    turns(1000);
    sim_load(&a->vcpu[0], sleeper, 2);
    turns(1);
    ck_assert_uint_eq(rig_state(&a->vcpu[0]), DISCO_VCPU_BLOCKED);
    sim_load(&b->vcpu[0], spin, 2);
    disco_vcpu_line(&b->vcpu[0], 2, true);
    turns(2);
    sim_load(&a->vcpu[0], spin, 2);
    disco_vcpu_line(&a->vcpu[0], 2, true);
    before = ops_of(&a->vcpu[0]);
    turns(20);
    ck_assert_uint_ge(ops_of(&a->vcpu[0]) - before, 900);
}
END_TEST

START_TEST(who_slept_has_saved_up_a_slice_at_most)
{
    struct rig_vm *a, *b;
    uint64_t before;

    make(1, 1);
    a = STARTED(1, spin);
    b = STARTED(1, sleeper);
    turns(1000);
    ck_assert_uint_eq(rig_state(&b->vcpu[0]), DISCO_VCPU_BLOCKED);
    sim_load(&b->vcpu[0], spin, 2); /* now it computes */
    disco_vcpu_line(&b->vcpu[0], 2, true);
    before = ops_of(&a->vcpu[0]);
    turns(20);
    ck_assert_uint_ge(ops_of(&a->vcpu[0]) - before, 900);
    ck_assert_uint_ge(ops_of(&b->vcpu[0]), 900);
}
END_TEST

START_TEST(who_wake_up_together_have_a_slice_each)
{
    struct rig_vm *a, *b;

    make(1, 1);
    a = STARTED(1, spin);
    b = STARTED(8, sleeper);
    turns(1000);
    for (unsigned i = 0; i < 8; i++) {
        disco_vcpu_line(&b->vcpu[i], 2, true);
        ck_assert_uint_eq(a->vcpu[0].served - b->vcpu[i].served, 100 * SIM_OP_NS);
    }
}
END_TEST

static struct rig_vm *asleep;
static uint64_t wake_at;

/* At its time, the sleeper's line rises; *ctx: the processor that raises it. */
static uint64_t wakes(void *ctx)
{
    if (r.b->ops->now(r.b) < wake_at)
        return wake_at;
    sim_become(r.m, *(unsigned *)ctx);
    disco_vcpu_line(&asleep->vcpu[0], 2, true);
    sim_become(r.m, 0);
    return UINT64_MAX;
}

static void served_at_once(unsigned by)
{
    struct sim_cpu_stats kicked;

    make(2, 1);
    asleep = STARTED(1, sleeper);
    rig_turn(&r, 0);
    STARTED(1, spin);
    for (unsigned i = 0; i < 10; i++)
        rig_turn(&r, 0);
    wake_at = r.b->ops->now(r.b) + 30 * SIM_OP_NS;
    disco_sched_turn(r.s, wakes, &by); /* the slice ends early */
    sim_cpu_stats(r.m, 0, &kicked);
    ck_assert_uint_eq(kicked.kicks, by); /* it needs no kick to itself */
    ck_assert_uint_le(r.b->ops->now(r.b), wake_at + 2 * SIM_OP_NS);
    ck_assert_uint_eq(rig_state(&asleep->vcpu[0]), DISCO_VCPU_READY);
    disco_sched_turn(r.s, NULL, NULL);
    ck_assert_uint_eq(rig_state(&asleep->vcpu[0]), DISCO_VCPU_BLOCKED);
    ck_assert_uint_eq(asleep->vcpu[0].stats.switches, 2);
}

START_TEST(woken_by_its_processor_it_is_served_at_once) { served_at_once(0); }
END_TEST

START_TEST(woken_by_another_it_is_served_at_once) { served_at_once(1); }
END_TEST

START_TEST(who_has_had_its_share_waits)
{
    uint64_t from;
    unsigned by = 0;

    make(1, 1);
    asleep = STARTED(1, sleeper);
    turns(1);
    STARTED(1, spin);
    turns(10);
    asleep->vcpu[0].served = r.s->floor + 200 * SIM_OP_NS;
    from = r.b->ops->now(r.b);
    wake_at = from + 30 * SIM_OP_NS;
    disco_sched_turn(r.s, wakes, &by);
    ck_assert_uint_eq(r.b->ops->now(r.b) - from, 100 * SIM_OP_NS); /* a whole slice */
}
END_TEST

START_TEST(one_that_has_fallen_behind_is_fetched)
{
    struct rig_vm *vm;

    make(2, 1);
    vm = STARTED(4, spin);
    rig_turn(&r, 0);
    rig_turn(&r, 0);
    rig_turn(&r, 0);
    ck_assert_uint_eq(ops_of(&vm->vcpu[1]) + ops_of(&vm->vcpu[3]), 0);
    for (unsigned i = 0; i < 50; i++)
        rig_turn(&r, 0); /* processor 1 does nothing all the time: its two are not left alone */
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_ge(ops_of(&vm->vcpu[i]), 1000);
}
END_TEST

START_TEST(it_wakes_up_where_it_fell_asleep)
{
    struct rig_vm *vm;

    make(2, 2);
    vm = STARTED(2, sleeper);
    rig_turn(&r, 0);
    rig_turn(&r, 1);
    ck_assert_uint_eq(rig_state(&vm->vcpu[1]), DISCO_VCPU_BLOCKED);
    sim_become(r.m, 0);
    disco_vcpu_line(&vm->vcpu[1], 2, true);
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 0);
    ck_assert_uint_eq(disco_sched_load(r.s, 1), 1);
}
END_TEST

static struct rig_vm *woken;
static bool in_idle;

/* While processor 1 idles, a virtual CPU wakes up whose place, processor 0, is busy. */
static void idle_on_1(struct disco_backend *b)
{
    struct sim_cpu_stats s[2];

    in_idle = true;
    sim_become(r.m, 2);
    disco_vcpu_line(&woken->vcpu[0], 2, true);
    sim_become(r.m, 1);
    sim_cpu_stats(r.m, 0, &s[0]);
    sim_cpu_stats(r.m, 1, &s[1]);
    ck_assert_uint_eq(s[0].kicks, 0);
    ck_assert_uint_eq(s[1].kicks, 1);
    (void)b;
}

START_TEST(an_idle_processor_hears_of_work)
{
    struct disco_backend_ops ops;

    make(3, 1);
    woken = STARTED(1, sleeper);
    rig_turn(&r, 0);
    ops = *r.b->ops;
    ops.idle = idle_on_1;
    r.b->ops = &ops;
    in_idle = false;
    rig_turn(&r, 1);
    ck_assert(in_idle);
    rig_turn(&r, 1);
    ck_assert_uint_eq(woken->vcpu[0].cpu, 1);
    ck_assert_uint_eq(woken->vcpu[0].stats.migrations, 1);
}
END_TEST

/* Two wake up while two processors idle: each of these hears of it, none twice. */
static void idle_on_both(struct disco_backend *b)
{
    struct sim_cpu_stats s;

    (void)b;
    in_idle = true;
    r.s->idle = 2 | 4;
    sim_become(r.m, 0);
    disco_vcpu_line(&woken->vcpu[0], 2, true);
    disco_vcpu_line(&woken->vcpu[1], 2, true);
    disco_vcpu_line(&woken->vcpu[2], 2, true);
    for (unsigned i = 1; i < 3; i++) {
        sim_cpu_stats(r.m, i, &s);
        ck_assert_uint_eq(s.kicks, 1);
    }
    ck_assert_uint_eq(r.s->idle, 0);
    sim_become(r.m, 1);
}

START_TEST(each_offer_wakes_another)
{
    struct disco_backend_ops ops;
    struct disco_sched_stats st;

    make(3, 1);
    woken = STARTED(3, sleeper);
    turns(1);
    ops = *r.b->ops;
    ops.idle = idle_on_both;
    r.b->ops = &ops;
    in_idle = false;
    rig_turn(&r, 1);
    ck_assert(in_idle);
    ck_assert_int_eq(disco_sched_stats(r.s, 0, &st), 0);
    ck_assert_uint_eq(st.kicks, 2); /* the first woken is processor 0's own, who takes it next */
}
END_TEST

START_TEST(what_a_processor_did_is_counted)
{
    struct disco_sched_stats st;
    struct rig_vm *vm;
    uint64_t wait = 12345678;

    make(2, 1);
    ck_assert_int_eq(disco_sched_stats(r.s, 2, &st), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_sched_stats(r.s, 0, NULL), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_sched_stats(NULL, 0, &st), DISCO_ERR_BAD_ARG);
    disco_sched_turn(r.s, poll_soon, &wait);
    ck_assert_int_eq(disco_sched_stats(r.s, 0, &st), 0);
    ck_assert_uint_eq(st.idle_ns, wait);
    ck_assert_uint_eq(st.turns, 1);
    vm = STARTED(2, spin);
    rig_turn(&r, 0);
    rig_turn(&r, 0); /* the same again: no switch */
    rig_turn(&r, 1);
    disco_vcpu_pause(&vm->vcpu[0], DISCO_PAUSE_PERSON);
    rig_turn(&r, 0); /* takes the other */
    ck_assert_int_eq(disco_sched_stats(r.s, 0, &st), 0);
    ck_assert_uint_eq(st.idle_ns, wait);
    ck_assert_uint_eq(st.turns, 4);
    ck_assert_uint_eq(st.switches, 2);
    ck_assert_uint_eq(st.steals, 1);
    ck_assert_int_eq(disco_sched_stats(r.s, 1, &st), 0);
    ck_assert_uint_eq(st.turns, 1);
    ck_assert_uint_eq(st.idle_ns, 0);
}
END_TEST

START_TEST(a_starting_one_goes_where_least_is_to_do)
{
    struct rig_vm *vm;

    make(3, 3);
    vm = STARTED(4, spin);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_uint_eq(vm->vcpu[i].cpu, i % 3);
        ck_assert_uint_eq(vm->vcpu[i].node, i % 3);
    }
}
END_TEST

/* Stale translations of one that went away and came back (memory changed meanwhile). */
START_TEST(coming_back_it_finds_no_old_entries)
{
    static const struct sim_insn touch[] = {{SIM_SET, 2, 0, (int64_t)SIM_UNMAPPED},
                                            {SIM_LOAD, 3, 2, 0},
                                            GOTO(1)};
    struct rig_vm *vm;
    disco_mpn old;

    make(2, 1);
    vm = STARTED(1, touch);
    rig_turn(&r, 0);
    ck_assert_int_eq(disco_pmap_translate(&vm->pmap, (disco_ppn){0}, 0, &old), 0);
    ck_assert(sim_reaches(r.m, 0, NULL, old));
    ck_assert_int_eq(disco_memmap_get(r.mm, old), 0); /* so that it is not used again */
    rig_turn(&r, 1);                                  /* stolen */
    ck_assert_uint_eq(vm->vcpu[0].stats.migrations, 1);
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){0}), 0);
    rig_poke(vm, 0, 4711);
    rig_turn(&r, 0);
    ck_assert_uint_eq(vm->vcpu[0].stats.migrations, 2);
    ck_assert_uint_eq(sim_guest(&vm->vcpu[0])->r[3], 4711);
    ck_assert_uint_eq(vm->vcpu[0].seen, 1);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        config_is_checked,
        equal_virtual_cpus_get_equal_time,
        two_processors_share_four,
        a_slice_ends_on_time,
        alone_it_keeps_its_translations,
        poll_is_called_when_it_wants,
        the_monitors_own_work_is_nobodys_time,
        idling_lasts_until_poll_wants_it,
        an_idle_processor_steals,
        a_thief_prefers_what_belongs_to_its_node,
        shares_are_equal_whatever_the_numbers,
        shares_are_equal_when_they_begin_unequally,
        shares_are_equal_when_the_count_wraps,
        who_ran_alone_owes_nothing,
        who_ran_alone_and_then_slept_owes_nothing,
        who_slept_has_saved_up_a_slice_at_most,
        who_wake_up_together_have_a_slice_each,
        woken_by_its_processor_it_is_served_at_once,
        woken_by_another_it_is_served_at_once,
        who_has_had_its_share_waits,
        one_that_has_fallen_behind_is_fetched,
        each_offer_wakes_another,
        what_a_processor_did_is_counted,
        it_wakes_up_where_it_fell_asleep,
        a_starting_one_goes_where_least_is_to_do,
        an_idle_processor_hears_of_work,
        coming_back_it_finds_no_old_entries,
    };

    return SUITE_RUN("sched", tests, NULL, NULL);
}
