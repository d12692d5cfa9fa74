/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual CPUs and nodes: where they start and wake up, and which of them lose a page that gets a copy. */
#include "../mm/suite.h"
#include "rig.h"

#include "sched.h"

#define CPUS                                                                                       \
    4 /* processors 0 and 1 are node 0, 2 and 3 node 1; so are the virtual CPUs that begin there */
#define CPU(i) ((disco_cpuset)1 << (i))

static const struct sim_insn spin[] = {{SIM_ADD, 1, 1, 1}, {SIM_BEQ, 0, 0, 0}};
static const struct sim_insn sleeper[] = {{SIM_WAIT, 0, 0, 0}, {SIM_BEQ, 0, 0, 0}};

static struct rig r;
static struct rig_vm *vm;

static void setup(void)
{
    static const struct rig_config c = {
        .cpus = CPUS, .nodes = 2, .pages = 48, .hidden = 4, .tagged = true};

    rig_init(&r, &c);
}

static void teardown(void) { rig_fini(&r); }

static void start(unsigned i) { ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0); }

/* --- where they start --- */

START_TEST(on_their_own_node_while_it_has_no_more_to_do)
{
    /* The third finds its node busy, and the fifth both */
    static const unsigned where[] = {2, 3, 0, 1, 2};

    vm = RIG_ADD(&r, 8, 8, spin);
    for (unsigned i = 0; i < 5; i++) {
        vm->vcpu[i].node = 1;
        start(i);
        ck_assert_uint_eq(vm->vcpu[i].cpu, where[i]);
    }
    vm->vcpu[5].node = 0;
    start(5);
    ck_assert_uint_eq(vm->vcpu[5].cpu, 0);
}
END_TEST

/* One that runs counts as one that waits. */
START_TEST(who_runs_is_something_to_do)
{
    vm = RIG_ADD(&r, 8, 2, spin);
    r.s->q[0].running = r.s->q[1].running = 1;
    start(0);
    ck_assert_uint_eq(vm->vcpu[0].cpu, 2);
    r.s->q[2].running = r.s->q[3].running = 1;
    start(1);
    ck_assert_uint_eq(vm->vcpu[1].cpu, 0);
    r.s->q[0].running = r.s->q[1].running = r.s->q[2].running = r.s->q[3].running = 0;
}
END_TEST

/* --- where they wake up --- */

static uint64_t kicks(unsigned cpu)
{
    struct sim_cpu_stats s;

    sim_cpu_stats(r.m, cpu, &s);
    return s.kicks;
}

/* A virtual CPU of node @p node that ran on processor @p home last is woken by one that idles not, @p idle being idle. */
static unsigned who_is_kicked(unsigned node, unsigned home, disco_cpuset idle)
{
    unsigned who = CPUS;

    vm = RIG_ADD(&r, 8, 1, sleeper);
    vm->vcpu[0].node = node;
    start(0);
    rig_turn(&r, vm->vcpu[0].cpu);
    ck_assert_uint_eq(rig_state(&vm->vcpu[0]), DISCO_VCPU_BLOCKED);
    vm->vcpu[0].cpu = home;
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_uint_eq(kicks(i), 0);
    r.s->idle = idle;
    for (unsigned i = 0; i < CPUS; i++) {
        if (!(idle & CPU(i)) && i != home)
            sim_become(r.m, i);
    }
    disco_vcpu_line(&vm->vcpu[0], 2, true);
    for (unsigned i = 0; i < CPUS; i++) {
        if (kicks(i)) {
            ck_assert_uint_eq(who, CPUS);
            who = i;
        }
    }
    ck_assert_uint_eq(r.s->idle, who < CPUS ? idle & ~CPU(who) : idle);
    return who;
}

START_TEST(on_their_own_node_first)
{
    ck_assert_uint_eq(who_is_kicked(0, 2, CPU(1) | CPU(2) | CPU(3)), 1);
}
END_TEST

START_TEST(there_where_they_ran_last)
{
    ck_assert_uint_eq(who_is_kicked(1, 3, CPU(0) | CPU(2) | CPU(3)), 3);
}
END_TEST

START_TEST(elsewhere_where_they_ran_last)
{
    ck_assert_uint_eq(who_is_kicked(1, 1, CPU(0) | CPU(1)), 1);
}
END_TEST

/* Not while their own processor, which is in the monitor, can take them: it looks before it sleeps. */
START_TEST(elsewhere_at_all)
{
    ck_assert_uint_eq(who_is_kicked(1, 3, CPU(1)), CPUS);
    r.s->q[3].running = 1;
    ck_assert_uint_eq(who_is_kicked(1, 3, CPU(1)), 1);
}
END_TEST

/* --- who is on a node --- */

static uint64_t on(unsigned node) { return disco_vm_vcpus_on(&vm->vm, node); }

START_TEST(their_processors_tell)
{
    vm = RIG_ADD(&r, 8, 5, sleeper);
    ck_assert_uint_eq(on(0) | on(1), 0); /* none has ever been on one */
    for (unsigned i = 0; i < CPUS; i++)
        start(i);
    ck_assert_uint_eq(on(0), CPU(0) | CPU(1));
    ck_assert_uint_eq(on(1), CPU(2) | CPU(3));
    rig_turn(&r, 3); /* asleep it is still there */
    ck_assert_uint_eq(on(1), CPU(2) | CPU(3));
    disco_vcpu_pause(&vm->vcpu[0], DISCO_PAUSE_PERSON);
    disco_vcpu_pause(&vm->vcpu[1], DISCO_PAUSE_PERSON);
    sim_advance(r.m, r.s->slice_ns);
    rig_turn(&r, 0); /* fetches 2 */
    ck_assert_uint_eq(vm->vcpu[2].cpu, 0);
    ck_assert_uint_eq(on(0), CPU(0) | CPU(1) | CPU(2));
    ck_assert_uint_eq(on(1), CPU(3));
    ck_assert_uint_eq(on(2), 0);
}
END_TEST

