/* SPDX-License-Identifier: BSD-2-Clause */
/* Remap: pages that read as others do, in the order of the pairs, as copies would. */
#include "../mm/suite.h"
#include "world.h"

#define FIELD (OWN + 0) /* pages that take part */
#define PAIRS (DISCO_REMAP_MAX)

static struct world w;
static struct net_vm *vm;

static void setup(void)
{
    const struct world_config c = {.pages = 256, .chunks = 64};

    world_init(&w, &c);
    vm = &w.vm[0];
    for (uint64_t i = FIELD; i < PPNS; i++)
        poke(vm, i * PAGE, &i, sizeof i);
}

static void teardown(void) { world_fini(&w); }

static uint64_t first_word(uint64_t ppn)
{
    uint64_t word;

    peek(vm, ppn * PAGE, &word, sizeof word);
    return word;
}

static int64_t remap(uint64_t to, uint64_t from)
{
    return net_call(vm, DISCO_CALL_REMAP, to * PAGE, from * PAGE);
}

static int64_t remap_many(const struct disco_remap *pair, uint64_t n)
{
    poke(vm, REQUEST, pair, n * sizeof *pair);
    return net_call(vm, DISCO_CALL_REMAP_MANY, REQUEST, n * sizeof *pair);
}

static enum disco_pmap_reason reason(uint64_t ppn)
{
    return disco_pmap_reason(&vm->pmap, (disco_ppn){ppn});
}

static uint64_t refs(uint64_t ppn) { return disco_memmap_refs(w.mm, (disco_mpn){mpn_at(vm, ppn)}); }

static struct disco_calls_stats counted(void)
{
    struct disco_calls_stats s;

    disco_calls_stats(&vm->calls, &s);
    return s;
}

static uint64_t revocations(void) { return mock_stats(&vm->pmap).purges; }

/* Memory runs short: all but @p rest pages are taken. */
static disco_mpn taken[256];
static unsigned ntaken;

static void take_memory(uint64_t rest)
{
    while (free_pages(&w) > rest)
        ck_assert_int_eq(disco_memmap_alloc(w.mm, 0, DISCO_PAGE_MONITOR, &taken[ntaken++]), 0);
}

static void give_memory(void)
{
    while (ntaken)
        ck_assert_int_eq(disco_memmap_put(w.mm, taken[--ntaken]), 0);
}

START_TEST(one)
{
    uint64_t before = free_pages(&w);

    ck_assert_int_eq(remap(20, 10), 0);
    ck_assert_uint_eq(first_word(20), 10);
    ck_assert_uint_eq(mpn_at(vm, 20), mpn_at(vm, 10));
    ck_assert_uint_eq(free_pages(&w), before + 1);
    ck_assert_uint_eq(reason(10), DISCO_PMAP_NET);
    ck_assert_uint_eq(reason(20), DISCO_PMAP_NET);
    ck_assert_uint_eq(disco_memmap_refs(w.mm, (disco_mpn){mpn_at(vm, 10)}), 2);
    poke(vm, 20 * PAGE, "mine", 4);
    ck_assert_uint_eq(first_word(10), 10);
    ck_assert_uint_eq(counted().remapped, 1);
    ck_assert_uint_eq(counted().remaps_failed, 0);
}
END_TEST

START_TEST(onto_itself)
{
    ck_assert_int_eq(remap(10, 10), 0);
    ck_assert_uint_eq(reason(10), DISCO_PMAP_WRITABLE);
    ck_assert_uint_eq(mock_stats(&vm->pmap).purges, 0);
    ck_assert_int_eq(remap(PPNS, PPNS), DISCO_ERR_BAD_ADDRESS);
}
END_TEST

START_TEST(page_that_was_never_touched)
{
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){10}), 0);
    ck_assert_int_eq(remap(20, 10), 0);
    ck_assert_uint_eq(first_word(20), 0);
    ck_assert_uint_eq(first_word(10), 0);
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){21}), 0);
    ck_assert_int_eq(remap(21, 11), 0);
    ck_assert_uint_eq(first_word(21), 11);
}
END_TEST

/* A page of a disk stays one: its reason says what a copy of it was due to. */
START_TEST(reasons_are_kept)
{
    const struct disco_remap pair[] = {{20 * PAGE, 10 * PAGE},
                                       {21 * PAGE, 11 * PAGE},
                                       {22 * PAGE, 20 * PAGE}};
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_lend(&vm->pmap, (disco_ppn){10}, 0, DISCO_PMAP_COW, &mpn), 0);
    ck_assert_int_eq(remap_many(pair, 3), 3);
    ck_assert_uint_eq(reason(10), DISCO_PMAP_COW);
    ck_assert_uint_eq(reason(20), DISCO_PMAP_COW);
    ck_assert_uint_eq(reason(21), DISCO_PMAP_NET);
    ck_assert_uint_eq(reason(22), DISCO_PMAP_COW);
    ck_assert_uint_eq(first_word(22), 10);
    ck_assert_int_eq(disco_memmap_put(w.mm, mpn), 0);
}
END_TEST

