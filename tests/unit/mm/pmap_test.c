/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap, call by call: results, purges to the letter, and what is refused. */
#include "mock_backend.h"
#include "suite.h"

#include <string.h>

#define NODES 2
#define PAGES 16
#define PPNS 8
#define SETS 1

static struct mock m;
static struct disco_memmap *mm;
static void *mm_storage, *storage[2];
static struct disco_pmap pm, other;

static struct {
    unsigned calls;
    disco_ppn ppn;
    struct disco_purge p[16];
    size_t n;
    disco_tlbe word;      /* the entry's first word while purging */
    uint8_t *last_store;  /* where a guest stores just before it loses the page */
} purged;

static void purge(void *ctx, disco_ppn ppn, const struct disco_purge *p, size_t n)
{
    struct disco_pmap *of = ctx;

    purged.calls++;
    purged.ppn = ppn;
    purged.n = n;
    purged.word = of->entry[ppn.v].tlbe;
    memcpy(purged.p, p, n * sizeof *p);
    if (purged.last_store)
        *purged.last_store = '!';
}

static struct disco_pmap_config config(struct disco_pmap *of, uint32_t id)
{
    return (struct disco_pmap_config){
        .id = id, .pages = PPNS, .sets = SETS, .mm = mm, .backend = &m.b,
        .purge = purge, .purge_ctx = of,
    };
}

static void *make(struct disco_pmap *of, uint32_t id)
{
    struct disco_pmap_config c = config(of, id);
    void *s = mock_storage(disco_pmap_size(&c));

    ck_assert_int_eq(disco_pmap_init(of, s, disco_pmap_size(&c), &c), 0);
    return s;
}

static void setup(void)
{
    memset(&purged, 0, sizeof purged);
    mock_init(&m, NODES, 32, PAGES);
    mm = mock_memmap(&m, 1, 0, &mm_storage);
    storage[0] = make(&pm, 1);
    storage[1] = make(&other, 2);
}

static void teardown(void)
{
    disco_pmap_fini(&pm);
    disco_pmap_fini(&other);
    ck_assert_uint_eq(mock_free_pages(&m, mm), PAGES);
    free(storage[0]);
    free(storage[1]);
    free(mm_storage);
    mock_fini(&m);
}

static disco_ppn ppn(uint64_t v) { return (disco_ppn){v}; }

static uint64_t mpn_at(struct disco_pmap *of, uint64_t p, unsigned node)
{
    disco_mpn mpn = {0};

    ck_assert_int_eq(disco_pmap_translate(of, ppn(p), node, &mpn), 0);
    return mpn.v;
}

/* Enter both halves read-write at (vcpu, vpn) and let go. */
static struct disco_pmap_pair enter(uint64_t vpn, uint32_t vcpu, uint64_t even, uint64_t odd)
{
    static struct disco_guest_map g;
    struct disco_pmap_pair p = {.m = &g, .vcpu = vcpu, .record = true};

    g = (struct disco_guest_map){
        .pair = {vpn}, .ppn = {{even}, {odd}}, .want = {mock_tlbe(0, 7), mock_tlbe(0, 7)},
    };
    disco_pmap_enter(&pm, &p);
    disco_pmap_leave(&pm, &p);
    return p;
}

static void fill_memory(void)
{
    disco_mpn mpn;

    while (!disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &mpn))
        ;
}

static void empty_memory(void)
{
    for (uint64_t i = 32; i < 32 + PAGES; i++) {
        if (disco_memmap_state(mm, (disco_mpn){i}) == DISCO_PAGE_MONITOR)
            ck_assert_int_eq(disco_memmap_put(mm, (disco_mpn){i}), 0);
    }
}

