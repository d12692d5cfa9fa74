/* SPDX-License-Identifier: BSD-2-Clause */
/* A set-associative cache that replaces what was not used for longest. */
#include "flash.h"

#include <stdlib.h>

bool cache_init(struct cache *c, uint32_t lines, uint32_t ways)
{
    c->sets = lines / ways;
    c->ways = ways;
    c->tag = calloc(lines, sizeof *c->tag);
    c->used = calloc(lines, sizeof *c->used);
    return c->tag && c->used;
}

void cache_fini(struct cache *c)
{
    free(c->tag);
    free(c->used);
}

static uint32_t first_of(const struct cache *c, uint32_t line)
{
    return (line & (c->sets - 1)) * c->ways;
}

uint32_t *cache_find(const struct cache *c, uint32_t line)
{
    uint32_t first = first_of(c, line);

    for (uint32_t i = first; i < first + c->ways; i++) {
        if ((cache_load(&c->tag[i]) & ~TAG_OWNED) == cache_tag(line))
            return &c->tag[i];
    }
    return NULL;
}

uint32_t *cache_victim(const struct cache *c, uint32_t line)
{
    uint32_t first = first_of(c, line), oldest = first;

    for (uint32_t i = first; i < first + c->ways; i++) {
        if (!cache_load(&c->tag[i]))
            return &c->tag[i];
        if (c->clock - c->used[i] > c->clock - c->used[oldest])
            oldest = i;
    }
    return &c->tag[oldest];
}

void cache_put(struct cache *c, uint32_t *place, uint32_t tag)
{
    /* In full order: who puts a line here looks afterwards whether it was taken away meanwhile. */
    __atomic_store_n(place, tag, __ATOMIC_SEQ_CST);
    c->used[place - c->tag] = ++c->clock;
}

/* Only if the tag is still the line's: its owner may be putting another one there. */
static void change(uint32_t *place, uint32_t from, uint32_t to)
{
    __atomic_compare_exchange_n(place, &from, to, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void cache_drop(struct cache *c, uint32_t line)
{
    uint32_t *place = cache_find(c, line), tag = cache_tag(line);

    if (place) {
        change(place, tag | TAG_OWNED, 0);
        change(place, tag, 0);
    }
}

void cache_share(struct cache *c, uint32_t line)
{
    uint32_t *place = cache_find(c, line), tag = cache_tag(line);

    if (place)
        change(place, tag | TAG_OWNED, tag);
}