START_TEST(replicated_page)
{
    ck_assert_int_eq(disco_pmap_replicate(&vm->pmap, (disco_ppn){10}, 0), 0);
    ck_assert_int_eq(disco_pmap_replicate(&vm->pmap, (disco_ppn){10}, 1), 0);
    ck_assert_int_eq(remap(20, 10), 0);
    ck_assert_uint_eq(first_word(20), 10);
    poke(vm, 10 * PAGE, "mine", 4);
    ck_assert_uint_eq(first_word(20), 10);
    ck_assert_int_eq(remap(10, 20), 0); /* and onto one */
    poke(vm, 20 * PAGE, "mine", 4);
    ck_assert_uint_eq(first_word(10), 10);
}
END_TEST

START_TEST(one_revocation_for_many)
{
    struct disco_remap pair[16];
    uint64_t before;

    for (unsigned i = 0; i < 16; i++) {
        pair[i] = (struct disco_remap){(30 + i) * PAGE, (10 + i) * PAGE};
        ck_assert_int_eq(remap(50, 10 + i), 0); /* read-only now: no revocation to lend it */
    }
    before = mock_stats(&vm->pmap).purges;
    ck_assert_int_eq(remap_many(pair, 16), 16);
    ck_assert_uint_eq(mock_stats(&vm->pmap).purges, before + 1);
}
END_TEST

/* What is read, and what is replaced: a revocation each for the pairs of a batch, whose first 32 pages read are 20. */
START_TEST(two_revocations_for_a_batch)
{
    struct disco_remap pair[40];

    for (unsigned i = 0; i < 40; i++)
        pair[i] = (struct disco_remap){(FIELD + 20 + i) * PAGE, (FIELD + i % 20) * PAGE};
    ck_assert_int_eq(remap_many(pair, 40), 40);
    ck_assert_uint_eq(revocations(), 3);
    for (unsigned i = 0; i < 40; i++)
        ck_assert_uint_eq(first_word(FIELD + 20 + i), FIELD + i % 20);
    ck_assert_uint_eq(refs(FIELD), 3);
}
END_TEST

/* How pairs, given as pages, fall into batches. */
struct batches {
    uint64_t n, cow, revocations; /* cow: a page that is shared for that reason before, or 0 */
    struct {
        uint64_t to, from;
    } pair[3];
};

static void done_in(const struct batches *b)
{
    struct disco_remap pair[3];
    uint64_t model[PPNS], before;
    disco_mpn mpn = {0};

    for (uint64_t p = 0; p < PPNS; p++)
        model[p] = first_word(p);
    for (unsigned i = 0; i < b->n; i++) {
        pair[i] = (struct disco_remap){b->pair[i].to * PAGE, b->pair[i].from * PAGE};
        model[b->pair[i].to] = model[b->pair[i].from];
    }
    if (b->cow)
        ck_assert_int_eq(disco_pmap_lend(&vm->pmap, (disco_ppn){b->cow}, 0, DISCO_PMAP_COW, &mpn),
                         0);
    before = revocations();
    ck_assert_int_eq(remap_many(pair, b->n), (int64_t)b->n);
    ck_assert_uint_eq(revocations() - before, b->revocations);
    for (uint64_t p = FIELD; p < PPNS; p++)
        ck_assert_uint_eq(first_word(p), model[p]);
    if (b->cow)
        ck_assert_int_eq(disco_memmap_put(w.mm, mpn), 0);
}

START_TEST(batches)
{
    static const struct batches b[] = {
        {2, 0, 2, {{20, 10}, {21, 10}}},            /* read twice */
        {2, 0, 4, {{20, 10}, {10, 11}}},            /* read, then replaced */
        {2, 0, 3, {{20, 10}, {21, 20}}},            /* replaced, then read, and shared by then */
        {2, 0, 4, {{20, 10}, {20, 11}}},            /* replaced twice */
        {3, 0, 4, {{20, 10}, {10, 20}, {20, 10}}},  /* to and fro */
        {3, 11, 5, {{20, 10}, {21, 11}, {22, 12}}}, /* two reasons */
        {3, 11, 2, {{20, 11}, {21, 11}, {22, 20}}}, /* nothing to be lent, but two batches */
    };

    for (unsigned i = 0; i < sizeof b / sizeof b[0]; i++) {
        done_in(&b[i]);
        teardown();
        setup();
    }
}
END_TEST

