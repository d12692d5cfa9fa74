/* SPDX-License-Identifier: BSD-2-Clause */
/* Misses in the dispatch: who answers, in which order, and what is counted. */
#include "dispatch.h"

START_TEST(miss_with_nothing_goes_to_guest)
{
    ck_assert_int_eq(miss(VA, DISCO_ACCESS_LOAD), DISCO_NEXT_RESUME);
    expect(DISCO_INJECT_MISS, VA);
    ck_assert_uint_eq(v->stats.miss_guest, 1);
    ck_assert_uint_eq(v->stats.exits[DISCO_EXIT_MISS], 1);
}
END_TEST

START_TEST(miss_is_answered_by_the_guests_entry)
{
    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), sim_lo(7, DISCO_READ, false));
    ck_assert_int_eq(miss(VA + 8, DISCO_ACCESS_STORE), DISCO_NEXT_RESUME);
    ck_assert(!g->exception);
    ck_assert(in_tlb(2) && in_tlb(7));
    ck_assert_ptr_nonnull(disco_l2tlb_peek(v->l2tlb, (disco_va){VA}, 0));
    ck_assert_uint_eq(v->stats.miss_guest, 1);
}
END_TEST

static bool settled(uint64_t va, enum disco_access access)
{
    struct disco_exit x = {.kind = DISCO_EXIT_HOST, .va = {va}, .access = access};

    return disco_vcpu_settle_miss(v, &x);
}

START_TEST(what_the_guest_alone_answers_is_settled_at_once)
{
    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), sim_lo(7, DISCO_READ, false));
    ck_assert(settled(VA + 8, DISCO_ACCESS_STORE));
    ck_assert(!g->exception && in_tlb(2) && in_tlb(7));
    ck_assert_ptr_nonnull(disco_l2tlb_peek(v->l2tlb, (disco_va){VA}, 0));
    ck_assert(settled(VA + 2 * DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD));
    expect(DISCO_INJECT_MISS, VA + 2 * DISCO_PAGE_SIZE);
    guest_has(1, VA + 4 * DISCO_PAGE_SIZE, sim_lo(3, DISCO_RWX, false), 0);
    ck_assert(settled(VA + 5 * DISCO_PAGE_SIZE, DISCO_ACCESS_FETCH));
    expect(DISCO_INJECT_INVALID, VA + 5 * DISCO_PAGE_SIZE);
    guest_has(1, VA + 6 * DISCO_PAGE_SIZE, sim_lo(3, DISCO_READ, false), 0);
    ck_assert(settled(VA + 6 * DISCO_PAGE_SIZE, DISCO_ACCESS_FETCH));
    expect(DISCO_INJECT_FORBIDDEN, VA + 6 * DISCO_PAGE_SIZE);
    ck_assert(settled(VA + 6 * DISCO_PAGE_SIZE, DISCO_ACCESS_STORE));
    expect(DISCO_INJECT_WRITE, VA + 6 * DISCO_PAGE_SIZE);
    ck_assert_uint_eq(v->stats.write_guest, 1);
}
END_TEST

/* The L2TLB keeps pairs: that it has the other page of one says nothing of this. */
START_TEST(half_a_pair_is_no_answer)
{
    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    ck_assert(settled(VA, DISCO_ACCESS_LOAD));
    ck_assert(settled(VA + DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD));
    expect(DISCO_INJECT_INVALID, VA + DISCO_PAGE_SIZE);
    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), sim_lo(7, DISCO_RWX, false));
    ck_assert(settled(VA + DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD));
    ck_assert(in_tlb(2) && in_tlb(7));
}
END_TEST

/* The L2TLB's and the pmap's answers, the monitor's rights, and memory that is not there. */
START_TEST(what_takes_more_is_not_settled)
{
    guest_has(0, VA, sim_lo(2, DISCO_READ, false), sim_lo(PAGES, DISCO_RWX, false));
    ck_assert(!settled(VA + DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD));
    ck_assert(!settled(SIM_UNMAPPED, DISCO_ACCESS_LOAD));
    ck_assert(!g->exception && !in_tlb(2));
    miss(VA, DISCO_ACCESS_LOAD);
    ck_assert(in_tlb(2));
    ck_assert(!settled(VA, DISCO_ACCESS_LOAD));
    ck_assert_uint_eq(v->stats.miss_guest, 1);
}
END_TEST

