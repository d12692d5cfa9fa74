/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The map: what setting and clearing do to the ranges that are there. At most two ranges come into being at once, a
 * new one and the rest of one that is cut in two, beside each other; whether there are nodes for them is known
 * before anything is changed. What is removed first only gives nodes back: where a node becomes fuller by it, it has
 * been merged with another.
 */
#include "ranges_private.h"

#include <string.h>

void disco_ranges_pool_init(struct disco_ranges_pool *pool, struct disco_ranges_node *nodes,
                            uint32_t n)
{
    pool->node = nodes;
    pool->free = n ? 1 : 0;
    pool->left = n;
    for (uint32_t i = 0; i < n; i++)
        nodes[i].next = i + 1 < n ? i + 2 : 0;
}

static uint64_t end_of(const struct disco_range *x) { return x->first + x->count; }

/* The way to the first range that ends after @p at. */
static bool seek(const struct disco_ranges *r, uint64_t at, struct path *p)
{
    if (!r->height)
        return false;
    disco_tree_seek(r, at, p);
    return end_of(disco_tree_range(r, p)) > at || disco_tree_next(r, p);
}

bool disco_ranges_find(const struct disco_ranges *r, uint64_t at, struct disco_range *out)
{
    struct path p;
    bool found = seek(r, at, &p);

    if (found)
        *out = *disco_tree_range(r, &p);
    return found;
}

bool disco_ranges_get(const struct disco_ranges *r, uint64_t at, uint64_t *value)
{
    struct disco_range x;

    if (!disco_ranges_find(r, at, &x) || x.first > at)
        return false;
    *value = x.value + (at - x.first);
    return true;
}

/* Has @p at the value @p value? */
static bool has(const struct disco_ranges *r, uint64_t at, uint64_t value)
{
    uint64_t v;

    return disco_ranges_get(r, at, &v) && v == value;
}

/* Does one range reach beyond both ends of @p x? */
static bool cuts(const struct disco_ranges *r, const struct disco_range *x)
{
    struct disco_range there;

    return disco_ranges_find(r, x->first, &there) && there.first < x->first &&
           end_of(&there) > end_of(x);
}

/* What @p n ranges more at @p at take at most. They come behind the last range that begins before. */
static uint32_t cost(const struct disco_ranges *r, uint64_t at, unsigned n)
{
    struct path p;

    if (!n)
        return 0;
    if (r->height)
        disco_tree_seek(r, at ? at - 1 : 0, &p);
    return disco_tree_cost(r, &p, n);
}

/* Cut @p x out of the range at @p p, which overlaps it. @return whether others may overlap it, too. */
static void cut(struct disco_ranges *r, struct path *p, const struct disco_range *x)
{
    struct disco_range *there = disco_tree_range(r, p), old = *there;
    uint64_t end = end_of(x) < end_of(&old) ? end_of(x) : end_of(&old);
    struct disco_range rest = {end, end_of(&old) - end, old.value + (end - old.first)};

    if (old.first < x->first) {
        there->count = x->first - old.first;
        r->values -= end - x->first;
        if (rest.count)
            disco_tree_insert(r, &rest);
        return;
    }
    r->values -= end - old.first;
    if (rest.count) {
        *there = rest;
        disco_tree_rekey(r, p);
    } else {
        disco_tree_remove(r, p);
    }
}

static void cut_all(struct disco_ranges *r, const struct disco_range *x)
{
    struct path p;

    while (seek(r, x->first, &p) && disco_tree_range(r, &p)->first < end_of(x))
        cut(r, &p, x);
}

/* Nothing overlaps @p x. It becomes part of the range before it, of the one behind it, or of both made one. */
static void put(struct disco_ranges *r, const struct disco_range *x, bool before, bool behind)
{
    struct disco_range sum = *x;
    struct path p;

    if (behind) {
        seek(r, end_of(x), &p);
        sum.count += disco_tree_range(r, &p)->count;
        if (before) {
            disco_tree_remove(r, &p);
        } else {
            *disco_tree_range(r, &p) = sum;
            disco_tree_rekey(r, &p);
        }
    }
    if (before) {
        seek(r, x->first - 1, &p);
        disco_tree_range(r, &p)->count += sum.count;
    }
    if (!before && !behind)
        disco_tree_insert(r, x);
    r->values += x->count;
}

/* Is @p x there already, in one range? */
static bool known(const struct disco_ranges *r, const struct disco_range *x)
{
    struct disco_range there;

    return disco_ranges_find(r, x->first, &there) && there.first <= x->first &&
           end_of(&there) >= end_of(x) && has(r, x->first, x->value);
}

/* Is there a range that @p x continues, and one that continues it? */
static void neighbours(const struct disco_ranges *r, const struct disco_range *x, bool *before,
                       bool *behind)
{
    *before = x->first && has(r, x->first - 1, x->value - 1);
    *behind = has(r, end_of(x), x->value + x->count);
}

uint32_t disco_ranges_cost(const struct disco_ranges *r, uint64_t first, uint64_t count,
                           uint64_t value)
{
    const struct disco_range x = {first, count, value};
    bool before, behind;

    if (known(r, &x))
        return 0;
    neighbours(r, &x, &before, &behind);
    return cost(r, first, cuts(r, &x) + (!before && !behind));
}

static bool sensible(uint64_t first, uint64_t count) { return count && first + count > first; }

int disco_ranges_set(struct disco_ranges *r, uint64_t first, uint64_t count, uint64_t value)
{
    const struct disco_range x = {first, count, value};
    bool before, behind;

    if (!sensible(first, count))
        return DISCO_ERR_BAD_ARG;
    if (known(r, &x))
        return DISCO_OK;
    neighbours(r, &x, &before, &behind);
    if (cost(r, first, cuts(r, &x) + (!before && !behind)) > r->pool->left)
        return DISCO_ERR_NO_SPACE;
    cut_all(r, &x);
    put(r, &x, before, behind);
    return DISCO_OK;
}

int disco_ranges_clear(struct disco_ranges *r, uint64_t first, uint64_t count)
{
    const struct disco_range x = {first, count, 0};

    if (!sensible(first, count))
        return DISCO_ERR_BAD_ARG;
    if (cost(r, first, cuts(r, &x)) > r->pool->left)
        return DISCO_ERR_NO_SPACE;
    cut_all(r, &x);
    return DISCO_OK;
}

void disco_ranges_empty(struct disco_ranges *r)
{
    disco_tree_free(r);
    r->values = 0;
}
