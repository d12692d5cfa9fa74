/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of a guest's kernel that have copies (lib/vcpu/fill.c, purge.c): for the segments that the guest believes
 * unmapped, a virtual CPU's `near` keeps what is nearest to the node it runs on, a copy or the page itself, and nothing
 * else; and it keeps it no longer than the page has copies. The L2TLB has nothing to do with it.
 */
#include "../mm/suite.h"
#include "rig.h"

#define PAGES 32
#define CPUS                                                                                       \
    4 /* processors 0 and 1 are node 0, 2 and 3 node 1; each runs the virtual CPU of its number */
#define FAR 0  /* where pages are touched first */
#define NEAR 1 /* where they are replicated */
#define AT(ppn) ((uint64_t)(ppn)*DISCO_PAGE_SIZE)

static const uint64_t segment[] = {SIM_UNMAPPED, SIM_WINDOW};
#define EACH(s) for (unsigned s = 0; s < sizeof segment / sizeof segment[0]; s++)

static struct rig r;
static struct rig_vm *vm;

static unsigned node_of(unsigned cpu) { return r.b->node_of_cpu[cpu]; }

/* Each of @p of's virtual CPUs waits on its processor, where it is to be found by those who purge. */
static void bring_in(struct rig_vm *of)
{
    for (unsigned i = 0; i < CPUS; i++)
        ck_assert_int_eq(disco_vcpu_start(&of->vcpu[i], r.s), 0);
    for (unsigned i = 0; i < CPUS; i++)
        rig_turn(&r, i);
    for (unsigned i = 0; i < CPUS; i++) {
        ck_assert_uint_eq(rig_state(&of->vcpu[i]), DISCO_VCPU_BLOCKED);
        ck_assert_uint_eq(of->vcpu[i].cpu, i);
    }
}

static struct rig_vm *add_vm(void)
{
    static const struct sim_insn wait[] = {{SIM_WAIT, 0, 0, 0}};
    struct rig_vm *of = RIG_ADD(&r, PAGES, CPUS, wait);

    bring_in(of);
    return of;
}

static void setup(void)
{
    static const struct rig_config c = {
        .cpus = CPUS, .nodes = 2, .pages = 48, .hidden = 4, .tagged = true};

    rig_init(&r, &c);
    vm = add_vm();
}

static void teardown(void) { rig_fini(&r); }

/* --- what guests do, and what comes of it --- */

static void access_of(struct rig_vm *of, unsigned cpu, uint64_t va, enum disco_exit_kind kind,
                      enum disco_access access)
{
    struct disco_exit x = {.kind = kind, .access = access, .va = {va}};

    sim_become(r.m, cpu);
    ck_assert_int_eq(disco_vcpu_handle(&of->vcpu[cpu], &x), DISCO_NEXT_RESUME);
    ck_assert(!sim_guest(&of->vcpu[cpu])->exception);
}

static void load(unsigned cpu, uint64_t va)
{
    access_of(vm, cpu, va, DISCO_EXIT_MISS, DISCO_ACCESS_LOAD);
}

/* All load @p ppn in both segments. */
static void load_all(struct rig_vm *of, uint64_t ppn)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        EACH(s)
        access_of(of, cpu, segment[s] + AT(ppn), DISCO_EXIT_MISS, DISCO_ACCESS_LOAD);
    }
}

/* The machine page that @p of's virtual CPU @p cpu keeps for @p ppn; 0: none. */
static uint64_t kept(const struct rig_vm *of, unsigned cpu, uint64_t ppn)
{
    const struct disco_l2tlb_entry *e =
        disco_l2tlb_peek(of->vcpu[cpu].near, disco_near_va((disco_ppn){ppn}), 0);
    disco_tlbe word = e ? e->e[ppn & 1] : 0;

    return word ? r.b->ops->tlbe_mpn(word).v : 0;
}

/* Those on node NEAR keep @p copy, the others @p far; 0: nothing. */
static void check_kept(const struct rig_vm *of, uint64_t ppn, uint64_t copy, uint64_t far)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        ck_assert_uint_eq(kept(of, cpu, ppn), node_of(cpu) == NEAR ? copy : far);
        EACH(s)
        ck_assert_ptr_null(
            disco_l2tlb_peek(of->vcpu[cpu].l2tlb, (disco_va){segment[s] + AT(ppn)}, 0));
    }
}

