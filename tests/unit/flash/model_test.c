/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random traces, against caches that are lists. A list has the lines of one set of one cache, the most recently
 * used first; whether a line may be stored to is written beside it.
 */
#include <string.h>

#include "machine.h"
#include "rng.h"

#define CPUS 4
#define STEPS 20000
#define MOST_WAYS 4

struct list {
    unsigned n, most;
    uint32_t line[MOST_WAYS];
    bool own[MOST_WAYS];
};

struct processor {
    struct list code[64], data[64], second[64]; /* by set */
    uint64_t hit2, local, remote, upgrades;
};

static struct processor p[CPUS];
static struct config c;

static unsigned sets(struct geometry g) { return g.bytes / 128 / g.ways; }

static struct list *of(struct list *lists, struct geometry g, uint32_t line)
{
    struct list *l = &lists[line % sets(g)];

    l->most = g.ways;
    return l;
}

static int find(const struct list *l, uint32_t line)
{
    for (unsigned i = 0; i < l->n; i++) {
        if (l->line[i] == line)
            return (int)i;
    }
    return -1;
}

static void take_out(struct list *l, int at)
{
    if (at < 0)
        return;
    l->n--;
    memmove(&l->line[at], &l->line[at + 1], (l->n - (unsigned)at) * sizeof *l->line);
    memmove(&l->own[at], &l->own[at + 1], (l->n - (unsigned)at) * sizeof *l->own);
}

static void put_first(struct list *l, uint32_t line, bool own)
{
    take_out(l, find(l, line));
    if (l->n == l->most)
        l->n--;
    memmove(&l->line[1], &l->line[0], l->n * sizeof *l->line);
    memmove(&l->own[1], &l->own[0], l->n * sizeof *l->own);
    l->line[0] = line;
    l->own[0] = own;
    l->n++;
}

static void lose(struct processor *who, uint32_t line)
{
    struct list *lists[] = {of(who->code, c.first, line), of(who->data, c.first, line),
                            of(who->second, c.second, line)};

    for (unsigned i = 0; i < 3; i++)
        take_out(lists[i], find(lists[i], line));
}

static void share_out(struct processor *who, uint32_t line)
{
    struct list *lists[] = {of(who->code, c.first, line), of(who->data, c.first, line),
                            of(who->second, c.second, line)};

    for (unsigned i = 0; i < 3; i++) {
        int at = find(lists[i], line);

        if (at >= 0)
            lists[i]->own[at] = false;
    }
}

/* All other processors lose the line, or their sole right to it. Returns whether one had it. */
static bool others(unsigned cpu, uint32_t line, bool store)
{
    bool some = false;

    for (unsigned i = 0; i < CPUS; i++) {
        if (i == cpu || find(of(p[i].second, c.second, line), line) < 0)
            continue;
        some = true;
        if (store)
            lose(&p[i], line);
        else
            share_out(&p[i], line);
    }
    return some;
}

static void ask_home(unsigned cpu, struct list *first, uint32_t line, bool store)
{
    struct processor *who = &p[cpu];
    struct list *second = of(who->second, c.second, line);
    bool there = find(second, line) >= 0, own;

    who->upgrades += there;
    if (!there && second->n == second->most)
        lose(who, second->line[second->n - 1]);
    own = !others(cpu, line, store) || store;
    put_first(second, line, own);
    put_first(first, line, own);
    if ((line / NODE_LINES < 2 ? line / NODE_LINES : 1) == cpu / 2)
        who->local++;
    else
        who->remote++;
}

static void step(unsigned cpu, uint32_t line, bool code, bool store)
{
    struct processor *who = &p[cpu];
    struct list *first = of(code ? who->code : who->data, c.first, line);
    struct list *second = of(who->second, c.second, line);
    int at = find(first, line), at2 = find(second, line);

    if (at >= 0 && (!store || first->own[at])) {
        put_first(first, line, first->own[at]);
    } else if (at2 >= 0 && (!store || second->own[at2])) {
        bool own = second->own[at2];

        who->hit2++;
        put_first(second, line, own);
        put_first(first, line, own);
    } else {
        ask_home(cpu, first, line, store);
    }
}

/* Most lines from a few, so that there is sharing; the rest from all of memory. */
static uint32_t some_line(struct rng *rng)
{
    return rng_below(rng, 3) ? rng_below(rng, 80) : rng_below(rng, 2 * NODE_LINES);
}

static void trace(struct geometry first, struct geometry second, uint64_t seed)
{
    struct rng rng = {seed};

    c = small_machine();
    c.first = first;
    c.second = second;
    memset(p, 0, sizeof p);
    start_with(&c);
    for (unsigned i = 0; i < STEPS; i++) {
        unsigned cpu = rng_below(&rng, CPUS), how = rng_below(&rng, 8);
        uint32_t line = some_line(&rng);

        step(cpu, line, how<2, how> 5);
        if (how < 2)
            flash_fetch(&f, cpu, line);
        else
            flash_access(&f, cpu, line, how > 5);
        REQUIRE(total(f.cpu[cpu].n.hit2) == p[cpu].hit2 &&
                    total(f.cpu[cpu].n.local) == p[cpu].local &&
                    total(f.cpu[cpu].n.remote) == p[cpu].remote &&
                    f.cpu[cpu].n.upgrades == p[cpu].upgrades,
                "step %u: processor %u, line %u", i, cpu, line);
    }
    ck_assert_uint_gt(p[0].hit2, 0);
    ck_assert_uint_gt(p[0].upgrades, 0);
    teardown();
}

START_TEST(two_ways)
{
    trace((struct geometry){8 * 128, 2}, (struct geometry){32 * 128, 2}, (uint64_t)_i);
}
END_TEST

START_TEST(direct_mapped)
{
    trace((struct geometry){8 * 128, 1}, (struct geometry){64 * 128, 1}, (uint64_t)_i);
}
END_TEST

START_TEST(four_ways)
{
    trace((struct geometry){16 * 128, 4}, (struct geometry){64 * 128, 4}, (uint64_t)_i);
}
END_TEST

int main(void)
{
    int failed = SUITE_LOOP("flash-model-2", two_ways, 20);

    failed |= SUITE_LOOP("flash-model-1", direct_mapped, 20);
    return failed | SUITE_LOOP("flash-model-4", four_ways, 20);
}
