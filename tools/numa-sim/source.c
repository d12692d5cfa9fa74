/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where misses come from. A trace is read once, for it is run several times; made-up misses are made again each time,
 * from the same random numbers.
 */
#include "sim.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct source {
    const struct options *o;
    struct miss *miss; /* of a trace */
    size_t misses, room, at;
    uint64_t seed, ns; /* of made-up ones */
    unsigned node;
};

/* --- traces --- */

static void keep(struct source *s, const struct miss *m)
{
    if (s->misses == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        s->miss = must_have(realloc(s->miss, s->room * sizeof *s->miss));
    }
    s->miss[s->misses++] = *m;
}

static _Noreturn void bad(const struct source *s, unsigned line, const char *what)
{
    die(1, "%s:%u: %s", s->o->trace, line, what);
}

/* A number that ends at a blank or at the end of the line. */
static bool take(char **at, uint64_t most, uint64_t *n)
{
    char *end;

    errno = 0;
    *at += strspn(*at, " \t");
    if (**at < '0' || **at > '9')
        return false;
    *n = strtoull(*at, &end, 10);
    *at = end;
    return !errno && *n <= most && strspn(end, " \t\r\n") + !*end;
}

static void parse(struct source *s, unsigned line, char *text)
{
    struct miss m = {.count = 1};
    uint64_t n;

    text[strcspn(text, "#")] = 0;
    text += strspn(text, " \t\r\n");
    if (!*text)
        return;
    if (!take(&text, UINT64_MAX, &m.ns))
        bad(s, line, "the time is no number of nanoseconds");
    if (s->misses && m.ns < s->miss[s->misses - 1].ns)
        bad(s, line, "time goes back");
    if (!take(&text, s->o->nodes - 1, &n))
        bad(s, line, "there is no such node: see --nodes");
    m.node = (uint16_t)n;
    if (!take(&text, UINT64_MAX, &m.page))
        bad(s, line, "the page is no number");
    text += strspn(text, " \t");
    if ((*text != 'r' && *text != 'w') || !strchr(" \t\r\n", text[1]))
        bad(s, line, "neither r nor w");
    m.write = *text++ == 'w';
    text += strspn(text, " \t\r\n");
    n = 1;
    if (*text && (!take(&text, UINT32_MAX, &n) || !n || text[strspn(text, " \t\r\n")]))
        bad(s, line, "what follows r or w is no count");
    m.count = (uint32_t)n;
    keep(s, &m);
}

static void read_trace(struct source *s)
{
    FILE *f = fopen(s->o->trace, "r");
    char *text = NULL;
    size_t room = 0;

    if (!f)
        die(1, "%s: %s", s->o->trace, strerror(errno));
    for (unsigned line = 1; getline(&text, &room, f) >= 0; line++)
        parse(s, line, text);
    if (ferror(f))
        die(1, "%s: %s", s->o->trace, strerror(errno));
    free(text);
    fclose(f);
    if (!s->misses)
        die(1, "%s: there is nothing in it", s->o->trace);
}

/* --- made-up misses --- */

static uint64_t dice(struct source *s, uint64_t n)
{
    s->seed ^= s->seed >> 12;
    s->seed ^= s->seed << 25;
    s->seed ^= s->seed >> 27;
    return (s->seed * UINT64_C(0x2545f4914f6cdd1d) >> 16) % n;
}

/* Of pages that are numbered from 0, those with lower numbers more often: half of the time, the first quarter. */
static uint64_t uneven(struct source *s, uint64_t n)
{
    uint64_t a = dice(s, n), b = dice(s, n);

    return a * b / n;
}

/* In which fifth of the time it is. */
static uint64_t era(const struct source *s) { return s->ns / (s->o->time / 5 + 1); }

/* One of the pages that are the node's at this time: every nodes-th. */
static uint64_t own(struct source *s, uint64_t pages, uint64_t first)
{
    uint64_t nodes = s->o->nodes, each = pages / nodes;

    return each ? dice(s, each) * nodes + (s->node + first) % nodes : dice(s, pages);
}

static void make(struct source *s, enum pattern pattern, uint64_t pages, struct miss *m)
{
    switch (pattern) {
    case PRIVATE: m->page = own(s, pages, 0), m->write = dice(s, 3) == 0; break;
    case MOVING: m->page = own(s, pages, era(s)), m->write = dice(s, 3) == 0; break;
    case WRITTEN: m->page = uneven(s, pages), m->write = dice(s, 10) == 0; break;
    default: m->page = uneven(s, pages); break;
    }
}

/* Node 0 begins with a store to each page, as a program that prepares its data does: so they lie there. */
static bool prepare(struct source *s, struct miss *m)
{
    *m = (struct miss){.page = s->at, .count = 1, .write = true};
    return s->at++ < s->o->pages;
}

static bool make_up(struct source *s, struct miss *m)
{
    const struct options *o = s->o;

    if (s->at < o->pages)
        return prepare(s, m);
    if (s->ns >= o->time)
        return false;
    *m = (struct miss){.ns = s->ns, .node = (uint16_t)s->node, .count = 1};
    if (o->pattern == MIXED && o->pages >= MIXED) {
        enum pattern kind = (enum pattern)dice(s, MIXED);

        make(s, kind, o->pages / MIXED, m);
        m->page = m->page * MIXED + kind;
    } else {
        make(s, o->pattern, o->pages, m);
    }
    if (++s->node == o->nodes) {
        s->node = 0;
        s->ns += o->rate;
    }
    return true;
}

/* --- both --- */

struct source *source_open(const struct options *o)
{
    static struct source s;

    s = (struct source){.o = o};
    if (o->trace)
        read_trace(&s);
    source_rewind(&s);
    return &s;
}

void source_rewind(struct source *s)
{
    s->at = s->ns = s->node = 0;
    s->seed = s->o->seed * 2 + 1;
}

bool source_next(struct source *s, struct miss *m)
{
    if (!s->o->trace)
        return make_up(s, m);
    if (s->at == s->misses)
        return false;
    *m = s->miss[s->at++];
    return true;
}

void source_close(struct source *s)
{
    free(s->miss);
    s->miss = NULL;
}
