/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memmap in its storage: head, nodes, preference lists, pages, chunks. One block that the
 * caller owns, sized once, because a monitor knows how much memory its machine has.
 */
#include "memmap_private.h"

#include <string.h>

#define ALIGN DISCO_CACHE_LINE

struct layout {
    size_t node, prefer, page, chunk, end;
};

static size_t align(size_t n) { return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1); }

/* Links are 32 bits, and PPNs of users 48: that bounds the machine at 16 TiB. */
static bool valid(const struct disco_memmap_config *c)
{
    return c && c->nodes && c->nodes <= DISCO_MAX_NODES && c->pages && c->pages < UINT32_MAX &&
           c->user_chunks < UINT32_MAX && c->first.v <= UINT64_MAX - c->pages &&
           c->pages <= (SIZE_MAX / 4) / sizeof(struct disco_memmap_page) &&
           c->user_chunks <= (SIZE_MAX / 4) / sizeof(struct chunk);
}

static struct layout lay_out(const struct disco_memmap_config *c)
{
    struct layout l;

    l.node = align(sizeof(struct disco_memmap));
    l.prefer = align(l.node + c->nodes * sizeof(struct node));
    l.page = align(l.prefer + (size_t)c->nodes * c->nodes);
    l.chunk = align(l.page + (size_t)c->pages * sizeof(struct disco_memmap_page));
    l.end = align(l.chunk + (size_t)c->user_chunks * sizeof(struct chunk));
    return l;
}

size_t disco_memmap_size(const struct disco_memmap_config *c)
{
    return valid(c) ? lay_out(c).end : 0;
}

/* Nearest first: self, then n-1, n+1, n-2, n+2 ... */
static void prefer_by_number(struct disco_memmap *mm, unsigned n)
{
    uint8_t *row = mm->prefer + (size_t)n * mm->nodes;

    *row++ = (uint8_t)n;
    for (unsigned d = 1; d < mm->nodes; d++) {
        if (n >= d)
            *row++ = (uint8_t)(n - d);
        if (n + d < mm->nodes)
            *row++ = (uint8_t)(n + d);
    }
}

static void fill_pool(struct disco_memmap *mm, uint64_t chunks)
{
    for (uint32_t i = (uint32_t)chunks; i > 0; i--) {
        mm->chunk[i - 1].next = mm->free_chunk;
        mm->free_chunk = i;
    }
}

int disco_memmap_init(struct disco_memmap **out, void *storage, size_t size,
                      const struct disco_memmap_config *c)
{
    struct disco_memmap *mm = storage;
    uint8_t *base = storage;
    struct layout l;

    if (!out || !storage || (uintptr_t)storage % ALIGN || !valid(c))
        return DISCO_ERR_BAD_ARG;
    if (c->backend && !(c->backend->ops && c->backend->ops->relax))
        return DISCO_ERR_MISSING_OP;
    l = lay_out(c);
    if (size < l.end)
        return DISCO_ERR_NO_SPACE;

    memset(storage, 0, l.end);
    mm->backend = c->backend;
    mm->first = c->first.v;
    mm->pages = c->pages;
    mm->low_water = c->low_water;
    mm->nodes = c->nodes;
    mm->node = (struct node *)(void *)(base + l.node);
    mm->prefer = base + l.prefer;
    mm->page = (struct disco_memmap_page *)(void *)(base + l.page);
    mm->chunk = (struct chunk *)(void *)(base + l.chunk);
    for (unsigned n = 0; n < mm->nodes; n++)
        prefer_by_number(mm, n);
    fill_pool(mm, c->user_chunks);
    *out = mm;
    return DISCO_OK;
}

int disco_memmap_prefer(struct disco_memmap *mm, unsigned node, const uint8_t *order)
{
    uint64_t seen = 0;

    if (node >= mm->nodes || order[0] != node)
        return DISCO_ERR_BAD_ARG;
    for (unsigned i = 0; i < mm->nodes; i++) {
        if (order[i] >= mm->nodes || seen >> order[i] & 1)
            return DISCO_ERR_BAD_ARG;
        seen |= UINT64_C(1) << order[i];
    }
    memcpy(mm->prefer + (size_t)node * mm->nodes, order, mm->nodes);
    return DISCO_OK;
}

static bool all_absent(struct disco_memmap *mm, disco_mpn first, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++) {
        if (disco_memmap_state(mm, (disco_mpn){first.v + i}) != DISCO_PAGE_ABSENT)
            return false;
    }
    return true;
}

int disco_memmap_add(struct disco_memmap *mm, disco_mpn first, uint64_t pages, unsigned node,
                     bool reserved)
{
    enum disco_page_state s = reserved ? DISCO_PAGE_MONITOR : DISCO_PAGE_FREE;
    uint64_t head = head_with_state((uint64_t)node << HEAD_NODE_SHIFT, s);

    if (node >= mm->nodes || first.v < mm->first || pages > mm->pages ||
        first.v - mm->first > mm->pages - pages)
        return DISCO_ERR_BAD_ARG;
    if (!all_absent(mm, first, pages))
        return DISCO_ERR_STATE;

    /* From the last page down, so that the stack hands pages out from the first up. */
    for (uint64_t i = pages; i > 0; i--) {
        struct disco_memmap_page *pg = page_at(mm, (disco_mpn){first.v + i - 1});

        page_lock(mm, pg);
        if (!reserved)
            disco_freelist_push(mm, pg, node);
        page_unlock(pg, head);
    }
    disco_count(&mm->node[node].total, pages);
    return DISCO_OK;
}
