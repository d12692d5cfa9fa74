/* SPDX-License-Identifier: BSD-2-Clause */
#include "cache.h"

#include <stdlib.h>

bool cache_init(struct cache *c, uint32_t lines, uint32_t ways)
{
    c->last_set = lines / ways - 1;
    c->ways = ways;
    c->set = calloc(2 * (size_t)lines, sizeof *c->set);
    for (uint32_t i = 0; c->set && i < lines; i++)
        cache_set(c, i / ways)[i % ways] = ways + i % ways;
    return c->set;
}

void cache_fini(struct cache *c) { free(c->set); }

/* Only while the tag is still the line's: its owner may be putting another one there. */
static void change(uint32_t *place, uint32_t line, uint32_t to)
{
    uint32_t tag = cache_load(place);

    while (cache_is(tag, line, false) && tag != to &&
           !__atomic_compare_exchange_n(place, &tag, to, false, __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
}

void cache_drop(struct cache *c, uint32_t line)
{
    uint32_t *place = cache_find(c, line);

    if (place)
        change(place, line, 0);
}

void cache_share(struct cache *c, uint32_t line)
{
    uint32_t *place = cache_find(c, line);

    if (place)
        change(place, line, cache_tag(line));
}
