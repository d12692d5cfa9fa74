/* SPDX-License-Identifier: BSD-2-Clause */
/* All figures as JSON. Times are whole nanoseconds since the machine started, at marks as at the end. */
#include "flash.h"

#include <inttypes.h>

#define PS 1000 /* of a nanosecond */

static uint64_t sum(const uint64_t n[MODES])
{
    return n[MODE_USER] + n[MODE_SUPERVISOR] + n[MODE_KERNEL];
}

/* Executing, second-level hits included. */
static uint64_t running(const struct config *c, const struct figures *n, enum mode mode)
{
    return (n->executed[mode] * c->cycle + n->hit2[mode] * c->hit2) / PS;
}

static void times(const struct config *c, const struct figures *n, FILE *out)
{
    fprintf(out,
            "\"ns\": {\"user\": %" PRIu64 ", \"supervisor\": %" PRIu64 ", \"kernel\": %" PRIu64,
            running(c, n, MODE_USER), running(c, n, MODE_SUPERVISOR), running(c, n, MODE_KERNEL));
    fprintf(out,
            ", \"stall_local\": %" PRIu64 ", \"stall_remote\": %" PRIu64 ", \"idle\": %" PRIu64,
            sum(n->local) * c->local / PS, sum(n->remote) * c->remote / PS, n->idle / PS);
    fprintf(out, ", \"all\": %" PRIu64 "}", (clock_busy(c, n) + n->idle) / PS);
}

static void by_mode(const char *name, const uint64_t n[MODES], FILE *out)
{
    fprintf(out,
            ", \"%s\": {\"user\": %" PRIu64 ", \"supervisor\": %" PRIu64 ", \"kernel\": %" PRIu64,
            name, n[MODE_USER], n[MODE_SUPERVISOR], n[MODE_KERNEL]);
    fprintf(out, ", \"all\": %" PRIu64 "}", sum(n));
}

static void figures(const struct config *c, const struct figures *n, FILE *out)
{
    times(c, n, out);
    by_mode("executed", n->executed, out);
    by_mode("hit2", n->hit2, out);
    by_mode("local", n->local, out);
    by_mode("remote", n->remote, out);
    fprintf(out, ", \"misses\": %" PRIu64 ", \"upgrades\": %" PRIu64,
            sum(n->local) + sum(n->remote), n->upgrades);
}

static void add_up(struct figures *to, const struct figures *n)
{
    const uint64_t *from = (const uint64_t *)n;
    uint64_t *word = (uint64_t *)to;

    for (size_t i = 0; i < sizeof *n / sizeof *from; i++)
        word[i] += from[i];
}

/* Processors, then the machine: the sum of them, and how much of what they missed was near. */
static void machine(const struct flash *f, const struct figures *n, size_t stride, FILE *out)
{
    struct figures total = {0};

    fprintf(out, "\"cpus\": [");
    for (unsigned id = 0; id < f->c.cpus; id++) {
        const struct figures *one = (const void *)((const char *)n + id * stride);

        fprintf(out, "%s{\"node\": %" PRIu32 ", ", id ? ",\n  " : "\n  ", f->cpu[id].node);
        figures(&f->c, one, out);
        fprintf(out, "}");
        add_up(&total, one);
    }
    fprintf(out, "],\n \"machine\": {");
    figures(&f->c, &total, out);
    if (sum(total.local) + sum(total.remote))
        fprintf(out, ", \"local_share\": %.4f",
                (double)sum(total.local) / (double)(sum(total.local) + sum(total.remote)));
    fprintf(out, "}");
}

static void marks(const struct flash *f, FILE *out)
{
    fprintf(out, "\"marks\": [");
    for (unsigned i = 0; i < f->marks; i++) {
        const struct mark *m = &f->mark[i];

        fprintf(out, "%s{\"cpu\": %u, \"number\": %u, ", i ? ",\n" : "\n", m->cpu, m->number);
        machine(f, m->n, sizeof *m->n, out);
        fprintf(out, "}");
    }
    fprintf(out, "],\n");
}

static void config(const struct config *c, FILE *out)
{
    fprintf(out, "\"config\": {\"nodes\": %" PRIu32 ", \"cpus\": %" PRIu32 ", \"ram\": %" PRIu64,
            c->nodes, c->cpus, c->ram);
    fprintf(out,
            ", \"line\": %u, \"l1\": [%" PRIu32 ", %" PRIu32 "], \"l2\": [%" PRIu32 ", %" PRIu32
            "]",
            1u << c->line_shift, c->first.bytes, c->first.ways, c->second.bytes, c->second.ways);
    fprintf(out, ", \"cycle_ps\": %" PRIu64 ", \"hit2_ns\": %" PRIu64, c->cycle, c->hit2 / PS);
    fprintf(out, ", \"local_ns\": %" PRIu64 ", \"remote_ns\": %" PRIu64, c->local / PS,
            c->remote / PS);
    fprintf(out, ", \"uma\": %s, \"wake\": %s, \"sample\": %" PRIu32 "},\n",
            c->uma ? "true" : "false", c->wake ? "true" : "false", c->sample);
}

void report(const struct flash *f, const char *target, FILE *out)
{
    fprintf(out, "{\"target\": \"%s\",\n", target);
    config(&f->c, out);
    marks(f, out);
    machine(f, &f->cpu[0].n, sizeof f->cpu[0], out);
    fprintf(out, ",\n\"marks_lost\": %u, \"hot\": %" PRIu64 ", \"overflows\": %" PRIu64 "}\n",
            f->marks_lost, f->ring.hot, f->ring.overflows);
}
