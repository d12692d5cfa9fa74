/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A B+ tree without links between leaves: who goes on to the next range climbs the path it came by. Nodes that
 * fall below half are evened out with a neighbour or merged with it.
 */
#include "ranges_private.h"

#include <string.h>

typedef struct disco_ranges_node node;

static node *node_at(const struct disco_ranges *r, uint32_t number)
{
    return &r->pool->node[number - 1];
}

static uint32_t take(struct disco_ranges *r)
{
    uint32_t n = r->pool->free;

    r->pool->free = node_at(r, n)->next;
    r->pool->left--;
    node_at(r, n)->used = 0;
    return n;
}

static void give(struct disco_ranges *r, uint32_t n)
{
    node_at(r, n)->next = r->pool->free;
    r->pool->free = n;
    r->pool->left++;
}

/* Room for one slot at @p i. */
static struct disco_range *open_slot(node *n, uint32_t i)
{
    memmove(&n->slot[i + 1], &n->slot[i], (n->used - i) * sizeof n->slot[0]);
    n->used++;
    return &n->slot[i];
}

static void close_slot(node *n, uint32_t i)
{
    n->used--;
    memmove(&n->slot[i], &n->slot[i + 1], (n->used - i) * sizeof n->slot[0]);
}

/* The last slot whose first key is not beyond @p at; the first slot, if all are. */
static uint32_t search(const node *n, uint64_t at)
{
    uint32_t low = 0, high = n->used;

    while (high - low > 1) {
        uint32_t mid = (low + high) / 2;

        if (n->slot[mid].first <= at)
            low = mid;
        else
            high = mid;
    }
    return low;
}

static uint32_t child(const struct disco_ranges *r, const struct path *p, unsigned level)
{
    return (uint32_t)node_at(r, p->node[level])->slot[p->slot[level]].value;
}

void disco_tree_seek(const struct disco_ranges *r, uint64_t at, struct path *p)
{
    for (unsigned l = 0; l < r->height; l++) {
        p->node[l] = l ? child(r, p, l - 1) : r->root;
        p->slot[l] = search(node_at(r, p->node[l]), at);
    }
}

struct disco_range *disco_tree_range(const struct disco_ranges *r, const struct path *p)
{
    return &node_at(r, p->node[r->height - 1])->slot[p->slot[r->height - 1]];
}

bool disco_tree_next(const struct disco_ranges *r, struct path *p)
{
    unsigned l = r->height;

    while (l && p->slot[l - 1] + 1 == node_at(r, p->node[l - 1])->used)
        l--;
    if (!l)
        return false;
    p->slot[l - 1]++;
    for (; l < r->height; l++) {
        p->node[l] = child(r, p, l - 1);
        p->slot[l] = 0;
    }
    return true;
}

void disco_tree_rekey(struct disco_ranges *r, const struct path *p)
{
    for (unsigned l = r->height - 1; l; l--) {
        node *parent = node_at(r, p->node[l - 1]);

        parent->slot[p->slot[l - 1]].first = node_at(r, p->node[l])->slot[0].first;
    }
}

/* A full node is split, which is one more for its parent; a root that is split gets a parent. */
uint32_t disco_tree_cost(const struct disco_ranges *r, const struct path *p, unsigned n)
{
    uint32_t cost = 0;

    if (!r->height)
        return 1;
    for (unsigned l = r->height; l; l--, n = 1, cost++) {
        if (node_at(r, p->node[l - 1])->used + n <= KEYS)
            return cost;
    }
    return cost + 1;
}

/* The upper half of @p n moves to a node of its own. */
static uint32_t split(struct disco_ranges *r, node *n)
{
    uint32_t number = take(r), keep = (n->used + 1) / 2;
    node *upper = node_at(r, number);

    upper->used = n->used - keep;
    memcpy(upper->slot, &n->slot[keep], upper->used * sizeof n->slot[0]);
    n->used = keep;
    return number;
}

