/* SPDX-License-Identifier: BSD-2-Clause */
/* Write faults, revocation, and machine memory that runs out, in the dispatch. */
#include "dispatch.h"

START_TEST(revoking_a_page_reaches_every_alias)
{
    miss(SIM_UNMAPPED + 5 * DISCO_PAGE_SIZE, DISCO_ACCESS_STORE);
    miss(SIM_WINDOW + 5 * DISCO_PAGE_SIZE, DISCO_ACCESS_STORE);
    guest_has(0, VA, sim_lo(2, DISCO_RWX, true), sim_lo(5, DISCO_RWX, true));
    miss(VA, DISCO_ACCESS_LOAD);
    disco_mpn mpn = page_at(5);

    ck_assert(sim_reaches(r.m, 0, NULL, mpn));
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){5}), 0);
    ck_assert(!sim_reaches(r.m, 0, NULL, mpn));
    ck_assert_ptr_null(disco_l2tlb_peek(v->l2tlb, (disco_va){VA}, 0));
}
END_TEST

/* Purges that name no page, or no virtual CPU. */
START_TEST(purging_everything)
{
    const struct disco_pmap_gone gone = {{30}, DISCO_ALL_VCPUS};
    const struct disco_purge all = {DISCO_ALL_VCPUS, {DISCO_ALL_PAGES}};
    const struct disco_purge page = {DISCO_ALL_VCPUS, {VA >> DISCO_PAGE_SHIFT}};
    const struct disco_purge other = {~(UINT64_C(1) << v->id), {DISCO_ALL_PAGES}};

    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    guest_has(1, VA + 0x2000, sim_lo(3, DISCO_RWX, false), 0);
    miss(VA, DISCO_ACCESS_LOAD);
    miss(VA + 0x2000, DISCO_ACCESS_LOAD);
    disco_vm_purge(&vm->vm, &(struct disco_pmap_gone){{30}, other.vcpus}, 1, &other, 1);
    ck_assert(in_tlb(2) && in_tlb(3));
    disco_vm_purge(&vm->vm, NULL, 0, &page, 1);
    ck_assert(!in_tlb(2) && in_tlb(3));
    ck_assert_ptr_null(disco_l2tlb_peek(v->l2tlb, (disco_va){VA}, 0));
    ck_assert_ptr_nonnull(disco_l2tlb_peek(v->l2tlb, (disco_va){VA + 0x2000}, 0));
    disco_vm_purge(&vm->vm, &gone, 1, &all, 1);
    ck_assert(!in_tlb(3));
    ck_assert_ptr_null(disco_l2tlb_peek(v->l2tlb, (disco_va){VA + 0x2000}, 0));
}
END_TEST

/* More translations than fit in one request. */
START_TEST(purging_many)
{
    struct disco_purge p[40];

    for (uint64_t i = 0; i < 16; i++) {
        guest_has(0, VA + i * 0x2000, sim_lo(i, DISCO_RWX, false), 0);
        miss(VA + i * 0x2000, DISCO_ACCESS_LOAD);
    }
    for (uint64_t i = 0; i < 40; i++)
        p[i] = (struct disco_purge){UINT64_C(1) << v->id, {(VA + i * 0x2000) >> DISCO_PAGE_SHIFT}};
    disco_vm_purge(&vm->vm, &(struct disco_pmap_gone){{30}, DISCO_ALL_VCPUS}, 1, p, 40);
    for (uint64_t i = 0; i < 16; i++)
        ck_assert(!in_tlb(i));
}
END_TEST

START_TEST(rights_the_guest_withholds)
{
    guest_has(0, VA, sim_lo(2, DISCO_READ, false), sim_lo(3, DISCO_READ | DISCO_WRITE, false));
    miss(VA, DISCO_ACCESS_FETCH);
    expect(DISCO_INJECT_FORBIDDEN, VA);
    miss(VA, DISCO_ACCESS_STORE);
    expect(DISCO_INJECT_WRITE, VA);
    ck_assert_uint_eq(v->stats.write_guest, 1);
    miss(VA, DISCO_ACCESS_LOAD);
    ck_assert(!g->exception);
    /* The same once the L2TLB knows the pair. */
    miss(VA, DISCO_ACCESS_FETCH);
    expect(DISCO_INJECT_FORBIDDEN, VA);
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
    ck_assert(sim_reaches(r.m, 0, NULL, shared));
    ck_assert_int_eq(store_fault(VA), DISCO_NEXT_RESUME);
    ck_assert(!g->exception);
    ck_assert_uint_ne(page_at(2).v, shared.v);
    ck_assert_uint_eq(page_at(9).v, shared.v);
    ck_assert(in_tlb(2) && !sim_reaches(r.m, 0, NULL, shared));
    ck_assert_uint_eq(v->stats.write_monitor, 1);
    ck_assert_uint_eq(rig_stats(vm).cow_copies, 1);
}
END_TEST

START_TEST(a_store_that_misses_but_is_read_only_in_the_l2tlb)
{
    disco_mpn shared = share();

    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), 0);
    miss(VA, DISCO_ACCESS_LOAD);
    r.b->ops->switch_in(v, false);
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
    ck_assert(sim_reaches(r.m, 0, NULL, shared));
    ck_assert_int_eq(store_fault(va), DISCO_NEXT_RESUME);
    ck_assert(in_tlb(2) && !sim_reaches(r.m, 0, NULL, shared));
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

int main(void)
{
    const TTest *tests[] = {
        revoking_a_page_reaches_every_alias,
        purging_everything,
        purging_many,
        rights_the_guest_withholds,
        a_write_fault_of_the_monitors_is_resolved,
        a_store_that_misses_but_is_read_only_in_the_l2tlb,
        a_write_fault_in_an_unmapped_segment,
        a_write_fault_the_guest_knows_nothing_of,
        no_memory,
        no_memory_for_a_copy,
    };

    return SUITE_RUN("fault", tests, setup, teardown);
}
