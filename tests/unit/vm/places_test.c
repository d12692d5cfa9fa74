/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages entered at very many places, and whose L2TLBs a revocation of them costs. */
#include "../mm/suite.h"
#include "rig.h"

#define CPUS 2 /* each a node with a virtual CPU */
#define PAGES 12
#define PLACES                                                                                     \
    8 /* of each page, as many as a backmap names: more of all pages together than one purge does */
#define VA UINT64_C(0x100000)
#define PAIR (2 * DISCO_PAGE_SIZE)
#define KEPT 20 /* a page that nobody takes away */
#define KEPT_AT UINT64_C(0x800000)

static const struct sim_insn sleeper[] = {{SIM_WAIT, 0, 0, 0}, {SIM_BEQ, 0, 0, 0}};

static struct rig r;
static struct rig_vm *vm;

static void load(unsigned i, uint64_t va, uint64_t ppn)
{
    struct disco_exit x = {.kind = DISCO_EXIT_MISS, .access = DISCO_ACCESS_LOAD, .va = {va}};
    struct sim_guest *g = sim_guest(&vm->vcpu[i]);

    g->tlb[0] = (struct sim_entry){va | g->asid, {(uint64_t)sim_lo(ppn, DISCO_RWX, false), 0}};
    sim_become(r.m, i);
    ck_assert_int_eq(disco_vcpu_handle(&vm->vcpu[i], &x), DISCO_NEXT_RESUME);
}

static uint64_t place(uint64_t page, unsigned k) { return VA + (page * (PLACES + 1) + k) * PAIR; }

/* In the L2TLB there may be room for some of them only. */
static void load_at(unsigned i, uint64_t page, unsigned places)
{
    for (unsigned k = 0; k < places; k++)
        load(i, place(page, k), page);
    load(i, KEPT_AT, KEPT);
}

static bool knows(unsigned i, uint64_t va)
{
    return disco_l2tlb_peek(vm->vcpu[i].l2tlb, (disco_va){va}, 0);
}

/* How many of the places of all pages its L2TLB knows. */
static unsigned known(unsigned i)
{
    unsigned n = 0;

    for (uint64_t page = 0; page < PAGES; page++) {
        for (unsigned k = 0; k <= PLACES; k++)
            n += knows(i, place(page, k));
    }
    return n;
}

static uint64_t wipes(unsigned i) { return vm->vcpu[i].l2tlb->wipes; }

static void setup(void)
{
    static const struct rig_config c = {
        .cpus = CPUS, .nodes = CPUS, .pages = 64, .tlb_pairs = 64, .tagged = true};

    rig_init(&r, &c);
    vm = RIG_ADD(&r, 64, CPUS, sleeper);
    for (unsigned i = 0; i < CPUS; i++) {
        ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[i], r.s), 0);
        rig_turn(&r, i);
        ck_assert_uint_eq(vm->vcpu[i].cpu, i);
    }
}

static void teardown(void) { rig_fini(&r); }

START_TEST(no_more_than_the_pages_places)
{
    disco_mpn mpn[PAGES];

    for (uint64_t page = 0; page < PAGES; page++) {
        load_at(0, page, PLACES);
        ck_assert_int_eq(disco_pmap_translate(&vm->pmap, (disco_ppn){page}, 0, &mpn[page]), 0);
    }
    load(1, KEPT_AT, KEPT);
    ck_assert_uint_gt(known(0), 0);
    ck_assert_int_eq(disco_pmap_drop_many(&vm->pmap, (disco_ppn){0}, PAGES, NULL), 0);
    ck_assert_uint_eq(known(0), 0);
    for (uint64_t page = 0; page < PAGES; page++)
        ck_assert(!sim_reaches(r.m, 0, &vm->vcpu[0], mpn[page]));
    ck_assert(knows(0, KEPT_AT) && knows(1, KEPT_AT));
    ck_assert_uint_eq(wipes(0) + wipes(1), 0);
}
END_TEST

static void look_anew(uint64_t pages, unsigned node)
{
    struct disco_pmap_move m[PAGES];

    for (uint64_t i = 0; i < pages; i++)
        m[i] = (struct disco_pmap_move){{i}, node, DISCO_PMAP_REMAP, 1};
    disco_pmap_move_many(&vm->pmap, m, pages);
    for (uint64_t i = 0; i < pages; i++)
        ck_assert_int_eq(m[i].err, 0);
}

START_TEST(of_one_virtual_cpu)
{
    unsigned had;

    for (uint64_t page = 0; page < PAGES; page++) {
        for (unsigned i = 0; i < CPUS; i++)
            load_at(i, page, PLACES);
    }
    had = known(0);
    ck_assert_uint_gt(had, 0);
    look_anew(PAGES, 1);
    ck_assert_uint_eq(known(0), had);
    ck_assert_uint_eq(known(1), 0);
    ck_assert_uint_eq(wipes(0) + wipes(1), 0);
    ck_assert(knows(1, KEPT_AT));
}
END_TEST

/* Pages that are everywhere cost those who are to forget them all they have, once; of the others nobody is asked. */
START_TEST(everywhere_of_one_virtual_cpu)
{
    unsigned had;

    for (uint64_t page = 0; page < 4; page++) {
        for (unsigned i = 0; i < CPUS; i++)
            load_at(i, page, page < 2 ? PLACES : PLACES + 1);
    }
    had = known(0);
    look_anew(4, 1);
    ck_assert_uint_eq(wipes(0), 0);
    ck_assert_uint_eq(wipes(1), 1);
    ck_assert_uint_eq(known(0), had);
    ck_assert_uint_eq(known(1), 0);
    ck_assert(knows(0, KEPT_AT) && !knows(1, KEPT_AT));
    ck_assert_uint_eq(rig_stats(vm).everywhere, 0);
}
END_TEST

START_TEST(everywhere_of_all)
{
    for (uint64_t page = 0; page < PAGES; page++)
        load_at(0, page, page == 5 ? PLACES + 1 : 3);
    load(1, KEPT_AT, KEPT);
    ck_assert_int_eq(disco_pmap_drop_many(&vm->pmap, (disco_ppn){0}, PAGES, NULL), 0);
    ck_assert_uint_eq(known(0), 0);
    for (unsigned i = 0; i < CPUS; i++) {
        ck_assert_uint_eq(wipes(i), 1);
        ck_assert(!knows(i, KEPT_AT));
    }
    ck_assert_uint_eq(rig_stats(vm).everywhere, 1);
    ck_assert_uint_eq(rig_stats(vm).purged, 1); /* nothing beside it is named */
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        no_more_than_the_pages_places,
        of_one_virtual_cpu,
        everywhere_of_one_virtual_cpu,
        everywhere_of_all,
    };

    return SUITE_RUN("places", tests, setup, teardown);
}
