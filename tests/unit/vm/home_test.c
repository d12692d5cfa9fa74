/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two processors want one run queue at the same moment. We hold its lock; who waits for it calls
 * `relax`; there we do what another processor would have done under the lock, and release it.
 */
#include "../mm/suite.h"
#include "rig.h"

#include "sched.h"

static const struct sim_insn sleeper[] = {{SIM_WAIT, 0, 0, 0}, {SIM_BEQ, 0, 0, 0}};

static struct rig r;
static struct rig_vm *vm;
static struct disco_vcpu *v;
static struct disco_backend_ops ops;
static void (*meanwhile)(void);
static bool met;

static void relax(struct disco_backend *b)
{
    (void)b;
    if (met)
        return;
    met = true;
    meanwhile();
    disco_unlock(&r.s->q[0].lock);
}

static void setup(void)
{
    static const struct rig_config c = {.cpus = 2, .nodes = 1};

    rig_init(&r, &c);
    vm = RIG_ADD(&r, 8, 1, sleeper);
    v = &vm->vcpu[0];
    ops = *r.b->ops;
    ops.relax = relax;
    r.b->ops = &ops;
    ck_assert_int_eq(disco_vcpu_start(v, r.s), 0);
    rig_turn(&r, 0);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_BLOCKED);
    met = false;
    disco_lock(&r.s->q[0].lock, r.b);
}

static void teardown(void)
{
    ck_assert(met);
    rig_fini(&r);
}

static void another_wakes_it(void) { disco_runq_push(r.s, 0, v); }

static void a_thief_takes_it(void)
{
    disco_runq_push(r.s, 0, v);
    ck_assert_ptr_eq(disco_runq_remove(r.s, 0, 0), v);
    v->cpu = 1;
    disco_vcpu_set_state(v, DISCO_VCPU_RUNNING);
    disco_runq_push(r.s, 1, v); /* and its slice is over already */
}

START_TEST(woken_by_two_it_waits_once)
{
    meanwhile = another_wakes_it;
    disco_vcpu_line(v, 3, true);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_READY);
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 1);
}
END_TEST

START_TEST(woken_while_it_moves)
{
    meanwhile = a_thief_takes_it;
    disco_vcpu_line(v, 3, true);
    ck_assert_uint_eq(disco_sched_load(r.s, 0), 0);
    ck_assert_uint_eq(disco_sched_load(r.s, 1), 1);
}
END_TEST

START_TEST(paused_while_it_moves)
{
    meanwhile = a_thief_takes_it;
    ck_assert_int_eq(disco_vcpu_pause(v, DISCO_PAUSE_PERSON), 0);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_PAUSED);
    ck_assert_uint_eq(disco_sched_load(r.s, 1), 0);
}
END_TEST

static void another_resumes_it(void) { v->paused_by = 0; }

/* The one that resumes it finds it BLOCKED still, and does nothing more. */
START_TEST(resumed_before_it_was_set_aside)
{
    meanwhile = another_resumes_it;
    ck_assert_int_eq(disco_vcpu_pause(v, DISCO_PAUSE_PERSON), 0);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_BLOCKED);
}
END_TEST

START_TEST(ended_while_it_moves)
{
    meanwhile = a_thief_takes_it;
    disco_vm_end(&vm->vm, DISCO_CAUSE_KILLED, 0, NULL);
    ck_assert_uint_eq(rig_state(v), DISCO_VCPU_STOPPED);
    ck_assert_uint_eq(disco_sched_load(r.s, 1), 0);
    ck_assert_uint_eq(vm->ended, 1);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {woken_by_two_it_waits_once, woken_while_it_moves, paused_while_it_moves,
                            resumed_before_it_was_set_aside, ended_while_it_moves};

    return SUITE_RUN("home", tests, setup, teardown);
}
