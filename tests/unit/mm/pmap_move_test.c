/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: many pages moved with one revocation; pages that nobody else uses. */
#include "pmap_fixture.h"

#include <string.h>

#define MANY_PPNS 100
#define EACH_NODE 60 /* machine pages */
#define MAP 40       /* PPN of the map of dead pages */

static void setup_moves(void) { setup_of(2 * EACH_NODE, MANY_PPNS, 40, 8); }

#define MOVE(m) disco_pmap_move_many(&pm, m, sizeof(m) / sizeof(m)[0])

static struct disco_pmap_move to(uint64_t p, unsigned node, enum disco_pmap_move_kind kind)
{
    return (struct disco_pmap_move){ppn(p), node, kind, 1};
}

static void touch(uint64_t p) { ck_assert_int_eq(disco_pmap_touch(&pm, ppn(p), 0), 0); }

static uint8_t *bytes(uint64_t p, unsigned node) { return mock_page(&m, mpn_at(&pm, p, node)); }

static uint64_t free_on(unsigned node)
{
    struct disco_memmap_node_stats s;

    ck_assert_int_eq(disco_memmap_node_stats(mm, node, &s), 0);
    return s.free;
}

/* Take pages of node 1 until @p n are free there. */
static void leave_free(uint64_t n)
{
    disco_mpn mpn;

    while (free_on(1) > n)
        ck_assert_int_eq(disco_memmap_alloc(mm, 1, DISCO_PAGE_MONITOR, &mpn), 0);
}

START_TEST(one_revocation_for_all_kinds)
{
    struct disco_pmap_move moves[] = {
        to(30, 9, DISCO_PMAP_COLLAPSE),
        to(2, 1, DISCO_PMAP_MIGRATE),
        to(31, 9, DISCO_PMAP_REMAP),
        to(7, 1, DISCO_PMAP_REPLICATE),
    };
    uint64_t before[4];

    for (unsigned i = 0; i < 4; i++) {
        uint64_t p = moves[i].ppn.v;

        touch(p);
        memset(bytes(p, 0), (int)p, DISCO_PAGE_SIZE);
        before[i] = mpn_at(&pm, p, 0);
    }
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(30), 1), 0);
    enter(4, 0, 2, 7);  /* both of these through one place */
    enter(6, 1, 30, 3); /* page 3 comes into being, and is not moved */
    purged.calls = 0;
    MOVE(moves);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, 4);
    ck_assert_uint_eq(purged.ppn.v, 2);
    ck_assert_uint_eq(purged.n, 3); /* (0, 4) twice, (1, 6) once; page 31 was never entered */
    ck_assert_uint_eq(purged.word, 0);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(moves[i].err, 0);

    /* Collapsed: where it was, and writable. */
    ck_assert_uint_eq(mpn_at(&pm, 30, 0), before[0]);
    ck_assert_uint_eq(mpn_at(&pm, 30, 1), before[0]);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(30)), DISCO_PMAP_WRITABLE);
    ck_assert_uint_eq(mock_rights(pm.entry[30].tlbe), DISCO_RWX);
    /* Migrated. */
    ck_assert_uint_eq(disco_memmap_node(mm, (disco_mpn){mpn_at(&pm, 2, 0)}), 1);
    ck_assert_int_eq(disco_memmap_state(mm, (disco_mpn){before[1]}), DISCO_PAGE_FREE);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(2)), DISCO_PMAP_WRITABLE);
    /* Looked at anew. */
    ck_assert_uint_eq(mpn_at(&pm, 31, 0), before[2]);
    /* Replicated. */
    ck_assert_uint_eq(mpn_at(&pm, 7, 0), before[3]);
    ck_assert_uint_eq(disco_memmap_node(mm, (disco_mpn){mpn_at(&pm, 7, 1)}), 1);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(7)), DISCO_PMAP_REPLICA);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t p = moves[i].ppn.v;

        ck_assert_uint_eq(bytes(p, 0)[123], p);
        ck_assert_uint_eq(bytes(p, 1)[123], p);
    }
    /* Five pages; one of them on node 1, and a copy. */
    ck_assert_uint_eq(free_on(0), EACH_NODE - 4);
    ck_assert_uint_eq(free_on(1), EACH_NODE - 2);
    ck_assert_uint_eq(mock_stats(&pm).migrations, 1);
    ck_assert_uint_eq(mock_stats(&pm).replications, 2);
    ck_assert_uint_eq(mock_stats(&pm).collapses, 1);
}
END_TEST

