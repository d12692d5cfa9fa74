/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a virtual CPU and of its VM, on one thread: every state and what leads out of it. */
#include "../mm/suite.h"
#include "rig.h"

#include "sched.h"

#include <string.h>

static struct rig r;

#define CALL(number)                                                                               \
    {SIM_SET, 0, 0, number}, { SIM_CALL, 0, 0, 0 }
#define GOTO(place)                                                                                \
    {                                                                                              \
        SIM_BEQ, 0, 0, place                                                                       \
    }

static const struct sim_insn spin[] = {GOTO(0)};
static const struct sim_insn yields[] = {CALL(DISCO_CALL_YIELD), GOTO(0)};
static const struct sim_insn sleeper[] = {{SIM_ADD, 9, 9, 1}, {SIM_WAIT, 0, 0, 0}, GOTO(0)};
static const struct sim_insn off[] = {{SIM_SET, 1, 0, 42}, CALL(DISCO_CALL_POWEROFF), GOTO(3)};
static const struct sim_insn halt[] = {{SIM_HALT, 0, 0, 0}};

static void setup(void)
{
    static const struct rig_config c = {.cpus = 2, .nodes = 2, .queue_len = 4};

    rig_init(&r, &c);
}

static void teardown(void) { rig_fini(&r); }

static void start(struct disco_vcpu *v) { ck_assert_int_eq(disco_vcpu_start(v, r.s), 0); }

START_TEST(init_refuses)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 1, spin);
    size_t size = disco_vcpu_size(r.b, 16);
    _Alignas(64) static uint8_t storage[65536];
    struct disco_vcpu v;
    struct disco_vm bad = {.backend = r.b};

    ck_assert_uint_le(size, sizeof storage);
    ck_assert_int_eq(disco_vm_init(NULL), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_vm_init(&bad), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_vcpu_init(NULL, storage, size, 0, &vm->vm, 16), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_vcpu_init(&v, NULL, size, 0, &vm->vm, 16), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_vcpu_init(&v, storage + 8, size, 0, &vm->vm, 16), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_vcpu_init(&v, storage, size, 0, NULL, 16), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_vcpu_init(&v, storage, size, vm->vm.backend->nodes, &vm->vm, 16),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_vcpu_init(&v, storage, size - 64, 0, &vm->vm, 16), DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(disco_vcpu_init(&v, storage, size, 0, &vm->vm, 15), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(vm->vm.vcpus, 1);
    ck_assert_int_eq(disco_vcpu_init(&v, storage, size, 0, &vm->vm, 16), 0);
    ck_assert_uint_eq(v.id, 1);
    ck_assert_uint_eq(rig_state(&v), DISCO_VCPU_STOPPED);
    vm->vm.vcpus = DISCO_MAX_VCPUS;
    ck_assert_int_eq(disco_vcpu_init(&v, storage, size, 0, &vm->vm, 16), DISCO_ERR_NO_SPACE);
    vm->vm.vcpus = 1;
}
END_TEST

START_TEST(start_refuses)
{
    struct rig_vm *a = RIG_ADD(&r, 8, 5, spin);

    ck_assert_int_eq(disco_vcpu_start(NULL, r.s), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_vcpu_start(&a->vcpu[0], NULL), DISCO_ERR_BAD_ARG);
    for (unsigned i = 0; i < 4; i++)
        start(&a->vcpu[i]);
    ck_assert_int_eq(disco_vcpu_start(&a->vcpu[0], r.s), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_vcpu_start(&a->vcpu[4], r.s), DISCO_ERR_NO_SPACE);
    ck_assert_uint_eq(a->vm.alive, 4);
    disco_vm_end(&a->vm, DISCO_CAUSE_KILLED, 0, NULL);
    ck_assert_int_eq(disco_vcpu_start(&a->vcpu[4], r.s), DISCO_ERR_STATE);
    ck_assert_uint_eq(a->vm.alive, 0);
    /* Their places in the scheduler are free again. */
    a = RIG_ADD(&r, 8, 4, spin);
    for (unsigned i = 0; i < 4; i++)
        start(&a->vcpu[i]);
}
END_TEST

START_TEST(from_start_to_poweroff)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 1, off);
    struct disco_vcpu *v = &vm->vcpu[0];

    start(v);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_READY);
    ck_assert_uint_eq(vm->vm.alive, 1);
    rig_turn(&r, 0);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_STOPPED);
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_POWEROFF);
    ck_assert_int_eq(vm->vm.code, 42);
    ck_assert_uint_eq(vm->ended, 1);
    ck_assert_uint_eq(vm->vm.alive, 0);
}
END_TEST

