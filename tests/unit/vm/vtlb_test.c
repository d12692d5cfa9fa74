/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest may believe of its TLB holds, however many levels lie below it: guest programs. */
#include "../mm/suite.h"
#include "rig.h"

#include <string.h>

#define SET(reg, value)                                                                            \
    {                                                                                              \
        SIM_SET, reg, 0, (int64_t)(value)                                                          \
    }
#define ENTRY(va, even, odd) SET(10, va), SET(11, even), SET(12, odd)
#define PUT_RANDOM                                                                                 \
    {                                                                                              \
        SIM_TLB_RANDOM, 10, 11, 0                                                                  \
    }
#define PUT_INDEXED(i)                                                                             \
    {                                                                                              \
        SIM_TLB_INDEXED, 10, 11, i                                                                 \
    }
#define LOAD(to, va)                                                                               \
    SET(13, va), { SIM_LOAD, to, 13, 0 }
#define STORE(from, va)                                                                            \
    SET(13, va), { SIM_STORE, from, 13, 0 }
#define STOP                                                                                       \
    {                                                                                              \
        SIM_HALT, 0, 0, 0                                                                          \
    }
#define VA UINT64_C(0x20000)
#define RW(ppn) sim_lo(ppn, DISCO_RWX, false)

/* Every fault goes to place FAULT of run()'s prologue. */
#define FAULT 2
#define GO                                                                                         \
    {SIM_VECTOR, DISCO_INJECT_MISS, 0, FAULT}, {SIM_VECTOR, DISCO_INJECT_INVALID, 0, FAULT},       \
        {SIM_VECTOR, DISCO_INJECT_FORBIDDEN, 0, FAULT},                                            \
        {SIM_VECTOR, DISCO_INJECT_WRITE, 0, FAULT},                                                \
        {SIM_VECTOR, DISCO_INJECT_BUS_ERROR, 0, FAULT},                                            \
    {                                                                                              \
        SIM_VECTOR, DISCO_INJECT_ILLEGAL, 0, FAULT                                                 \
    }

static struct rig r;
static struct rig_vm *vm;
static struct sim_guest *g;

static void setup(void)
{
    static const struct rig_config c = {.cpus = 1, .nodes = 1, .hidden = 8, .slice_ns = 1000000};

    rig_init(&r, &c);
}

static void teardown(void) { rig_fini(&r); }

/*
 * Run @p body until it ends, or faults: then r[15] = 1 + kind of the fault, r[14] = its address.
 * Physical page n holds 100 + n in its first word.
 */
static void run(const struct sim_insn *body, uint32_t n)
{
    static struct sim_insn program[400];
    static const struct sim_insn head[] = {SET(15, 0),
                                           {SIM_BEQ, 0, 0, 6},
                                           {SIM_READ, 15, 0, SIM_CAUSE},
                                           {SIM_READ, 14, 0, SIM_BAD_VA},
                                           {SIM_ADD, 15, 15, 1},
                                           STOP,
                                           GO};
    uint32_t h = sizeof head / sizeof head[0];

    ck_assert_uint_lt(h + n, 400);
    memcpy(program, head, sizeof head);
    memcpy(program + h, body, n * sizeof *body);
    program[h + n] = (struct sim_insn)STOP;
    vm = rig_add(&r, 16, 1, program, h + n + 1);
    g = sim_guest(&vm->vcpu[0]);
    for (uint64_t i = 0; i < 16; i++)
        rig_poke(vm, i * DISCO_PAGE_SIZE, 100 + i);
    ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[0], r.s), 0);
    ck_assert(rig_run(&r, 1000));
    ck_assert_str_eq(vm->vm.why, "the guest halted its processor");
}
#define RUN(...)                                                                                   \
    do {                                                                                           \
        static const struct sim_insn body_[] = {__VA_ARGS__};                                      \
        run(body_, sizeof body_ / sizeof body_[0]);                                                \
    } while (0)

static void no_fault(void) { ck_assert_uint_eq(g->r[15], 0); }

static void fault(unsigned what, uint64_t va)
{
    ck_assert_uint_eq(g->r[15], what + 1);
    ck_assert_uint_eq(g->r[14], va);
}

