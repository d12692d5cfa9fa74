/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: making, entering, purging (to the letter), reaching; and what is refused. */
#include "pmap_fixture.h"

#include <string.h>

START_TEST(init_refuses)
{
    struct disco_pmap_config c = config(&pm, 3), bad;
    struct disco_backend_ops ops = *m.b.ops;
    struct disco_backend b = m.b;
    struct disco_pmap x;
    size_t size = disco_pmap_size(&c);
    void *s = mock_storage(size);

    ck_assert_uint_eq(size, PPNS * 16 + SETS * 128 + 8 + (MOCK_CPUS + 1) * DISCO_CACHE_LINE);
    ck_assert_int_eq(disco_pmap_init(NULL, s, size, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_init(&x, NULL, size, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_init(&x, (char *)s + DISCO_CACHE_LINE / 2, size, &c),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_init(&x, s, size, NULL), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_init(&x, s, size - 1, &c), DISCO_ERR_NO_SPACE);
    bad = c, bad.id = DISCO_MAX_PMAPS;
    ck_assert_int_eq(disco_pmap_init(&x, s, size, &bad), DISCO_ERR_BAD_ARG);
    bad = c, bad.pages = 0;
    ck_assert_int_eq(disco_pmap_init(&x, s, size, &bad), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(disco_pmap_size(&bad), 0);
    bad = c, bad.pages = UINT64_MAX / 8;
    ck_assert_uint_eq(disco_pmap_size(&bad), 0);
    bad = c, bad.sets = UINT64_MAX / 8;
    ck_assert_uint_eq(disco_pmap_size(&bad), 0);
    bad = c, bad.mm = NULL;
    ck_assert_int_eq(disco_pmap_init(&x, s, size, &bad), DISCO_ERR_BAD_ARG);
    bad = c, bad.backend = NULL;
    ck_assert_int_eq(disco_pmap_init(&x, s, size, &bad), DISCO_ERR_BAD_ARG);
    bad = c, bad.backend = &b, b.cpus = 0;
    ck_assert_int_eq(disco_pmap_init(&x, s, size, &bad), DISCO_ERR_BAD_ARG);
    b.cpus = DISCO_MAX_CPUS + 1;
    ck_assert_uint_eq(disco_pmap_size(&bad), 0);
    b = m.b, b.ops = &ops, ops.page_copy = NULL;
    ck_assert_int_eq(disco_pmap_init(&x, s, size, &bad), DISCO_ERR_MISSING_OP);
    ops = *m.b.ops, ops.cpu = NULL;
    ck_assert_int_eq(disco_pmap_init(&x, s, size, &bad), DISCO_ERR_MISSING_OP);
    free(s);
}
END_TEST

START_TEST(fini_takes_anything)
{
    struct disco_pmap zero;

    memset(&zero, 0, sizeof zero);
    disco_pmap_fini(NULL);
    disco_pmap_fini(&zero);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(0), 0), 0);
    disco_pmap_fini(&pm);
    disco_pmap_fini(&pm);
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES);
}
END_TEST

START_TEST(first_touch)
{
    disco_mpn mpn = {99};

    ck_assert_int_eq(disco_pmap_translate(&pm, ppn(3), 0, &mpn), DISCO_ERR_NOT_FOUND);
    ck_assert_uint_eq(mpn.v, 99);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(PPNS), 0), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(UINT64_MAX), 0), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(3), NODES), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(3), 1), 0);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(3), 0), 0);
    mpn.v = mpn_at(&pm, 3, 0);
    ck_assert_uint_eq(disco_memmap_node(mm, mpn), 1);
    for (unsigned i = 0; i < DISCO_PAGE_SIZE; i++)
        ck_assert(mock_page(&m, mpn.v)[i] == 0);
    ck_assert_uint_eq(mock_stats(&pm).first_touch, 1);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_int_eq(disco_pmap_translate(&pm, ppn(PPNS), 0, &mpn), DISCO_ERR_BAD_ADDRESS);
}
END_TEST

