/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>

#include "icount.h"

void trace_begin(struct cpu *cpu, unsigned entry)
{
    cpu->tracing = true;
    cpu->start = cpu->executed[MODE_KERNEL];
    cpu->key = (struct trace_key){.entry = entry, .cause = cpu->trapped};
    cpu->trapped = 0;
}

static bool same(const struct trace_key *a, const struct trace_key *b)
{
    return a->end == b->end && a->cause == b->cause && a->tags == b->tags && a->entry == b->entry;
}

static uint64_t hash(const struct trace_key *k)
{
    uint64_t h = k->end ^ (uint64_t)k->cause << 20 ^ (uint64_t)k->tags << 9 ^ k->entry;

    return (h * UINT64_C(0x9e3779b97f4a7c15)) >> 40;
}

static struct trace *find(struct trace table[MAX_TRACES], const struct trace_key *key)
{
    uint64_t h = hash(key);

    for (unsigned n = 0; n < MAX_TRACES; n++) {
        struct trace *t = &table[(h + n) % MAX_TRACES];

        if (t->histogram && same(&t->key, key))
            return t;
        if (!t->histogram) {
            t->key = *key;
            t->min = UINT64_MAX;
            t->histogram = calloc(HISTOGRAM + 1, sizeof *t->histogram);
            return t->histogram ? t : NULL;
        }
    }
    return NULL;
}

bool trace_end(struct trace table[MAX_TRACES], struct cpu *cpu, uint64_t end)
{
    uint64_t n = cpu->executed[MODE_KERNEL] - cpu->start + 1; /* and the eret itself */
    struct trace *t;

    if (!cpu->tracing)
        return true;
    cpu->tracing = false;
    cpu->traces++;
    cpu->key.end = end;
    t = find(table, &cpu->key);
    if (!t)
        return false;
    t->count++;
    t->total += n;
    t->min = n < t->min ? n : t->min;
    t->max = n > t->max ? n : t->max;
    t->histogram[n < HISTOGRAM ? n : HISTOGRAM]++;
    return true;
}
