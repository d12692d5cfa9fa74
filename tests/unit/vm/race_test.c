/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes wrong only between processors: lost wake-ups, virtual CPUs in two places, stale
 * translations. Each processor is a thread; run this under ThreadSanitizer.
 */
#include "../mm/suite.h"
#include "rig.h"

#include "sched.h"

#include <disco/atomic.h>

#include <stdlib.h>
#include <string.h>

#define GOTO(place)                                                                                \
    {                                                                                              \
        SIM_BEQ, 0, 0, place                                                                       \
    }
#define ACK 20 /* call: the interrupt has been seen */
#define LINE 2
#define PATIENCE 20000000

static struct rig r;
static bool tagged; /* the TLBs */

static uint64_t scaled(uint64_t n)
{
    const char *s = getenv("DISCO_TEST_SCALE"); /* more rounds, for a long run */

    return s ? n * (uint64_t)atoi(s) : n;
}

static void make(unsigned cpus, unsigned nodes)
{
    struct rig_config c = {
        .cpus = cpus, .nodes = nodes, .hidden = 4, .slice_ns = 50 * SIM_OP_NS, .tagged = tagged};

    rig_init(&r, &c);
}

/* --- lost wake-ups --- */

static uint32_t acks[RIG_VCPUS];

static enum disco_next on_ack(struct disco_vcpu *v, const struct disco_exit *x, int64_t *result)
{
    (void)x;
    disco_vcpu_line(v, LINE, false);
    __atomic_fetch_add(&acks[v->id], 1, __ATOMIC_SEQ_CST);
    *result = 0;
    return DISCO_NEXT_RESUME;
}

static const struct sim_insn sleeper[] = {
    {SIM_VECTOR, SIM_INTERRUPT, 0, 4},
    {SIM_ENABLE, 0, 0, 1 << LINE},
    {SIM_WAIT, 0, 0, 0},
    GOTO(2),
    {SIM_SET, 0, 0, ACK},
    {SIM_CALL, 0, 0, 0},
    {SIM_ERET, 0, 0, 0},
};

/* Raise the line of each sleeper, wait until each has seen it, again and again. */
static void interrupt_all(struct rig_vm *vm, uint64_t rounds)
{
    for (uint64_t i = 1; i <= rounds; i++) {
        for (unsigned n = 0; n < vm->vm.vcpus; n++)
            disco_vcpu_line(&vm->vcpu[n], LINE, true);
        for (unsigned n = 0; n < vm->vm.vcpus; n++) {
            unsigned patience = PATIENCE;

            while (__atomic_load_n(&acks[n], __ATOMIC_SEQ_CST) != i && --patience)
                r.b->ops->relax(r.b);
            ck_assert_msg(patience, "wake-up %llu of virtual CPU %u was lost",
                          (unsigned long long)i, n);
        }
    }
}

static void sleepers(void *ctx, unsigned cpu)
{
    struct rig_vm *vm = ctx;

    if (cpu == r.b->cpus - 1) {
        interrupt_all(vm, scaled(3000));
        disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    }
    while (!rig_all_ended(&r))
        disco_sched_turn(r.s, NULL, NULL);
}

static void test_sleepers(unsigned cpus, unsigned vcpus)
{
    struct rig_vm *vm;

    make(cpus, 1);
    memset(acks, 0, sizeof acks);
    vm = RIG_ADD(&r, 8, vcpus, sleeper);
    vm->vm.hooks.call = on_ack;
    for (unsigned i = 0; i < vcpus; i++)
        ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0);
    sim_run(r.m, sleepers, vm);
    ck_assert_uint_eq(vm->ended, 1);
    rig_fini(&r);
}

START_TEST(no_wake_up_is_lost) { test_sleepers(2, 1); }
END_TEST

START_TEST(no_wake_up_is_lost_among_many) { test_sleepers(3, 4); }
END_TEST

/* --- random orders from a processor of their own --- */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static const struct sim_insn busy[] = {{SIM_SET, 0, 0, DISCO_CALL_YIELD},
                                       {SIM_CALL, 0, 0, 0},
                                       {SIM_WAIT, 0, 0, 0},
                                       GOTO(0)};