START_TEST(init_refuses)
{
    struct disco_pmap_config c = config(&pm, 3), bad;
    struct disco_backend_ops ops = *m.b.ops;
    struct disco_backend b = m.b;
    struct disco_pmap x;
    size_t size = disco_pmap_size(&c);
    void *s = mock_storage(size);

    ck_assert_uint_eq(size, PPNS * 16 + SETS * 64);
    ck_assert_int_eq(disco_pmap_init(NULL, s, size, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_init(&x, NULL, size, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_init(&x, (char *)s + 16, size, &c), DISCO_ERR_BAD_ARG);
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
    bad = c, bad.backend = &b, b.ops = &ops, ops.page_copy = NULL;
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
    ck_assert_uint_eq(pm.stats.first_touch, 1);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_int_eq(disco_pmap_translate(&pm, ppn(PPNS), 0, &mpn), DISCO_ERR_BAD_ADDRESS);
}
END_TEST

START_TEST(enter_merges)
{
    struct disco_guest_map g = {
        .pair = {6}, .ppn = {{5}, {2}}, .want = {mock_tlbe(0x777, DISCO_READ), 0},
    };
    struct disco_pmap_pair p = {.m = &g, .vcpu = 0, .record = true, .node = 1};

    disco_pmap_enter(&pm, &p);
    ck_assert_uint_eq(p.e[0], mock_tlbe(mpn_at(&pm, 5, 0), DISCO_READ));
    ck_assert_uint_eq(p.e[1], 0);
    ck_assert_int_eq(p.err[0] | p.err[1], 0);
    disco_pmap_leave(&pm, &p);
    ck_assert_uint_eq(pm.stats.present, 1);

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
    ck_assert_uint_eq(pm.stats.present, 1);
    ck_assert_uint_eq(pm.stats.enters, 3);
}
END_TEST

/* Between enter and leave both pages are locked, in whatever order they came, even twice the same. */
START_TEST(enter_keeps_both_until_leave)
{
    static const uint64_t pairs[][2] = {{1, 2}, {2, 1}, {3, 3}};

    for (unsigned i = 0; i < 3; i++) {
        struct disco_guest_map g = {
            .pair = {6}, .ppn = {{pairs[i][0]}, {pairs[i][1]}},
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
    ck_assert_uint_eq(purged.p[0].vcpu, 63);
    ck_assert_uint_eq(purged.p[0].vpn.v, 0xfffffffffff10);
    ck_assert_uint_eq(purged.word, 0);
    ck_assert_uint_eq(pm.stats.everywhere, 0);

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
            ck_assert_uint_eq(purged.p[i].vcpu, i);
            ck_assert_uint_eq(purged.p[i].vpn.v, 2 * i);
        }
    }
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
    ck_assert_uint_eq(purged.p[0].vcpu, DISCO_ALL_VCPUS);
    ck_assert_uint_eq(purged.p[0].vpn.v, DISCO_ALL_PAGES);
    ck_assert_uint_eq(pm.stats.everywhere, 1);
}
END_TEST

START_TEST(no_set_left_is_everywhere)
{
    for (unsigned i = 0; i < 2; i++)
        enter(2 * i, 0, 0, 0);
    for (unsigned i = 0; i < 2; i++)
        enter(2 * i, 0, 1, 1);
    ck_assert_int_eq(disco_pmap_drop(&pm, ppn(1)), 0);
    ck_assert_uint_eq(purged.p[0].vcpu, DISCO_ALL_VCPUS);
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

/* Lend page 0 of `pm` to page 5 of `other`; no reference is kept but the users'. */
static uint64_t share_one(enum disco_pmap_reason reason)
{
    disco_mpn mpn = {0};

    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){8}, "shared", 6, 0), 0);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, reason, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&other, ppn(5), mpn, reason), 0);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
    return mpn.v;
}

START_TEST(sharing_takes_the_right_to_write)
{
    uint64_t shared;
    unsigned before;

    enter(2, 0, 0, 1);
    before = purged.calls;
    shared = share_one(DISCO_PMAP_COW);
    ck_assert_uint_eq(purged.calls, before + 1);
    ck_assert_uint_eq(purged.n, 1);
    ck_assert_uint_eq(mpn_at(&pm, 0, 0), shared);
    ck_assert_uint_eq(mpn_at(&other, 5, 1), shared);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(0)), DISCO_PMAP_COW);
    ck_assert_int_eq(disco_pmap_reason(&other, ppn(5)), DISCO_PMAP_COW);
    ck_assert_uint_eq(mock_rights(pm.entry[0].tlbe), DISCO_READ | DISCO_EXEC);
    ck_assert_uint_eq(mock_rights(other.entry[5].tlbe), DISCO_READ | DISCO_EXEC);
    ck_assert_uint_eq(mock_rights(enter(2, 0, 0, 1).e[0]), DISCO_READ | DISCO_EXEC);
    ck_assert_int_eq(disco_memmap_state(mm, (disco_mpn){shared}), DISCO_PAGE_SHARED);
    ck_assert_uint_eq(pm.stats.shared, 1);
}
END_TEST

