/* SPDX-License-Identifier: BSD-2-Clause */
/* l2tlb, call by call, and against a model that never forgets. */
#include "mock_backend.h"
#include "suite.h"

#include <disco/l2tlb.h>

#include <string.h>

#define VA_MASK UINT64_C(0xc00000ffffffe000)
#define ASIDS 256
#define CONTEXTS ((1u << DISCO_L2TLB_CONTEXT_BITS) - 1)

static struct disco_l2tlb t;
static void *storage;

static void make(size_t sets)
{
    size_t size = disco_l2tlb_size(sets, ASIDS);

    storage = mock_storage(size);
    ck_assert_int_eq(disco_l2tlb_init(&t, storage, size, sets, ASIDS, VA_MASK), 0);
}

static void setup(void) { make(64); }
static void teardown(void) { free(storage); }

static disco_va va(uint64_t v) { return (disco_va){v}; }

static void put(uint64_t at, uint32_t asid, bool global, uint64_t value)
{
    disco_tlbe e[2] = {value, value + 1};

    ck_assert_int_eq(disco_l2tlb_insert(&t, va(at), asid, global, e, value + 2), 0);
}

/* The value put at @p at, or 0. */
static uint64_t get(uint64_t at, uint32_t asid)
{
    const struct disco_l2tlb_entry *peek = disco_l2tlb_peek(&t, va(at), asid);
    uint64_t expect = peek ? peek->e[0] : 0;
    const struct disco_l2tlb_entry *e = disco_l2tlb_lookup(&t, va(at), asid);

    ck_assert_uint_eq(e ? e->e[0] : 0, expect);
    if (e) {
        ck_assert_uint_eq(e->e[1], e->e[0] + 1);
        ck_assert_uint_eq(e->note & ~DISCO_L2TLB_GLOBAL, e->e[0] + 2);
    }
    return e ? e->e[0] : 0;
}

/* What assembly does: one key, one set, no C. */
static uint64_t get_like_assembly(uint64_t tag)
{
    uint64_t key = tag ^ t.flip;
    struct disco_l2tlb_entry *set = (void *)((char *)t.sets + (tag >> 7 & t.set_mask));

    for (unsigned w = 0; w < DISCO_L2TLB_WAYS; w++) {
        if (set[w].key == key)
            return set[w].e[0];
    }
    return 0;
}