static uint64_t calls_of(const struct disco_vcpu *v)
{
    return disco_load(&v->stats.exits[DISCO_EXIT_CALL]);
}

static void order(struct disco_vcpu *v, uint32_t what)
{
    uint32_t who = what / 8 % 2 ? DISCO_PAUSE_PERSON : DISCO_PAUSE_MEMORY;

    switch (what % 8) {
    case 0: disco_vcpu_pause(v, who); break;
    case 1: disco_vcpu_resume(v, who); break;
    case 2: disco_vm_pause(v->vm, who); break;
    case 3: disco_vm_resume(v->vm, who); break;
    default: disco_vcpu_line(v, LINE + what / 8 % 3, what / 24 % 2); break;
    }
}

/* After all the orders every one of them still lives: it answers to a line. */
static void all_alive(struct rig_vm *vm)
{
    disco_vm_resume(&vm->vm, DISCO_PAUSE_PERSON | DISCO_PAUSE_MEMORY);
    for (unsigned n = 0; n < vm->vm.vcpus; n++) {
        struct disco_vcpu *v = &vm->vcpu[n];
        uint64_t before = calls_of(v), patience = PATIENCE;

        disco_vcpu_resume(v, DISCO_PAUSE_PERSON | DISCO_PAUSE_MEMORY);
        while (calls_of(v) < before + 3 && --patience) {
            disco_vcpu_line(v, LINE, false);
            disco_vcpu_line(v, LINE, true);
            r.b->ops->relax(r.b);
        }
        ck_assert_msg(patience, "virtual CPU %u got lost in state %u", n, rig_state(v));
    }
}

static uint32_t seed, done;

static void orders(struct rig_vm *vm, uint32_t state)
{
    for (uint64_t i = scaled(4000); i; i--) {
        uint32_t who = next_random(&state) % vm->vm.vcpus;

        order(&vm->vcpu[who], next_random(&state));
        if (i % 8 == 0)
            r.b->ops->relax(r.b);
    }
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

/* Two processors give orders at once; the last one waits for the other and looks who is left. */
static void give_orders(void *ctx, unsigned cpu)
{
    struct rig_vm *vm = ctx;

    if (cpu >= r.b->cpus - 2)
        orders(vm, seed + cpu);
    if (cpu == r.b->cpus - 1) {
        while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < 2)
            r.b->ops->relax(r.b);
        all_alive(vm);
        disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    }
    while (!rig_all_ended(&r))
        disco_sched_turn(r.s, NULL, NULL);
}

START_TEST(pause_resume_and_lines_at_random)
{
    struct rig_vm *vm;

    make(4, 2);
    seed = (uint32_t)_i * 77 + 1;
    done = 0;
    vm = RIG_ADD(&r, 8, 6, busy);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0);
    sim_run(r.m, give_orders, vm);
    ck_assert_uint_eq(vm->ended, 1);
    for (unsigned i = 0; i < 6; i++)
        ck_assert_uint_eq(rig_state(&vm->vcpu[i]), DISCO_VCPU_STOPPED);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(disco_sched_load(r.s, i), 0);
    rig_fini(&r);
}
END_TEST

/* --- starting and ending from two sides at once --- */

static uint32_t started, over;

/* Nobody kicks a processor because `over` has changed: look again soon. */
static uint64_t soon(void *ctx)
{
    (void)ctx;
    return r.b->ops->now(r.b) + 50000;
}

static void start_and_end(void *ctx, unsigned cpu)
{
    struct rig_vm *vm = ctx;

    if (cpu < 2) {
        for (unsigned i = 0; i < vm->vm.vcpus; i++) {
            if (disco_vcpu_start(&vm->vcpu[i], r.s) == 0)
                __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
        }
    }
    if (cpu >= 1)
        disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, (int)cpu, NULL);
    __atomic_fetch_add(&over, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&over, __ATOMIC_SEQ_CST) < r.b->cpus || !rig_all_ended(&r))
        disco_sched_turn(r.s, soon, NULL);
}

