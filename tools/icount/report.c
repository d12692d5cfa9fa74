/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "icount.h"

static void executed(FILE *out, const uint64_t n[MODES])
{
    fprintf(out, "\"user\": %" PRIu64 ", \"supervisor\": %" PRIu64 ", \"kernel\": %" PRIu64,
            n[MODE_USER], n[MODE_SUPERVISOR], n[MODE_KERNEL]);
}

static const char *comma(bool *first)
{
    const char *text = *first ? "\n  " : ",\n  ";

    *first = false;
    return text;
}

static void cpus(const struct icount *all, FILE *out)
{
    bool first = true;

    fprintf(out, "\"cpus\": [");
    for (unsigned i = 0; i < all->cpus; i++) {
        fprintf(out, "%s{", comma(&first));
        executed(out, all->cpu[i].executed);
        fprintf(out, "}");
    }
    fprintf(out, "],\n");
}

static void marks(const struct icount *all, FILE *out)
{
    bool first = true;

    fprintf(out, "\"marks\": [");
    for (unsigned i = 0; i < all->marks; i++) {
        const struct mark *m = &all->mark[i];

        fprintf(out, "%s{\"cpu\": %u, \"number\": %u, \"traces\": %" PRIu64 ", ", comma(&first),
                m->cpu, m->number, m->traces);
        executed(out, m->executed);
        fprintf(out, ", \"machine\": {");
        executed(out, m->machine);
        fprintf(out, "}}");
    }
    fprintf(out, "],\n");
}

static void tags(const struct icount *all, FILE *out, uint32_t set)
{
    const char *between = "";

    fprintf(out, "\"tags\": [");
    for (unsigned i = 0; i < all->tags; i++) {
        if (set >> i & 1) {
            fprintf(out, "%s\"%s\"", between, all->tag[i].name);
            between = ", ";
        }
    }
    fprintf(out, "], ");
}

/* Instructions -> traces, in text because JSON has no other keys; "longer" is the shared bucket. */
static void histogram(FILE *out, const struct trace *t)
{
    const char *between = "";

    fprintf(out, "\"histogram\": {");
    for (unsigned n = 0; n < HISTOGRAM; n++) {
        if (t->histogram[n]) {
            fprintf(out, "%s\"%u\": %" PRIu64, between, n, t->histogram[n]);
            between = ", ";
        }
    }
    fprintf(out, "}, \"longer\": %" PRIu64, t->histogram[HISTOGRAM]);
}

static void traces(const struct icount *all, FILE *out)
{
    bool first = true;

    fprintf(out, "\"traces\": [");
    for (unsigned i = 0; i < MAX_TRACES; i++) {
        const struct trace *t = &all->trace[i];

        if (!t->count)
            continue;
        fprintf(out, "%s{\"entry\": \"%s\", \"end\": %" PRIu64 ", \"cause\": %" PRIu32 ", ",
                comma(&first), all->entry[t->key.entry].name, t->key.end, t->key.cause);
        tags(all, out, t->key.tags);
        fprintf(out, "\"count\": %" PRIu64 ", \"total\": %" PRIu64, t->count, t->total);
        fprintf(out, ", \"min\": %" PRIu64 ", \"max\": %" PRIu64 ", ", t->min, t->max);
        histogram(out, t);
        fprintf(out, "}");
    }
    fprintf(out, "],\n");
}

static void profiles(const struct icount *all, FILE *out)
{
    bool first = true;

    fprintf(out, "\"profile\": [");
    for (unsigned i = 0; i < all->profiles; i++) {
        const struct profile *p = &all->profile[i];

        for (uint64_t w = 0; w < (p->end - p->start) / 4; w++) {
            if (p->word[w])
                fprintf(out, "%s[%" PRIu64 ", %" PRIu64 "]", comma(&first), p->start + w * 4,
                        p->word[w]);
        }
    }
    fprintf(out, "],\n");
}

void report(const struct icount *all, FILE *out)
{
    fprintf(out, "{\"target\": \"%s\",\n", all->target);
    cpus(all, out);
    marks(all, out);
    traces(all, out);
    profiles(all, out);
    fprintf(out, "\"marks_lost\": %" PRIu64 ", \"traces_lost\": %" PRIu64 "}\n", all->marks_lost,
            all->traces_lost);
}