START_TEST(waiting_and_waking)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 1, sleeper);
    struct disco_vcpu *v = &vm->vcpu[0];

    start(v);
    rig_turn(&r, 0);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_BLOCKED);
    disco_vcpu_line(v, 3, false); /* was not up */
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_BLOCKED);
    disco_vcpu_line(v, 32, true); /* no such line */
    ck_assert_uint_eq(v->lines, 0);
    disco_vcpu_line(v, 3, true);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_READY);
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 1);
    disco_vcpu_line(v, 4, true); /* a second one does not put it in the queue twice */
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 1);
    rig_turn(&r, 0);
    ck_assert_uint_eq(sim_guest(v)->r[9], 2);
    ck_assert_uint_eq(sim_guest(v)->lines, 0x18);
    /* It waits again although lines are up: the guest has masked them. Only a rise wakes it. */
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_BLOCKED);
    disco_vcpu_line(v, 3, true);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_BLOCKED);
    disco_vcpu_line(v, 3, false);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_BLOCKED);
    disco_vcpu_line(v, 3, true);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_READY);
}
END_TEST

static struct disco_backend_ops ops;

/* A line rises at the worst time: the guest's last look is over, BLOCKED is not written yet. */
static bool late_line(const struct disco_vcpu *v)
{
    struct disco_vcpu *w = v->vm->vcpu[0];

    if (rig_state(v) == DISCO_VCPU_RUNNING)
        disco_vcpu_line(w, 5, true);
    return false;
}

START_TEST(a_line_that_rises_while_going_to_sleep)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 1, sleeper);
    struct disco_vcpu *v = &vm->vcpu[0];

    ops = *r.b->ops;
    ops.irq_ready = late_line;
    r.b->ops = &ops;
    start(v);
    rig_turn(&r, 0);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_READY);
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 1);
    rig_turn(&r, 0);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_BLOCKED);
    ck_assert_uint_eq(sim_guest(v)->r[9], 2);
}
END_TEST

static uint64_t kicks_of(unsigned cpu)
{
    struct sim_cpu_stats s;

    sim_cpu_stats(r.m, cpu, &s);
    return s.kicks;
}

static enum disco_next another_raises(struct disco_vcpu *v, const struct disco_exit *x,
                                      int64_t *result)
{
    uint64_t before = kicks_of(0);

    (void)x;
    *result = 0;
    disco_vcpu_line(v, 1, true); /* its own processor needs no kick */
    ck_assert_uint_eq(kicks_of(0), before);
    sim_become(r.m, 1);
    disco_vcpu_line(v, 2, true);
    ck_assert_uint_eq(kicks_of(0), before + 1);
    disco_vcpu_line(v, 2, true); /* nothing new */
    ck_assert_uint_eq(kicks_of(0), before + 1);
    disco_vcpu_line(v, 2, false);
    ck_assert_uint_eq(kicks_of(0), before + 2);
    disco_vcpu_pause(v, DISCO_PAUSE_PERSON);
    ck_assert_uint_eq(kicks_of(0), before + 3);
    sim_become(r.m, 0);
    return DISCO_NEXT_RESUME;
}

START_TEST(a_running_one_is_kicked)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 1, yields);

    vm->vm.hooks.call = another_raises;
    start(&vm->vcpu[0]);
    rig_turn(&r, 0);
    ck_assert_uint_eq(rig_state(&vm->vcpu[0]), DISCO_VCPU_PAUSED);
}
END_TEST

