/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation by node: a stack of free pages for each node.
 *
 * The links lie in the pages' own entries. Linked lists are feared for their cache misses, but this
 * one is mostly touched at its top, and the entry at the top is the one the caller is about to
 * write anyway (taking a page changes its state, freeing it too): a separate array of page numbers would cost a line
 * as well, and memory beyond 32 bytes a page.
 * Last in, first out, so that the page freed last, whose entry and perhaps contents are still
 * in the cache, goes out first. The links go both ways, so that a page in the middle can be taken, for a row; the page at
 * the top has itself before it, so that the high half of LINK tells whether a page is in the stack.
 *
 * A page that was taken off the stack but whose HEAD still says FREE belongs to the taker: it is
 * in no list, and every other call refuses a FREE page.
 */
#include "memmap_private.h"

static uint32_t below(const struct disco_memmap_page *pg)
{
    return low_half(disco_load(&pg->word[LINK]));
}
static uint32_t above(const struct disco_memmap_page *pg)
{
    return high_half(disco_load(&pg->word[LINK]));
}

static void set_below(struct disco_memmap_page *pg, uint32_t link)
{
    disco_store(&pg->word[LINK], halves(above(pg), link));
}

static void set_above(struct disco_memmap_page *pg, uint32_t link)
{
    disco_store(&pg->word[LINK], halves(link, below(pg)));
}

void disco_freelist_push(struct disco_memmap *mm, struct disco_memmap_page *pg, unsigned node)
{
    struct node *n = &mm->node[node];
    uint32_t self = link_of_page(mm, pg);

    disco_lock(&n->lock, mm->backend);
    disco_store(&pg->word[LINK], halves(self, n->top));
    if (n->top)
        set_above(page_of_link(mm, n->top), self);
    n->top = self;
    disco_count_own(&n->free, 1);
    disco_unlock(&n->lock);
}

/* Under the node's lock: @p pg, which is in its stack, is no more. */
static void take_out(struct disco_memmap *mm, struct node *n, struct disco_memmap_page *pg)
{
    uint32_t next = below(pg), previous = above(pg);
    bool top = n->top == link_of_page(mm, pg);

    if (top)
        n->top = next;
    else
        set_below(page_of_link(mm, previous), next);
    if (next)
        set_above(page_of_link(mm, next), top ? next : previous);
    disco_store(&pg->word[LINK], 0);
    disco_count_own(&n->free, UINT64_MAX);
    disco_count_own(&n->allocs, 1);
}

static struct disco_memmap_page *pop(struct disco_memmap *mm, unsigned node, bool remote)
{
    struct node *n = &mm->node[node];
    struct disco_memmap_page *pg = NULL;

    disco_lock(&n->lock, mm->backend);
    if (n->top) {
        pg = page_of_link(mm, n->top);
        take_out(mm, n, pg);
        disco_count_own(&n->remote_allocs, remote);
    } else {
        disco_count_own(&n->failures, 1);
    }
    disco_unlock(&n->lock);
    return pg;
}

/* The first reference to a page that was taken out. */
static void begin_use(struct disco_memmap *mm, struct disco_memmap_page *pg,
                      enum disco_page_state state)
{
    uint64_t head = page_lock(mm, pg);

    page_unlock(pg, head_with_state(head, state) | HEAD_REF);
}

static bool may_be(enum disco_page_state state)
{
    return state == DISCO_PAGE_MONITOR || state == DISCO_PAGE_PRIVATE;
}

int disco_memmap_alloc(struct disco_memmap *mm, unsigned node, enum disco_page_state state,
                       disco_mpn *out)
{
    struct disco_memmap_page *pg = NULL;

    if (node >= mm->nodes || !may_be(state))
        return DISCO_ERR_BAD_ARG;
    for (unsigned i = 0; !pg && i < mm->nodes; i++)
        pg = pop(mm, mm->prefer[(size_t)node * mm->nodes + i], i > 0);
    if (!pg)
        return DISCO_ERR_NO_MEMORY;
    begin_use(mm, pg, state);
    *out = mpn_of_page(mm, pg);
    return DISCO_OK;
}

/* --- rows --- */

/*
 * Under the node's lock. LINK first: a page that is free after that was not a replica before, for it would have had to come
 * through the lock.
 */
static bool is_free_on(const struct disco_memmap_page *pg, unsigned node)
{
    bool listed = high_half(disco_load_acquire(&pg->word[LINK]));
    uint64_t head = disco_load(&pg->word[HEAD]);

    return listed && head_state(head) == DISCO_PAGE_FREE && head_node(head) == node;
}

static bool is_free_row(const struct disco_memmap *mm, uint64_t at, unsigned n, unsigned node)
{
    for (unsigned i = 0; i < n; i++) {
        if (!is_free_on(&mm->page[at + i], node))
            return false;
    }
    return true;
}

#define NO_ROW UINT64_MAX

/* The highest row, by index: single pages are handed out from below. */
static uint64_t find_row(const struct disco_memmap *mm, unsigned n, unsigned node)
{
    uint64_t at = mm->pages - (mm->first + mm->pages) % n;

    while (at >= n && at <= mm->pages) {
        at -= n;
        if (is_free_row(mm, at, n, node))
            return at;
    }
    return NO_ROW;
}

static uint64_t take_row(struct disco_memmap *mm, unsigned n, unsigned node)
{
    struct node *of = &mm->node[node];
    uint64_t at = NO_ROW;

    disco_lock(&of->lock, mm->backend);
    if (of->free >= n)
        at = find_row(mm, n, node);
    for (unsigned i = 0; at != NO_ROW && i < n; i++)
        take_out(mm, of, &mm->page[at + i]);
    disco_unlock(&of->lock);
    return at;
}

int disco_memmap_alloc_row(struct disco_memmap *mm, unsigned node, enum disco_page_state state,
                           unsigned n, disco_mpn *first)
{
    uint64_t at;

    if (node >= mm->nodes || !may_be(state) || !n || n & (n - 1))
        return DISCO_ERR_BAD_ARG;
    at = take_row(mm, n, node);
    if (at == NO_ROW)
        return DISCO_ERR_NO_MEMORY;
    for (unsigned i = 0; i < n; i++)
        begin_use(mm, &mm->page[at + i], state);
    *first = mpn_of_page(mm, &mm->page[at]);
    return DISCO_OK;
}

int disco_memmap_node_stats(const struct disco_memmap *mm, unsigned node,
                            struct disco_memmap_node_stats *out)
{
    const struct node *n;

    if (node >= mm->nodes)
        return DISCO_ERR_BAD_ARG;
    n = &mm->node[node];
    out->total = disco_load(&n->total);
    out->free = disco_load(&n->free);
    out->low_water = mm->low_water;
    out->allocs = disco_load(&n->allocs);
    out->remote_allocs = disco_load(&n->remote_allocs);
    out->failures = disco_load(&n->failures);
    return DISCO_OK;
}

bool disco_memmap_low(const struct disco_memmap *mm, unsigned node)
{
    return node < mm->nodes && disco_load(&mm->node[node].free) < mm->low_water;
}
