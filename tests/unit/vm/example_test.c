/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A complete example: two VMs with two virtual CPUs each, on two processors. Their programs fault
 * pages in through a refill handler of their own, read and then write a page that both share
 * copy-on-write, wait for timer interrupts, and power off. It runs on one thread, processor by
 * processor, and then with a thread a processor.
 */
#include "../mm/suite.h"
#include "rig.h"

#include <string.h>

#define PAGES 32
#define BASE UINT64_C(0x100000) /* the guest maps its physical pages from here, as its tables say */
#define AT(ppn) (BASE + (ppn)*DISCO_PAGE_SIZE)
#define SHARED_PPN 20
#define TEXT_PPN 3
#define TICKS 5
#define TICK_NS 20000

#define SET(reg, value)                                                                            \
    {                                                                                              \
        SIM_SET, reg, 0, (int64_t)(value)                                                          \
    }
#define CALL(number)                                                                               \
    SET(0, number), { SIM_CALL, 0, 0, 0 }

/* Registers: r7 = this virtual CPU's number, r8 = sum, r9 = ticks seen, r15 = exit code. */
static const struct sim_insn program[] = {
    [0] = {SIM_BEQ, 0, 0, 10},
    /* Refill: the page table is a formula. The pair of r10 goes in, the odd page after the even. */
    [1] = {SIM_READ, 10, 0, SIM_BAD_VA},
    [2] = {SIM_AND, 10, 10, -(int64_t)(2 * DISCO_PAGE_SIZE)},
    [3] = {SIM_ADD, 11, 10, -(int64_t)BASE + 0x1f},
    [4] = {SIM_ADD, 12, 11, (int64_t)DISCO_PAGE_SIZE},
    [5] = {SIM_TLB_RANDOM, 10, 11, 0},
    [6] = {SIM_ERET, 0, 0, 0},
    [7] = {SIM_NOP, 0, 0, 0},

    [10] = {SIM_VECTOR, DISCO_INJECT_MISS, 0, 1},
    [11] = {SIM_VECTOR, SIM_INTERRUPT, 0, 50},
    /* Sum up the first words of pages 4 to 17, through the TLB. */
    [12] = SET(1, AT(4)),
    [13] = SET(2, AT(18)),
    [14] = {SIM_LOAD, 3, 1, 0},
    [15] = {SIM_SUM, 8, 3, 0},
    [16] = {SIM_ADD, 1, 1, (int64_t)DISCO_PAGE_SIZE},
    [17] = {SIM_BNE, 1, 2, 14},
    /* The shared page: what the other VM put there, then our own. */
    [18] = SET(1, AT(SHARED_PPN)),
    [19] = {SIM_LOAD, 4, 1, 0},
    [20] = {SIM_ADD, 5, 4, 1000},
    [21] = {SIM_BNE, 7, 6, 40}, /* r6 = 0: only virtual CPU 0 goes on */
    [22] = {SIM_STORE, 5, 1, 0},
    /* Timer interrupts. */
    [23] = {SIM_ENABLE, 0, 0, 1 << DISCO_LINE_DEVICE},
    [24] = SET(14, TICKS),
    CALL(DISCO_CALL_TIME), /* 25, 26 */
    [27] = {SIM_ADD, 1, 0, TICK_NS},
    CALL(DISCO_CALL_TIMER_SET), /* 28, 29 */
    [30] = {SIM_BEQ, 9, 14, 33},
    [31] = {SIM_WAIT, 0, 0, 0},
    [32] = {SIM_BEQ, 0, 0, 30},
    [33] = SET(1, TEXT_PPN << DISCO_PAGE_SHIFT), /* calls take physical addresses */
    [34] = SET(2, 5),
    CALL(DISCO_CALL_CONSOLE_WRITE), /* 35, 36 */
    [37] = {SIM_ADD, 1, 15, 0},
    CALL(DISCO_CALL_POWEROFF), /* 38, 39 */
    /* The other virtual CPUs: store beside it, then compute until the VM ends. */
    [40] = {SIM_STORE, 7, 1, 128},
    [41] = {SIM_LOAD, 3, 1, 128},
    [42] = {SIM_BEQ, 3, 7, 41},
    [43] = {SIM_HALT, 0, 0, 0},
    /* Interrupt: count it, and set the timer again, which lowers the line. */
    [50] = {SIM_ADD, 9, 9, 1},
    CALL(DISCO_CALL_TIME), /* 51, 52 */
    [53] = {SIM_ADD, 1, 0, TICK_NS},
    CALL(DISCO_CALL_TIMER_SET), /* 54, 55 */
    [56] = {SIM_ERET, 0, 0, 0},
};