/* Nobody has @p copy any more, wherever translations are kept; and it has become free, if it was to. */
static void check_gone(const struct rig_vm *of, uint64_t ppn, disco_mpn copy)
{
    check_kept(of, ppn, 0, 0);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        ck_assert(!sim_reaches(r.m, cpu, NULL, copy));
    ck_assert_int_eq(disco_memmap_state(r.mm, copy), DISCO_PAGE_FREE);
}

static disco_mpn seen_from(const struct rig_vm *of, uint64_t ppn, unsigned node)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_translate(&of->pmap, (disco_ppn){ppn}, node, &mpn), 0);
    return mpn;
}

/* A copy of @p ppn on NEAR, which those who run there use from now on. */
static disco_mpn replicate(uint64_t ppn)
{
    disco_mpn copy;

    ck_assert_int_eq(disco_pmap_replicate(&vm->pmap, (disco_ppn){ppn}, NEAR), 0);
    copy = seen_from(vm, ppn, NEAR);
    ck_assert_uint_eq(disco_memmap_node(r.mm, copy), NEAR);
    ck_assert_uint_ne(copy.v, seen_from(vm, ppn, FAR).v);
    load_all(vm, ppn);
    check_kept(vm, ppn, copy.v, seen_from(vm, ppn, FAR).v);
    return copy;
}

/* The same of a page of the guest's kernel that it has on FAR for itself. */
static disco_mpn replicated(uint64_t ppn)
{
    rig_poke(vm, AT(ppn), ppn);
    return replicate(ppn);
}

static void collapse(struct rig_vm *of, uint64_t ppn)
{
    struct disco_pmap_move m = {{ppn}, 0, DISCO_PMAP_COLLAPSE, DISCO_OK};

    disco_pmap_move_many(&of->pmap, &m, 1);
    ck_assert_int_eq(m.err, 0);
}

/* --- in --- */

START_TEST(near_copies_get_in)
{
    disco_mpn copy = replicated(5);

    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        ck_assert(sim_reaches(r.m, cpu, &vm->vcpu[cpu], seen_from(vm, 5, node_of(cpu))));
        ck_assert_int_eq(sim_reaches(r.m, cpu, NULL, copy), node_of(cpu) == NEAR);
    }
}
END_TEST

/* When the hardware has lost it, what is kept answers, and leads to the copy again; under every ASID, in both segments. */
START_TEST(what_is_kept_answers)
{
    disco_mpn copy = replicated(5);
    struct disco_vcpu *v = &vm->vcpu[3];
    uint64_t before = v->near->hits;

    sim_become(r.m, 3);
    for (unsigned asid = 0; asid < 3; asid++) {
        sim_guest(v)->asid = asid;
        r.b->ops->switch_in(v, false);
        ck_assert(!sim_reaches(r.m, 3, v, copy));
        load(3, segment[asid % 2] + AT(5));
        ck_assert(sim_reaches(r.m, 3, v, copy));
        ck_assert_uint_eq(v->near->hits, before + asid + 1);
    }
}
END_TEST

/* They would only lose others their place: the pmap is as quick. */
START_TEST(other_pages_do_not_get_in)
{
    (void)replicated(5);
    rig_poke(vm, AT(6), 6);
    load_all(vm, 6);
    check_kept(vm, 6, 0, 0);
    check_kept(vm, 7, 0, 0);
}
END_TEST

/* --- and out --- */

START_TEST(a_collapse_takes_them_out)
{
    disco_mpn copy = replicated(5), master = seen_from(vm, 5, FAR);

    collapse(vm, 5);
    check_gone(vm, 5, copy);
    load_all(vm, 5);
    check_kept(vm, 5, 0, 0);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        ck_assert(sim_reaches(r.m, cpu, &vm->vcpu[cpu], master));
}
END_TEST

