/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_RANGES_H
#define DISCO_RANGES_H

/**
 * @file ranges.h
 * @brief An ordered map from ranges of numbers to values: a B+ tree in nodes of a pool.
 *
 * The index of a disk's cached sectors and of a VM's log (Disco, section 4.2.1, which uses B-trees, because most
 * questions are for ranges). A range [first, first + count) stands for the values value, value + 1, ...: neighbours
 * that continue each other are kept as one. Ranges never overlap.
 *
 * Memory is bounded by the pool; several maps may share one. No lock: whoever owns the map has one.
 */

#include <disco/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Keys that a node holds. */
#define DISCO_RANGES_KEYS 15

/** One range of a map. */
struct disco_range {
    uint64_t first, count, value;
};

/** A node; the pool is an array of these. Opaque. */
struct disco_ranges_node {
    uint32_t used, next;
    struct disco_range slot[DISCO_RANGES_KEYS + 1];
};

/** Nodes for any number of maps. */
struct disco_ranges_pool {
    struct disco_ranges_node *node;
    uint32_t free; /**< index + 1 of the first free node */
    uint32_t left; /**< free nodes */
};

/** One map; zeroed but for `pool` it is empty. */
struct disco_ranges {
    struct disco_ranges_pool *pool;
    uint32_t root; /**< index + 1; 0 = empty */
    uint32_t height;
    uint64_t values; /**< numbers that have a value */
};

/**
 * Nodes that are enough for @p maps maps of one pool that have @p values values together, however scattered: all
 * nodes but roots are kept about half full.
 */
static inline uint64_t disco_ranges_nodes(uint64_t values, uint64_t maps)
{
    return values / (DISCO_RANGES_KEYS / 2 - 1) + 2 * maps + 1;
}
/** Put @p n nodes into @p pool. */
void disco_ranges_pool_init(struct disco_ranges_pool *pool, struct disco_ranges_node *node,
                            uint32_t n);
/** The first range that ends after @p at (contains it, or comes behind). @return whether there is one. */
bool disco_ranges_find(const struct disco_ranges *r, uint64_t at, struct disco_range *out);
/** The value of @p at. @return whether it has one. */
bool disco_ranges_get(const struct disco_ranges *r, uint64_t at, uint64_t *value);
/** Nodes that disco_ranges_set() with the same arguments takes at most: what it asks of the pool. */
uint32_t disco_ranges_cost(const struct disco_ranges *r, uint64_t first, uint64_t count,
                           uint64_t value);
/**
 * Give [first, first + count) values from @p value on; what was there is replaced. @return 0; DISCO_ERR_NO_SPACE (too
 * few nodes are left: nothing has changed); DISCO_ERR_BAD_ARG (count 0, or wraps around).
 */
int disco_ranges_set(struct disco_ranges *r, uint64_t first, uint64_t count, uint64_t value);
/** Take the values of [first, first + count) away. @return as disco_ranges_set(): cutting a range in two may need a node. */
int disco_ranges_clear(struct disco_ranges *r, uint64_t first, uint64_t count);
/** Empty the map: all its nodes go back. */
void disco_ranges_empty(struct disco_ranges *r);

#ifdef __cplusplus
}
#endif
#endif
