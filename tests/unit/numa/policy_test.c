/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy: decisions worked out by hand, every reason among them, and what holds of any decision. */
#include "mock_backend.h"
#include "suite.h"

#include <disco/numa.h>

#include <string.h>

/* trigger 100, sharing 25, one store, two migrations, ten moves in all. */
static struct disco_numa_params params(void)
{
    return (struct disco_numa_params){
        .mode = DISCO_NUMA_ON,
        .trigger = 100,
        .sharing = 25,
        .write = 1,
        .migrate = 2,
        .cap = 10,
        .copy = 32,
        .interval = 1000,
    };
}

/* Node 3 missed 100 times on a private page that lies on node 5; nobody else did. */
#define HOT .node = 3, .at = 5, .misses = 100, .sole = true

/* clang-format off */
static const struct {
    struct disco_numa_view v;
    enum disco_numa_action action;
    enum disco_numa_reason reason;
} table[] = {
    {{HOT}, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE},
    {{HOT, .others = 24}, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE},
    {{HOT, .others = 24, .writes = 1000000}, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE},
    {{HOT, .moves = 1}, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE},
    {{HOT, .moves = 2}, DISCO_NUMA_LEAVE, DISCO_NUMA_RESTLESS},
    {{HOT, .low = true}, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE},
    {{HOT, .full = true}, DISCO_NUMA_LEAVE, DISCO_NUMA_NO_MEMORY},
    {{HOT, .spent = 9}, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE},
    {{HOT, .spent = 10}, DISCO_NUMA_LEAVE, DISCO_NUMA_CAPPED},
    {{HOT, .collapsed = true}, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE},

    {{HOT, .others = 25}, DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED},
    {{HOT, .others = 25, .writes = 1}, DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED},
    {{HOT, .others = 25, .writes = 2}, DISCO_NUMA_LEAVE, DISCO_NUMA_WRITE_SHARED},
    {{HOT, .others = 25, .collapsed = true}, DISCO_NUMA_LEAVE, DISCO_NUMA_WRITE_SHARED},
    {{HOT, .others = 25, .moves = 2}, DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED},
    {{HOT, .others = 25, .full = true, .low = true}, DISCO_NUMA_LEAVE, DISCO_NUMA_NO_MEMORY},
    {{HOT, .others = 25, .low = true}, DISCO_NUMA_LEAVE, DISCO_NUMA_LOW_MEMORY},
    {{HOT, .others = 25, .spent = 10}, DISCO_NUMA_LEAVE, DISCO_NUMA_CAPPED},
    {{.node = 3, .at = 5, .misses = UINT64_MAX, .others = UINT64_MAX, .sole = true},
     DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED},

    /* A copy-on-write page of several virtual machines: no migration, and no store can change it in place. */
    {{.node = 3, .at = 5, .misses = 100, .read_only = true}, DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED},
    {{.node = 3, .at = 5, .misses = 100, .read_only = true, .writes = 99, .collapsed = true},
     DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED},
    /* The same, but its last user. */
    {{HOT, .read_only = true}, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE},

    {{HOT, .replicated = true}, DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED},
    {{HOT, .replicated = true, .writes = 1}, DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED},
    {{HOT, .replicated = true, .writes = 2}, DISCO_NUMA_DO_COLLAPSE, DISCO_NUMA_WRITTEN},
    {{HOT, .replicated = true, .writes = 2, .spent = 10}, DISCO_NUMA_LEAVE, DISCO_NUMA_CAPPED},
    {{HOT, .replicated = true, .writes = 2, .read_only = true}, DISCO_NUMA_DO_REPLICATE, DISCO_NUMA_READ_SHARED},
    {{HOT, .replicated = true, .copy_here = true}, DISCO_NUMA_DO_REMAP, DISCO_NUMA_FAR_COPY},
    {{HOT, .replicated = true, .copy_here = true, .full = true}, DISCO_NUMA_DO_REMAP, DISCO_NUMA_FAR_COPY},
    {{HOT, .replicated = true, .copy_here = true, .stale = true}, DISCO_NUMA_LEAVE, DISCO_NUMA_STALE},
    {{HOT, .replicated = true, .copy_here = true, .spent = 10}, DISCO_NUMA_LEAVE, DISCO_NUMA_CAPPED},

    {{.node = 3, .at = 5, .misses = 99, .sole = true}, DISCO_NUMA_LEAVE, DISCO_NUMA_NOT_HOT},
    {{.node = 3, .at = 5, .misses = 0, .others = 500}, DISCO_NUMA_LEAVE, DISCO_NUMA_NOT_HOT},
    {{.node = 3, .at = 3, .misses = 100, .sole = true}, DISCO_NUMA_LEAVE, DISCO_NUMA_LOCAL},
    {{.node = 1023, .at = 1022, .misses = 100, .sole = true}, DISCO_NUMA_DO_MIGRATE, DISCO_NUMA_ONE_NODE},

    {{HOT, .page = DISCO_NUMA_PAGE_FOREIGN}, DISCO_NUMA_LEAVE, DISCO_NUMA_FOREIGN},
    {{HOT, .page = DISCO_NUMA_PAGE_FREE}, DISCO_NUMA_LEAVE, DISCO_NUMA_FREE},
    {{HOT, .page = DISCO_NUMA_PAGE_MONITOR}, DISCO_NUMA_LEAVE, DISCO_NUMA_MONITOR},
    {{HOT, .page = DISCO_NUMA_PAGE_NO_USER}, DISCO_NUMA_LEAVE, DISCO_NUMA_NO_USER},
    {{HOT, .page = DISCO_NUMA_PAGE_CHANGED}, DISCO_NUMA_LEAVE, DISCO_NUMA_CHANGED},
    {{HOT, .page = DISCO_NUMA_PAGE_WIRED}, DISCO_NUMA_LEAVE, DISCO_NUMA_WIRED},
    {{HOT, .page = (enum disco_numa_page)77}, DISCO_NUMA_LEAVE, DISCO_NUMA_FOREIGN},
};
/* clang-format on */