START_TEST(pausing)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 2, sleeper);
    struct disco_vcpu *v = &vm->vcpu[0], *w = &vm->vcpu[1];

    ck_assert_int_eq(disco_vcpu_pause(v, DISCO_PAUSE_PERSON), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_vcpu_resume(v, DISCO_PAUSE_PERSON), DISCO_ERR_STATE);
    start(v);
    ck_assert_int_eq(disco_vcpu_pause(v, DISCO_PAUSE_PERSON), 0); /* READY */
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_PAUSED);
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 0);
    ck_assert_int_eq(disco_vcpu_pause(v, DISCO_PAUSE_PERSON), 0);
    disco_vcpu_line(v, 3, true); /* does not wake it, but is kept */
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_PAUSED);
    ck_assert_int_eq(disco_vcpu_resume(v, DISCO_PAUSE_PERSON), 0);
    ck_assert_int_eq(disco_vcpu_resume(v, DISCO_PAUSE_PERSON), 0);
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 1);
    rig_turn(&r, 0);
    ck_assert_uint_eq(sim_guest(v)->lines, 8);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_BLOCKED);
    disco_vcpu_pause(v, DISCO_PAUSE_PERSON); /* BLOCKED */
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_PAUSED);
    disco_vcpu_resume(v, DISCO_PAUSE_PERSON);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_READY);
    start(w);
    ck_assert_uint_eq(rig_state(w), DISCO_VCPU_READY);
}
END_TEST

static enum disco_next pauses_itself(struct disco_vcpu *v, const struct disco_exit *x,
                                     int64_t *result)
{
    (void)x;
    *result = 0;
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_RUNNING);
    ck_assert_int_eq(disco_vcpu_pause(v, DISCO_PAUSE_PERSON), 0);
    return DISCO_NEXT_RESUME;
}

START_TEST(pausing_one_that_runs)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 1, yields);
    struct disco_vcpu *v = &vm->vcpu[0];

    vm->vm.hooks.call = pauses_itself;
    start(v);
    rig_turn(&r, 0);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_PAUSED);
    ck_assert_uint_eq(v->stats.exits[DISCO_EXIT_CALL], 1);
    ck_assert_int_eq(disco_vcpu_resume(v, DISCO_PAUSE_PERSON), 0);
    rig_turn(&r, 0);
    ck_assert_uint_eq(v->stats.exits[DISCO_EXIT_CALL], 2);
    disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_STOPPED);
}
END_TEST

START_TEST(paused_while_any_reason_is_left)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 1, yields);
    struct disco_vcpu *v = &vm->vcpu[0];

    start(v);
    disco_vcpu_pause(v, DISCO_PAUSE_PERSON);
    disco_vm_pause(&vm->vm, DISCO_PAUSE_PERSON | DISCO_PAUSE_MEMORY);
    disco_vcpu_resume(v, DISCO_PAUSE_PERSON | DISCO_PAUSE_MEMORY); /* its own reasons only */
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_PAUSED);
    disco_vcpu_pause(v, DISCO_PAUSE_MEMORY);
    disco_vm_resume(&vm->vm, DISCO_PAUSE_PERSON);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_PAUSED);
    disco_vm_resume(&vm->vm, DISCO_PAUSE_MEMORY);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_PAUSED);
    disco_vcpu_resume(v, DISCO_PAUSE_MEMORY);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_READY);
    disco_vm_resume(&vm->vm, DISCO_PAUSE_MEMORY); /* nothing to take back */
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 1);
}
END_TEST

START_TEST(pausing_a_vm)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 3, sleeper), *other = RIG_ADD(&r, 8, 1, spin);

    start(&vm->vcpu[0]);
    rig_settle(&r, &vm->vcpu[0], 2);
    start(&vm->vcpu[1]);
    start(&other->vcpu[0]);
    disco_vm_pause(&vm->vm, DISCO_PAUSE_PERSON);
    start(&vm->vcpu[2]); /* started while its VM is paused */
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(rig_state(&vm->vcpu[i]), DISCO_VCPU_PAUSED);
    ck_assert_uint_eq(vm->vm.alive, 3);
    ck_assert_uint_eq(rig_state(&other->vcpu[0]), DISCO_VCPU_READY);
    ck_assert_uint_eq(disco_sched_load(r.s, 0) + disco_sched_load(r.s, 1), 1);
    disco_vm_resume(&vm->vm, DISCO_PAUSE_PERSON);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(rig_state(&vm->vcpu[i]), DISCO_VCPU_READY);
}
END_TEST

