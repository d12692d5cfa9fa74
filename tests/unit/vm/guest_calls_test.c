/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls about memory and virtual processors: what they do, and what they refuse. */
#include "calls.h"

/* --- memory --- */

static struct disco_memory memory;

static void make_memory(void)
{
    memory = (struct disco_memory){.pmap = &vm->pmap};
    ck_assert_int_eq(disco_memory_calls(&memory, &t), 0);
}

static int64_t pages_free(uint64_t pa, uint64_t len)
{
    return call(DISCO_CALL_PAGES_FREE, pa, len, 0);
}

static uint64_t word_at(uint64_t pa)
{
    uint64_t word = 0;

    ck_assert_int_eq(disco_pmap_read(&vm->pmap, (disco_pa){pa}, &word, sizeof word, 0), 0);
    return word;
}

static void fill(void)
{
    for (uint64_t pa = 0; pa < END; pa += 8) {
        uint64_t word = ~pa;

        ck_assert_int_eq(disco_pmap_write(&vm->pmap, (disco_pa){pa}, &word, sizeof word, 0), 0);
    }
}

static uint64_t present(void) { return rig_stats(vm).present; }

START_TEST(freed_pages_come_back_zeroed)
{
    make_memory();
    fill();
    ck_assert_uint_eq(present(), PAGES);
    ck_assert_int_eq(pages_free(DISCO_PAGE_SIZE, 2 * DISCO_PAGE_SIZE), 2);
    ck_assert_uint_eq(present(), PAGES - 2);
    ck_assert_int_eq(pages_free(0, END), PAGES - 2); /* two had no memory any more */
    ck_assert_uint_eq(present(), 0);
    ck_assert_uint_eq(counted(&t).pages_freed, PAGES);
    ck_assert_uint_eq(counted(&t).made[DISCO_CALL_PAGES_FREE], 2);
    for (uint64_t pa = 0; pa < END; pa += 8)
        ck_assert_uint_eq(word_at(pa), 0);
}
END_TEST

