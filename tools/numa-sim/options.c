/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line. */
#include "sim.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "numa-sim [OPTION]... [TRACE]: what a policy for hot pages makes of a trace of cache misses.\n"
    "\n"
    "A line of TRACE is NANOSECONDS NODE PAGE r|w [COUNT]: so many misses (1) of a node on a page, "
    "by loads or by\n"
    "stores. Time does not go back. Empty lines and what follows # do not count. Without TRACE, "
    "misses are made up:\n"
    "  --pattern NAME   private (each page is one node's, and begins on node 0), shared (all read "
    "all, some pages\n"
    "                   more than others), written (the same, and one miss in ten is a store), "
    "moving (private, and\n"
    "                   it is another node's in every fifth of the time), mixed (a quarter of the "
    "pages each; default)\n"
    "  --pages N        how many (32 for each node)\n"
    "  --time MS        how long (500)\n"
    "  --rate NS        between two misses of a node (2000)\n"
    "  --seed N         of the random numbers (1)\n"
    "The machine:\n"
    "  --nodes N        1 to 1024 (8)\n"
    "  --memory N       pages that a node has; below a sixteenth of it, no replicas are made (0: "
    "no limit)\n"
    "  --local NS, --remote NS   what a miss takes (300, 900)\n"
    "  --cost US,...    what a move takes (20,60,100,200,450)\n"
    "The policy (see disco/numa.h):\n"
    "  --mode off|migrate|replicate|on   (on)\n"
    "  --trigger N,...  (16,32,64,128,256,512)\n"
    "  --sharing N      (a quarter of the trigger)\n"
    "  --write N, --migrate N, --cap N, --interval MS   (1, 2, 256 for each 8 nodes, 100)\n"
    "Output: a table for each trigger, and one for each cost with the trigger that is best there.\n"
    "  --plot FILE.svg  the second one as a picture, by gnuplot (Debian package gnuplot-nox)\n"
    "  --help\n";

const char *const pattern_name[PATTERNS] = {
    [PRIVATE] = "private", [SHARED] = "shared", [WRITTEN] = "written",
    [MOVING] = "moving",   [MIXED] = "mixed",
};

enum word {
    HELP = 1,
    PATTERN,
    PAGES,
    TIME,
    RATE,
    SEED,
    NODES,
    MEMORY,
    LOCAL,
    REMOTE,
    COST,
    MODE,
    TRIGGER,
    SHARING,
    WRITE,
    MIGRATE,
    CAP,
    INTERVAL,
    PLOT,
};

static const struct option_row {
    const char *name;
    uint64_t least, most; /* of a number */
} row[] = {
    [HELP] = {"help", 0, 0},
    [PATTERN] = {"pattern", 0, 0},
    [PAGES] = {"pages", 1, 1 << 24},
    [TIME] = {"time", 1, 1000000},
    [RATE] = {"rate", 1, 1000000000},
    [SEED] = {"seed", 0, UINT64_MAX},
    [NODES] = {"nodes", 1, MAX_NODES},
    [MEMORY] = {"memory", 0, 1 << 30},
    [LOCAL] = {"local", 0, 1000000000},
    [REMOTE] = {"remote", 0, 1000000000},
    [COST] = {"cost", 0, 1000000},
    [MODE] = {"mode", 0, 0},
    [TRIGGER] = {"trigger", 1, 65535},
    [SHARING] = {"sharing", 1, 65535},
    [WRITE] = {"write", 0, UINT32_MAX},
    [MIGRATE] = {"migrate", 0, UINT32_MAX},
    [CAP] = {"cap", 0, UINT32_MAX},
    [INTERVAL] = {"interval", 1, 1000000},
    [PLOT] = {"plot", 0, 0},
};

#define ROWS (sizeof row / sizeof row[0])

static uint64_t number(enum word which, const char *text)
{
    char *end;
    uint64_t n = strtoull(text, &end, 10);

    if (end == text || *end || *text == '-' || n < row[which].least || n > row[which].most)
        die(2, "--%s: \"%s\" is not a number from %llu to %llu", row[which].name, text,
            (unsigned long long)row[which].least, (unsigned long long)row[which].most);
    return n;
}

/* Numbers with commas between; how many. */
static unsigned numbers(enum word which, char *text, uint64_t list[MAX_LIST])
{
    unsigned n = 0;

    for (char *rest = text, *one; (one = strsep(&rest, ","));) {
        if (n == MAX_LIST)
            die(2, "--%s: more than %u numbers", row[which].name, MAX_LIST);
        list[n++] = number(which, one);
    }
    return n;
}

