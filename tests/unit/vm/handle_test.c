/* SPDX-License-Identifier: BSD-2-Clause */
/* The dispatch, branch by branch: who answers which exit, in which order, and what is counted. */
#include "../mm/suite.h"
#include "rig.h"

#include <string.h>

#define PAGES 32
#define VA UINT64_C(0x10000) /* an even page */

static struct rig r;
static struct rig_vm *vm;
static struct disco_vcpu *v;
static struct sim_guest *g;

static const struct sim_insn idle_program[] = {{SIM_NOP, 0, 0, 0}, {SIM_ILLEGAL, 0, 0, 0},
                                               {SIM_DISABLE, 0, 0, 0}};

static void setup(void)
{
    static const struct rig_config c = {.cpus = 1, .nodes = 1, .pages = 48, .hidden = 4};

    rig_init(&r, &c);
    vm = RIG_ADD(&r, PAGES, 1, idle_program);
    v = &vm->vcpu[0];
    g = sim_guest(v);
    for (uint32_t i = 0; i < SIM_VECTORS; i++)
        g->vector[i] = 100 + i;
    rig_bring_in(&r, v);
}

static void teardown(void) { rig_fini(&r); }

/* The guest has entered a pair at slot @p slot. */
static void guest_has(unsigned slot, uint64_t va, int64_t even, int64_t odd)
{
    g->tlb[slot] = (struct sim_entry){va | g->asid, {(uint64_t)even, (uint64_t)odd}};
}

static struct disco_exit an_exit(enum disco_exit_kind kind, uint64_t va, enum disco_access access)
{
    return (struct disco_exit){.kind = kind, .access = access, .va = {va}};
}

static enum disco_next miss(uint64_t va, enum disco_access access)
{
    struct disco_exit x = an_exit(DISCO_EXIT_MISS, va, access);

    return disco_vcpu_handle(v, &x);
}

static enum disco_next store_fault(uint64_t va)
{
    struct disco_exit x = an_exit(DISCO_EXIT_WRITE, va, DISCO_ACCESS_STORE);

    return disco_vcpu_handle(v, &x);
}

static disco_mpn page_at(uint64_t ppn)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_translate(&vm->pmap, (disco_ppn){ppn}, 0, &mpn), 0);
    return mpn;
}

static bool in_tlb(uint64_t ppn) { return sim_reaches(r.m, 0, page_at(ppn)); }

/* Did exception @p what just come, for @p va? Undo it. */
static void expect(unsigned what, uint64_t va)
{
    ck_assert(g->exception);
    ck_assert_uint_eq(g->cause, what);
    ck_assert_uint_eq(g->pc, 100 + what);
    ck_assert_uint_eq(g->bad_va, va);
    g->exception = false;
    g->pc = 0;
}

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

START_TEST(the_l2tlb_answers_before_the_guest)
{
    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    miss(VA, DISCO_ACCESS_LOAD);
    memset(&g->tlb[0], 0, sizeof g->tlb[0]); /* replaced at random: the guest may not notice */
    r.b->ops->switch_in(v);
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

START_TEST(revoking_a_page_reaches_every_alias)
{
    miss(SIM_UNMAPPED + 5 * DISCO_PAGE_SIZE, DISCO_ACCESS_STORE);
    miss(SIM_WINDOW + 5 * DISCO_PAGE_SIZE, DISCO_ACCESS_STORE);
    guest_has(0, VA, sim_lo(2, DISCO_RWX, true), sim_lo(5, DISCO_RWX, true));
    miss(VA, DISCO_ACCESS_LOAD);
    disco_mpn mpn = page_at(5);

    ck_assert(sim_reaches(r.m, 0, mpn));
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){5}), 0);
    ck_assert(!sim_reaches(r.m, 0, mpn));
    ck_assert_ptr_null(disco_l2tlb_peek(v->l2tlb, (disco_va){VA}, 0));
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

START_TEST(rights_the_guest_withholds)
{
    guest_has(0, VA, sim_lo(2, DISCO_READ, false), sim_lo(3, DISCO_READ | DISCO_WRITE, false));
    miss(VA, DISCO_ACCESS_FETCH);
    expect(DISCO_INJECT_INVALID, VA);
    miss(VA, DISCO_ACCESS_STORE);
    expect(DISCO_INJECT_WRITE, VA);
    ck_assert_uint_eq(v->stats.write_guest, 1);
    miss(VA, DISCO_ACCESS_LOAD);
    ck_assert(!g->exception);
    /* The same once the L2TLB knows the pair. */
    miss(VA, DISCO_ACCESS_FETCH);
    expect(DISCO_INJECT_INVALID, VA);
    miss(VA, DISCO_ACCESS_STORE);
    expect(DISCO_INJECT_WRITE, VA);
    store_fault(VA);
    expect(DISCO_INJECT_WRITE, VA);
    ck_assert_uint_eq(v->stats.write_guest, 3);
    ck_assert_uint_eq(v->stats.write_monitor, 0);
}
END_TEST

/* Page 2 is shared by the monitor (copy-on-write) with page 9. */
static disco_mpn share(void)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_lend(&vm->pmap, (disco_ppn){2}, 0, DISCO_PMAP_COW, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&vm->pmap, (disco_ppn){9}, mpn, DISCO_PMAP_COW), 0);
    ck_assert_int_eq(disco_memmap_put(r.mm, mpn), 0);
    return mpn;
}

