/* SPDX-License-Identifier: BSD-2-Clause */
/* All other exits in the dispatch: calls, privileged instructions, waiting, time, the end. */
#include "dispatch.h"

START_TEST(calls)
{
    struct disco_exit x = {.kind = DISCO_EXIT_CALL, .call = DISCO_CALL_CONSOLE_PUTC, .arg = {'x'}};

    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_RESUME);
    ck_assert_uint_eq(g->r[0], 0);
    ck_assert_uint_eq(g->pc, 1);
    ck_assert_str_eq(vm->out, "x");
    x.call = 63;
    disco_vcpu_handle(v, &x);
    ck_assert_int_eq((int64_t)g->r[0], DISCO_ERR_BAD_CALL);
    vm->vm.hooks.call = NULL;
    x.call = DISCO_CALL_NOP;
    disco_vcpu_handle(v, &x);
    ck_assert_int_eq((int64_t)g->r[0], DISCO_ERR_BAD_CALL);
    ck_assert_uint_eq(g->pc, 3);
}
END_TEST

static enum disco_next on_last_call(struct disco_vcpu *who, const struct disco_exit *x,
                                    int64_t *result)
{
    (void)who, (void)x;
    *result = 7;
    return DISCO_NEXT_STOP;
}

START_TEST(a_call_that_stops_returns_nothing)
{
    struct disco_exit x = {.kind = DISCO_EXIT_CALL};

    g->r[0] = 1;
    vm->vm.hooks.call = on_last_call;
    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_STOP);
    ck_assert_uint_eq(g->r[0], 1);
    ck_assert_uint_eq(g->pc, 0);
}
END_TEST

START_TEST(privileged)
{
    struct disco_exit x = {.kind = DISCO_EXIT_PRIVILEGED};

    g->pc = 2;
    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_RESUME);
    ck_assert(!g->exception);
    ck_assert_uint_eq(g->pc, 3);
    g->pc = 1;
    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_RESUME);
    ck_assert_uint_eq(g->epc, 1);
    expect(DISCO_INJECT_ILLEGAL, 0);
}
END_TEST

START_TEST(waiting)
{
    struct disco_exit x = {.kind = DISCO_EXIT_WAIT};

    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_BLOCK);
    v->lines = 4; /* up before the virtual CPU looked, and not told to the backend yet */
    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_BLOCK); /* interrupts are off */
    g->enabled = true;
    g->mask = 4;
    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_RESUME);
    ck_assert_uint_eq(g->lines, 4);
}
END_TEST

START_TEST(host_and_the_slice)
{
    struct disco_exit x = {.kind = DISCO_EXIT_HOST};

    v->slice_end = r.b->ops->now(r.b) + 1000;
    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_RESUME);
    sim_advance(r.m, 999);
    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_RESUME);
    sim_advance(r.m, 1);
    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_YIELD);
}
END_TEST

START_TEST(fatal)
{
    struct disco_exit x = {.kind = DISCO_EXIT_FATAL, .why = "gone"};

    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_STOP);
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_FAULT);
    ck_assert_str_eq(vm->vm.why, "gone");
}
END_TEST

START_TEST(an_exit_that_does_not_exist)
{
    struct disco_exit x = {.kind = (enum disco_exit_kind)1000};

    ck_assert_int_eq(disco_vcpu_handle(v, &x), DISCO_NEXT_STOP);
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_FAULT);
    ck_assert_ptr_nonnull(vm->vm.why);
}
END_TEST

START_TEST(an_asid_out_of_range_ends_the_vm_and_nothing_else)
{
    struct disco_guest_map m = {.pair = {VA >> DISCO_PAGE_SHIFT},
                                .asid = SIM_ASIDS,
                                .want = {r.b->ops->tlbe_make((disco_mpn){0}, DISCO_RWX), 0}};

    ck_assert_int_eq(disco_vcpu_enter_pair(v, (disco_va){VA}, &m), DISCO_ERR_BAD_ARG);
    m.asid = 0;
    ck_assert_int_eq(disco_vcpu_enter_pair(v, (disco_va){VA}, &m), 0); /* nothing is held still */
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        calls,
        a_call_that_stops_returns_nothing,
        privileged,
        waiting,
        host_and_the_slice,
        fatal,
        an_exit_that_does_not_exist,
        an_asid_out_of_range_ends_the_vm_and_nothing_else,
    };

    return SUITE_RUN("exit", tests, setup, teardown);
}