START_TEST(what_is_entered_is_found)
{
    struct sim_insn body[] = {
        ENTRY(VA, RW(3), RW(7)),   PUT_RANDOM, LOAD(1, VA), LOAD(2, VA + DISCO_PAGE_SIZE),
        {SIM_TLB_PROBE, 3, 13, 0},
    };
    run(body, sizeof body / sizeof body[0]);
    no_fault();
    ck_assert_uint_eq(g->r[1], 103);
    ck_assert_uint_eq(g->r[2], 107);
    ck_assert_uint_lt(g->r[3], SIM_GUEST_TLB);
}
END_TEST

START_TEST(nothing_entered_faults)
{
    RUN(LOAD(1, VA));
    fault(DISCO_INJECT_MISS, VA);
}
END_TEST

/* More pairs than the guest's TLB holds stay usable, thanks to the L2TLB: no miss is ever seen. */
START_TEST(the_tlb_looks_larger_than_it_is)
{
    struct sim_insn body[200];
    uint32_t n = 0;

    for (uint64_t i = 0; i < 16; i++) {
        const struct sim_insn put[] = {ENTRY(VA + i * 0x2000, RW(i), 0), PUT_RANDOM,
                                       LOAD(1, VA + i * 0x2000)};

        memcpy(body + n, put, sizeof put);
        n += sizeof put / sizeof put[0];
    }
    for (uint64_t i = 0; i < 16; i++) {
        const struct sim_insn get[] = {LOAD(1, VA + i * 0x2000), {SIM_SUM, 2, 1, 0}};

        memcpy(body + n, get, sizeof get);
        n += sizeof get / sizeof get[0];
    }
    run(body, n);
    no_fault();
    ck_assert_uint_eq(g->r[2], 16 * 100 + 120);
}
END_TEST

START_TEST(an_indexed_write_takes_away_what_it_overwrites)
{
    struct sim_insn body[] = {
        ENTRY(VA, RW(3), 0), PUT_INDEXED(0),       LOAD(1, VA), ENTRY(VA + 0x2000, RW(4), 0),
        PUT_INDEXED(0),      LOAD(2, VA + 0x2000), LOAD(1, VA),
    };
    run(body, sizeof body / sizeof body[0]);
    fault(DISCO_INJECT_MISS, VA);
    ck_assert_uint_eq(g->r[2], 104);
}
END_TEST

START_TEST(the_last_index_and_the_one_past_it)
{
    struct sim_insn body[] = {
        ENTRY(VA, RW(3), 0),       PUT_INDEXED(SIM_GUEST_TLB - 1), LOAD(1, VA),
        {SIM_TLB_PROBE, 3, 13, 0}, PUT_INDEXED(SIM_GUEST_TLB),
    };
    run(body, sizeof body / sizeof body[0]);
    ck_assert_uint_eq(g->r[1], 103);
    ck_assert_uint_eq(g->r[3], SIM_GUEST_TLB - 1);
    ck_assert_uint_eq(g->r[15], DISCO_INJECT_ILLEGAL + 1);
}
END_TEST

/* Enter VA, drive it out of the guest's TLB (but not of the L2TLB) at random, then do @p last. */
static void run_driven_out(const struct sim_insn *last, uint32_t length)
{
    struct sim_insn body[120];
    const struct sim_insn first[] = {ENTRY(VA, RW(3), 0), PUT_INDEXED(0), LOAD(1, VA)};
    uint32_t n = sizeof first / sizeof first[0];

    memcpy(body, first, sizeof first);
    for (uint64_t i = 1; i < 14; i++) {
        const struct sim_insn put[] = {ENTRY(VA + i * 0x2000, RW(i), 0), PUT_RANDOM};

        memcpy(body + n, put, sizeof put);
        n += sizeof put / sizeof put[0];
    }
    memcpy(body + n, last, length * sizeof *last);
    run(body, n + length);
}
#define RUN_DRIVEN_OUT(last) run_driven_out(last, sizeof(last) / sizeof((last)[0]))