/* --- who loses a page --- */

#define VA UINT64_C(0x10000)
#define UNMAPPED (SIM_UNMAPPED + 2 * DISCO_PAGE_SIZE)

/* Every virtual CPU loads page 2 where the guest mapped it, or where it believes it unmapped. */
static void load_all(uint64_t va)
{
    for (unsigned i = 0; i < CPUS; i++) {
        struct disco_exit x = {.kind = DISCO_EXIT_MISS, .access = DISCO_ACCESS_LOAD, .va = {va}};
        struct sim_guest *g = sim_guest(&vm->vcpu[i]);

        g->tlb[0] = (struct sim_entry){VA | g->asid, {(uint64_t)sim_lo(2, DISCO_RWX, false), 0}};
        sim_become(r.m, i);
        ck_assert_int_eq(disco_vcpu_handle(&vm->vcpu[i], &x), DISCO_NEXT_RESUME);
    }
}

static bool has(unsigned i, uint64_t va, disco_mpn mpn)
{
    const struct disco_l2tlb_entry *e = disco_l2tlb_peek(vm->vcpu[i].l2tlb, (disco_va){va}, 0);

    return sim_reaches(r.m, i, &vm->vcpu[i], mpn) &&
           (va != VA || (e && r.b->ops->tlbe_mpn(e->e[0]).v == mpn.v));
}

static const struct disco_backend_ops *sim;
static disco_cpuset asked; /* processors */

static void invalidate(struct disco_backend *b, const struct disco_holder *h, size_t nh,
                       const struct disco_purge *p, size_t n)
{
    for (size_t i = 0; i < nh; i++)
        asked |= h[i].cpus;
    sim->invalidate(b, h, nh, p, n);
}

static void listen(struct disco_backend_ops *ops)
{
    sim = r.b->ops;
    *ops = *sim;
    ops->invalidate = invalidate;
    r.b->ops = ops;
    asked = 0;
}

/* Page 2, on node 0, which another page is, too: so nobody may write to it. All have it. */
static disco_mpn shared_page(uint64_t va)
{
    disco_mpn mpn;

    vm = RIG_ADD(&r, 8, CPUS, sleeper);
    for (unsigned i = 0; i < CPUS; i++)
        start(i);
    for (unsigned i = 0; i < CPUS; i++)
        rig_turn(&r, i);
    ck_assert_int_eq(disco_pmap_lend(&vm->pmap, (disco_ppn){2}, 0, DISCO_PMAP_COW, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&vm->pmap, (disco_ppn){5}, mpn, DISCO_PMAP_COW), 0);
    ck_assert_int_eq(disco_memmap_put(r.mm, mpn), 0);
    load_all(va);
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert(has(i, va, mpn));
    return mpn;
}

/* A copy of what nobody may write to is for those on its node; neither TLBs nor processors of the others hear of it. */
static void copied_for_a_node(uint64_t va)
{
    disco_mpn mpn = shared_page(va), copy;
    struct disco_backend_ops ops;

    listen(&ops);
    sim_become(r.m, 0);
    ck_assert_int_eq(disco_pmap_replicate(&vm->pmap, (disco_ppn){2}, 1), 0);
    ck_assert_uint_eq(asked, CPU(2) | CPU(3));
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_int_eq(has(i, va, mpn), i < 2);
    ck_assert_int_eq(disco_pmap_translate(&vm->pmap, (disco_ppn){2}, 1, &copy), 0);
    load_all(va);
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert(has(i, va, i < 2 ? mpn : copy));
    /* A store is everybody's business. */
    ck_assert_int_eq(disco_pmap_write_fault(&vm->pmap, (disco_ppn){2}, 0), 0);
    ck_assert_uint_eq(asked, CPU(0) | CPU(1) | CPU(2) | CPU(3));
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert(!has(i, va, mpn) && !has(i, va, copy));
    r.b->ops = sim;
}

START_TEST(copied_for_who_maps_it) { copied_for_a_node(VA); }
END_TEST

START_TEST(copied_for_who_believes_it_unmapped) { copied_for_a_node(UNMAPPED); }
END_TEST

/* With another page in the same revocation, which all lose: each page has its own. */
START_TEST(beside_a_page_that_all_lose)
{
    struct disco_pmap_move moves[] = {
        {{2}, 1, DISCO_PMAP_REPLICATE, 1},
        {{6}, 1, DISCO_PMAP_REPLICATE, 1},
    };
    disco_mpn mpn = shared_page(UNMAPPED);

    rig_poke(vm, 6 * DISCO_PAGE_SIZE, 6);
    disco_pmap_move_many(&vm->pmap, moves, 2);
    ck_assert_int_eq(moves[0].err, 0);
    ck_assert_int_eq(moves[1].err, 0);
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_int_eq(has(i, UNMAPPED, mpn), i < 2);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        on_their_own_node_while_it_has_no_more_to_do,
        who_runs_is_something_to_do,
        on_their_own_node_first,
        there_where_they_ran_last,
        elsewhere_where_they_ran_last,
        elsewhere_at_all,
        their_processors_tell,
        copied_for_who_maps_it,
        copied_for_who_believes_it_unmapped,
        beside_a_page_that_all_lose,
    };

    return SUITE_RUN("nodes", tests, setup, teardown);
}
