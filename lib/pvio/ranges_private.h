/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_RANGES_PRIVATE_H
#define DISCO_RANGES_PRIVATE_H

/*
 * The tree below the map (tree.c). A leaf's slots are ranges, in order. An inner node's slots are its children:
 * `first` is the first key below the child, always exactly, and `value` its number (index + 1).
 *
 * All nodes but the root are at least half full. For a moment an insertion has one slot more than
 * DISCO_RANGES_KEYS: that is what the last slot is for.
 */

#include <disco/ranges.h>

#define KEYS DISCO_RANGES_KEYS
#define HALF (KEYS / 2)
/* HALF^12 is more nodes than a pool can have. */
#define LEVELS 12

_Static_assert(sizeof(struct disco_ranges_node) == 8 + 24 * (KEYS + 1), "a node has no holes");

/* The way from the root to one slot of a leaf. */
struct path {
    uint32_t node[LEVELS]; /* [0] is the root */
    uint32_t slot[LEVELS];
};

/* The way to the last range that begins at @p at or before it, or to the first one. The map is not empty. */
void disco_tree_seek(const struct disco_ranges *r, uint64_t at, struct path *p);
/* The range there. */
struct disco_range *disco_tree_range(const struct disco_ranges *r, const struct path *p);
/* On to the next one. @return whether there is one; if not, the path is where it was. */
bool disco_tree_next(const struct disco_ranges *r, struct path *p);
/* The first key of the range there is new: tell those above. */
void disco_tree_rekey(struct disco_ranges *r, const struct path *p);
/* Nodes that @p n insertions behind the place of @p p take at most; 1 or 2, to the same place. */
uint32_t disco_tree_cost(const struct disco_ranges *r, const struct path *p, unsigned n);
/* Insert @p x where it belongs; the nodes are there. Nothing overlaps it. */
void disco_tree_insert(struct disco_ranges *r, const struct disco_range *x);
/* Remove the range at @p p, which leads nowhere then. */
void disco_tree_remove(struct disco_ranges *r, struct path *p);
/* All nodes of the tree go back. */
void disco_tree_free(struct disco_ranges *r);

#endif