START_TEST(enter_merges)
{
    struct disco_guest_map g = {
        .pair = {6},
        .ppn = {{5}, {2}},
        .want = {mock_tlbe(0x777, DISCO_READ), 0},
    };
    struct disco_pmap_pair p = {.m = &g, .vcpu = 0, .record = true, .node = 1};

    disco_pmap_enter(&pm, &p);
    ck_assert_uint_eq(p.e[0], mock_tlbe(mpn_at(&pm, 5, 0), DISCO_READ));
    ck_assert_uint_eq(p.e[1], 0);
    ck_assert_int_eq(p.err[0] | p.err[1], 0);
    disco_pmap_leave(&pm, &p);
    ck_assert_uint_eq(mock_stats(&pm).present, 1);

    g.want[0] = g.want[1] = mock_tlbe(0, DISCO_RWX);
    g.ppn[0].v = PPNS;
    g.ppn[1].v = UINT64_MAX;
    disco_pmap_enter(&pm, &p);
    ck_assert_uint_eq(p.e[0] | p.e[1], 0);
    ck_assert_int_eq(p.err[0], DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(p.err[1], DISCO_ERR_BAD_ADDRESS);
    disco_pmap_leave(&pm, &p);

    g.ppn[1].v = 4;
    p.vcpu = DISCO_MAX_VCPUS;
    disco_pmap_enter(&pm, &p);
    ck_assert_int_eq(p.err[0], DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(p.err[1], DISCO_ERR_BAD_ARG);
    disco_pmap_leave(&pm, &p);
    ck_assert_uint_eq(mock_stats(&pm).present, 1);
}
END_TEST

/* Between enter and leave both pages are locked, in whatever order, even if they are one. */
START_TEST(enter_keeps_both_until_leave)
{
    static const uint64_t pairs[][2] = {{1, 2}, {2, 1}, {3, 3}};

    for (unsigned i = 0; i < 3; i++) {
        struct disco_guest_map g = {
            .pair = {6},
            .ppn = {{pairs[i][0]}, {pairs[i][1]}},
            .want = {mock_tlbe(0, 7), mock_tlbe(0, 7)},
        };
        struct disco_pmap_pair p = {.m = &g, .record = true};

        disco_pmap_enter(&pm, &p);
        ck_assert_uint_eq(pm.entry[pairs[i][0]].meta & 1, 1);
        ck_assert_uint_eq(pm.entry[pairs[i][1]].meta & 1, 1);
        ck_assert_uint_eq(mock_mpn(p.e[0]), mpn_at(&pm, pairs[i][0], 0));
        ck_assert_uint_eq(mock_mpn(p.e[1]), mpn_at(&pm, pairs[i][1], 0));
        disco_pmap_leave(&pm, &p);
        ck_assert_uint_eq(pm.entry[pairs[i][0]].meta & 1, 0);
        ck_assert_uint_eq(pm.entry[pairs[i][1]].meta & 1, 0);
        disco_pmap_leave(&pm, &p);
    }
}
END_TEST

START_TEST(enter_without_memory)
{
    struct disco_pmap_pair p;

    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(1), 0), 0);
    fill_memory();
    p = enter(8, 0, 0, 1);
    ck_assert_int_eq(p.err[0], DISCO_ERR_NO_MEMORY);
    ck_assert_uint_eq(p.e[0], 0);
    ck_assert_int_eq(p.err[1], 0);
    ck_assert_uint_ne(p.e[1], 0);
    ck_assert_uint_eq(pm.entry[0].meta, 0);
    empty_memory();
}
END_TEST

START_TEST(purge_names_the_places)
{
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(0), 0), 0);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
    ck_assert_uint_eq(purged.calls, 1); /* aliases that no backmap knows */
    ck_assert_uint_eq(purged.n, 0);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
    ck_assert_uint_eq(purged.calls, 1);

    for (unsigned i = 0; i < 3; i++)
        enter(0xfffffffffff10 + 1, 63, 0, 1); /* the same place each time */
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
    ck_assert_uint_eq(purged.n, 1);
    ck_assert_uint_eq(purged.ppn.v, 0);
    ck_assert_uint_eq(purged.p[0].vcpus, UINT64_C(1) << 63);
    ck_assert_uint_eq(purged.p[0].vpn.v, 0xfffffffffff10);
    ck_assert_uint_eq(purged.word, 0);
    ck_assert_uint_eq(mock_stats(&pm).everywhere, 0);

    /* Nor did it take the only set, which another page can have. */
    for (unsigned i = 0; i < 3; i++)
        enter(4, 0, 0, 0);
    for (unsigned i = 0; i < 2; i++)
        enter(2 * i, 0, 2, 2);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(2)), 0);
    ck_assert_uint_eq(purged.n, 2);
}
END_TEST

START_TEST(a_set_takes_eight_places)
{
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 8; i++)
            enter(2 * i, i, 0, 0);
        ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
        ck_assert_uint_eq(purged.n, 8);
        for (unsigned i = 0; i < 8; i++) {
            ck_assert_uint_eq(purged.p[i].vcpus, UINT64_C(1) << i);
            ck_assert_uint_eq(purged.p[i].vpn.v, 2 * i);
        }
    }
}
END_TEST