START_TEST(start_against_end)
{
    for (unsigned round = 0; round < scaled(60); round++) {
        struct rig_vm *vm;

        make(3, 1);
        started = over = 0;
        vm = RIG_ADD(&r, 8, 5, busy);
        sim_run(r.m, start_and_end, vm);
        ck_assert_uint_eq(vm->ended, 1);
        ck_assert_uint_eq(vm->vm.alive, 0);
        ck_assert_uint_le(started, 5);
        for (unsigned i = 0; i < 5; i++)
            ck_assert_uint_eq(rig_state(&vm->vcpu[i]), DISCO_VCPU_STOPPED);
        rig_fini(&r);
    }
}
END_TEST

/* --- starting virtual CPUs of a VM that is paused and resumed meanwhile --- */

static void start_and_pause(void *ctx, unsigned cpu)
{
    struct rig_vm *vm = ctx;

    if (cpu == 0) {
        for (unsigned i = 0; i < vm->vm.vcpus; i++)
            ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0);
    }
    for (unsigned i = 0; cpu == 1 && i < 10; i++) {
        disco_vm_pause(&vm->vm, DISCO_PAUSE_PERSON);
        disco_vm_resume(&vm->vm, DISCO_PAUSE_PERSON);
    }
    __atomic_fetch_add(&over, 1, __ATOMIC_SEQ_CST);
    while (cpu == 2 && __atomic_load_n(&over, __ATOMIC_SEQ_CST) < 3)
        r.b->ops->relax(r.b);
    if (cpu == 2) {
        all_alive(vm);
        disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    }
    while (!rig_all_ended(&r))
        disco_sched_turn(r.s, NULL, NULL);
}

START_TEST(start_against_pause)
{
    for (unsigned round = 0; round < scaled(60); round++) {
        struct rig_vm *vm;

        make(3, 1);
        over = 0;
        vm = RIG_ADD(&r, 8, 5, busy);
        sim_run(r.m, start_and_pause, vm);
        ck_assert_uint_eq(vm->ended, 1);
        ck_assert_uint_eq(r.s->admitted, 0);
        rig_fini(&r);
    }
}
END_TEST

/* --- a VM ends and is made anew in its storage while another runs --- */

/* Store in memory, give way a few times, then end the VM: the first of its virtual CPUs does. */
static const struct sim_insn brief[] = {
    {SIM_SET, 3, 0, (int64_t)SIM_UNMAPPED},
    {SIM_SET, 6, 0, 30},
    {SIM_STORE, 9, 3, 0},
    {SIM_SET, 0, 0, DISCO_CALL_YIELD},
    {SIM_CALL, 0, 0, 0},
    {SIM_ADD, 9, 9, 1},
    {SIM_BNE, 9, 6, 2},
    {SIM_SET, 1, 0, 0},
    {SIM_SET, 0, 0, DISCO_CALL_POWEROFF},
    {SIM_CALL, 0, 0, 0},
    GOTO(10),
};

static void wait_for_end(struct rig_vm *vm, uint32_t round)
{
    unsigned patience = PATIENCE;

    while (__atomic_load_n(&vm->ended, __ATOMIC_SEQ_CST) != round && --patience) {
        disco_sched_turn(r.s, soon, NULL);
        if (round % 3 == 0) /* sometimes we are the first to end it */
            disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    }
    ck_assert_msg(patience, "the end of round %u was lost", round);
}

static void make_anew(void *ctx, unsigned cpu)
{
    struct rig_vm **vm = ctx;

    for (uint32_t round = 1; cpu == 0 && round <= scaled(150); round++) {
        for (unsigned i = 0; i < vm[0]->vm.vcpus; i++)
            (void)disco_vcpu_start(&vm[0]->vcpu[i], r.s);
        wait_for_end(vm[0], round);
        ck_assert_uint_eq(vm[0]->vm.alive, 0);
        for (unsigned i = 0; i < vm[0]->vm.vcpus; i++)
            ck_assert_uint_eq(rig_state(&vm[0]->vcpu[i]), DISCO_VCPU_STOPPED);
        ck_assert_uint_eq(r.s->admitted, vm[1]->vm.vcpus);
        rig_again(vm[0], brief, sizeof brief / sizeof brief[0]);
    }
    if (cpu == 0)
        disco_vm_end(&vm[1]->vm, DISCO_CAUSE_KILLED, 0, NULL);
    while (!rig_ended(vm[1]))
        disco_sched_turn(r.s, NULL, NULL);
}