/* Copied after the revocation: what the guest stores up to then is in the copy. */
static void store_last(enum disco_pmap_move_kind kind)
{
    struct disco_pmap_move moves[] = {to(4, 1, kind), to(5, 1, kind)};

    touch(4);
    touch(5);
    enter(0, 0, 4, 5);
    purged.last_store = bytes(5, 0) + 77;
    MOVE(moves);
    purged.last_store = NULL;
    ck_assert_uint_eq(bytes(5, 1)[77], '!');
    ck_assert_uint_eq(bytes(4, 1)[77], 0);
}

START_TEST(last_store_before_migration) { store_last(DISCO_PMAP_MIGRATE); }
END_TEST

START_TEST(last_store_before_replication) { store_last(DISCO_PMAP_REPLICATE); }
END_TEST

START_TEST(each_fails_alone)
{
    struct disco_pmap_move moves[] = {
        to(200, 1, DISCO_PMAP_MIGRATE),   to(9, 1, DISCO_PMAP_MIGRATE),
        to(20, 1, DISCO_PMAP_REPLICATE),  to(3, 1, DISCO_PMAP_MIGRATE),
        to(9, 1, DISCO_PMAP_REMAP),       to(4, 1, (enum disco_pmap_move_kind)4),
        to(5, NODES, DISCO_PMAP_MIGRATE), to(6, NODES, DISCO_PMAP_REPLICATE),
        to(MAP, 1, DISCO_PMAP_REPLICATE), to(MAP + 1, 1, DISCO_PMAP_COLLAPSE),
        to(200, 0, DISCO_PMAP_REPLICATE), to(21, 0, DISCO_PMAP_REMAP),
        to(7, 1, DISCO_PMAP_REPLICATE),   to(22, 0, DISCO_PMAP_COLLAPSE),
    };
    const int want[] = {
        DISCO_ERR_BAD_ADDRESS,
        0,
        DISCO_ERR_NOT_FOUND,
        DISCO_ERR_BUSY,
        DISCO_ERR_BAD_ARG,
        DISCO_ERR_BAD_ARG,
        DISCO_ERR_BAD_ARG,
        DISCO_ERR_BAD_ARG,
        DISCO_ERR_BUSY,
        DISCO_ERR_NOT_FOUND,
        DISCO_ERR_BAD_ARG,
        DISCO_ERR_NOT_FOUND,
        0,
        DISCO_ERR_NOT_FOUND,
    };
    struct disco_pmap_entry before[MANY_PPNS];
    disco_mpn lent;

    for (uint64_t p = 3; p < 10; p++)
        touch(p);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(3), 0, DISCO_PMAP_COW, &lent), 0);
    ck_assert_int_eq(disco_pmap_set_dead(&pm, disco_ppn_base(ppn(MAP)), 10, 0), 0);
    memcpy(before, pm.entry, sizeof before);
    purged.calls = 0;
    MOVE(moves);
    for (unsigned i = 0; i < sizeof want / sizeof want[0]; i++)
        ck_assert_int_eq(moves[i].err, want[i]);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, 2);
    for (uint64_t p = 0; p < MANY_PPNS; p++) {
        if (p != 9 && p != 7)
            ck_assert_mem_eq(&before[p], &pm.entry[p], sizeof before[p]);
    }
    ck_assert_uint_eq(disco_memmap_node(mm, (disco_mpn){mpn_at(&pm, 9, 0)}), 1);
    ck_assert_uint_eq(free_on(1), EACH_NODE - 2);
    ck_assert_int_eq(disco_memmap_put(mm, lent), 0);
}
END_TEST

/* Two are free: the lower pages get them. What the batch itself gives up comes too late for it. */
START_TEST(memory_ends_in_the_middle)
{
    struct disco_pmap_move moves[] = {
        to(8, 1, DISCO_PMAP_REPLICATE), to(6, 1, DISCO_PMAP_MIGRATE), to(9, 0, DISCO_PMAP_MIGRATE),
        to(5, 1, DISCO_PMAP_REPLICATE), to(7, 1, DISCO_PMAP_MIGRATE), to(8, 1, DISCO_PMAP_REMAP),
    };
    struct disco_pmap_entry before[2];

    for (uint64_t p = 5; p < 9; p++)
        touch(p);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(9), 1), 0);
    leave_free(2);
    memcpy(before, &pm.entry[7], sizeof before);
    purged.calls = 0;
    MOVE(moves);
    ck_assert_int_eq(moves[0].err, DISCO_ERR_NO_MEMORY);
    ck_assert_int_eq(moves[1].err, 0);
    ck_assert_int_eq(moves[2].err, 0);
    ck_assert_int_eq(moves[3].err, 0);
    ck_assert_int_eq(moves[4].err, DISCO_ERR_NO_MEMORY);
    ck_assert_int_eq(moves[5].err, DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, 3);
    ck_assert_mem_eq(before, &pm.entry[7], sizeof before);
    ck_assert_uint_eq(free_on(1), 1); /* page 9's */
    /* And now there is one. */
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(7), 1), 0);
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(8), 1), DISCO_ERR_NO_MEMORY);
    empty_memory();
}
END_TEST