/* Threads on many virtual CPUs that see the page at one address, and one that sees it at another. */
START_TEST(virtual_cpus_share_a_place)
{
    for (unsigned i = 0; i < DISCO_MAX_VCPUS; i++)
        enter(6, i, 0, 0);
    enter(8, 5, 0, 0);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
    ck_assert_uint_eq(purged.n, 2);
    ck_assert_uint_eq(purged.p[0].vcpus, UINT64_MAX);
    ck_assert_uint_eq(purged.p[0].vpn.v, 6);
    ck_assert_uint_eq(purged.p[1].vcpus, 1u << 5);
    ck_assert_uint_eq(purged.p[1].vpn.v, 8);
    ck_assert_uint_eq(mock_stats(&pm).everywhere, 0);
}
END_TEST

START_TEST(too_many_places_are_everywhere)
{
    for (unsigned i = 0; i < 9; i++)
        enter(2 * i, 0, 0, 0);
    /* The set went back: another page can have it. */
    for (unsigned i = 0; i < 2; i++)
        enter(2 * i, 0, 1, 1);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(1)), 0);
    ck_assert_uint_eq(purged.n, 2);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
    ck_assert_uint_eq(purged.n, 1);
    ck_assert_uint_eq(purged.p[0].vcpus, DISCO_ALL_VCPUS);
    ck_assert_uint_eq(purged.p[0].vpn.v, DISCO_ALL_PAGES);
    ck_assert_uint_eq(mock_stats(&pm).everywhere, 1);
}
END_TEST

START_TEST(no_set_left_is_everywhere)
{
    for (unsigned i = 0; i < 2; i++)
        enter(2 * i, 0, 0, 0);
    for (unsigned i = 0; i < 2; i++)
        enter(2 * i, 0, 1, 1);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(1)), 0);
    ck_assert_uint_eq(purged.p[0].vcpus, DISCO_ALL_VCPUS);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
    ck_assert_uint_eq(purged.n, 2);
}
END_TEST

START_TEST(unrecorded_places_are_not_named)
{
    struct disco_guest_map g = {.pair = {6}, .ppn = {{0}, {1}}, .want = {mock_tlbe(0, 7), 0}};
    struct disco_pmap_pair p = {.m = &g, .record = false};

    disco_pmap_enter(&pm, &p);
    disco_pmap_leave(&pm, &p);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
    ck_assert_uint_eq(purged.calls, 1);
    ck_assert_uint_eq(purged.n, 0);
}
END_TEST

static int no_more(void *ctx, void *at, size_t len)
{
    (void)at;
    *(size_t *)ctx += len;
    return *(size_t *)ctx > 5000 ? DISCO_ERR_READ_ONLY : 1;
}

START_TEST(access_checks_first)
{
    uint64_t size = PPNS * DISCO_PAGE_SIZE;
    uint8_t buffer[3 * DISCO_PAGE_SIZE], back[3 * DISCO_PAGE_SIZE];
    size_t done = 0;

    ck_assert_int_eq(disco_pmap_check(&pm, (disco_pa){0}, size), 0);
    ck_assert_int_eq(disco_pmap_check(&pm, (disco_pa){size}, 0), 0);
    ck_assert_int_eq(disco_pmap_check(&pm, (disco_pa){size + 1}, 0), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_check(&pm, (disco_pa){1}, size), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_check(&pm, (disco_pa){1}, UINT64_MAX), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(disco_pmap_check(&pm, (disco_pa){UINT64_MAX}, 1), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(disco_pmap_check(&pm, (disco_pa){UINT64_MAX}, 0), DISCO_ERR_BAD_ADDRESS);

    memset(buffer, 0x3c, sizeof buffer);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){size - 1}, buffer, 2, 0),
                     DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){5}, buffer, UINT64_MAX, 0),
                     DISCO_ERR_OVERFLOW);
    ck_assert_uint_eq(mock_stats(&pm).present, 0);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){100}, buffer, sizeof buffer, 0), 0);
    ck_assert_uint_eq(mock_stats(&pm).present, 4);
    ck_assert_int_eq(disco_pmap_read(&pm, (disco_pa){100}, back, sizeof back, 0), 0);
    ck_assert_mem_eq(buffer, back, sizeof back);
    ck_assert_int_eq(disco_pmap_read(&pm, (disco_pa){99}, back, 1, 0), 0);
    ck_assert_int_eq(back[0], 0);
    ck_assert_int_eq(disco_pmap_access(&pm, (disco_pa){100}, 9000, DISCO_READ, 0, no_more, &done),
                     DISCO_ERR_READ_ONLY);
    ck_assert_uint_eq(done, 2 * DISCO_PAGE_SIZE - 100);
    ck_assert_int_eq(disco_pmap_access(&pm, (disco_pa){0}, 0, DISCO_READ, 0, no_more, &done), 0);
    done = 0;
    ck_assert_int_eq(disco_pmap_access(&pm, (disco_pa){0}, 9, DISCO_READ, 0, no_more, &done), 0);
}
END_TEST