/* A guest that unmaps a page probes for it; not found means gone, on every level. */
START_TEST(a_failed_probe_tells_the_truth)
{
    const struct sim_insn last[] = {SET(13, VA), {SIM_TLB_PROBE, 3, 13, 0}, LOAD(1, VA)};

    RUN_DRIVEN_OUT(last);
    ck_assert_int_eq((int64_t)g->r[3], -1); /* with this seed it was driven out */
    fault(DISCO_INJECT_MISS, VA);
}
END_TEST

START_TEST(a_new_entry_replaces_what_only_the_l2tlb_knows)
{
    const struct sim_insn last[] = {ENTRY(VA, RW(5), 0), PUT_RANDOM, LOAD(1, VA)};

    RUN_DRIVEN_OUT(last);
    no_fault();
    ck_assert_uint_eq(g->r[1], 105);
}
END_TEST

START_TEST(a_flush_empties_every_level)
{
    struct sim_insn body[] = {
        ENTRY(VA, sim_lo(3, DISCO_RWX, true), sim_lo(4, DISCO_RWX, true)),
        PUT_RANDOM,
        LOAD(1, VA),
        {SIM_TLB_FLUSH, 0, 0, 0},
        LOAD(2, VA),
    };
    run(body, sizeof body / sizeof body[0]);
    fault(DISCO_INJECT_MISS, VA);
    ck_assert_uint_eq(g->r[1], 103);
}
END_TEST

START_TEST(address_spaces_are_apart)
{
    struct sim_insn body[] = {
        SET(9, 1),
        {SIM_SET_ASID, 9, 0, 0},
        ENTRY(VA | 1, RW(3), 0),
        PUT_INDEXED(0),
        LOAD(1, VA),
        SET(9, 2),
        {SIM_SET_ASID, 9, 0, 0},
        ENTRY(VA | 2, RW(4), 0),
        PUT_INDEXED(1),
        LOAD(2, VA),
        SET(9, 1),
        {SIM_SET_ASID, 9, 0, 0},
        LOAD(3, VA),
        SET(9, 3),
        {SIM_SET_ASID, 9, 0, 0},
        LOAD(4, VA),
    };
    run(body, sizeof body / sizeof body[0]);
    fault(DISCO_INJECT_MISS, VA);
    ck_assert_uint_eq(g->r[1], 103);
    ck_assert_uint_eq(g->r[2], 104);
    ck_assert_uint_eq(g->r[3], 103);
}
END_TEST

START_TEST(global_entries_belong_to_all)
{
    struct sim_insn body[] = {
        SET(9, 1),
        {SIM_SET_ASID, 9, 0, 0},
        ENTRY(VA | 1, sim_lo(3, DISCO_RWX, true), sim_lo(4, DISCO_RWX, true)),
        PUT_INDEXED(0),
        LOAD(1, VA),
        SET(9, 2),
        {SIM_SET_ASID, 9, 0, 0},
        LOAD(2, VA + 0x1000),
        /* Overwritten under another ASID, it is gone for all. */
        ENTRY(VA + 0x4000, RW(5), 0),
        PUT_INDEXED(0),
        SET(9, 1),
        {SIM_SET_ASID, 9, 0, 0},
        LOAD(3, VA),
    };
    run(body, sizeof body / sizeof body[0]);
    fault(DISCO_INJECT_MISS, VA);
    ck_assert_uint_eq(g->r[1], 103);
    ck_assert_uint_eq(g->r[2], 104);
}
END_TEST

START_TEST(an_asid_that_does_not_exist)
{
    RUN(SET(9, SIM_ASIDS), {SIM_SET_ASID, 9, 0, 0});
    ck_assert_uint_eq(g->r[15], DISCO_INJECT_ILLEGAL + 1);
    ck_assert_uint_eq(g->asid, 0);
}
END_TEST

START_TEST(a_new_entry_for_the_same_page_wins)
{
    struct sim_insn body[] = {
        ENTRY(VA, RW(3), 0), PUT_RANDOM,  LOAD(1, VA),          ENTRY(VA, RW(5), RW(6)),
        PUT_RANDOM,          LOAD(2, VA), LOAD(3, VA + 0x1000),
    };
    run(body, sizeof body / sizeof body[0]);
    no_fault();
    ck_assert_uint_eq(g->r[2], 105);
    ck_assert_uint_eq(g->r[3], 106);
}
END_TEST