#define ROWS (sizeof table / sizeof table[0])

START_TEST(known_answers)
{
    const struct disco_numa_params p = params();

    for (size_t i = 0; i < ROWS; i++) {
        struct disco_numa_decision d = disco_numa_decide(&p, &table[i].v);

        ck_assert_msg(d.action == table[i].action && d.reason == table[i].reason, "row %zu: %s, %s",
                      i, disco_numa_action_name(d.action), disco_numa_reason_name(d.reason));
    }
}
END_TEST

/* Each reason and each action is some row's; a mode accounts for the one that is left. */
START_TEST(every_reason_is_reached)
{
    bool reason[DISCO_NUMA_REASONS] = {[DISCO_NUMA_DISABLED] = true};
    bool action[DISCO_NUMA_ACTIONS] = {false};

    for (size_t i = 0; i < ROWS; i++)
        reason[table[i].reason] = action[table[i].action] = true;
    for (unsigned r = 0; r < DISCO_NUMA_REASONS; r++)
        ck_assert_msg(reason[r], "%s", disco_numa_reason_name((enum disco_numa_reason)r));
    for (unsigned a = 0; a < DISCO_NUMA_ACTIONS; a++)
        ck_assert_msg(action[a], "%s", disco_numa_action_name((enum disco_numa_action)a));
}
END_TEST

static struct disco_numa_decision in_mode(unsigned mode, struct disco_numa_view v)
{
    struct disco_numa_params p = params();

    p.mode = mode;
    return disco_numa_decide(&p, &v);
}

START_TEST(modes)
{
    const struct disco_numa_view one = {HOT}, several = {HOT, .others = 25},
                                 written = {HOT, .replicated = true, .writes = 2},
                                 far = {HOT, .replicated = true, .copy_here = true};

    ck_assert_int_eq(in_mode(DISCO_NUMA_OFF, one).reason, DISCO_NUMA_DISABLED);
    ck_assert_int_eq(in_mode(DISCO_NUMA_OFF, several).reason, DISCO_NUMA_DISABLED);
    ck_assert_int_eq(in_mode(DISCO_NUMA_OFF, written).reason, DISCO_NUMA_DISABLED);
    ck_assert_int_eq(in_mode(DISCO_NUMA_OFF, far).reason, DISCO_NUMA_DISABLED);
    ck_assert_int_eq(in_mode(DISCO_NUMA_MIGRATE, one).action, DISCO_NUMA_DO_MIGRATE);
    ck_assert_int_eq(in_mode(DISCO_NUMA_MIGRATE, several).reason, DISCO_NUMA_DISABLED);
    ck_assert_int_eq(in_mode(DISCO_NUMA_MIGRATE, written).action, DISCO_NUMA_DO_COLLAPSE);
    ck_assert_int_eq(in_mode(DISCO_NUMA_MIGRATE, far).action, DISCO_NUMA_DO_REMAP);
    ck_assert_int_eq(in_mode(DISCO_NUMA_REPLICATE, one).reason, DISCO_NUMA_DISABLED);
    ck_assert_int_eq(in_mode(DISCO_NUMA_REPLICATE, several).action, DISCO_NUMA_DO_REPLICATE);
}
END_TEST