/* It looks, and nothing comes of it. */
START_TEST(peek_makes_no_page)
{
    const uint64_t written[3] = {1, 2, 3};
    uint64_t seen[3] = {0};

    ck_assert_int_eq(disco_pmap_peek(&pm, (disco_pa){DISCO_PAGE_SIZE}, seen, 1, 0),
                     DISCO_ERR_NOT_FOUND);
    ck_assert_uint_eq(mock_stats(&pm).present, 0);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){2 * DISCO_PAGE_SIZE - 24}, written, 24, 0),
                     0);
    ck_assert_int_eq(disco_pmap_peek(&pm, (disco_pa){2 * DISCO_PAGE_SIZE - 24}, seen, 3, 0), 0);
    ck_assert_mem_eq(seen, written, sizeof seen);
    ck_assert_int_eq(disco_pmap_peek(&pm, (disco_pa){2 * DISCO_PAGE_SIZE - 24}, seen, 4, 0),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_peek(&pm, (disco_pa){2 * DISCO_PAGE_SIZE - 20}, seen, 1, 0),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_peek(&pm, disco_ppn_base(ppn(pm.pages)), seen, 1, 0),
                     DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_peek(&pm, (disco_pa){UINT64_MAX - 7}, seen, 1, 0),
                     DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(1)), 0); /* it is not held any more */
}
END_TEST

START_TEST(purge_may_be_absent)
{
    struct disco_pmap_config c = config(NULL, 9);
    struct disco_pmap x;
    void *s = mock_storage(disco_pmap_size(&c));

    c.purge = NULL;
    ck_assert_int_eq(disco_pmap_init(&x, s, disco_pmap_size(&c), &c), 0);
    ck_assert_int_eq(disco_pmap_touch(&x, ppn(0), 0), 0);
    ck_assert_int_eq(disco_pmap_drop(&x, ppn(0)), 0);
    disco_pmap_fini(&x);
    free(s);
}
END_TEST

/* Each processor counts on its own; what comes on one and goes on another is counted down to nothing. */
START_TEST(counters_are_summed)
{
    for (mock_cpu = 0; mock_cpu < 3; mock_cpu++)
        ck_assert_int_eq(disco_pmap_touch(&pm, ppn(mock_cpu), 0), 0);
    ck_assert_uint_eq(mock_stats(&pm).first_touch, 3);
    ck_assert_uint_eq(mock_stats(&pm).present, 3);
    mock_cpu = MOCK_CPUS - 1;
    ck_assert_int_eq(disco_pmap_drop_many(&pm, ppn(0), 3, NULL), 0);
    ck_assert_uint_eq(mock_stats(&pm).present, 0);
    ck_assert_uint_eq(mock_stats(&pm).purges, 1);
    ck_assert_uint_eq(mock_stats(&other).first_touch, 0);
    disco_pmap_fini(&pm);
    ck_assert_uint_eq(mock_stats(&pm).first_touch, 0);
    mock_cpu = 0;
}
END_TEST

/* While others count, the going of a page may be seen before its coming. */
START_TEST(gauges_are_not_negative)
{
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(0), 0), 0);
    mock_cpu = 1;
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(0)), 0);
    mock_cpu = 0;
    pm.cpus--;
    /* The first processor's is not seen */
    pm.counters = (void *)((char *)pm.counters + DISCO_CACHE_LINE);
    ck_assert_uint_eq(mock_stats(&pm).present, 0);
    ck_assert_uint_eq(mock_stats(&pm).purges, 1);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        init_refuses,
        fini_takes_anything,
        first_touch,
        enter_merges,
        enter_keeps_both_until_leave,
        enter_without_memory,
        purge_names_the_places,
        a_set_takes_eight_places,
        virtual_cpus_share_a_place,
        too_many_places_are_everywhere,
        no_set_left_is_everywhere,
        unrecorded_places_are_not_named,
        access_checks_first,
        peek_makes_no_page,
        purge_may_be_absent,
        counters_are_summed,
        gauges_are_not_negative,
    };

    return SUITE_RUN("pmap", tests, setup, teardown);
}