static void grow(struct disco_ranges *r)
{
    uint32_t top = take(r);

    node_at(r, top)->used = 1;
    node_at(r, top)->slot[0] =
        (struct disco_range){.first = node_at(r, r->root)->slot[0].first, .value = r->root};
    r->root = top;
    r->height++;
}

/* From the leaf up, as long as nodes have a slot too many. */
static void split_path(struct disco_ranges *r, const struct path *p)
{
    for (unsigned l = r->height; l && node_at(r, p->node[l - 1])->used > KEYS; l--) {
        node *n = node_at(r, p->node[l - 1]);
        uint32_t upper = split(r, n), at = l > 1 ? p->slot[l - 2] : 0;

        if (l == 1)
            grow(r);
        *open_slot(node_at(r, l > 1 ? p->node[l - 2] : r->root), at + 1) =
            (struct disco_range){.first = node_at(r, upper)->slot[0].first, .value = upper};
    }
}

void disco_tree_insert(struct disco_ranges *r, const struct disco_range *x)
{
    struct path p;
    unsigned leaf;
    node *n;

    if (!r->height) {
        r->root = take(r);
        r->height = 1;
    }
    disco_tree_seek(r, x->first, &p);
    leaf = r->height - 1;
    n = node_at(r, p.node[leaf]);
    p.slot[leaf] += n->used && n->slot[p.slot[leaf]].first < x->first;
    *open_slot(n, p.slot[leaf]) = *x;
    disco_tree_rekey(r, &p);
    split_path(r, &p);
}

/* Make one of two neighbours, or make them about equal. @return whether they are one now. */
static bool even_out(node *a, node *b)
{
    uint32_t sum = a->used + b->used, want = sum <= KEYS ? sum : sum / 2;

    if (want > a->used) {
        uint32_t n = want - a->used;

        memcpy(&a->slot[a->used], b->slot, n * sizeof a->slot[0]);
        memmove(b->slot, &b->slot[n], (b->used - n) * sizeof a->slot[0]);
    } else {
        memmove(&b->slot[a->used - want], b->slot, b->used * sizeof a->slot[0]);
        memcpy(b->slot, &a->slot[want], (a->used - want) * sizeof a->slot[0]);
    }
    a->used = want;
    b->used = sum - want;
    return !b->used;
}

/* The child at slot @p i of @p parent has become too small. */
static void repair(struct disco_ranges *r, node *parent, uint32_t i)
{
    uint32_t left = i ? i - 1 : 0, right = left + 1;
    struct disco_range *a = &parent->slot[left], *b = &parent->slot[right];
    bool one = even_out(node_at(r, (uint32_t)a->value), node_at(r, (uint32_t)b->value));

    a->first = node_at(r, (uint32_t)a->value)->slot[0].first;
    if (one) {
        give(r, (uint32_t)b->value);
        close_slot(parent, right);
    } else {
        b->first = node_at(r, (uint32_t)b->value)->slot[0].first;
    }
}

/* A root with one child is not needed, nor one with nothing. */
static void shrink(struct disco_ranges *r)
{
    while (r->height && node_at(r, r->root)->used == (r->height > 1)) {
        uint32_t old = r->root;

        r->root = r->height > 1 ? (uint32_t)node_at(r, old)->slot[0].value : 0;
        r->height--;
        give(r, old);
    }
}

void disco_tree_remove(struct disco_ranges *r, struct path *p)
{
    unsigned l = r->height - 1;

    close_slot(node_at(r, p->node[l]), p->slot[l]);
    disco_tree_rekey(r, p);
    for (; l && node_at(r, p->node[l])->used < HALF; l--)
        repair(r, node_at(r, p->node[l - 1]), p->slot[l - 1]);
    shrink(r);
}

static void free_below(struct disco_ranges *r, uint32_t number, unsigned level)
{
    node *n = node_at(r, number);

    for (uint32_t i = 0; level && i < n->used; i++)
        free_below(r, (uint32_t)n->slot[i].value, level - 1);
    give(r, number);
}

void disco_tree_free(struct disco_ranges *r)
{
    if (r->height)
        free_below(r, r->root, r->height - 1);
    r->root = r->height = 0;
}
