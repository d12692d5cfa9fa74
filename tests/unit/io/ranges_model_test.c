/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps of ranges against arrays: three maps that share a pool, often too small a one. After every step the map
 * tells what the array tells, ranges that continue each other are one, the tree is in order, and no node is missing.
 */
#include <disco/ranges.h>

#include "mock_backend.h"
#include "suite.h"

#include <string.h>

#define MAPS 3
#define SPACE 600
#define STEPS 10000
#define NONE UINT64_MAX
#define POOL 200

/* Check writes down every assertion that holds, which takes longer than what is asserted. */
#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond))                                                                               \
            ck_abort_msg("%s", #cond);                                                             \
    } while (0)

static struct disco_ranges_node nodes[POOL];
static struct disco_ranges_pool pool;
static struct disco_ranges map[MAPS];
static uint64_t model[MAPS][SPACE];
static uint64_t seed;

static uint64_t dice(uint64_t n) { return mock_random(&seed) % n; }

static void start(uint32_t n, uint64_t s)
{
    seed = s * 77 + 1;
    memset(nodes, 0xaa, sizeof nodes);
    memset(map, 0, sizeof map);
    memset(model, 0xff, sizeof model);
    disco_ranges_pool_init(&pool, nodes, n);
    for (unsigned i = 0; i < MAPS; i++)
        map[i].pool = &pool;
}

/* Nodes of a tree; half full all but the root, keys in order and told rightly to those above. */
static unsigned look_at(const struct disco_ranges *r, uint32_t number, unsigned level,
                        uint64_t *last)
{
    const struct disco_ranges_node *n = &nodes[number - 1];
    unsigned sum = 1;

    MUST(n->used <= DISCO_RANGES_KEYS);
    MUST(n->used >= (number == r->root ? 1 + (level > 1) : DISCO_RANGES_KEYS / 2));
    for (uint32_t i = 0; i < n->used; i++) {
        const struct disco_range *x = &n->slot[i];

        if (level == 1) {
            MUST(x->count && (*last == NONE || x->first >= *last));
            *last = x->first + x->count;
            continue;
        }
        MUST(x->first == nodes[x->value - 1].slot[0].first);
        sum += look_at(r, (uint32_t)x->value, level - 1, last);
    }
    return sum;
}

static void trees_are_whole(uint32_t n)
{
    unsigned used = 0;

    for (unsigned i = 0; i < MAPS; i++) {
        uint64_t last = NONE;

        MUST(!map[i].root == !map[i].height);
        if (map[i].root)
            used += look_at(&map[i], map[i].root, map[i].height, &last);
    }
    MUST(used + pool.left == n);
}

static bool continues(const uint64_t *m, uint64_t at)
{
    return at + 1 < SPACE && m[at] != NONE && m[at + 1] == m[at] + 1;
}

/* Every range of the model, as long as it can be. */
static void same(const struct disco_ranges *r, const uint64_t *m)
{
    struct disco_range x;
    uint64_t values = 0;

    for (uint64_t at = 0, first; at < SPACE; at++) {
        uint64_t v;

        MUST(disco_ranges_get(r, at, &v) == (m[at] != NONE));
        if (m[at] == NONE)
            continue;
        for (first = at; continues(m, at); at++)
            ;
        MUST(disco_ranges_find(r, first, &x));
        MUST(x.first == first && x.count == at + 1 - first && x.value == m[first]);
        MUST(disco_ranges_find(r, at, &x) && x.first == first);
        values += x.count;
    }
    MUST(r->values == values);
}

/* The first range that ends after @p at, asked from every place. */
static void finds_from_everywhere(const struct disco_ranges *r, const uint64_t *m)
{
    for (uint64_t at = 0, next; at <= SPACE; at++) {
        struct disco_range x;

        for (next = at; next < SPACE && m[next] == NONE; next++)
            ;
        MUST(disco_ranges_find(r, at, &x) == (next < SPACE));
        if (next < SPACE)
            MUST(x.first <= next && x.first + x.count > next && (next == at || x.first == next));
    }
}

static unsigned refused, done;