START_TEST(read_only_and_then_writable)
{
    struct sim_insn body[] = {
        ENTRY(VA, sim_lo(3, DISCO_READ, false), 0),
        PUT_INDEXED(0),
        LOAD(1, VA),
        ENTRY(VA, RW(3), 0),
        PUT_INDEXED(0),
        SET(4, 77),
        STORE(4, VA),
        ENTRY(VA, sim_lo(3, DISCO_READ, false), 0),
        PUT_INDEXED(0),
        STORE(4, VA + 8),
    };
    run(body, sizeof body / sizeof body[0]);
    fault(DISCO_INJECT_WRITE, VA + 8);
    ck_assert_uint_eq(rig_peek(vm, 3 * DISCO_PAGE_SIZE), 77);
    ck_assert_uint_eq(rig_peek(vm, 3 * DISCO_PAGE_SIZE + 8), 0);
}
END_TEST

START_TEST(no_execution_without_the_right)
{
    struct sim_insn body[] = {
        ENTRY(VA, sim_lo(3, DISCO_READ | DISCO_WRITE, false), RW(4)),
        PUT_INDEXED(0),
        LOAD(1, VA),
        SET(13, VA + 0x1000),
        {SIM_FETCH, 0, 13, 0},
        SET(13, VA),
        {SIM_FETCH, 0, 13, 0},
    };
    run(body, sizeof body / sizeof body[0]);
    fault(DISCO_INJECT_FORBIDDEN, VA);
}
END_TEST

/* One fault inside the handler of another: EPC stays that of the first. */
START_TEST(a_fault_within_a_fault_keeps_epc)
{
    static const struct sim_insn program[] = {
        {SIM_VECTOR, DISCO_INJECT_MISS, 0, 4},
        {SIM_VECTOR, DISCO_INJECT_ILLEGAL, 0, 6},
        SET(13, VA),
        {SIM_LOAD, 1, 13, 0},   /* 3 */
        {SIM_ILLEGAL, 0, 0, 0}, /* 4 */
        STOP,
        {SIM_READ, 1, 0, SIM_EPC}, /* 6 */
        STOP,
    };

    vm = RIG_ADD(&r, 16, 1, program);
    ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[0], r.s), 0);
    ck_assert(rig_run(&r, 100));
    ck_assert_uint_eq(sim_guest(&vm->vcpu[0])->r[1], 3);
}
END_TEST

/* A level stays up and interrupts again and again until the guest lowers it or masks it. */
START_TEST(a_level_that_stays_up)
{
    static const struct sim_insn program[] = {
        {SIM_VECTOR, SIM_INTERRUPT, 0, 3},
        {SIM_ENABLE, 0, 0, 4},
        {SIM_BEQ, 0, 0, 2},
        {SIM_ADD, 1, 1, 1},
        SET(2, 5),
        {SIM_BEQ, 1, 2, 7},
        {SIM_ERET, 0, 0, 0},
        {SIM_DISABLE, 0, 0, 0},
        STOP,
    };

    vm = RIG_ADD(&r, 16, 1, program);
    disco_vcpu_line(&vm->vcpu[0], 2, true);
    ck_assert_int_eq(disco_vcpu_start(&vm->vcpu[0], r.s), 0);
    ck_assert(rig_run(&r, 100));
    ck_assert_uint_eq(sim_guest(&vm->vcpu[0])->r[1], 5);
    ck_assert_uint_eq(sim_guest(&vm->vcpu[0])->taken[SIM_INTERRUPT], 5);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        what_is_entered_is_found,
        nothing_entered_faults,
        the_tlb_looks_larger_than_it_is,
        an_indexed_write_takes_away_what_it_overwrites,
        the_last_index_and_the_one_past_it,
        a_failed_probe_tells_the_truth,
        a_new_entry_replaces_what_only_the_l2tlb_knows,
        a_flush_empties_every_level,
        address_spaces_are_apart,
        global_entries_belong_to_all,
        an_asid_that_does_not_exist,
        a_new_entry_for_the_same_page_wins,
        read_only_and_then_writable,
        no_execution_without_the_right,
        a_fault_within_a_fault_keeps_epc,
        a_level_that_stays_up,
    };

    return SUITE_RUN("vtlb", tests, setup, teardown);
}
