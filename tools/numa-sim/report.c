/* SPDX-License-Identifier: BSD-2-Clause */
#include "sim.h"

#include <inttypes.h>

unsigned best(const struct options *o, const struct result *r, unsigned n, uint64_t cost)
{
    unsigned at = 0;

    for (unsigned i = 1; i < n; i++) {
        if (time_of(o, &r[i], cost) < time_of(o, &r[at], cost))
            at = i;
    }
    return at;
}

static void heading(const struct options *o, const struct result *r)
{
    if (o->trace)
        printf("%s", o->trace);
    else
        printf("pattern %s, seed %" PRIu64, pattern_name[o->pattern], o->seed);
    printf(": %u nodes, %" PRIu64 " pages, %" PRIu64 " misses\n\n", o->nodes, r->pages,
           r->local + r->remote);
}

static void by_trigger(const struct result *r)
{
    char trigger[16] = "none";

    if (r->params.mode != DISCO_NUMA_OFF)
        snprintf(trigger, sizeof trigger, "%u", r->params.trigger);
    printf("%8s %9.2f %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n", trigger,
           100 * locality(r), r->moves[DISCO_NUMA_DO_MIGRATE], r->moves[DISCO_NUMA_DO_REPLICATE],
           r->moves[DISCO_NUMA_DO_COLLAPSE], r->most);
}

static void by_cost(const struct options *o, const struct result *r, unsigned n, uint64_t cost)
{
    const struct result *b = &r[best(o, r, n, cost)];
    char trigger[16] = "none";

    if (b != r)
        snprintf(trigger, sizeof trigger, "%u", b->params.trigger);
    printf("%8" PRIu64 " %9s %10.2f %10" PRIu64 " %10.2f\n", cost / 1000, trigger,
           100 * locality(b), all_moves(b),
           time_of(o, r, 0) > 0 ? 100 * time_of(o, b, cost) / time_of(o, r, 0) : 100.0);
}

/* Of the reasons to leave pages alone, those that there were. */
static void reasons(const struct result *r)
{
    bool any = false;

    for (unsigned i = DISCO_NUMA_DISABLED; i < DISCO_NUMA_REASONS; i++) {
        if (!r->decided[i])
            continue;
        if (!any)
            printf("left alone, with trigger %u:", r->params.trigger);
        printf(" %s %" PRIu64, disco_numa_reason_name((enum disco_numa_reason)i), r->decided[i]);
        any = true;
    }
    if (any)
        printf("\n");
}

void report(const struct options *o, const struct result *r, unsigned n)
{
    heading(o, r);
    printf(" trigger   local %%   migrated replicated  collapsed  most used\n");
    for (unsigned i = 0; i < n; i++)
        by_trigger(&r[i]);
    printf("\n cost us   trigger    local %%      moves     time %%\n");
    for (unsigned i = 0; i < o->costs; i++)
        by_cost(o, r, n, o->cost[i]);
    printf("\n");
    for (unsigned i = 1; i < n; i++)
        reasons(&r[i]);
}