START_TEST(what_is_settled_is_counted_alike)
{
    uint64_t before = v->l2tlb->misses, each;

    miss(VA, DISCO_ACCESS_LOAD);
    each = v->l2tlb->misses - before;
    ck_assert(settled(VA, DISCO_ACCESS_LOAD));
    ck_assert_uint_eq(each, 1);
    ck_assert_uint_eq(v->l2tlb->misses, before + 2 * each);
    ck_assert_uint_eq(v->stats.miss_guest, 2);
    ck_assert_uint_eq(v->stats.exits[DISCO_EXIT_MISS], 2);
}
END_TEST

/* Whose reason a read-only entry is, is told before anything is done; the monitor's takes more. */
START_TEST(the_guests_write_faults_are_settled)
{
    struct disco_exit x = {.kind = DISCO_EXIT_HOST, .va = {VA}, .access = DISCO_ACCESS_STORE};

    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), sim_lo(3, DISCO_READ, false));
    ck_assert(!disco_vcpu_settle_write(v, &x));
    ck_assert(!g->exception);
    ck_assert_uint_eq(v->stats.exits[DISCO_EXIT_WRITE], 0);
    x.va.v = SIM_UNMAPPED;
    ck_assert(!disco_vcpu_settle_write(v, &x));
    x.va.v = VA + DISCO_PAGE_SIZE;
    ck_assert(disco_vcpu_settle_write(v, &x));
    expect(DISCO_INJECT_WRITE, VA + DISCO_PAGE_SIZE);
    x.va.v = VA + 2 * DISCO_PAGE_SIZE;
    ck_assert(disco_vcpu_settle_write(v, &x));
    expect(DISCO_INJECT_MISS, VA + 2 * DISCO_PAGE_SIZE);
    ck_assert_uint_eq(v->stats.write_guest, 1);
    ck_assert_uint_eq(v->stats.exits[DISCO_EXIT_WRITE], 2);
}
END_TEST

static unsigned loads;

/* What is loaded must be held, or a revocation could come between: bit 0 of meta is the lock. */
static void load_held(struct disco_vcpu *who, disco_vpn pair, uint32_t asid, bool global,
                      const disco_tlbe e[2])
{
    (void)who, (void)pair, (void)asid, (void)global, (void)e;
    ck_assert_uint_eq(vm->pmap.entry[2].meta & 1, 1);
    ck_assert_uint_eq(vm->pmap.entry[3].meta & 1, 1);
    loads++;
}

START_TEST(pages_are_held_while_they_are_loaded)
{
    static struct disco_backend_ops ops;

    ops = *r.b->ops;
    ops.tlb_load = load_held;
    r.b->ops = &ops;
    loads = 0;
    guest_has(0, VA, sim_lo(3, DISCO_RWX, false), sim_lo(2, DISCO_RWX, false));
    miss(VA, DISCO_ACCESS_LOAD);
    miss(SIM_UNMAPPED + 2 * DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD);
    ck_assert_uint_eq(loads, 2);
    ck_assert_uint_eq(vm->pmap.entry[2].meta & 1, 0);
    ck_assert_uint_eq(vm->pmap.entry[3].meta & 1, 0);
}
END_TEST

START_TEST(the_l2tlb_answers_before_the_guest)
{
    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    miss(VA, DISCO_ACCESS_LOAD);
    memset(&g->tlb[0], 0, sizeof g->tlb[0]); /* replaced at random: the guest may not notice */
    r.b->ops->switch_in(v, false);
    ck_assert(!in_tlb(2));
    ck_assert_int_eq(miss(VA, DISCO_ACCESS_LOAD), DISCO_NEXT_RESUME);
    ck_assert(in_tlb(2) && !g->exception);
    ck_assert_uint_eq(v->stats.miss_l2tlb, 1);
    ck_assert_uint_eq(v->stats.miss_guest, 1);
}
END_TEST

START_TEST(the_other_half_of_a_pair_is_not_in_the_l2tlb)
{
    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    miss(VA, DISCO_ACCESS_LOAD);
    miss(VA + DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD);
    expect(DISCO_INJECT_INVALID, VA + DISCO_PAGE_SIZE);
    /* The guest makes the odd page valid, without telling: its entry is looked up anew. */
    g->tlb[0].lo[1] = (uint64_t)sim_lo(3, DISCO_RWX, false);
    ck_assert_int_eq(miss(VA + DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD), DISCO_NEXT_RESUME);
    ck_assert(!g->exception && in_tlb(2) && in_tlb(3));
}
END_TEST

