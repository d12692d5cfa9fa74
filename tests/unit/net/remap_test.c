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
    ck_assert_uint_eq(vm->remapper.pages, 1);
    ck_assert_uint_eq(vm->remapper.failed, 0);
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
    ck_assert_uint_eq(vm->remapper.failed, 3);
    ck_assert_uint_eq(vm->remapper.pages, 41);
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
                            in_order,
                            bad_pair_ends_it,
                            no_place_for_users,
                            refuses,
                            dead_pages};

    return SUITE_RUN("net-remap", tests, setup, teardown);
}