/* Values continue each other now and then, or lie about as machine pages do. */
static void step(unsigned how)
{
    unsigned i = (unsigned)dice(MAPS);
    uint64_t first = dice(SPACE), count = 1 + dice(how % 2 ? 3 : 40);
    uint64_t value = dice(3) ? first + 1000 * dice(2) : dice(100000);
    bool set = dice(10) < 4 + how % 4;
    uint32_t left = pool.left, cost;
    int err;

    if (count > SPACE - first)
        count = SPACE - first;
    cost = disco_ranges_cost(&map[i], first, count, value);
    err = set ? disco_ranges_set(&map[i], first, count, value)
              : disco_ranges_clear(&map[i], first, count);
    MUST(!set || (err != 0) == (cost > left));
    MUST(err || !set || pool.left + cost >= left);
    if (err) {
        MUST(err == DISCO_ERR_NO_SPACE);
        refused++;
        return;
    }
    done++;
    for (uint64_t k = 0; k < count; k++)
        model[i][first + k] = set ? value + k : NONE;
}

static void run(uint32_t n, uint64_t s)
{
    start(n, s);
    for (unsigned i = 0; i < STEPS; i++) {
        step((unsigned)s + i / 500);
        trees_are_whole(n);
        if (i % 8 == 0) {
            for (unsigned k = 0; k < MAPS; k++)
                same(&map[k], model[k]);
        }
        if (i % 300 == 0)
            finds_from_everywhere(&map[0], model[0]);
        if (dice(1000) == 0) {
            disco_ranges_empty(&map[1]);
            memset(model[1], 0xff, sizeof model[1]);
        }
    }
    for (unsigned k = 0; k < MAPS; k++)
        disco_ranges_empty(&map[k]);
    MUST(pool.left == n);
}

START_TEST(enough_nodes)
{
    refused = 0;
    run(POOL, (uint64_t)_i);
    ck_assert_uint_eq(refused, 0);
}
END_TEST

START_TEST(too_few_nodes)
{
    refused = done = 0;
    run(1 + (uint32_t)_i * 2, 100 + (uint64_t)_i);
    ck_assert_uint_gt(refused, 50);
    ck_assert_uint_gt(done, 50);
}
END_TEST

/* The bound that is promised, at its worst: no value continues another, in any order. */
START_TEST(nodes_that_are_enough)
{
    uint32_t n = (uint32_t)disco_ranges_nodes(MAPS * SPACE / 2, MAPS);

    static struct disco_ranges_node many[MAPS * SPACE];
    start(0, (uint64_t)_i);
    disco_ranges_pool_init(&pool, many, n);
    for (unsigned round = 0; round < 6; round++) {
        for (uint64_t i = 0; i < MAPS * SPACE; i++) {
            uint64_t m = dice(MAPS), at = dice(SPACE / 2) * 2;

            MUST(!disco_ranges_set(&map[m], at, 1, 7));
        }
        for (uint64_t i = 0; i < MAPS * SPACE; i++)
            MUST(!disco_ranges_clear(&map[dice(MAPS)], dice(SPACE), 1));
    }
    for (unsigned k = 0; k < MAPS; k++)
        disco_ranges_empty(&map[k]);
    ck_assert_uint_eq(pool.left, n);
}
END_TEST

START_TEST(ends_of_the_world)
{
    struct disco_range x;

    start(POOL, 1);
    ck_assert_int_eq(disco_ranges_set(&map[0], 5, 0, 1), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_ranges_set(&map[0], UINT64_MAX - 1, 2, 1), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_ranges_clear(&map[0], 2, UINT64_MAX - 1), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_ranges_clear(&map[0], 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert(!disco_ranges_find(&map[0], 0, &x));
    ck_assert_int_eq(disco_ranges_set(&map[0], UINT64_MAX - 2, 2, 9), 0);
    ck_assert(disco_ranges_find(&map[0], 0, &x));
    ck_assert(x.first == UINT64_MAX - 2 && x.count == 2 && x.value == 9);
    ck_assert(!disco_ranges_find(&map[0], UINT64_MAX, &x));
    ck_assert_int_eq(disco_ranges_set(&map[0], 0, UINT64_MAX, 3), 0);
    ck_assert(disco_ranges_find(&map[0], UINT64_MAX - 1, &x) && !x.first && x.count == UINT64_MAX);
    ck_assert_int_eq(disco_ranges_clear(&map[0], 0, UINT64_MAX), 0);
    ck_assert_uint_eq(pool.left, POOL);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {ends_of_the_world};

    return SUITE_LOOP("ranges, enough nodes", enough_nodes, 6) |
           SUITE_LOOP("ranges, too few nodes", too_few_nodes, 12) |
           SUITE_LOOP("ranges, bound", nodes_that_are_enough, 3) |
           SUITE_RUN("ranges", tests, NULL, NULL);
}
