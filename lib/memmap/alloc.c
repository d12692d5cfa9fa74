/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation by node: a stack of free pages for each node.
 *
 * The links lie in the pages' own entries. Linked lists are feared for their cache misses, but this
 * one is only ever touched at its top, and the entry at the top is the one the caller is about to
 * write anyway (taking a page changes its state, freeing it too): the link costs no line of its
 * own, where a separate array of page numbers would cost one, and memory beyond 32 bytes a page.
 * Last in, first out, so that the page freed last, whose entry and perhaps contents are still
 * in the cache, goes out first.
 *
 * A page that was taken off the stack but whose HEAD still says FREE belongs to the taker: it is
 * in no list, and every other call refuses a FREE page.
 */
#include "memmap_private.h"

void disco_freelist_push(struct disco_memmap *mm, struct disco_memmap_page *pg, unsigned node)
{
    struct node *n = &mm->node[node];

    disco_lock(&n->lock, mm->backend);
    disco_store(&pg->word[LINK], n->top);
    n->top = link_of_page(mm, pg);
    disco_count_own(&n->free, 1);
    disco_unlock(&n->lock);
}

static struct disco_memmap_page *pop(struct disco_memmap *mm, unsigned node, bool remote)
{
    struct node *n = &mm->node[node];
    struct disco_memmap_page *pg = NULL;

    disco_lock(&n->lock, mm->backend);
    if (n->top) {
        pg = page_of_link(mm, n->top);
        n->top = low_half(disco_load(&pg->word[LINK]));
        disco_store(&pg->word[LINK], 0);
        disco_count_own(&n->free, UINT64_MAX);
        disco_count_own(&n->allocs, 1);
        disco_count_own(&n->remote_allocs, remote);
    } else {
        disco_count_own(&n->failures, 1);
    }
    disco_unlock(&n->lock);
    return pg;
}

int disco_memmap_alloc(struct disco_memmap *mm, unsigned node, enum disco_page_state state,
                       disco_mpn *out)
{
    struct disco_memmap_page *pg = NULL;
    uint64_t head;

    if (node >= mm->nodes || (state != DISCO_PAGE_MONITOR && state != DISCO_PAGE_PRIVATE))
        return DISCO_ERR_BAD_ARG;
    for (unsigned i = 0; !pg && i < mm->nodes; i++)
        pg = pop(mm, mm->prefer[(size_t)node * mm->nodes + i], i > 0);
    if (!pg)
        return DISCO_ERR_NO_MEMORY;

    head = page_lock(mm, pg);
    page_unlock(pg, head_with_state(head, state) | HEAD_REF);
    *out = mpn_of_page(mm, pg);
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