/* Verghese's numbers for one of his workloads, Engineering: 96, 24, 1, 1. */
START_TEST(engineering)
{
    struct disco_numa_params p = {
        .mode = DISCO_NUMA_ON,
        .trigger = 96,
        .sharing = 24,
        .write = 0,
        .migrate = 1,
        .cap = 1000,
        .interval = 100 * 1000 * 1000,
    };
    struct disco_numa_view v = {.node = 1, .at = 0, .misses = 96, .sole = true};

    ck_assert_int_eq(disco_numa_params_check(&p), 0);
    ck_assert_int_eq(disco_numa_decide(&p, &v).action, DISCO_NUMA_DO_MIGRATE);
    v.moves = 1;
    ck_assert_int_eq(disco_numa_decide(&p, &v).reason, DISCO_NUMA_RESTLESS);
    v.others = 24;
    ck_assert_int_eq(disco_numa_decide(&p, &v).action, DISCO_NUMA_DO_REPLICATE);
    v.writes = 1;
    ck_assert_int_eq(disco_numa_decide(&p, &v).reason, DISCO_NUMA_WRITE_SHARED);
    v.misses = 95;
    ck_assert_int_eq(disco_numa_decide(&p, &v).reason, DISCO_NUMA_NOT_HOT);
}
END_TEST

START_TEST(params_check)
{
    struct disco_numa_params p, bad;

    disco_numa_params_default(&p);
    ck_assert_int_eq(disco_numa_params_check(&p), 0);
    ck_assert_int_eq(disco_numa_params_check(NULL), DISCO_ERR_BAD_ARG);
    bad = p, bad.mode = 4;
    ck_assert_int_eq(disco_numa_params_check(&bad), DISCO_ERR_BAD_ARG);
    bad = p, bad.trigger = 0;
    ck_assert_int_eq(disco_numa_params_check(&bad), DISCO_ERR_BAD_ARG);
    bad = p, bad.sharing = 0;
    ck_assert_int_eq(disco_numa_params_check(&bad), DISCO_ERR_BAD_ARG);
    bad = p, bad.sharing = bad.trigger + 1;
    ck_assert_int_eq(disco_numa_params_check(&bad), DISCO_ERR_BAD_ARG);
    bad = p, bad.interval = 0;
    ck_assert_int_eq(disco_numa_params_check(&bad), DISCO_ERR_BAD_ARG);
    bad = p, bad.sharing = bad.trigger, bad.write = bad.migrate = bad.cap = bad.copy = 0;
    bad.mode = DISCO_NUMA_OFF;
    ck_assert_int_eq(disco_numa_params_check(&bad), 0);
}
END_TEST

START_TEST(names)
{
    for (unsigned r = 0; r < DISCO_NUMA_REASONS; r++) {
        const char *name = disco_numa_reason_name((enum disco_numa_reason)r);

        ck_assert(name && name[0] && name[0] != '?');
        for (unsigned o = 0; o < r; o++)
            ck_assert_str_ne(name, disco_numa_reason_name((enum disco_numa_reason)o));
    }
    ck_assert_str_eq(disco_numa_reason_name(DISCO_NUMA_WRITE_SHARED), "write_shared");
    ck_assert_str_eq(disco_numa_reason_name(DISCO_NUMA_REASONS), "?");
    ck_assert_str_eq(disco_numa_reason_name((enum disco_numa_reason) - 1), "?");
    ck_assert_str_eq(disco_numa_action_name(DISCO_NUMA_DO_REMAP), "remap");
    ck_assert_str_eq(disco_numa_action_name(DISCO_NUMA_ACTIONS), "?");
}
END_TEST

/* --- what holds of any decision, on random views --- */

static uint64_t seed;
static unsigned dice(unsigned n) { return (unsigned)(mock_random(&seed) % n); }

/* Around the thresholds, and far from them. */
static uint64_t count_near(uint64_t threshold)
{
    switch (dice(4)) {
    case 0: return threshold + dice(3) - (threshold ? 1 : 0);
    case 1: return dice(2) ? 0 : UINT64_MAX;
    default: return dice(400);
    }
}

static struct disco_numa_params random_params(void)
{
    struct disco_numa_params p = {
        .mode = dice(4),
        .trigger = 1 + dice(200),
        .write = dice(4),
        .migrate = dice(4),
        .cap = dice(20),
        .copy = dice(64),
        .interval = 1 + dice(1000),
    };

    p.sharing = 1 + dice(p.trigger);
    ck_assert_int_eq(disco_numa_params_check(&p), 0);
    return p;
}