START_TEST(a_paused_vm_can_be_ended)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 3, sleeper);

    disco_vm_pause(&vm->vm, DISCO_PAUSE_MEMORY); /* nobody there yet */
    start(&vm->vcpu[0]);
    start(&vm->vcpu[1]);
    ck_assert_uint_eq(rig_state(&vm->vcpu[0]), DISCO_VCPU_PAUSED);
    disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(rig_state(&vm->vcpu[i]), DISCO_VCPU_STOPPED);
    ck_assert_uint_eq(vm->ended, 1);
    disco_vm_resume(&vm->vm, DISCO_PAUSE_MEMORY); /* too late, and harmless */
    ck_assert_uint_eq(rig_state(&vm->vcpu[0]), DISCO_VCPU_STOPPED);
}
END_TEST

START_TEST(ending_from_every_state)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 4, sleeper);

    start(&vm->vcpu[0]);
    rig_settle(&r, &vm->vcpu[0], 2);
    start(&vm->vcpu[1]);
    start(&vm->vcpu[2]);
    disco_vcpu_pause(&vm->vcpu[1], DISCO_PAUSE_PERSON);
    ck_assert_uint_eq(rig_state(&vm->vcpu[0]), DISCO_VCPU_BLOCKED);
    ck_assert_uint_eq(rig_state(&vm->vcpu[1]), DISCO_VCPU_PAUSED);
    ck_assert_uint_eq(rig_state(&vm->vcpu[2]), DISCO_VCPU_READY);
    disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, "enough");
    disco_vm_end(&vm->vm, DISCO_CAUSE_PANIC, 9, "too late");
    for (unsigned i = 0; i < 4; i++)
        ck_assert_uint_eq(rig_state(&vm->vcpu[i]), DISCO_VCPU_STOPPED);
    ck_assert_uint_eq(vm->ended, 1);
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_KILLED);
    ck_assert_str_eq(vm->vm.why, "enough");
    ck_assert_uint_eq(disco_sched_load(r.s, 0) + disco_sched_load(r.s, 1), 0);
    disco_vcpu_line(&vm->vcpu[0], 3, true); /* a device that has not heard of it */
    ck_assert_uint_eq(rig_state(&vm->vcpu[0]), DISCO_VCPU_STOPPED);
}
END_TEST

START_TEST(ending_without_virtual_cpus)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 0, spin);

    disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    ck_assert_uint_eq(vm->ended, 1);
}
END_TEST

START_TEST(one_that_dies_takes_its_vm_along)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 2, spin), *other = RIG_ADD(&r, 8, 1, spin);

    start(&other->vcpu[0]);
    start(&vm->vcpu[0]);
    sim_load(&vm->vcpu[1], halt, 1);
    start(&vm->vcpu[1]);
    for (unsigned i = 0; i < 10 && !vm->ended; i++)
        rig_turn(&r, i % 2);
    ck_assert_uint_eq(vm->ended, 1);
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_FAULT);
    ck_assert_str_eq(vm->vm.why, "the guest halted its processor");
    ck_assert_uint_eq(rig_state(&vm->vcpu[0]), DISCO_VCPU_STOPPED);
    ck_assert_uint_eq(rig_state(&other->vcpu[0]), DISCO_VCPU_READY);
    ck_assert_uint_eq(other->ended, 0);
}
END_TEST

static enum disco_next stops(struct disco_vcpu *v, const struct disco_exit *x, int64_t *result)
{
    (void)v, (void)x, (void)result;
    return DISCO_NEXT_STOP;
}