START_TEST(free_refuses)
{
    make_memory();
    fill();
    ck_assert_int_eq(pages_free(8, DISCO_PAGE_SIZE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(pages_free(0, DISCO_PAGE_SIZE + 8), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(pages_free(0, (DISCO_MEMORY_FREE_MAX + 1) * DISCO_PAGE_SIZE),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(pages_free(0, END + DISCO_PAGE_SIZE), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(pages_free(END, DISCO_PAGE_SIZE), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(pages_free(-DISCO_PAGE_SIZE, 2 * DISCO_PAGE_SIZE), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(pages_free(0, 0), 0);
    ck_assert_uint_eq(present(), PAGES);
}
END_TEST

START_TEST(zeroed_page)
{
    make_memory();
    fill();
    ck_assert_int_eq(call(DISCO_CALL_PAGE_ZERO, DISCO_PAGE_SIZE, 0, 0), 0);
    ck_assert_uint_eq(present(), PAGES); /* in place */
    ck_assert_uint_eq(word_at(DISCO_PAGE_SIZE - 8), ~(DISCO_PAGE_SIZE - 8));
    for (uint64_t pa = DISCO_PAGE_SIZE; pa < 2 * DISCO_PAGE_SIZE; pa += 8)
        ck_assert_uint_eq(word_at(pa), 0);
    ck_assert_uint_eq(word_at(2 * DISCO_PAGE_SIZE), ~(2 * DISCO_PAGE_SIZE));
    ck_assert_uint_eq(counted(&t).pages_zeroed, 1);
}
END_TEST

START_TEST(zero_costs_nothing_where_nothing_is)
{
    make_memory();
    ck_assert_int_eq(call(DISCO_CALL_PAGE_ZERO, 0, 0, 0), 0);
    ck_assert_uint_eq(present(), 0);
}
END_TEST

START_TEST(zero_leaves_what_others_share)
{
    disco_mpn lent;
    uint64_t *there;

    make_memory();
    fill();
    ck_assert_int_eq(disco_pmap_lend(&vm->pmap, (disco_ppn){1}, 0, DISCO_PMAP_COW, &lent), 0);
    there = r.b->ops->page(r.b, lent);
    ck_assert_int_eq(call(DISCO_CALL_PAGE_ZERO, DISCO_PAGE_SIZE, 0, 0), 0);
    ck_assert_uint_eq(there[3], ~(DISCO_PAGE_SIZE + 24));
    ck_assert_uint_eq(word_at(DISCO_PAGE_SIZE + 24), 0);
    ck_assert_int_eq(disco_memmap_put(r.mm, lent), 0);
}
END_TEST

START_TEST(zero_refuses)
{
    make_memory();
    ck_assert_int_eq(call(DISCO_CALL_PAGE_ZERO, 8, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(DISCO_CALL_PAGE_ZERO, END, 0, 0), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(DISCO_CALL_PAGE_ZERO, -DISCO_PAGE_SIZE, 0, 0), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_memory_calls(&memory, &t), DISCO_ERR_BUSY);
    ck_assert_int_eq(disco_memory_calls(NULL, &t), DISCO_ERR_BAD_ARG);
}
END_TEST

/* --- virtual processors --- */

static uint64_t started[4], raised;
static unsigned starts, stops, lowered;

static int on_start(void *ctx, unsigned id, uint64_t pc, uint64_t sp, uint64_t gp)
{
    ck_assert_ptr_eq(ctx, &started);
    started[0] = id;
    started[1] = pc;
    started[2] = sp;
    started[3] = gp;
    return ++starts == 1 ? 0 : DISCO_ERR_STATE;
}

static void on_stop(void *ctx, void *caller)
{
    ck_assert_ptr_eq(ctx, &started);
    ck_assert_ptr_eq(caller, &ran);
    stops++;
}

static void on_raise(void *ctx, unsigned id)
{
    (void)ctx;
    ck_assert_uint_lt(id, 64);
    raised |= UINT64_C(1) << id;
}

static void on_lower(void *ctx, void *caller)
{
    (void)ctx;
    ck_assert_ptr_eq(caller, &ran);
    lowered++;
}

static struct disco_smp smp;

static void make_smp(unsigned vcpus)
{
    smp = (struct disco_smp){.backend = r.b,
                             .start = on_start,
                             .stop = on_stop,
                             .raise = on_raise,
                             .lower = on_lower,
                             .ctx = &started};
    starts = stops = lowered = 0;
    raised = 0;
    ck_assert_int_eq(disco_smp_calls(&smp, vcpus, &t), 0);
}

START_TEST(start_and_stop)
{
    const uint64_t raw[DISCO_CALL_ARGS] = {2, UINT64_MAX, 0x1000, 7};

    make_smp(3);
    ck_assert_int_eq(disco_calls_run(&t, DISCO_CALL_VCPU_START, raw, &vm->pmap, 0, &ran), 0);
    ck_assert_mem_eq(started, raw, sizeof started);
    ck_assert_int_eq(call(DISCO_CALL_VCPU_START, 0, 0, 0),
                     DISCO_ERR_STATE); /* the monitor's word */
    ck_assert_int_eq(call(DISCO_CALL_VCPU_START, 3, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(DISCO_CALL_VCPU_START, UINT64_MAX, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(starts, 2);
    ck_assert_uint_eq(smp.lock.held, 0);
    ck_assert_int_eq(call(DISCO_CALL_VCPU_STOP, 0, 0, 0), 0);
    ck_assert_uint_eq(stops, 1);
}
END_TEST

START_TEST(interrupts)
{
    make_smp(3);
    ck_assert_int_eq(call(DISCO_CALL_IPI, 5, 0, 0), 0);
    ck_assert_uint_eq(raised, 5);
    ck_assert_int_eq(call(DISCO_CALL_IPI, 0, 0, 0), 0);
    ck_assert_int_eq(call(DISCO_CALL_IPI, 8, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(DISCO_CALL_IPI, UINT64_MAX, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(raised, 5);
    ck_assert_uint_eq(counted(&t).ipis, 2);
    ck_assert_int_eq(call(DISCO_CALL_IPI_ACK, 0, 0, 0), 0);
    ck_assert_uint_eq(lowered, 1);
}
END_TEST

START_TEST(one_and_sixty_four)
{
    make_smp(1);
    ck_assert_int_eq(call(DISCO_CALL_IPI, 2, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(DISCO_CALL_IPI, 1, 0, 0), 0);
    ck_assert_int_eq(disco_calls_init(&t, counters, r.b), 0);
    make_smp(64);
    ck_assert_int_eq(call(DISCO_CALL_IPI, UINT64_MAX, 0, 0), 0);
    ck_assert_uint_eq(raised, UINT64_MAX);
}
END_TEST

START_TEST(smp_refuses)
{
    make_smp(2);
    ck_assert_int_eq(disco_smp_calls(&smp, 2, &t), DISCO_ERR_BUSY);
    ck_assert_int_eq(disco_smp_calls(NULL, 2, &t), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_smp_calls(&smp, 0, &t), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_smp_calls(&smp, 65, &t), DISCO_ERR_BAD_ARG);
    smp.raise = NULL;
    ck_assert_int_eq(disco_smp_calls(&smp, 2, &t), DISCO_ERR_BAD_ARG);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {freed_pages_come_back_zeroed,
                            free_refuses,
                            zeroed_page,
                            zero_costs_nothing_where_nothing_is,
                            zero_leaves_what_others_share,
                            zero_refuses,
                            start_and_stop,
                            interrupts,
                            one_and_sixty_four,
                            smp_refuses};

    return SUITE_RUN("guest-calls", tests, setup, teardown);
}
