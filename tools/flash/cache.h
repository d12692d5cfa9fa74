/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set-associative cache that replaces what was not used for longest. A set lies together: the order in which its places
 * were used, the latest first, then the places' tags. An entry of the order says where in the set the place's tag is.
 *
 * A tag is the line's number + 1, shifted by the bit that says that no other processor has the line: that it may be stored
 * to without asking. 0 is empty. Tags are atomic because other processors take lines away; all else is the owner's.
 *
 * What is called at each access, or at many, is written to be part of its caller.
 */
#ifndef FLASH_CACHE_H
#define FLASH_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAG_OWNED 1u

struct cache {
    uint32_t *set;
    uint32_t last_set, ways; /* sets are numbered from 0, and a power of two */
};

/* Whether memory for it was there. `lines` / `ways` is a power of two. */
bool cache_init(struct cache *c, uint32_t lines, uint32_t ways);
void cache_fini(struct cache *c);
/* The line goes, or is no longer the cache's alone. Any processor. */
void cache_drop(struct cache *c, uint32_t line);
void cache_share(struct cache *c, uint32_t line);

static inline uint32_t cache_tag(uint32_t line) { return (line + 1) << 1; }
static inline uint32_t cache_line(uint32_t tag) { return (tag >> 1) - 1; }

static inline uint32_t cache_load(const uint32_t *tag)
{
    return __atomic_load_n(tag, __ATOMIC_RELAXED);
}

static inline uint32_t *cache_set(const struct cache *c, uint32_t line)
{
    return &c->set[(size_t)(line & c->last_set) * c->ways * 2];
}

/* Whether a tag is the line's, and, for a store, allows it. */
static inline bool cache_is(uint32_t tag, uint32_t line, bool store)
{
    return (store ? tag : tag | TAG_OWNED) == (cache_tag(line) | TAG_OWNED);
}

/* Where a line is; NULL: it is not there. */
static inline uint32_t *cache_find(const struct cache *c, uint32_t line)
{
    uint32_t *tag = cache_set(c, line) + c->ways;

    for (uint32_t i = 0; i < c->ways; i++) {
        if (cache_is(cache_load(&tag[i]), line, false))
            return &tag[i];
    }
    return NULL;
}

/* Where a line is; if it is not there, an empty place, or else that of the least recently used line. */
static inline uint32_t *cache_place(const struct cache *c, uint32_t line)
{
    uint32_t *set = cache_set(c, line), *place = &set[set[c->ways - 1]];

    for (uint32_t i = 2 * c->ways; i-- > c->ways;) {
        uint32_t tag = cache_load(&set[i]);

        if (cache_is(tag, line, false))
            return &set[i];
        if (!tag)
            place = &set[i];
    }
    return place;
}

/* The line, which is at that place, is the most recently used one from now on. The owner only. */
static inline void cache_use(struct cache *c, uint32_t line, const uint32_t *place)
{
    uint32_t *order = cache_set(c, line), own = (uint32_t)(place - order), moved = order[0];

    for (uint32_t i = 1; moved != own; i++) {
        uint32_t next = order[i];

        order[i] = moved;
        moved = next;
    }
    order[0] = own;
}

/*
 * Put a tag there, and use the line. The owner only; `watches`: in full order, because it looks afterwards whether the line
 * was taken away meanwhile.
 */
static inline void cache_put(struct cache *c, uint32_t *place, uint32_t tag, bool watches)
{
    if (watches)
        __atomic_store_n(place, tag, __ATOMIC_SEQ_CST);
    else
        __atomic_store_n(place, tag, __ATOMIC_RELEASE);
    cache_use(c, cache_line(tag), place);
}

/* Whether the cache has the line, and may do that to it; it was not the latest of its set. */
static inline bool cache_hit_other(struct cache *c, uint32_t line, bool store)
{
    const uint32_t *place = cache_find(c, line);

    if (!place || !cache_is(cache_load(place), line, store))
        return false;
    cache_use(c, line, place);
    return true;
}

/* The same of the latest, which it stays. Here most accesses end. */
static inline bool cache_hit_latest(const struct cache *c, uint32_t line, bool store)
{
    const uint32_t *set = cache_set(c, line);

    return cache_is(cache_load(&set[set[0]]), line, store);
}

#endif
