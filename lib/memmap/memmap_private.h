/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_MEMMAP_PRIVATE_H
#define DISCO_MEMMAP_PRIVATE_H

/*
 * A page's four words. Pages are named by index (MPN - first) in 32 bits, 0 standing for "none",
 * so that links are index + 1.
 *
 *   HEAD   bit 0       lock; the holder alone writes the page's words
 *          bits 1..3   enum disco_page_state
 *          bits 8..15  node
 *          bits 32..63 references, those of the users included
 *   USER   the first user: valid bit, pmap, PPN
 *   MORE   low half    chunk with further users; high half: number of users in all
 *   LINK   low half    next free page, or next replica; high half: the one before a free page (itself, if it is
 *                      at the top of the stack), or the master of a replica
 *
 * LINK of a FREE page belongs to the lock of its node's free list, that of a master and of its
 * replicas to the master's lock.
 */

#include <disco/lock.h>
#include <disco/memmap.h>

enum { HEAD, USER, MORE, LINK };

#define HEAD_LOCK UINT64_C(1)
#define HEAD_STATE_SHIFT 1
#define HEAD_STATE_MASK (UINT64_C(7) << HEAD_STATE_SHIFT)
#define HEAD_NODE_SHIFT 8
#define HEAD_NODE_MASK (UINT64_C(0xff) << HEAD_NODE_SHIFT)
#define HEAD_REF (UINT64_C(1) << 32)

#define USER_VALID (UINT64_C(1) << 63)
#define USER_PMAP_SHIFT 48
#define USER_PPN_MASK ((UINT64_C(1) << USER_PMAP_SHIFT) - 1)

_Static_assert(sizeof(struct disco_memmap_page) <= 32, "memmap: at most 32 bytes a page");
_Static_assert(DISCO_MAX_NODES <= 256, "a node fits in HEAD");
_Static_assert(DISCO_MAX_PMAPS <= 1 << 12, "a pmap fits in USER");

/* Users beyond the first, packed; a page's first chunk may be part full, the others are full. */
#define CHUNK_USERS 7
struct chunk {
    uint64_t user[CHUNK_USERS];
    uint32_t next; /* of the same page, or of the pool */
    uint32_t used;
};
_Static_assert(sizeof(struct chunk) == 64, "a chunk is one cache line");

struct node {
    DISCO_OWN_LINE struct disco_lock lock;
    uint32_t top; /* of the stack of free pages */
    uint64_t total, free, allocs, remote_allocs, failures;
};

/* What all read comes first; then, by lines, what they write. */
struct disco_memmap {
    struct disco_backend *backend;
    uint64_t first, pages, low_water;
    unsigned nodes;
    struct node *node;
    uint8_t *prefer; /* nodes * nodes: row n lists all nodes, nearest to n first */
    struct disco_memmap_page *page;
    struct chunk *chunk;
    DISCO_OWN_LINE struct disco_lock pool_lock;
    uint32_t free_chunk;
    DISCO_OWN_LINE struct disco_lock pmaps_lock;
    struct disco_memmap_pmap *pmaps;
};

static inline uint32_t low_half(uint64_t w) { return (uint32_t)w; }
static inline uint32_t high_half(uint64_t w) { return (uint32_t)(w >> 32); }
static inline uint64_t halves(uint32_t high, uint32_t low) { return (uint64_t)high << 32 | low; }

static inline enum disco_page_state head_state(uint64_t head)
{
    return (enum disco_page_state)((head & HEAD_STATE_MASK) >> HEAD_STATE_SHIFT);
}

static inline uint64_t head_with_state(uint64_t head, enum disco_page_state s)
{
    return (head & ~HEAD_STATE_MASK) | (uint64_t)s << HEAD_STATE_SHIFT;
}

static inline unsigned head_node(uint64_t head)
{
    return (unsigned)((head & HEAD_NODE_MASK) >> HEAD_NODE_SHIFT);
}

static inline uint32_t head_refs(uint64_t head) { return high_half(head); }

static inline bool in_use(uint64_t head)
{
    return head_refs(head) && head_state(head) >= DISCO_PAGE_MONITOR;
}

/* The page behind an MPN, or NULL. */
static inline struct disco_memmap_page *page_at(const struct disco_memmap *mm, disco_mpn mpn)
{
    uint64_t i = mpn.v - mm->first;

    return mpn.v >= mm->first && i < mm->pages ? &mm->page[i] : NULL;
}

static inline struct disco_memmap_page *page_of_link(const struct disco_memmap *mm, uint32_t link)
{
    return &mm->page[link - 1];
}

static inline uint32_t link_of_page(const struct disco_memmap *mm,
                                    const struct disco_memmap_page *pg)
{
    return (uint32_t)(pg - mm->page) + 1;
}

static inline disco_mpn mpn_of_page(const struct disco_memmap *mm,
                                    const struct disco_memmap_page *pg)
{
    return (disco_mpn){mm->first + (uint64_t)(pg - mm->page)};
}

/* Lock a page; its HEAD, without the lock bit. */
static inline uint64_t page_lock(const struct disco_memmap *mm, struct disco_memmap_page *pg)
{
    return disco_lock_word(&pg->word[HEAD], HEAD_LOCK, mm->backend);
}

/* Unlock a page by writing its HEAD. Pairs with page_lock() and with lock-free readers. */
static inline void page_unlock(struct disco_memmap_page *pg, uint64_t head)
{
    disco_unlock_word(&pg->word[HEAD], head);
}

/* alloc.c: put a page on its node's free list. The page may be locked. */
void disco_freelist_push(struct disco_memmap *mm, struct disco_memmap_page *pg, unsigned node);
/* page.c: @p pg is locked and has @p head; one reference less, unlock, free if it was the last. */
void disco_page_release(struct disco_memmap *mm, struct disco_memmap_page *pg, uint64_t head);
/* replica.c: free a chain of replicas that nothing leads to any more. */
void disco_replica_free_chain(struct disco_memmap *mm, uint32_t link);

#endif