START_TEST(write_fault_copies_then_takes)
{
    uint64_t shared = share_one(DISCO_PMAP_NET), own;
    char text[6];

    enter(2, 0, 0, 0);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(0), 1), 0);
    ck_assert_uint_eq(purged.ppn.v, 0);
    ck_assert_uint_eq(purged.n, 1);
    own = mpn_at(&pm, 0, 0);
    ck_assert_uint_ne(own, shared);
    ck_assert_uint_eq(disco_memmap_node(mm, (disco_mpn){own}), 1);
    ck_assert_uint_eq(pm.stats.net_copies, 1);
    ck_assert_int_eq(disco_pmap_read(&pm, (disco_pa){8}, text, 6, 0), 0);
    ck_assert_mem_eq(text, "shared", 6);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(0)), DISCO_PMAP_WRITABLE);

    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(5), 1), 0);
    ck_assert_uint_eq(mpn_at(&other, 5, 0), shared);
    ck_assert_uint_eq(other.stats.write_reused, 1);
    ck_assert_uint_eq(mock_rights(other.entry[5].tlbe), DISCO_RWX);
    /* Resolved already: nothing happens. */
    purged.calls = 0;
    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(5), 1), 0);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(PPNS), 1), DISCO_ERR_BAD_ADDRESS);
    /* Of a page that is not there yet: it comes. */
    ck_assert_int_eq(disco_pmap_write_fault(&other, ppn(6), 1), 0);
    ck_assert_uint_eq(other.stats.first_touch, 1);
}
END_TEST

/* The last user must not write on a page that a disk cache still has. */
START_TEST(a_cache_counts_as_a_user)
{
    disco_mpn cached;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_COW, &cached), 0);
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(0), 0), 0);
    ck_assert_uint_ne(mpn_at(&pm, 0, 0), cached.v);
    ck_assert_uint_eq(pm.stats.cow_copies, 1);
    ck_assert_int_eq(disco_memmap_state(mm, cached), DISCO_PAGE_MONITOR);
    ck_assert_int_eq(disco_memmap_put(mm, cached), 0);
}
END_TEST

START_TEST(write_fault_without_memory)
{
    uint64_t shared = share_one(DISCO_PMAP_COW);
    struct disco_pmap_entry before = pm.entry[0];

    fill_memory();
    purged.calls = 0;
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(0), 0), DISCO_ERR_NO_MEMORY);
    ck_assert_mem_eq(&before, &pm.entry[0], sizeof before);
    ck_assert_uint_eq(purged.calls, 0);
    ck_assert_uint_eq(disco_memmap_refs(mm, (disco_mpn){shared}), 2);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){0}, "x", 1, 0), DISCO_ERR_NO_MEMORY);
    empty_memory();
}
END_TEST

START_TEST(share_refuses)
{
    disco_mpn mpn;
    struct disco_pmap_entry before;

    ck_assert_int_eq(disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &mpn), 0);
    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(0), 0), 0);
    before = pm.entry[0];
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), mpn, DISCO_PMAP_WRITABLE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), mpn, DISCO_PMAP_REPLICA), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(PPNS), mpn, DISCO_PMAP_COW), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), (disco_mpn){7}, DISCO_PMAP_COW),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(PPNS), 0, DISCO_PMAP_COW, &mpn),
                     DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_WRITABLE, &mpn),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), mpn, DISCO_PMAP_COW), DISCO_ERR_STATE);
    ck_assert_mem_eq(&before, &pm.entry[0], sizeof before);
    ck_assert_uint_eq(purged.calls, 0);
}
END_TEST

/* One chunk: a page can have eight users. */
START_TEST(share_without_chunks)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_COW, &mpn), 0);
    for (unsigned i = 0; i < 7; i++)
        ck_assert_int_eq(disco_pmap_share(&other, ppn(i), mpn, DISCO_PMAP_COW), 0);
    ck_assert_int_eq(disco_pmap_touch(&other, ppn(7), 0), 0);
    ck_assert_int_eq(disco_pmap_share(&other, ppn(7), mpn, DISCO_PMAP_COW), DISCO_ERR_NO_SPACE);
    ck_assert_int_eq(disco_pmap_reason(&other, ppn(7)), DISCO_PMAP_WRITABLE);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
}
END_TEST

START_TEST(share_over_itself)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 0, DISCO_PMAP_COW, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&pm, ppn(0), mpn, DISCO_PMAP_NET), 0);
    ck_assert_uint_eq(disco_memmap_refs(mm, mpn), 2);
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
    ck_assert_uint_eq(mpn_at(&pm, 0, 0), mpn.v);
}
END_TEST

