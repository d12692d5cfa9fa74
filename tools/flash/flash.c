/* SPDX-License-Identifier: BSD-2-Clause */
/* The model's life. Tables for what RAM has are large, and cost memory only where RAM is used. */
#include "flash.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define SPINS 1000

/* Held for a few dozen instructions; whoever holds it may have lost its processor, though. */
void lock(bool *busy)
{
    for (unsigned n = 1; __atomic_test_and_set(busy, __ATOMIC_ACQUIRE); n++) {
        if (n % SPINS == 0)
            sched_yield();
    }
}

static bool power_of_two(uint64_t n) { return n && !(n & (n - 1)); }

static bool good_cache(const struct geometry *g, uint32_t line_shift)
{
    uint32_t lines = g->bytes >> line_shift;

    return g->ways && lines % g->ways == 0 && power_of_two(lines / g->ways);
}

static const char *check(const struct config *c)
{
    if (!c->cpus || c->cpus > MAX_CPUS)
        return "from 1 to 64 processors";
    if (!c->nodes || c->nodes > MAX_NODES)
        return "from 1 to 64 nodes";
    if (c->line_shift < 4 || c->line_shift > DISCO_PAGE_SHIFT)
        return "a line is a power of two from 16 to 4096 bytes";
    if (c->ram >> DISCO_PAGE_SHIFT < c->nodes || c->ram > UINT64_C(1) << 34)
        return "ram is at least a page for each node and at most 16 GiB";
    if (!good_cache(&c->first, c->line_shift) || !good_cache(&c->second, c->line_shift))
        return "a cache has a power of two of sets";
    if (!c->sample || !power_of_two(c->slots) || c->slots > DISCO_FLASH_SLOTS_MAX)
        return "sample is at least 1, and slots a power of two up to 65536";
    return NULL;
}

static bool init_cpu(struct cpu *cpu, const struct config *c, unsigned id)
{
    uint32_t first = c->first.bytes >> c->line_shift, second = c->second.bytes >> c->line_shift;

    cpu->mode = MODE_KERNEL;
    cpu->node = id * c->nodes / c->cpus;
    return cache_init(&cpu->code, first, c->first.ways) &&
           cache_init(&cpu->data, first, c->first.ways) &&
           cache_init(&cpu->second, second, c->second.ways);
}

static bool init_tables(struct flash *f)
{
    const struct config *c = &f->c;
    size_t bytes = c->cpus * sizeof *f->cpu;

    f->cpu = aligned_alloc(_Alignof(struct cpu), bytes);
    if (!f->cpu)
        return false;
    memset(f->cpu, 0, bytes);
    f->holders = calloc(c->ram >> c->line_shift, sizeof *f->holders);
    f->count = calloc(f->pages * c->nodes, sizeof *f->count);
    f->epoch = calloc(f->pages, sizeof *f->epoch);
    f->mark = calloc(MAX_MARKS, sizeof *f->mark);
    f->noted = calloc((size_t)MAX_MARKS * c->cpus, sizeof *f->noted);
    for (unsigned id = 0; id < c->cpus; id++) {
        if (!init_cpu(&f->cpu[id], c, id))
            return false;
    }
    return f->holders && f->count && f->epoch && f->mark && f->noted;
}

const char *flash_init(struct flash *f, const struct config *c)
{
    const char *wrong = check(c);

    memset(f, 0, sizeof *f);
    if (wrong)
        return wrong;
    f->c = *c;
    f->pages = c->ram >> DISCO_PAGE_SHIFT;
    f->node_pages = f->pages / c->nodes;
    if (init_tables(f))
        return NULL;
    flash_fini(f);
    return "not enough memory for the model";
}

void flash_fini(struct flash *f)
{
    for (unsigned id = 0; f->cpu && id < f->c.cpus; id++) {
        cache_fini(&f->cpu[id].code);
        cache_fini(&f->cpu[id].data);
        cache_fini(&f->cpu[id].second);
    }
    free(f->cpu);
    free(f->holders);
    free(f->count);
    free(f->epoch);
    free(f->mark);
    free(f->noted);
    memset(f, 0, sizeof *f);
}