/* Looked at anew on one node: the others' stay. */
START_TEST(a_remap_takes_them_out_on_its_node)
{
    disco_mpn copy = replicated(5);
    struct disco_pmap_move m = {{5}, FAR, DISCO_PMAP_REMAP, 1};

    disco_pmap_move_many(&vm->pmap, &m, 1);
    ck_assert_int_eq(m.err, 0);
    check_kept(vm, 5, copy.v, 0);
    m.node = NEAR;
    disco_pmap_move_many(&vm->pmap, &m, 1);
    ck_assert_int_eq(m.err, 0);
    check_kept(vm, 5, 0, 0);
    load_all(vm, 5);
    check_kept(vm, 5, copy.v, seen_from(vm, 5, FAR).v);
}
END_TEST

/* From either node, through the guest or by the monitor on its behalf. */
START_TEST(a_store_takes_them_out)
{
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        EACH(s)
        {
            disco_mpn copy = replicated(5);

            access_of(vm, cpu, segment[s] + AT(5), DISCO_EXIT_WRITE, DISCO_ACCESS_STORE);
            check_gone(vm, 5, copy);
        }
    }
    disco_mpn copy = replicated(5);

    rig_poke(vm, AT(5), 1);
    check_gone(vm, 5, copy);
}
END_TEST

START_TEST(a_migration_takes_them_out)
{
    disco_mpn copy = replicated(5), now;

    ck_assert_int_eq(disco_pmap_migrate(&vm->pmap, (disco_ppn){5}, NEAR), 0);
    check_gone(vm, 5, copy);
    now = seen_from(vm, 5, FAR);
    ck_assert_uint_eq(disco_memmap_node(r.mm, now), NEAR);
    load_all(vm, 5);
    check_kept(vm, 5, 0, 0);
    for (unsigned cpu = 0; cpu < CPUS; cpu++)
        ck_assert(sim_reaches(r.m, cpu, &vm->vcpu[cpu], now));
}
END_TEST

START_TEST(a_page_given_back_takes_them_out)
{
    disco_mpn copy = replicated(5);

    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){5}), 0);
    check_gone(vm, 5, copy);
}
END_TEST

/* An entry holds a pair. The half that has no copy is revoked, and so is the pair. */
START_TEST(so_does_what_becomes_of_the_other_half)
{
    disco_mpn copy = replicated(4), other;

    rig_poke(vm, AT(5), 5);
    other = seen_from(vm, 5, FAR);
    load_all(vm, 4);
    check_kept(vm, 4, copy.v, seen_from(vm, 4, FAR).v);
    check_kept(vm, 5, other.v, other.v);
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){5}), 0);
    check_gone(vm, 5, other);
    check_kept(vm, 4, 0, 0);
    load_all(vm, 4);
    check_kept(vm, 4, copy.v, seen_from(vm, 4, FAR).v);
}
END_TEST

/* Only this page: the others' stay. */
START_TEST(no_other_page_goes_with_it)
{
    disco_mpn copy = replicated(5), stays = replicated(8);

    collapse(vm, 5);
    check_gone(vm, 5, copy);
    check_kept(vm, 8, stays.v, seen_from(vm, 8, FAR).v);
}
END_TEST

/* A kernel that two virtual machines share is replicated for both, and collapses for both. */
START_TEST(of_all_virtual_machines_that_share_the_page)
{
    struct rig_vm *two = add_vm();
    disco_mpn page, copy;

    rig_poke(vm, AT(5), 5);
    ck_assert_int_eq(disco_pmap_lend(&vm->pmap, (disco_ppn){5}, FAR, DISCO_PMAP_COW, &page), 0);
    ck_assert_int_eq(disco_pmap_share(&two->pmap, (disco_ppn){9}, page, DISCO_PMAP_COW), 0);
    ck_assert_int_eq(disco_memmap_put(r.mm, page), 0);
    copy = replicate(5);
    load_all(two, 9);
    check_kept(two, 9, copy.v, seen_from(two, 9, FAR).v);
    collapse(vm, 5);
    check_gone(vm, 5, copy);
    check_gone(two, 9, copy);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        near_copies_get_in,
        what_is_kept_answers,
        other_pages_do_not_get_in,
        a_collapse_takes_them_out,
        a_remap_takes_them_out_on_its_node,
        a_store_takes_them_out,
        a_migration_takes_them_out,
        a_page_given_back_takes_them_out,
        so_does_what_becomes_of_the_other_half,
        no_other_page_goes_with_it,
        of_all_virtual_machines_that_share_the_page,
    };

    return SUITE_RUN("nearer", tests, setup, teardown);
}