START_TEST(migration)
{
    uint64_t old;
    char text[4];

    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(PPNS), 1), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 1), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){4092}, "move", 4, 0), 0);
    enter(2, 1, 0, 0);
    old = mpn_at(&pm, 0, 0);
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 0), 0);
    ck_assert_uint_eq(mpn_at(&pm, 0, 0), old);
    /* Until a processor has answered the purge it may store; that store must not be lost. */
    purged.last_store = mock_page(&m, old) + 4095;
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 1), 0);
    purged.last_store = NULL;
    ck_assert_uint_eq(disco_memmap_node(mm, (disco_mpn){mpn_at(&pm, 0, 0)}), 1);
    ck_assert_int_eq(disco_memmap_state(mm, (disco_mpn){old}), DISCO_PAGE_FREE);
    ck_assert_uint_eq(purged.p[0].vcpu, 1);
    ck_assert_int_eq(disco_pmap_read(&pm, (disco_pa){4092}, text, 4, 0), 0);
    ck_assert_mem_eq(text, "mov!", 4);
    share_one(DISCO_PMAP_COW);
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 0), DISCO_ERR_BUSY);
    fill_memory();
    ck_assert_int_eq(disco_pmap_drop(&other, ppn(5)), 0);
    ck_assert_int_eq(disco_pmap_migrate(&pm, ppn(0), 0), DISCO_ERR_NO_MEMORY);
    empty_memory();
}
END_TEST

START_TEST(replication)
{
    uint64_t master, copy;

    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(PPNS), 1), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 1), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){0}, "twin", 4, 0), 0);
    enter(2, 0, 0, 0);
    master = mpn_at(&pm, 0, 0);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 0), 0);
    ck_assert_uint_eq(purged.calls, 0);
    purged.last_store = mock_page(&m, master);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 1), 0);
    purged.last_store = NULL;
    ck_assert_uint_eq(purged.n, 1);
    copy = mpn_at(&pm, 0, 1);
    ck_assert_uint_ne(copy, master);
    ck_assert_uint_eq(mpn_at(&pm, 0, 0), master);
    ck_assert_mem_eq(mock_page(&m, copy), "!win", 4);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(0)), DISCO_PMAP_REPLICA);
    ck_assert_uint_eq(mock_rights(enter(2, 0, 0, 0).e[0]), DISCO_READ | DISCO_EXEC);
    /* A write collapses it. */
    ck_assert_int_eq(disco_pmap_write_fault(&pm, ppn(0), 1), 0);
    ck_assert_uint_eq(mpn_at(&pm, 0, 1), master);
    ck_assert_int_eq(disco_memmap_state(mm, (disco_mpn){copy}), DISCO_PAGE_FREE);
    ck_assert_uint_eq(pm.stats.collapses, 1);
    fill_memory();
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 1), DISCO_ERR_NO_MEMORY);
    ck_assert_int_eq(disco_pmap_reason(&pm, ppn(0)), DISCO_PMAP_WRITABLE);
    empty_memory();
}
END_TEST

/* A replica's number, got by translate, may be lent on: its master is what is shared. */
START_TEST(sharing_a_replica_shares_its_master)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_touch(&pm, ppn(0), 0), 0);
    ck_assert_int_eq(disco_pmap_replicate(&pm, ppn(0), 1), 0);
    ck_assert_int_eq(disco_pmap_lend(&pm, ppn(0), 1, DISCO_PMAP_COW, &mpn), 0);
    ck_assert_int_eq(disco_pmap_share(&other, ppn(0), (disco_mpn){mpn_at(&pm, 0, 1)},
                                      DISCO_PMAP_COW), 0);
    ck_assert_uint_eq(mpn_at(&other, 0, 0), mpn.v);
    ck_assert_uint_eq(mpn_at(&other, 0, 1), mpn_at(&pm, 0, 1));
    ck_assert_int_eq(disco_memmap_put(mm, mpn), 0);
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
    ck_assert_uint_eq(pm.stats.present, 0);
    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){100}, buffer, sizeof buffer, 0), 0);
    ck_assert_uint_eq(pm.stats.present, 4);
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

START_TEST(writing_leaves_the_shared_page_alone)
{
    uint64_t shared = share_one(DISCO_PMAP_COW);

    ck_assert_int_eq(disco_pmap_write(&pm, (disco_pa){8}, "mine!!", 6, 0), 0);
    ck_assert_mem_eq(mock_page(&m, shared) + 8, "shared", 6);
    ck_assert_mem_eq(mock_page(&m, mpn_at(&pm, 0, 0)) + 8, "mine!!", 6);
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

int main(void)
{
    const TTest *tests[] = {
        init_refuses, fini_takes_anything, first_touch, enter_merges,
        enter_keeps_both_until_leave, enter_without_memory, purge_names_the_places,
        a_set_takes_eight_places, too_many_places_are_everywhere, no_set_left_is_everywhere,
        unrecorded_places_are_not_named, sharing_takes_the_right_to_write,
        write_fault_copies_then_takes, a_cache_counts_as_a_user, write_fault_without_memory,
        share_refuses, share_without_chunks, share_over_itself, migration, replication,
        sharing_a_replica_shares_its_master, access_checks_first,
        writing_leaves_the_shared_page_alone, purge_may_be_absent,
    };

    return SUITE_RUN("pmap", tests, setup, teardown);
}