static const disco_ppn shared = {SHARED_PPN};

static struct rig r;
static struct rig_vm *vm[2];

static void fill(struct rig_vm *m, unsigned id)
{
    for (uint64_t ppn = 4; ppn < 18; ppn++)
        rig_poke(m, ppn * DISCO_PAGE_SIZE, ppn * (id + 1));
    ck_assert_int_eq(disco_pmap_write(&m->pmap, (disco_pa){TEXT_PPN * DISCO_PAGE_SIZE}, "done\n", 5,
                                      0),
                     0);
    for (unsigned i = 0; i < m->vm.vcpus; i++) {
        sim_guest(&m->vcpu[i])->r[7] = i;
        sim_guest(&m->vcpu[i])->r[15] = 7 + id;
    }
}

static void share_a_page(void)
{
    disco_mpn mpn;

    rig_poke(vm[0], SHARED_PPN * DISCO_PAGE_SIZE, 4711);
    ck_assert_int_eq(disco_pmap_lend(&vm[0]->pmap, shared, 0, DISCO_PMAP_COW, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&vm[1]->pmap, shared, mpn, DISCO_PMAP_COW), 0);
    ck_assert_int_eq(disco_memmap_put(r.mm, mpn), 0);
}

static void setup(void)
{
    static const struct rig_config c = {.cpus = 2, .nodes = 2, .tlb_pairs = 4, .hidden = 4};

    rig_init(&r, &c);
    for (unsigned i = 0; i < 2; i++) {
        vm[i] = RIG_ADD(&r, PAGES, 2, program);
        fill(vm[i], i);
    }
    share_a_page();
    for (unsigned i = 0; i < 2; i++) {
        for (unsigned n = 0; n < 2; n++)
            ck_assert_int_eq(disco_vcpu_start(&vm[i]->vcpu[n], r.s), 0);
    }
}

static void teardown(void) { rig_fini(&r); }

static void check_vm(const struct rig_vm *m, unsigned id)
{
    const struct sim_guest *g = sim_guest(&m->vcpu[0]);

    ck_assert_int_eq(m->vm.cause, DISCO_CAUSE_POWEROFF);
    ck_assert_int_eq(m->vm.code, 7 + (int)id);
    ck_assert_uint_eq(m->ended, 1);
    ck_assert_str_eq(m->out, "done\n");
    ck_assert_uint_eq(g->r[8], 147 * (id + 1)); /* 4 + ... + 17 */
    ck_assert_uint_eq(g->r[4], 4711);
    ck_assert_uint_ge(g->r[9], TICKS);
    ck_assert_uint_eq(g->taken[SIM_INTERRUPT], g->r[9]);
    ck_assert_uint_ge(g->taken[DISCO_INJECT_MISS], 7); /* 14 pages are 7 pairs */
}

static void check(void)
{
    disco_mpn page[2];

    for (unsigned i = 0; i < 2; i++) {
        check_vm(vm[i], i);
        ck_assert_uint_eq(rig_peek(vm[i], SHARED_PPN * DISCO_PAGE_SIZE), 5711);
        ck_assert_int_eq(disco_pmap_translate(&vm[i]->pmap, shared, 0, &page[i]), 0);
    }
    ck_assert_uint_ne(page[0].v, page[1].v);
}