START_TEST(one_that_stops_alone_can_start_again)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 2, yields);
    struct disco_vcpu *v = &vm->vcpu[0];

    vm->vm.hooks.call = stops;
    sim_load(&vm->vcpu[1], sleeper, 3);
    start(&vm->vcpu[1]);
    rig_turn(&r, 0);
    for (unsigned i = 1; i <= 3; i++) {
        start(v);
        ck_assert_uint_eq(vm->vm.alive, 2);
        ck_assert_uint_eq(r.s->admitted, 2);
        rig_turn(&r, 0);
        rig_turn(&r, 1);
        ck_assert_uint_eq(rig_state(v), DISCO_VCPU_STOPPED);
        ck_assert_uint_eq(v->stats.exits[DISCO_EXIT_CALL], i);
        ck_assert_uint_eq(vm->vm.alive, 1);
        ck_assert_uint_eq(r.s->admitted, 1);
        ck_assert_uint_eq(vm->ended, 0);
    }
}
END_TEST

START_TEST(when_the_last_one_stops_the_vm_ends)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 2, yields);

    vm->vm.hooks.call = stops;
    start(&vm->vcpu[0]);
    start(&vm->vcpu[1]);
    rig_turn(&r, 0);
    ck_assert_uint_eq(vm->ended, 0);
    rig_turn(&r, 1);
    ck_assert_uint_eq(vm->ended, 1);
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_FAULT);
    ck_assert_str_eq(vm->vm.why, "every virtual CPU has stopped");
    ck_assert_uint_eq(vm->vm.alive, 0);
    ck_assert_uint_eq(r.s->admitted, 0);
}
END_TEST

/* The hook finds everything given back: it may make the VM anew on the spot. */
START_TEST(a_vm_is_made_anew_in_its_storage)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 2, off), *other = RIG_ADD(&r, 8, 1, spin);

    start(&other->vcpu[0]);
    for (unsigned i = 1; i <= 5; i++) {
        start(&vm->vcpu[0]);
        start(&vm->vcpu[1]);
        for (unsigned n = 0; n < 8; n++)
            rig_turn(&r, n % 2);
        ck_assert_uint_eq(vm->ended, i);
        ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_POWEROFF);
        ck_assert_uint_eq(vm->vm.alive, 0);
        ck_assert_uint_eq(r.s->admitted, 1);
        rig_again(vm, off, 4);
    }
    ck_assert_uint_eq(rig_state(&other->vcpu[0]), DISCO_VCPU_READY);
}
END_TEST

START_TEST(a_vm_that_has_ended_is_not_started)
{
    struct rig_vm *vm = RIG_ADD(&r, 8, 1, spin);

    disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[0], r.s), DISCO_ERR_STATE);
    ck_assert_uint_eq(vm->ended, 1);
    ck_assert_uint_eq(vm->vm.alive, 0);
    ck_assert_uint_eq(r.s->admitted, 0);
    disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    ck_assert_uint_eq(vm->ended, 1);
}
END_TEST

START_TEST(running_off_the_program)
{
    static const struct sim_insn nop[] = {{SIM_NOP, 0, 0, 0}};
    struct rig_vm *vm = RIG_ADD(&r, 8, 1, nop);

    start(&vm->vcpu[0]);
    rig_turn(&r, 0);
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_FAULT);
    ck_assert_str_eq(vm->vm.why, "the guest ran off its program");
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        init_refuses,
        start_refuses,
        from_start_to_poweroff,
        waiting_and_waking,
        a_line_that_rises_while_going_to_sleep,
        a_running_one_is_kicked,
        pausing,
        pausing_one_that_runs,
        paused_while_any_reason_is_left,
        pausing_a_vm,
        a_paused_vm_can_be_ended,
        ending_from_every_state,
        ending_without_virtual_cpus,
        one_that_dies_takes_its_vm_along,
        one_that_stops_alone_can_start_again,
        when_the_last_one_stops_the_vm_ends,
        a_vm_is_made_anew_in_its_storage,
        a_vm_that_has_ended_is_not_started,
        running_off_the_program,
    };

    return SUITE_RUN("life", tests, setup, teardown);
}