START_TEST(made_anew_while_others_run)
{
    struct rig_vm *vm[2];

    make(3, 2);
    vm[0] = RIG_ADD(&r, 16, 4, brief);
    vm[1] = RIG_ADD(&r, 8, 3, busy);
    for (unsigned i = 0; i < 3; i++) {
        sim_load(&vm[1]->vcpu[i], brief, sizeof brief / sizeof brief[0]);
        sim_guest(&vm[1]->vcpu[i])->r[9] = UINT32_MAX; /* it will not come to an end */
        ck_assert_int_eq(disco_vcpu_start(&vm[1]->vcpu[i], r.s), 0);
    }
    sim_run(r.m, make_anew, vm);
    ck_assert_int_eq(vm[1]->vm.cause, DISCO_CAUSE_KILLED);
    ck_assert_uint_eq(r.s->admitted, 0);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(disco_sched_load(r.s, i), 0);
        ck_assert_uint_eq(r.s->q[i].running, 0);
    }
    rig_fini(&r);
}
END_TEST

/* --- revoking pages under running guests --- */

#define PPN 6
#define SHARED_VA UINT64_C(0x40000)

/*
 * Count in memory and in a register (r9), through the unmapped segment, the window, and an entry
 * of one's own. r[6] is the offset in the page. Only this virtual CPU writes there.
 */
static const struct sim_insn counter[] = {
    {SIM_VECTOR, DISCO_INJECT_MISS, 0, 15},
    {SIM_LOAD, 1, 3, 0},
    {SIM_ADD, 1, 1, 1},
    {SIM_STORE, 1, 3, 0},
    {SIM_ADD, 9, 9, 1},
    {SIM_LOAD, 1, 4, 0},
    {SIM_ADD, 1, 1, 1},
    {SIM_STORE, 1, 4, 0},
    {SIM_ADD, 9, 9, 1},
    {SIM_LOAD, 1, 5, 0},
    {SIM_ADD, 1, 1, 1},
    {SIM_STORE, 1, 5, 0},
    {SIM_ADD, 9, 9, 1},
    GOTO(1),
    {SIM_NOP, 0, 0, 0},
    {SIM_TLB_RANDOM, 10, 11, 0},
    {SIM_ERET, 0, 0, 0}, /* 15 */
};

static void prepare_counter(struct disco_vcpu *v)
{
    struct sim_guest *g = sim_guest(v);
    uint64_t offset = v->id * 64 + PPN * DISCO_PAGE_SIZE;

    g->r[3] = SIM_UNMAPPED + offset;
    g->r[4] = SIM_WINDOW + offset;
    g->r[5] = SHARED_VA + v->id * 64;
    g->r[10] = SHARED_VA;
    g->r[11] = (uint64_t)sim_lo(PPN, DISCO_RWX, v->id & 1);
    g->r[12] = (uint64_t)sim_lo(PPN + 1, DISCO_RWX, v->id & 1);
}

static uint64_t word_of(struct rig_vm *vm, unsigned vcpu)
{
    return rig_peek(vm, PPN * DISCO_PAGE_SIZE + vcpu * 64);
}