/* No memory is no matter where there is nothing to do. */
START_TEST(nothing_to_do)
{
    struct disco_pmap_move moves[] = {
        to(0, 1, DISCO_PMAP_MIGRATE),
        to(1, 1, DISCO_PMAP_REPLICATE),
        to(2, 1, DISCO_PMAP_REPLICATE),
        to(3, 1, DISCO_PMAP_COLLAPSE),
    };

    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(0), 1), 0);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(1), 1), 0);
    touch(2);
    touch(3);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(2), 1), 0);
    leave_free(0);
    purged.calls = 0;
    MOVE(moves);
    for (unsigned i = 0; i < 4; i++)
        ck_assert_int_eq(moves[i].err, 0);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(2)), DISCO_PMAP_REPLICA);
    disco_pmap_move_many(&pm, NULL, 0);
    ck_assert_uint_eq(purged.calls, 0);
    empty_memory();
}
END_TEST

START_TEST(as_many_as_there_may_be)
{
    struct disco_pmap_move moves[DISCO_PMAP_MANY + 1];

    for (unsigned i = 0; i <= DISCO_PMAP_MANY; i++) {
        touch(i);
        moves[i] = to(DISCO_PMAP_MANY - i, 1, DISCO_PMAP_MIGRATE);
    }
    MOVE(moves);
    for (unsigned i = 0; i <= DISCO_PMAP_MANY; i++)
        ck_assert_int_eq(moves[i].err, DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_uint_eq(free_on(1), EACH_NODE);

    disco_pmap_move_many(&pm, moves, DISCO_PMAP_MANY);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.pages, DISCO_PMAP_MANY);
    for (unsigned i = 0; i < DISCO_PMAP_MANY; i++)
        ck_assert_int_eq(moves[i].err, 0);
    ck_assert_uint_eq(free_on(0), EACH_NODE - 1);
    ck_assert_uint_eq(free_on(1), EACH_NODE - DISCO_PMAP_MANY);
    ck_assert_uint_eq(mock_stats(&pm).migrations, DISCO_PMAP_MANY);
}
END_TEST

/* Migrated with its copies: they go, and one of them is not where it moves to. */
START_TEST(a_replicated_page_migrates)
{
    struct disco_pmap_move moves[] = {to(0, 1, DISCO_PMAP_MIGRATE)};
    uint64_t copy;

    touch(0);
    bytes(0, 0)[5] = 55;
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 1), 0);
    copy = mpn_at(&pm, 0, 1);
    MOVE(moves);
    ck_assert_int_eq(moves[0].err, 0);
    ck_assert_uint_eq(mpn_at(&pm, 0, 0), mpn_at(&pm, 0, 1));
    ck_assert_uint_ne(mpn_at(&pm, 0, 1), copy);
    ck_assert_uint_eq(bytes(0, 0)[5], 55);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(0)), DISCO_PMAP_WRITABLE);
    ck_assert_uint_eq(free_on(0), EACH_NODE);
    ck_assert_uint_eq(free_on(1), EACH_NODE - 1);
}
END_TEST

START_TEST(two_pmaps_of_one_number)
{
    struct disco_pmap_config c = config(NULL, 1);
    struct disco_pmap x = {.id = 77};
    void *s = mock_storage(disco_pmap_size(&c));

    ck_assert_int_eq(disco_pmap_init(&x, s, disco_pmap_size(&c), &c), DISCO_ERR_BAD_ARG);
    disco_pmap_fini(&x); /* it is none */
    touch(0);
    /* The number is free again when its pmap has ended. */
    disco_pmap_fini(&pm);
    ck_assert_int_eq(disco_pmap_init(&x, s, disco_pmap_size(&c), &c), 0);
    disco_pmap_fini(&x);
    free(s);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        one_revocation_for_all_kinds,  each_fails_alone,
        memory_ends_in_the_middle,     nothing_to_do,
        as_many_as_there_may_be,       a_replicated_page_migrates,
        two_pmaps_of_one_number,       last_store_before_migration,
        last_store_before_replication,
    };

    return SUITE_RUN("pmap_move", tests, setup_moves, teardown);
}
