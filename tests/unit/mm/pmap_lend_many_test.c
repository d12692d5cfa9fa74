/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: many pages lent with one revocation. */
#include "pmap_fixture.h"

#include <string.h>

#define MANY_PPNS 100
#define MAP 40 /* PPN of the map of dead pages */

static void setup_lending(void) { setup_of(90, MANY_PPNS, 40, 2); }

#define LEND(p, reason) disco_pmap_lend_many(&pm, p, sizeof(p) / sizeof(p)[0], 0, reason)

static void put(const struct disco_pmap_place *p)
{
    ck_assert_int_eq(disco_memmap_put(mm, p->mpn), 0);
}

/* Writable pages are revoked together; those that were read-only only get another reason. */
START_TEST(one_revocation)
{
    struct disco_pmap_place p[] = {{{9}, {0}, 1}, {{2}, {0}, 1}, {{7}, {0}, 1}, {{8}, {0}, 1}};
    const uint64_t user = 2; /* references: ours and the guest's */

    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(8), 0), 0);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(8), 1), 0);
    enter(4, 0, 2, 9);
    purged.calls = 0;
    LEND(p, DISCO_PMAP_NET);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, 3); /* 7 came into being */
    ck_assert_uint_eq(purged.ppn.v, 2);
    ck_assert_uint_eq(purged.n, 2);
    ck_assert_uint_eq(purged.word, 0);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(p[i].err, 0);
        ck_assert_uint_eq(mpn_at(&pm, p[i].ppn.v, 0), p[i].mpn.v);
        ck_assert_int_eq(disco_pmap_reason(&pm, p[i].ppn), DISCO_PMAP_NET);
        ck_assert_uint_eq(mock_rights(pm.entry[p[i].ppn.v].tlbe), DISCO_READ | DISCO_EXEC);
        ck_assert_uint_eq(disco_memmap_refs(mm, p[i].mpn), user);
        put(&p[i]);
    }
    ck_assert_uint_ne(mpn_at(&pm, 8, 1), p[3].mpn.v);
    ck_assert_uint_eq(mock_stats(&pm).shared, 4);
    /* Again: nobody is asked. */
    LEND(p, DISCO_PMAP_COW);
    ck_assert_uint_eq(purged.calls, 1);
    for (unsigned i = 0; i < 4; i++) {
        ck_assert_int_eq(disco_pmap_reason(&pm, p[i].ppn), DISCO_PMAP_COW);
        put(&p[i]);
    }
}
END_TEST

START_TEST(each_fails_alone)
{
    struct disco_pmap_place p[] = {
        {{9}, {0}, 1}, {{200}, {0}, 1}, {{MAP}, {0}, 1}, {{3}, {0}, 1}, {{200}, {0}, 1},
    };
    uint64_t map;

    ck_assert_int_eq(disco_pmap_set_dead(&pm, disco_ppn_base(ppn(MAP)), 10, 0), 0);
    map = mpn_at(&pm, MAP, 0);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(9), 0), 0);
    purged.calls = 0;
    fill_memory();
    LEND(p, DISCO_PMAP_COW);
    ck_assert_int_eq(p[0].err, 0);
    ck_assert_int_eq(p[1].err, DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(p[2].err, DISCO_ERR_NO_MEMORY); /* for the copy of the map */
    ck_assert_int_eq(p[3].err, DISCO_ERR_NO_MEMORY); /* for a page that is not there yet */
    ck_assert_int_eq(p[4].err, DISCO_ERR_BAD_ADDRESS);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, 1);
    ck_assert_uint_eq(mock_stats(&pm).present, 2);
    put(&p[0]);
    empty_memory();
    /* The map itself stays the guest's, and writable. */
    LEND(p, DISCO_PMAP_COW);
    ck_assert_int_eq(p[2].err, 0);
    ck_assert_uint_ne(p[2].mpn.v, map);
    ck_assert_uint_eq(mpn_at(&pm, MAP, 0), map);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(MAP)), DISCO_PMAP_WRITABLE);
    put(&p[0]);
    put(&p[2]);
    put(&p[3]);
}
END_TEST

/* A page that is named often is lent once, and referred to as often: writable, read-only, and a copy of the map. */
START_TEST(named_often)
{
    struct disco_pmap_place p[] = {{{9}, {0}, 1},   {{MAP}, {0}, 1}, {{9}, {0}, 1}, {{4}, {0}, 1},
                                   {{MAP}, {0}, 1}, {{4}, {0}, 1},   {{9}, {0}, 1}};
    const unsigned first[] = {0, 1, 0, 3, 1, 3, 0}, refs[] = {4, 2, 4, 3, 2, 3, 4};
    disco_mpn shared;
    uint64_t map;

    ck_assert_int_eq(disco_pmap_set_dead(&pm, disco_ppn_base(ppn(MAP)), 10, 0), 0);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(4), 0, DISCO_PMAP_NET, &shared), 0);
    ck_assert_int_eq(disco_memmap_put(mm, shared), 0);
    map = mpn_at(&pm, MAP, 0);
    purged.calls = 0;
    LEND(p, DISCO_PMAP_COW);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, 1);
    for (unsigned i = 0; i < 7; i++) {
        ck_assert_int_eq(p[i].err, 0);
        ck_assert_uint_eq(p[i].mpn.v, p[first[i]].mpn.v);
        ck_assert_uint_eq(disco_memmap_refs(mm, p[i].mpn), refs[i]);
    }
    ck_assert_uint_ne(p[1].mpn.v, map);
    for (unsigned i = 0; i < 7; i++)
        put(&p[i]);
}
END_TEST

START_TEST(refused_as_a_whole)
{
    struct disco_pmap_place p[DISCO_PMAP_MANY + 1];

    for (unsigned i = 0; i <= DISCO_PMAP_MANY; i++)
        p[i] = (struct disco_pmap_place){{i}, {0}, 1};
    LEND(p, DISCO_PMAP_COW);
    for (unsigned i = 0; i <= DISCO_PMAP_MANY; i++) {
        ck_assert_int_eq(p[i].err, DISCO_ERR_BAD_ARG);
        p[i].err = 1;
    }
    disco_pmap_lend_many(&pm, p, DISCO_PMAP_MANY, 0, DISCO_PMAP_REPLICA);
    for (unsigned i = 0; i < DISCO_PMAP_MANY; i++)
        ck_assert_int_eq(p[i].err, DISCO_ERR_BAD_ARG);
    disco_pmap_lend_many(&pm, NULL, 0, 0, DISCO_PMAP_COW);
    ck_assert_uint_eq(mock_stats(&pm).present, 0);
    ck_assert_uint_eq(purged.calls, 0);
    disco_pmap_lend_many(&pm, p, DISCO_PMAP_MANY, 0, DISCO_PMAP_COW);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(mock_stats(&pm).shared, DISCO_PMAP_MANY);
    for (unsigned i = 0; i < DISCO_PMAP_MANY; i++)
        put(&p[i]);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {one_revocation, each_fails_alone, named_often, refused_as_a_whole};

    return SUITE_RUN("pmap_lend_many", tests, setup_lending, teardown);
}
