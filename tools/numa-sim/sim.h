/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NUMA_SIM_H
#define NUMA_SIM_H

/*
 * numa-sim: the policy of disco/numa.h over traces of cache misses, for machines with up to 1024 nodes.
 *
 *   main.c     the runs: every trigger, then every cost        options.c  the command line
 *   sim.c      a machine that has nothing but pages             source.c   misses, from a trace or made up
 *   report.c   tables                                          plot.c     the same as a picture
 */

#include <disco/numa.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define MAX_NODES 1024
#define MAX_LIST 16 /* triggers, or costs */

/* --- options.c --- */

enum pattern { PRIVATE, SHARED, WRITTEN, MOVING, MIXED, PATTERNS };

struct options {
    const char *trace; /* NULL: made up */
    const char *plot;  /* NULL: no picture */
    enum pattern pattern;
    unsigned nodes;
    uint64_t pages, memory; /* memory: pages a node has, 0 = as many as it likes */
    uint64_t time, rate;    /* ns: of the whole, and between two misses of a node */
    uint64_t seed;
    uint64_t local, remote;          /* ns a miss takes */
    struct disco_numa_params params; /* but for the trigger and what follows from it */
    bool sharing; /* params.sharing was given; else it is a quarter of the trigger */
    uint32_t trigger[MAX_LIST];
    unsigned triggers;
    uint64_t cost[MAX_LIST]; /* of a move, in ns */
    unsigned costs;
};

extern const char *const pattern_name[PATTERNS];
/* Ends the program where there is nothing to run: --help, or an error, which it tells. */
void options_parse(struct options *o, int argc, char **argv);

/* --- source.c --- */

/* @c count misses of a node on a page at one time. */
struct miss {
    uint64_t ns, page;
    uint32_t count;
    uint16_t node;
    bool write;
};

struct source;

/* One at a time. A trace is read whole; what is wrong with it ends the program. */
struct source *source_open(const struct options *o);
void source_rewind(struct source *s);
bool source_next(struct source *s, struct miss *m);
void source_close(struct source *s);

/* --- sim.c --- */

struct result {
    struct disco_numa_params params;
    uint64_t local, remote; /* misses */
    uint64_t moves[DISCO_NUMA_ACTIONS];
    uint64_t decided[DISCO_NUMA_REASONS];
    uint64_t pages; /* that were used */
    uint64_t most;  /* copies and pages on one node, at most */
};

struct result simulate(const struct options *o, const struct disco_numa_params *p,
                       struct source *s);

static inline uint64_t all_moves(const struct result *r)
{
    uint64_t sum = 0;

    for (unsigned a = DISCO_NUMA_DO_MIGRATE; a < DISCO_NUMA_ACTIONS; a++)
        sum += r->moves[a];
    return sum;
}

/* Share of the misses that were local. */
static inline double locality(const struct result *r)
{
    uint64_t all = r->local + r->remote;

    return all ? (double)r->local / (double)all : 0;
}

/* Nanoseconds spent on misses and moves. */
static inline double time_of(const struct options *o, const struct result *r, uint64_t cost)
{
    return (double)r->local * (double)o->local + (double)r->remote * (double)o->remote +
           (double)all_moves(r) * (double)cost;
}

/* --- report.c, plot.c --- */

/* The result that takes least time where a move costs so much: 0 is the one without moves. */
unsigned best(const struct options *o, const struct result *r, unsigned n, uint64_t cost);
/* r[0]: without moves; then one for each trigger. */
void report(const struct options *o, const struct result *r, unsigned n);
/* @return false, having told why, if there is no picture. */
bool plot(const struct options *o, const struct result *r, unsigned n);

/* Tell and end. */
_Noreturn void die(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *must_have(void *memory);

#endif