START_TEST(init_refuses)
{
    size_t size = disco_l2tlb_size(8, 16);
    struct disco_l2tlb x;

    ck_assert_uint_eq(size, 8 * 64 + 32);
    ck_assert_uint_eq(disco_l2tlb_size(0, 16), 0);
    ck_assert_uint_eq(disco_l2tlb_size(12, 16), 0);
    ck_assert_uint_eq(disco_l2tlb_size(8, 0), 0);
    ck_assert_uint_eq(disco_l2tlb_size((size_t)1 << 62, 16), 0);
    ck_assert_uint_eq(disco_l2tlb_size(8, (1u << 16) + 1), 0);
    ck_assert_int_eq(disco_l2tlb_init(NULL, storage, size, 8, 16, VA_MASK), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_l2tlb_init(&x, NULL, size, 8, 16, VA_MASK), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_l2tlb_init(&x, (char *)storage + 32, size, 8, 16, VA_MASK),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_l2tlb_init(&x, storage, size - 1, 8, 16, VA_MASK), DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(disco_l2tlb_init(&x, storage, size, 8, 16, 0x1fff), DISCO_ERR_BAD_ARG);
    /* Bits that select a set but are not compared. */
    ck_assert_int_eq(disco_l2tlb_init(&x, storage, size, 8, 16, 0xffffffffffffc000),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_l2tlb_init(&x, storage, size, 8, 16, VA_MASK), 0);
}
END_TEST

START_TEST(arguments_out_of_range)
{
    disco_tlbe e[2] = {1, 2};

    ck_assert_int_eq(disco_l2tlb_insert(&t, va(0), ASIDS, false, e, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_l2tlb_insert(&t, va(0), 0, false, e, DISCO_L2TLB_GLOBAL),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_l2tlb_set_asid(&t, ASIDS, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_l2tlb_set_asid(&t, 0, 1u << 13), DISCO_ERR_BAD_ARG);
    ck_assert_ptr_null(disco_l2tlb_lookup(&t, va(0), ASIDS));
    ck_assert_ptr_null(disco_l2tlb_peek(&t, va(0), UINT32_MAX));
    disco_l2tlb_forget(&t, va(0), ASIDS);
    disco_l2tlb_forget_asid(&t, ASIDS);
}
END_TEST

START_TEST(finds_what_was_put)
{
    ck_assert_uint_eq(get(0x4000, 1), 0);
    put(0x5abc, 1, false, 100);
    ck_assert_uint_eq(get(0x4000, 1), 100);
    ck_assert_uint_eq(get(0x5fff, 1), 100);
    ck_assert_uint_eq(get(0x6000, 1), 0);
    ck_assert_uint_eq(get(0x3fff, 1), 0);
    ck_assert_uint_eq(get(0x4000, 2), 0);
    put(0x4000, 1, false, 200);
    ck_assert_uint_eq(get(0x4000, 1), 200);
    /* Bits that a TLB does not compare. */
    ck_assert_uint_eq(get(0x4000 | UINT64_C(1) << 50, 1), 200);
    ck_assert_uint_eq(get(0x4000 | UINT64_C(1) << 63, 1), 0);
    ck_assert_uint_eq(t.inserts, 2);
    ck_assert_uint_eq(t.hits, 4);
    ck_assert_uint_eq(t.misses, 5);
}
END_TEST

START_TEST(peek_leaves_no_trace)
{
    struct disco_l2tlb before;

    put(0x4000, 1, true, 100);
    before = t;
    ck_assert_ptr_nonnull(disco_l2tlb_peek(&t, va(0x4000), 7));
    ck_assert_ptr_null(disco_l2tlb_peek(&t, va(0x8000), 7));
    ck_assert_mem_eq(&before, &t, sizeof t);
    ck_assert_int_eq(disco_l2tlb_set_asid(&t, 7, 33), 0);
    ck_assert_uint_eq(get_like_assembly(0x4000 | 33), 0);
}
END_TEST

START_TEST(assembly_finds_it_too)
{
    ck_assert_int_eq(disco_l2tlb_set_asid(&t, 5, 0x3ff), 0);
    put(0x12000, 5, false, 100);
    ck_assert_uint_eq(get_like_assembly(0x12000 | 0x3ff), 100);
    disco_l2tlb_forget_asid(&t, 5);
    ck_assert_uint_eq(get_like_assembly(0x12000 | 0x3ff), 0);
    put(0x12000, 5, false, 101);
    ck_assert_uint_eq(get_like_assembly(0x12000 | 0x3ff), 101);
    disco_l2tlb_forget_all(&t);
    ck_assert_uint_eq(get_like_assembly(0x12000 | 0x3ff), 0);
    put(0x12000, 5, false, 102);
    ck_assert_int_eq(disco_l2tlb_set_asid(&t, 6, 0x3ff), 0);
    ck_assert_uint_eq(get_like_assembly(0x12000 | 0x3ff), 0);
    ck_assert_int_eq(disco_l2tlb_set_asid(&t, 5, 9), 0);
    ck_assert_uint_eq(get_like_assembly(0x12000 | 9), 102);
    /* A global one, once C has found it. */
    put(0x20000, 6, true, 103);
    ck_assert_uint_eq(get_like_assembly(0x20000 | 9), 0);
    ck_assert_uint_eq(get(0x20000, 5), 103);
    ck_assert_uint_eq(get_like_assembly(0x20000 | 9), 103);
}
END_TEST

START_TEST(global_entries)
{
    put(0x4000, 1, true, 100);
    ck_assert(disco_l2tlb_peek(&t, va(0x4000), 1)->note & DISCO_L2TLB_GLOBAL);
    for (uint32_t a = 0; a < 5; a++)
        ck_assert_uint_eq(get(0x4000, a), 100);
    ck_assert_int_eq(disco_l2tlb_set_asid(&t, 3, 0), 0);
    ck_assert_uint_eq(get(0x4000, 3), 100);
    disco_l2tlb_forget_asid(&t, 3);
    ck_assert_uint_eq(get(0x4000, 3), 100);
    /* Forgotten under one ASID, with its aliases. */
    disco_l2tlb_forget(&t, va(0x4000), 9);
    for (uint32_t a = 0; a < 5; a++)
        ck_assert_uint_eq(get(0x4000, a), 0);
    /* A new one replaces it and its aliases. */
    put(0x4000, 1, true, 200);
    ck_assert_uint_eq(get(0x4000, 3), 200);
    put(0x4000, 2, true, 300);
    ck_assert_uint_eq(get(0x4000, 3), 300);
    /* As does one of the address space's own. */
    put(0x4000, 3, false, 400);
    ck_assert_uint_eq(get(0x4000, 3), 400);
    ck_assert_uint_eq(get(0x4000, 1), 0);
    /* And the other way round. */
    put(0x4000, 3, true, 500);
    ck_assert_uint_eq(get(0x4000, 3), 500);
}
END_TEST

START_TEST(forget_one)
{
    put(0x4000, 1, false, 100);
    put(0x4000, 2, false, 200);
    disco_l2tlb_forget(&t, va(0x5000), 1);
    ck_assert_uint_eq(get(0x4000, 1), 0);
    ck_assert_uint_eq(get(0x4000, 2), 200);
    disco_l2tlb_forget(&t, va(0x4000), 200);
    ck_assert_uint_eq(get(0x4000, 2), 200);
}
END_TEST

START_TEST(forget_page_under_every_asid)
{
    put(0x4000, 1, false, 100);
    put(0x4000, 2, false, 200);
    put(0x8000, 2, false, 300);
    disco_l2tlb_forget_vpn(&t, (disco_vpn){5});
    ck_assert_uint_eq(get(0x4000, 1), 0);
    ck_assert_uint_eq(get(0x4000, 2), 0);
    ck_assert_uint_eq(get(0x8000, 2), 300);
    put(0x4000, 1, true, 100);
    ck_assert_uint_eq(get(0x4000, 2), 100);
    disco_l2tlb_forget_vpn(&t, (disco_vpn){4});
    ck_assert_uint_eq(get(0x4000, 2), 0);
    ck_assert_uint_eq(get(0x4000, 1), 0);
}
END_TEST

START_TEST(forget_an_address_space)
{
    put(0x4000, 1, false, 100);
    put(0x8000, 2, false, 200);
    put(0xc000, 1, true, 300);
    disco_l2tlb_forget_asid(&t, 1);
    ck_assert_uint_eq(get(0x4000, 1), 0);
    ck_assert_uint_eq(get(0x8000, 2), 200);
    ck_assert_uint_eq(get(0xc000, 1), 300);
    disco_l2tlb_forget_all(&t);
    ck_assert_uint_eq(get(0x8000, 2), 0);
    ck_assert_uint_eq(get(0xc000, 1), 0);
    ck_assert_uint_eq(t.wipes, 0);
}
END_TEST

START_TEST(wipe)
{
    for (uint64_t i = 0; i < 128; i++)
        put(i << 13, 1, i & 1, 100 + i);
    disco_l2tlb_wipe(&t);
    for (uint64_t i = 0; i < 128; i++)
        ck_assert_uint_eq(get(i << 13, 1), 0);
    ck_assert_uint_eq(t.wipes, 1);
}
END_TEST

START_TEST(contexts_run_out)
{
    put(0x4000, 0, false, 100);
    put(0x8000, 77, false, 200);
    put(0xc000, 77, true, 300);
    for (unsigned i = 0; t.wipes == 0; i++) {
        ck_assert_uint_le(i, CONTEXTS);
        disco_l2tlb_forget_asid(&t, 0);
        ck_assert_uint_eq(get(0x4000, 0), 0);
        put(0x4000, 0, false, 100);
    }
    ck_assert_uint_eq(t.wipes, 1);
    ck_assert_uint_eq(get(0x4000, 0), 100);
    ck_assert_uint_eq(get(0x8000, 77), 0);
    ck_assert_uint_eq(get(0xc000, 77), 0);
    /* And once more, by forgetting everything. */
    for (unsigned i = 0; t.wipes == 1; i++) {
        ck_assert_uint_le(i, CONTEXTS);
        put(0x8000, 77, true, 400);
        disco_l2tlb_forget_all(&t);
        ck_assert_uint_eq(get(0x8000, 77), 0);
    }
}
END_TEST

/* Two ways: two pages of one set live together, a third replaces one. */
START_TEST(two_ways)
{
    const uint64_t stride = 64 << 13;

    put(0, 1, false, 100);
    put(stride, 1, false, 200);
    ck_assert_uint_eq(get(0, 1), 100);
    ck_assert_uint_eq(get(stride, 1), 200);
    put(2 * stride, 1, false, 300);
    ck_assert_uint_eq(get(2 * stride, 1), 300);
    ck_assert((get(0, 1) != 0) != (get(stride, 1) != 0));
}
END_TEST

/* --- the model: for each ASID and page the value a guest would expect, 0 for none --- */

#define MODEL_ASIDS 6
#define MODEL_PAGES 40
#define STEPS 60000

struct model {
    uint64_t own[MODEL_ASIDS][MODEL_PAGES], global[MODEL_PAGES];
};

static struct model model;
static uint64_t seed;

static unsigned dice(unsigned n) { return (unsigned)(mock_random(&seed) % n); }

/* Pages that fall into few sets, some of them in another region. */
static uint64_t address(unsigned page)
{
    return (uint64_t)page << 13 | (page & 1 ? UINT64_C(0xc000000000000000) : 0) | dice(8192);
}

static void look(unsigned asid, unsigned page)
{
    uint64_t own = model.own[asid][page], want = own ? own : model.global[page];
    uint64_t got = get(address(page), asid);

    /* It may have forgotten, but it never makes anything up. */
    ck_assert(got == 0 || got == want);
}

static void insert(unsigned asid, unsigned page, uint64_t value)
{
    bool global = !dice(4);

    put(address(page), asid, global, value);
    for (unsigned a = 0; global && a < MODEL_ASIDS; a++)
        model.own[a][page] = 0;
    model.global[page] = global ? value : 0;
    model.own[asid][page] = global ? 0 : value;
    ck_assert_uint_eq(get(address(page), asid), value);
}

static void forget(unsigned asid, unsigned page)
{
    if (dice(2)) {
        disco_l2tlb_forget(&t, va(address(page)), asid);
        model.own[asid][page] = model.global[page] = 0;
    } else {
        disco_l2tlb_forget_vpn(&t, disco_va_page(va(address(page))));
        model.global[page] = 0;
        for (unsigned a = 0; a < MODEL_ASIDS; a++)
            model.own[a][page] = 0;
    }
}

static void forget_many(unsigned asid)
{
    unsigned what = dice(16);

    if (what > 2) {
        disco_l2tlb_forget_asid(&t, asid);
        memset(model.own[asid], 0, sizeof model.own[asid]);
    } else {
        memset(&model, 0, sizeof model);
        (what ? disco_l2tlb_forget_all : disco_l2tlb_wipe)(&t);
    }
}

START_TEST(random_calls)
{
    unsigned hits;

    seed = 0x77 + (uint64_t)_i;
    make((size_t)4 << (_i % 3));
    memset(&model, 0, sizeof model);
    for (uint64_t s = 0; s < STEPS; s++) {
        unsigned asid = dice(MODEL_ASIDS), page = dice(MODEL_PAGES), what = dice(40);

        if (what < 20)
            look(asid, page);
        else if (what < 32)
            insert(asid, page, 1000 + s * 4);
        else if (what < 36)
            forget(asid, page);
        else if (what < 39)
            ck_assert_int_eq(disco_l2tlb_set_asid(&t, asid, dice(1024)), 0);
        else if (dice(2))
            forget_many(asid);
    }
    hits = (unsigned)t.hits;
    ck_assert_uint_gt(hits, STEPS / 4);
    free(storage);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        init_refuses,
        arguments_out_of_range,
        finds_what_was_put,
        peek_leaves_no_trace,
        assembly_finds_it_too,
        global_entries,
        forget_one,
        forget_page_under_every_asid,
        forget_an_address_space,
        wipe,
        contexts_run_out,
        two_ways,
    };

    return SUITE_RUN("l2tlb", tests, setup, teardown) | SUITE_LOOP("l2tlb_model", random_calls, 4);
}