static struct disco_numa_view random_view(const struct disco_numa_params *p)
{
    return (struct disco_numa_view){
        .page =
            dice(4) ? DISCO_NUMA_PAGE_GUEST : (enum disco_numa_page)dice(DISCO_NUMA_PAGE_WIRED + 1),
        .node = dice(4),
        .at = dice(4),
        .misses = count_near(p->trigger),
        .others = count_near(p->sharing),
        .writes = count_near(p->write),
        .moves = dice(5),
        .spent = dice(24),
        .replicated = dice(2),
        .copy_here = !dice(4),
        .stale = dice(2),
        .collapsed = !dice(4),
        .read_only = !dice(3),
        .sole = dice(3),
        .low = !dice(3),
        .full = !dice(5),
    };
}

static void check_any(const struct disco_numa_params *p, const struct disco_numa_view *v,
                      struct disco_numa_decision d)
{
    if (d.action == DISCO_NUMA_LEAVE) {
        ck_assert_int_gt(d.reason, DISCO_NUMA_FAR_COPY);
        ck_assert_int_lt(d.reason, DISCO_NUMA_REASONS);
        return;
    }
    ck_assert_int_eq((int)d.reason, (int)d.action - 1);
    ck_assert_int_ne(p->mode, DISCO_NUMA_OFF);
    ck_assert_int_eq(v->page, DISCO_NUMA_PAGE_GUEST);
    ck_assert_uint_ge(v->misses, p->trigger);
    ck_assert_uint_ne(v->node, v->at);
    ck_assert_uint_lt(v->spent, p->cap);
    ck_assert_int_eq(v->copy_here, d.action == DISCO_NUMA_DO_REMAP);
}

static void check_migrate(const struct disco_numa_params *p, const struct disco_numa_view *v)
{
    ck_assert(p->mode & DISCO_NUMA_MIGRATE);
    ck_assert(v->sole && !v->replicated && !v->full);
    ck_assert_uint_lt(v->others, p->sharing);
    ck_assert_uint_lt(v->moves, p->migrate);
}

static void check_replicate(const struct disco_numa_params *p, const struct disco_numa_view *v)
{
    ck_assert(p->mode & DISCO_NUMA_REPLICATE);
    ck_assert(!v->full && !v->low);
    ck_assert(v->read_only || (v->writes <= p->write && !v->collapsed));
    ck_assert(v->replicated || !v->sole || v->others >= p->sharing);
}

START_TEST(any_view)
{
    unsigned acted[DISCO_NUMA_ACTIONS] = {0};

    seed = 0x9e3779b9 + (uint64_t)_i;
    for (unsigned i = 0; i < 100000; i++) {
        const struct disco_numa_params p = random_params();
        const struct disco_numa_view v = random_view(&p), again = v;
        struct disco_numa_decision d = disco_numa_decide(&p, &v), e = disco_numa_decide(&p, &again);

        ck_assert(d.action == e.action && d.reason == e.reason);
        check_any(&p, &v, d);
        acted[d.action]++;
        if (d.action == DISCO_NUMA_DO_MIGRATE)
            check_migrate(&p, &v);
        else if (d.action == DISCO_NUMA_DO_REPLICATE)
            check_replicate(&p, &v);
        else if (d.action == DISCO_NUMA_DO_COLLAPSE)
            ck_assert(v.replicated && !v.read_only && v.writes > p.write);
        else if (d.action == DISCO_NUMA_DO_REMAP)
            ck_assert(!v.stale);
    }
    for (unsigned a = 0; a < DISCO_NUMA_ACTIONS; a++)
        ck_assert_uint_gt(acted[a], 50);
}
END_TEST

/* More misses of the same node never turn a move into none; more stores never make a page replicated. */
START_TEST(monotonous)
{
    seed = 0x51ed270b;
    for (unsigned i = 0; i < 100000; i++) {
        const struct disco_numa_params p = random_params();
        struct disco_numa_view v = random_view(&p), more = v;
        enum disco_numa_action before = disco_numa_decide(&p, &v).action;

        more.misses += more.misses < UINT64_MAX;
        if (before != DISCO_NUMA_LEAVE)
            ck_assert_int_eq(disco_numa_decide(&p, &more).action, before);
        more = v, more.writes += more.writes < UINT64_MAX;
        if (disco_numa_decide(&p, &more).action == DISCO_NUMA_DO_REPLICATE)
            ck_assert_int_eq(before, DISCO_NUMA_DO_REPLICATE);
    }
}
END_TEST

int main(void)
{
    const TTest *tests[] = {known_answers, every_reason_is_reached,
                            modes,         engineering,
                            params_check,  names,
                            monotonous};

    return SUITE_RUN("numa policy", tests, NULL, NULL) ||
           SUITE_LOOP("numa policy, any view", any_view, 4);
}