START_TEST(an_unmapped_segment_is_answered_by_the_pmap)
{
    const uint64_t va = SIM_UNMAPPED + 5 * DISCO_PAGE_SIZE;

    ck_assert_int_eq(miss(va, DISCO_ACCESS_STORE), DISCO_NEXT_RESUME);
    ck_assert(in_tlb(4) && in_tlb(5));
    ck_assert_uint_eq(v->stats.miss_pmap, 1);
    ck_assert_uint_eq(v->stats.miss_guest, 0);
    /* Not in the L2TLB: the pmap is as quick. */
    ck_assert_ptr_null(disco_l2tlb_peek(v->l2tlb, (disco_va){va}, 0));
}
END_TEST

START_TEST(an_unmapped_address_outside_is_a_bus_error)
{
    uint64_t past = SIM_UNMAPPED + PAGES * DISCO_PAGE_SIZE;

    ck_assert_int_eq(miss(past, DISCO_ACCESS_LOAD), DISCO_NEXT_RESUME);
    expect(DISCO_INJECT_BUS_ERROR, past);
    ck_assert_int_eq(store_fault(past), DISCO_NEXT_RESUME);
    expect(DISCO_INJECT_BUS_ERROR, past);
    ck_assert_uint_eq(v->stats.bus_errors, 2);
    ck_assert_int_eq(miss(past - 8, DISCO_ACCESS_LOAD), DISCO_NEXT_RESUME);
    ck_assert(!g->exception && in_tlb(PAGES - 1));
}
END_TEST

START_TEST(the_last_page_of_an_odd_number)
{
    const uint64_t last = 4 * DISCO_PAGE_SIZE;

    vm = RIG_ADD(&r, 5, 1, idle_program);
    v = &vm->vcpu[0];
    g = sim_guest(v);
    for (uint32_t i = 0; i < SIM_VECTORS; i++)
        g->vector[i] = 100 + i;
    rig_bring_in(&r, v);
    miss(SIM_UNMAPPED + last, DISCO_ACCESS_LOAD);
    ck_assert(!g->exception && in_tlb(4));
    miss(SIM_UNMAPPED + last + DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD);
    expect(DISCO_INJECT_BUS_ERROR, SIM_UNMAPPED + last + DISCO_PAGE_SIZE);
    guest_has(0, VA, sim_lo(4, DISCO_RWX, false), sim_lo(5, DISCO_RWX, false));
    miss(VA + DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD);
    expect(DISCO_INJECT_BUS_ERROR, VA + DISCO_PAGE_SIZE);
    miss(VA, DISCO_ACCESS_LOAD);
    ck_assert(!g->exception);
}
END_TEST

START_TEST(a_page_the_vm_does_not_own_is_a_bus_error)
{
    guest_has(0, VA, sim_lo(PAGES, DISCO_RWX, false), sim_lo(3, DISCO_RWX, false));
    miss(VA, DISCO_ACCESS_LOAD);
    expect(DISCO_INJECT_BUS_ERROR, VA);
    /* The other half is good, and no worse for its neighbour. */
    miss(VA + DISCO_PAGE_SIZE, DISCO_ACCESS_LOAD);
    ck_assert(!g->exception && in_tlb(3));
    guest_has(0, VA, sim_lo((UINT64_C(1) << 52) - 1, DISCO_RWX, false), 0);
    miss(VA, DISCO_ACCESS_LOAD);
    expect(DISCO_INJECT_BUS_ERROR, VA);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        miss_with_nothing_goes_to_guest,
        miss_is_answered_by_the_guests_entry,
        what_the_guest_alone_answers_is_settled_at_once,
        half_a_pair_is_no_answer,
        what_takes_more_is_not_settled,
        what_is_settled_is_counted_alike,
        the_guests_write_faults_are_settled,
        pages_are_held_while_they_are_loaded,
        the_l2tlb_answers_before_the_guest,
        the_other_half_of_a_pair_is_not_in_the_l2tlb,
        an_unmapped_segment_is_answered_by_the_pmap,
        an_unmapped_address_outside_is_a_bus_error,
        the_last_page_of_an_odd_number,
        a_page_the_vm_does_not_own_is_a_bus_error,
    };

    return SUITE_RUN("handle", tests, setup, teardown);
}