/* Take a snapshot of the page for the other VM; it must never change again. */
static void snapshot(struct rig_vm *vm, struct rig_vm *other, uint64_t round)
{
    uint64_t ppn = round % 8, seen[2];
    disco_mpn mpn;

    if (disco_pmap_lend(&vm->pmap, (disco_ppn){PPN}, 0, DISCO_PMAP_COW, &mpn))
        return;
    ck_assert_int_eq(disco_pmap_share(&other->pmap, (disco_ppn){ppn}, mpn, DISCO_PMAP_COW), 0);
    ck_assert_int_eq(disco_memmap_put(r.mm, mpn), 0);
    seen[0] = rig_peek(other, ppn * DISCO_PAGE_SIZE);
    for (unsigned i = 0; i < 20; i++)
        r.b->ops->relax(r.b);
    seen[1] = rig_peek(other, ppn * DISCO_PAGE_SIZE);
    ck_assert_uint_eq(seen[0], seen[1]);
}

static bool all_ran(const struct rig_vm *vm)
{
    for (unsigned i = 0; i < vm->vm.vcpus; i++) {
        if (disco_load(&vm->vcpu[i].stats.switches) < 5)
            return false;
    }
    return true;
}

static void revoke(void *ctx, unsigned cpu)
{
    struct rig_vm **vm = ctx;

    if (cpu == r.b->cpus - 1) {
        for (uint64_t i = 0; i < scaled(400) || !(all_ran(vm[0]) || rig_ended(vm[0])); i++) {
            if (i & 1)
                snapshot(vm[0], vm[1], i);
            else
                (void)disco_pmap_migrate(&vm[0]->pmap, (disco_ppn){PPN}, i / 2 % 2);
            disco_sched_turn(r.s, soon, NULL); /* some wait in this processor's queue */
        }
        disco_vm_end(&vm[0]->vm, DISCO_CAUSE_KILLED, 0, NULL);
        disco_vm_end(&vm[1]->vm, DISCO_CAUSE_KILLED, 0, NULL);
    }
    while (!rig_all_ended(&r))
        disco_sched_turn(r.s, NULL, NULL);
}

START_TEST(no_store_is_lost_when_pages_move)
{
    struct rig_vm *vm[2];

    make(3, 2);
    vm[0] = RIG_ADD(&r, 16, 4, counter);
    vm[1] = RIG_ADD(&r, 8, 0, counter);
    for (unsigned i = 0; i < 4; i++) {
        prepare_counter(&vm[0]->vcpu[i]);
        ck_assert_int_eq(disco_vcpu_start(&vm[0]->vcpu[i], r.s), 0);
    }
    sim_run(r.m, revoke, vm);
    ck_assert_int_eq(vm[0]->vm.cause, DISCO_CAUSE_KILLED);
    for (unsigned i = 0; i < 4; i++) {
        const struct sim_guest *g = sim_guest(&vm[0]->vcpu[i]);
        /* It may have been stopped between the store and the counting. */
        uint64_t counted = g->r[9] + (g->pc == 4 || g->pc == 8 || g->pc == 12);

        ck_assert_uint_gt(counted, 0);
        ck_assert_uint_eq(word_of(vm[0], i), counted);
    }
    ck_assert_uint_gt(rig_stats(vm[0]).cow_copies + rig_stats(vm[0]).write_reused, 0);
    ck_assert_uint_gt(rig_stats(vm[0]).purges, 0);
    rig_fini(&r);
}
END_TEST

static void without_tags(void) { tagged = false; }
static void with_tags(void) { tagged = true; }

static TCase *all_races(const char *name, SFun regime)
{
    TCase *c = tcase_create(name);

    tcase_add_checked_fixture(c, regime, NULL);
    tcase_add_test(c, no_wake_up_is_lost);
    tcase_add_test(c, no_wake_up_is_lost_among_many);
    tcase_add_loop_test(c, pause_resume_and_lines_at_random, 0, 4);
    tcase_add_test(c, start_against_end);
    tcase_add_test(c, start_against_pause);
    tcase_add_test(c, made_anew_while_others_run);
    tcase_add_test(c, no_store_is_lost_when_pages_move);
    tcase_set_timeout(c, 300);
    return c;
}

int main(void)
{
    Suite *s = suite_create("race");
    SRunner *runner;
    int failed;

    suite_add_tcase(s, all_races("flush", without_tags));
    suite_add_tcase(s, all_races("tagged", with_tags));
    runner = srunner_create(s);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