/* One copied at least; both may have, each finding the other still there (lib/pmap/fault.c). */
static uint64_t check_copies(void)
{
    uint64_t copies = rig_stats(vm[0]).cow_copies + rig_stats(vm[1]).cow_copies;

    ck_assert_uint_ge(copies, 1);
    ck_assert_uint_eq(copies + rig_stats(vm[0]).write_reused + rig_stats(vm[1]).write_reused, 2);
    return copies;
}

START_TEST(on_one_thread)
{
    ck_assert(rig_run(&r, 5000));
    check();
    /* The other found itself the last user: no page was copied in vain. */
    ck_assert_uint_eq(check_copies(), 1);
}
END_TEST

START_TEST(on_a_thread_each)
{
    rig_run_threads(&r);
    check();
    check_copies();
}
END_TEST

/* With time and randomness in the machine's hand, one thread gives the same run every time. */
START_TEST(it_is_repeatable)
{
    uint64_t now[2], ops[2];

    for (unsigned i = 0; i < 2; i++) {
        if (i) {
            teardown();
            setup();
        }
        ck_assert(rig_run(&r, 5000));
        now[i] = r.b->ops->now(r.b);
        ops[i] = sim_guest(&vm[1]->vcpu[1])->ops;
    }
    ck_assert_uint_eq(now[0], now[1]);
    ck_assert_uint_eq(ops[0], ops[1]);
}
END_TEST

/* As arch.h says of a pmap's word: the mark tells it from others, changes nothing else, and is never loaded. */
START_TEST(the_mark_of_a_superpage)
{
    const struct disco_backend_ops *ops = r.b->ops;
    const disco_mpn mpn = {0x1234};
    const unsigned rights = DISCO_READ | DISCO_EXEC;
    disco_tlbe all = ops->tlbe_make((disco_mpn){0}, DISCO_RWX);
    disco_tlbe word = ops->tlbe_make(mpn, rights),
               marked = ops->tlbe_make(mpn, rights | DISCO_SUPERPAGE);

    ck_assert_uint_ne(marked, word);
    ck_assert_uint_eq(ops->tlbe_mpn(marked).v, mpn.v);
    ck_assert_uint_eq(ops->tlbe_rights(marked), rights);
    ck_assert_uint_eq(ops->tlbe_merge(all, marked), ops->tlbe_merge(all, word));
}
END_TEST

START_TEST(the_backend_is_complete)
{
    struct disco_backend_ops part = *r.b->ops;
    struct disco_backend b = *r.b;

    ck_assert_int_eq(disco_backend_check(&b), 0);
    b.ops = &part;
    ck_assert_int_eq(disco_backend_check(&b), 0);
    part.asid = NULL; /* the last one */
    ck_assert_int_eq(disco_backend_check(&b), DISCO_ERR_MISSING_OP);
    part = *r.b->ops;
    part.tlbe_make = NULL; /* the first */
    ck_assert_int_eq(disco_backend_check(&b), DISCO_ERR_MISSING_OP);
    part = *r.b->ops;
    b.node_of_cpu[1] = 2;
    ck_assert_int_eq(disco_backend_check(&b), DISCO_ERR_BAD_ARG);
    b.node_of_cpu[1] = r.b->node_of_cpu[1];
    for (unsigned pages = 0; pages < 10; pages++) {
        b.superpage = pages;
        ck_assert_int_eq(disco_backend_check(&b), pages & (pages - 1) ? DISCO_ERR_BAD_ARG : 0);
    }
    b.superpage = 3u << 30;
    ck_assert_int_eq(disco_backend_check(&b), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_backend_check(NULL), DISCO_ERR_BAD_ARG);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {on_one_thread, on_a_thread_each, it_is_repeatable,
                            the_mark_of_a_superpage, the_backend_is_complete};

    return SUITE_RUN("example", tests, setup, teardown);
}