START_TEST(a_write_fault_of_the_monitors_is_resolved)
{
    disco_mpn shared = share();

    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    miss(VA, DISCO_ACCESS_LOAD);
    ck_assert(sim_reaches(r.m, 0, shared));
    ck_assert_int_eq(store_fault(VA), DISCO_NEXT_RESUME);
    ck_assert(!g->exception);
    ck_assert_uint_ne(page_at(2).v, shared.v);
    ck_assert_uint_eq(page_at(9).v, shared.v);
    ck_assert(in_tlb(2) && !sim_reaches(r.m, 0, shared));
    ck_assert_uint_eq(v->stats.write_monitor, 1);
    ck_assert_uint_eq(vm->pmap.stats.cow_copies, 1);
}
END_TEST

START_TEST(a_store_that_misses_but_is_read_only_in_the_l2tlb)
{
    disco_mpn shared = share();

    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    miss(VA, DISCO_ACCESS_LOAD);
    r.b->ops->switch_in(v);
    ck_assert_int_eq(miss(VA, DISCO_ACCESS_STORE), DISCO_NEXT_RESUME);
    ck_assert_uint_ne(page_at(2).v, shared.v);
    ck_assert(in_tlb(2));
    ck_assert_uint_eq(v->stats.write_monitor, 1);
}
END_TEST

START_TEST(a_write_fault_in_an_unmapped_segment)
{
    disco_mpn shared = share();
    uint64_t va = SIM_UNMAPPED + 2 * DISCO_PAGE_SIZE;

    miss(va, DISCO_ACCESS_LOAD);
    ck_assert(sim_reaches(r.m, 0, shared));
    ck_assert_int_eq(store_fault(va), DISCO_NEXT_RESUME);
    ck_assert(in_tlb(2) && !sim_reaches(r.m, 0, shared));
    ck_assert_uint_eq(v->stats.write_monitor, 1);
}
END_TEST

START_TEST(a_write_fault_the_guest_knows_nothing_of)
{
    store_fault(VA);
    expect(DISCO_INJECT_MISS, VA);
    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    store_fault(VA + DISCO_PAGE_SIZE);
    expect(DISCO_INJECT_INVALID, VA + DISCO_PAGE_SIZE);
    /* A writable page: someone else has resolved the fault meanwhile. */
    store_fault(VA);
    ck_assert(!g->exception && in_tlb(2));
}
END_TEST

/* All machine memory is gone. */
static void exhaust(void)
{
    disco_mpn mpn;

    while (!disco_memmap_alloc(r.mm, 0, DISCO_PAGE_MONITOR, &mpn))
        continue;
}

static enum disco_next on_no_memory(struct disco_vcpu *who)
{
    ck_assert_ptr_eq(who, v);
    vm->no_memory++;
    return DISCO_NEXT_YIELD;
}

START_TEST(no_memory)
{
    exhaust();
    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    vm->vm.hooks.no_memory = on_no_memory;
    ck_assert_int_eq(miss(VA, DISCO_ACCESS_LOAD), DISCO_NEXT_YIELD);
    ck_assert_int_eq(miss(SIM_UNMAPPED, DISCO_ACCESS_LOAD), DISCO_NEXT_YIELD);
    ck_assert_uint_eq(vm->no_memory, 2);
    vm->vm.hooks.no_memory = NULL;
    ck_assert_int_eq(miss(VA, DISCO_ACCESS_LOAD), DISCO_NEXT_STOP);
    ck_assert_int_eq(vm->vm.cause, DISCO_CAUSE_FAULT);
    ck_assert_str_eq(vm->vm.why, "out of machine memory");
}
END_TEST

START_TEST(no_memory_for_a_copy)
{
    disco_mpn shared = share();

    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    exhaust();
    vm->vm.hooks.no_memory = on_no_memory;
    ck_assert_int_eq(store_fault(VA), DISCO_NEXT_YIELD);
    ck_assert_uint_eq(vm->no_memory, 1);
    ck_assert_uint_eq(page_at(2).v, shared.v);
}
END_TEST

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
    struct disco_guest_map m = {.pair = {VA >> DISCO_PAGE_SHIFT}, .asid = SIM_ASIDS,
                                .want = {r.b->ops->tlbe_make((disco_mpn){0}, DISCO_RWX), 0}};

    ck_assert_int_eq(disco_vcpu_enter_pair(v, (disco_va){VA}, &m), DISCO_ERR_BAD_ARG);
    m.asid = 0;
    ck_assert_int_eq(disco_vcpu_enter_pair(v, (disco_va){VA}, &m), 0); /* nothing is held still */
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        miss_with_nothing_goes_to_guest, miss_is_answered_by_the_guests_entry,
        the_l2tlb_answers_before_the_guest, the_other_half_of_a_pair_is_not_in_the_l2tlb,
        an_unmapped_segment_is_answered_by_the_pmap, revoking_a_page_reaches_every_alias,
        an_unmapped_address_outside_is_a_bus_error, a_page_the_vm_does_not_own_is_a_bus_error,
        rights_the_guest_withholds, a_write_fault_of_the_monitors_is_resolved,
        a_store_that_misses_but_is_read_only_in_the_l2tlb, a_write_fault_in_an_unmapped_segment,
        a_write_fault_the_guest_knows_nothing_of, no_memory, no_memory_for_a_copy, calls,
        a_call_that_stops_returns_nothing, privileged, waiting, host_and_the_slice, fatal,
        an_exit_that_does_not_exist, an_asid_out_of_range_ends_the_vm_and_nothing_else,
    };

    return SUITE_RUN("handle", tests, setup, teardown);
}