static unsigned one_of(enum word which, const char *text, const char *const *name, unsigned names)
{
    for (unsigned i = 0; i < names; i++) {
        if (!strcmp(text, name[i]))
            return i;
    }
    die(2, "--%s: there is no \"%s\"", row[which].name, text);
}

static void set_triggers(struct options *o, char *text)
{
    uint64_t list[MAX_LIST];

    o->triggers = numbers(TRIGGER, text, list);
    for (unsigned i = 0; i < o->triggers; i++)
        o->trigger[i] = (uint32_t)list[i];
}

static void set_costs(struct options *o, char *text)
{
    o->costs = numbers(COST, text, o->cost);
    for (unsigned i = 0; i < o->costs; i++)
        o->cost[i] *= 1000;
}

static void set_policy(struct options *o, enum word which, const char *text)
{
    static const char *const mode[] = {"off", "migrate", "replicate", "on"};
    struct disco_numa_params *p = &o->params;

    switch (which) {
    case MODE: p->mode = one_of(which, text, mode, 4); break;
    case SHARING: p->sharing = (uint32_t)number(which, text), o->sharing = true; break;
    case WRITE: p->write = (uint32_t)number(which, text); break;
    case MIGRATE: p->migrate = (uint32_t)number(which, text); break;
    case CAP: p->cap = (uint32_t)number(which, text); break;
    default: p->interval = number(which, text) * 1000000; break;
    }
}

static void set(struct options *o, enum word which, char *text)
{
    switch (which) {
    case HELP: fputs(help, stdout); exit(EXIT_SUCCESS);
    case PATTERN: o->pattern = one_of(which, text, pattern_name, PATTERNS); break;
    case PAGES: o->pages = number(which, text); break;
    case TIME: o->time = number(which, text) * 1000000; break;
    case RATE: o->rate = number(which, text); break;
    case SEED: o->seed = number(which, text); break;
    case NODES: o->nodes = (unsigned)number(which, text); break;
    case MEMORY: o->memory = number(which, text); break;
    case LOCAL: o->local = number(which, text); break;
    case REMOTE: o->remote = number(which, text); break;
    case COST: set_costs(o, text); break;
    case TRIGGER: set_triggers(o, text); break;
    case PLOT: o->plot = text; break;
    default: set_policy(o, which, text); break;
    }
}

static void defaults(struct options *o)
{
    static const uint32_t trigger[] = {16, 32, 64, 128, 256, 512};
    static const uint64_t cost[] = {20000, 60000, 100000, 200000, 450000};

    *o = (struct options){
        .pattern = MIXED,
        .nodes = 8,
        .time = 500000000,
        .rate = 2000,
        .seed = 1,
        .local = 300,
        .remote = 900,
        .triggers = sizeof trigger / sizeof trigger[0],
        .costs = sizeof cost / sizeof cost[0],
    };
    disco_numa_params_default(&o->params);
    o->params.cap = UINT32_MAX;
    memcpy(o->trigger, trigger, sizeof trigger);
    memcpy(o->cost, cost, sizeof cost);
}

/* What follows from other options, or does not go with them. */
static void settle(struct options *o)
{
    if (!o->pages)
        o->pages = 32 * (uint64_t)o->nodes;
    if (o->params.cap == UINT32_MAX)
        o->params.cap = 256 * ((o->nodes + 7) / 8);
    for (unsigned i = 0; o->sharing && i < o->triggers; i++) {
        if (o->params.sharing > o->trigger[i])
            die(2, "--sharing: %u is above the trigger %u", o->params.sharing, o->trigger[i]);
    }
}

void options_parse(struct options *o, int argc, char **argv)
{
    struct option longs[ROWS] = {{0}};
    int which;

    for (unsigned i = 1; i < ROWS; i++)
        longs[i - 1] =
            (struct option){row[i].name, i == HELP ? no_argument : required_argument, NULL, (int)i};
    defaults(o);
    while ((which = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (which == '?')
            die(2, "--help lists the options");
        set(o, (enum word)which, optarg);
    }
    if (argc - optind > 1)
        die(2, "one trace at a time, not also \"%s\"", argv[optind + 1]);
    o->trace = argv[optind];
    settle(o);
}