/* Chains, swaps, the same page twice, pages that are not there: as if copied one after another. */
START_TEST(in_order)
{
    static uint64_t model[PPNS];
    struct disco_remap pair[PAIRS];
    uint64_t seed = 4711 + (uint64_t)_i;

    for (uint64_t i = 0; i < PPNS; i++)
        model[i] = i < FIELD ? 0 : i;
    for (unsigned round = 0; round < 200; round++) {
        uint64_t n = mock_random(&seed) % (PAIRS + 1),
                 few = 2 + mock_random(&seed) % (PPNS - FIELD - 1);
        uint64_t value = 1000 + round, at = FIELD + mock_random(&seed) % (PPNS - FIELD);

        for (uint64_t i = 0; i < n; i++) {
            uint64_t to = FIELD + mock_random(&seed) % few, from = FIELD + mock_random(&seed) % few;

            pair[i] = (struct disco_remap){to * PAGE, from * PAGE};
            model[to] = model[from];
        }
        ck_assert_int_eq(remap_many(pair, n), (int64_t)n);
        poke(vm, at * PAGE, &value, sizeof value);
        model[at] = value;
        if (round % 3 == 0) {
            at = FIELD + mock_random(&seed) % (PPNS - FIELD);
            ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){at}), 0);
            model[at] = 0;
        }
        for (uint64_t i = FIELD; i < PPNS; i++)
            ck_assert_uint_eq(first_word(i), model[i]);
    }
}
END_TEST

START_TEST(bad_pair_ends_it)
{
    struct disco_remap pair[40];

    for (unsigned i = 0; i < 40; i++)
        pair[i] = (struct disco_remap){(10 + i) * PAGE, (11 + i) * PAGE};
    pair[5].from++;
    ck_assert_int_eq(remap_many(pair, 40), 5);
    ck_assert_uint_eq(first_word(14), 15);
    ck_assert_uint_eq(first_word(16), 16);
    pair[5].from--;
    pair[36].to = PPNS * PAGE;
    ck_assert_int_eq(remap_many(pair, 40), 36);
    pair[0].from = -PAGE;
    ck_assert_int_eq(remap_many(pair, 40), DISCO_ERR_OVERFLOW);
    ck_assert_uint_eq(counted().remaps_failed, 3);
    ck_assert_uint_eq(counted().remapped, 41);
}
END_TEST

/* No place for users: what could be done is done, and said. */
START_TEST(no_place_for_users)
{
    const struct world_config c = {.pages = 256, .chunks = 2};
    struct disco_remap pair[4];

    world_fini(&w);
    world_init(&w, &c);
    for (unsigned i = 0; i < 4; i++)
        pair[i] = (struct disco_remap){(20 + i) * PAGE, (10 + i) * PAGE};
    ck_assert_int_eq(remap_many(pair, 4), 2);
    ck_assert_int_eq(remap(30, 13), DISCO_ERR_NO_SPACE);
    ck_assert_uint_eq(first_word(30), 0);
}
END_TEST

/* Of a map of dead pages a copy would be lent, for which there is no memory: what comes before is done, nothing after. */
START_TEST(page_that_cannot_be_lent)
{
    const uint64_t map = PPNS - 1;
    struct disco_remap pair[6] = {{10 * PAGE, 10 * PAGE}}; /* in no batch */

    ck_assert_int_eq(disco_pmap_set_dead(&vm->pmap, (disco_pa){map * PAGE}, PPNS, 0), 0);
    for (uint64_t at = 0; at < 4; at++) {
        const uint64_t from = 10 + at * 4, to = 30 + at * 4;

        for (unsigned i = 0; i < 4; i++)
            pair[1 + i] = (struct disco_remap){(to + i) * PAGE, (from + i) * PAGE};
        pair[5] = (struct disco_remap){PPNS * PAGE, PPNS * PAGE};
        pair[1 + at].from = map * PAGE;
        poke(vm, REQUEST, pair, sizeof pair);
        take_memory(0);
        ck_assert_int_eq(remap_many(pair, 6), 1 + (int64_t)at);
        give_memory();
        for (uint64_t i = 0; i < 4; i++) {
            ck_assert_uint_eq(first_word(to + i), i < at ? from + i : to + i);
            ck_assert_uint_eq(refs(from + i), i < at ? 2 : 1);
        }
    }
    ck_assert_uint_eq(counted().remaps_failed, 4);
    ck_assert_uint_eq(counted().remapped, 1 + 2 + 3 + 4);
    /* With memory for it, both pairs show the copy. */
    pair[1].from = pair[2].from = map * PAGE;
    ck_assert_int_eq(remap_many(pair + 1, 2), 2);
    ck_assert_uint_eq(mpn_at(vm, pair[1].to / PAGE), mpn_at(vm, pair[2].to / PAGE));
    ck_assert_uint_ne(mpn_at(vm, pair[1].to / PAGE), mpn_at(vm, map));
    ck_assert_uint_eq(reason(map), DISCO_PMAP_WRITABLE);
}
END_TEST

/* Memory for one of two pages that were never touched: the first pair has it, wherever its page lies. */
START_TEST(memory_for_the_first)
{
    const struct disco_remap pair[] = {{20 * PAGE, 40 * PAGE}, {21 * PAGE, 12 * PAGE}};

    ck_assert_int_eq(remap_many(pair, 2), 2);
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){40}), 0);
    ck_assert_int_eq(disco_pmap_drop(&vm->pmap, (disco_ppn){12}), 0);
    take_memory(1);
    ck_assert_int_eq(remap_many(pair, 2), 1);
    give_memory();
    ck_assert_uint_eq(first_word(20), 0);
    ck_assert_uint_eq(first_word(21), 12);
}
END_TEST

/* Of a page that finds no place for its users and one that cannot be lent, the earlier decides. */
START_TEST(first_failure_decides)
{
    const struct world_config c = {.pages = 256, .chunks = 1};
    const uint64_t map = PPNS - 1;
    const struct disco_remap pair[] = {{20 * PAGE, 10 * PAGE},
                                       {21 * PAGE, 11 * PAGE},
                                       {22 * PAGE, map * PAGE}};

    world_fini(&w);
    world_init(&w, &c);
    for (uint64_t i = 10; i < 13; i++)
        poke(vm, i * PAGE, &i, sizeof i);
    ck_assert_int_eq(disco_pmap_set_dead(&vm->pmap, (disco_pa){map * PAGE}, PPNS, 0), 0);
    poke(vm, REQUEST, pair, sizeof pair);
    take_memory(0);
    ck_assert_int_eq(remap_many(pair, 3), 1);
    ck_assert_int_eq(remap_many(pair + 1, 2), DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(remap_many(pair + 2, 1), DISCO_ERR_NO_MEMORY);
    give_memory();
    ck_assert_uint_eq(first_word(20), 10);
    ck_assert_uint_eq(first_word(21), 0);
    ck_assert_uint_eq(refs(11), 1);
}
END_TEST

START_TEST(refuses)
{
    struct disco_remap pair[PAIRS + 1] = {{0}};

    ck_assert_int_eq(net_call(vm, DISCO_CALL_REMAP, 20 * PAGE + 8, 10 * PAGE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(net_call(vm, DISCO_CALL_REMAP, 20 * PAGE, 10 * PAGE + 8), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(remap(PPNS, 10), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(remap(10, PPNS), DISCO_ERR_BAD_ADDRESS);
    ck_assert_uint_eq(reason(10), DISCO_PMAP_WRITABLE);
    ck_assert_int_eq(remap_many(pair, PAIRS + 1), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(net_call(vm, DISCO_CALL_REMAP_MANY, REQUEST, 17), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(remap_many(pair, 0), 0);
    ck_assert_int_eq(disco_remap_calls(NULL, &vm->calls), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_net_calls(NULL, &vm->calls), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_net_calls(&vm->nic, &vm->calls), DISCO_ERR_BUSY);
}
END_TEST

START_TEST(dead_pages)
{
    const uint8_t dead = 1;
    uint64_t before;

    ck_assert_int_eq(net_call(vm, DISCO_CALL_DEAD_PAGES, 5 * PAGE + 8, PPNS), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(net_call(vm, DISCO_CALL_DEAD_PAGES, 5 * PAGE, PPNS), 0);
    ck_assert_int_eq(net_call(vm, DISCO_CALL_DEAD_PAGES, 6 * PAGE, PPNS), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_pmap_zero(&vm->pmap, (disco_ppn){5}), 0);
    ck_assert_int_eq(remap(20, 10), 0);
    poke(vm, 5 * PAGE + 20, &dead, 1);
    before = w.m.copied;
    poke(vm, 20 * PAGE + 8, "mine", 4);
    ck_assert_uint_eq(w.m.copied, before);
    ck_assert_uint_eq(first_word(20), 0);
    ck_assert_uint_eq(mock_stats(&vm->pmap).dead, 1);
    ck_assert_int_eq(net_call(vm, DISCO_CALL_DEAD_PAGES, 0, 0), 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {one,
                            onto_itself,
                            page_that_was_never_touched,
                            reasons_are_kept,
                            replicated_page,
                            one_revocation_for_many,
                            two_revocations_for_a_batch,
                            batches,
                            in_order,
                            bad_pair_ends_it,
                            no_place_for_users,
                            page_that_cannot_be_lent,
                            memory_for_the_first,
                            first_failure_decides,
                            refuses,
                            dead_pages};

    return SUITE_RUN("net-remap", tests, setup, teardown);
}
