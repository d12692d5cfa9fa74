/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_MEMMAP_H
#define DISCO_MEMMAP_H

/**
 * @file memmap.h
 * @brief An entry for every machine page: where it is, what it is for, who uses it.
 *
 * The paper's memmap (section 4.1.3): the way back from a machine page to its users, needed to
 * revoke it (migration, replication, copy-on-write), and the allocator of machine memory by node.
 * At most 32 bytes a page (statically asserted); pages with several users take chunks from a pool.
 *
 * Locking: every call takes the locks it needs (page, free list, pool; see lock.h) and may be
 * made from any processor with interrupts off, holding pmap entries.
 */

#include <disco/arch.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * What a machine page is for. PRIVATE and SHARED follow from the references: one user and no other
 * reference is PRIVATE, more of either is SHARED. A page whose users are gone while others
 * still refer to it is the MONITOR's.
 */
enum disco_page_state {
    DISCO_PAGE_ABSENT, /**< no such page in the machine */
    DISCO_PAGE_FREE,
    DISCO_PAGE_MONITOR, /**< the monitor's own */
    DISCO_PAGE_PRIVATE, /**< one user, or just allocated for one */
    DISCO_PAGE_SHARED,  /**< read-only in all its users */
    DISCO_PAGE_REPLICA, /**< a copy of a master page for one node */
};

/** One use of a machine page: physical page @c ppn of the pmap numbered @c pmap. */
struct disco_page_user {
    uint32_t pmap;
    disco_ppn ppn;
};

/** Metadata of one page, opaque; 32 bytes. */
struct disco_memmap_page {
    uint64_t word[4];
};

/** Counters of one node, all in pages. */
struct disco_memmap_node_stats {
    uint64_t total, free, low_water;
    uint64_t allocs;        /**< pages ever allocated here */
    uint64_t remote_allocs; /**< of these, for a caller that preferred another node */
    uint64_t failures;      /**< times nothing was free here */
};

struct disco_memmap;

/** What disco_memmap_init() makes. */
struct disco_memmap_config {
    struct disco_backend *backend; /**< for zeroing, copying, spinning */
    disco_mpn first;               /**< first machine page covered */
    uint64_t pages;                /**< number of pages covered, holes included */
    unsigned nodes;
    uint64_t user_chunks; /**< pool for pages with more than one user */
    uint64_t low_water;   /**< per node, in pages; see disco_memmap_low() */
};

/** Bytes of storage, its head included, for @p c. 0 if the configuration is bad. */
size_t disco_memmap_size(const struct disco_memmap_config *c);

/**
 * Make a memmap in @p storage (aligned to DISCO_CACHE_LINE). All pages are ABSENT until added.
 * @return 0 with *out set (it lies in @p storage), DISCO_ERR_BAD_ARG, DISCO_ERR_NO_SPACE.
 */
int disco_memmap_init(struct disco_memmap **out, void *storage, size_t size,
                      const struct disco_memmap_config *c);

/**
 * Give @p pages ABSENT pages from @p first to node @p node: FREE, or MONITOR if @p reserved (such
 * pages have no reference and can never be freed). @return 0, DISCO_ERR_BAD_ARG for a range or
 * node outside the configuration, DISCO_ERR_STATE if a page was added before; then none was.
 */
int disco_memmap_add(struct disco_memmap *mm, disco_mpn first, uint64_t pages, unsigned node,
                     bool reserved);

/**
 * In which order @p node turns to the others when it has no free page: @p order lists all
 * nodes, @p node itself first. Until this is called, by difference of node numbers. Call it before
 * other processors allocate. @return 0 or DISCO_ERR_BAD_ARG.
 */
int disco_memmap_prefer(struct disco_memmap *mm, unsigned node, const uint8_t *order);

/**
 * Take a free page, on @p node if it has one, else on the nearest that has
 * (disco_memmap_prefer()). Its contents are undefined. The page becomes @p state (MONITOR or
 * PRIVATE), with no user and one reference.
 * @return 0, DISCO_ERR_NO_MEMORY, DISCO_ERR_BAD_ARG.
 */
int disco_memmap_alloc(struct disco_memmap *mm, unsigned node, enum disco_page_state state,
                       disco_mpn *out);

/**
 * Take @p n free pages (a power of two) of @p node that lie in a row, the first at a multiple of @p n, each as
 * disco_memmap_alloc() gives it. Of the rows there are it is the highest. Time is proportional to the memory; the node's
 * other allocations wait meanwhile.
 * @return 0, DISCO_ERR_NO_MEMORY (no such row there), DISCO_ERR_BAD_ARG.
 */
int disco_memmap_alloc_row(struct disco_memmap *mm, unsigned node, enum disco_page_state state,
                           unsigned n, disco_mpn *first);

/*
 * References and users. The calls below return DISCO_ERR_BAD_ARG for a page outside the memmap and
 * DISCO_ERR_STATE for one that is not in use (or a replica, whose reference is its master's).
 */

/**
 * One more reference, held by something that is not a pmap entry (a cache, a log). The caller must
 * be sure that the page is in use at this moment: it has a reference already, or holds the
 * pmap entry that uses the page (disco_pmap_lend() does both).
 */
int disco_memmap_get(struct disco_memmap *mm, disco_mpn mpn);
/**
 * One less; the page is free, and its replicas with it, when no reference and no user is left.
 * DISCO_ERR_STATE too if all that is left are the users' references.
 */
int disco_memmap_put(struct disco_memmap *mm, disco_mpn mpn);

/**
 * Record a use, one more reference. A use may be recorded twice, and must then be forgotten twice.
 * @return DISCO_ERR_NO_SPACE when the pool is empty.
 */
int disco_memmap_add_user(struct disco_memmap *mm, disco_mpn mpn, struct disco_page_user u);
/**
 * Forget a use, one less reference; the page is free, and its replicas with it, when none is left.
 * @return DISCO_ERR_NOT_FOUND if @p u is not a user. Time is proportional to the users.
 */
int disco_memmap_del_user(struct disco_memmap *mm, disco_mpn mpn, struct disco_page_user u);
/**
 * Trade the single reference of disco_memmap_alloc() for the first user, in one step.
 * @return DISCO_ERR_STATE if the page has another reference or a user.
 */
int disco_memmap_adopt(struct disco_memmap *mm, disco_mpn mpn, struct disco_page_user u);

/**
 * Who uses @p mpn? Up to @p max users are written; *n is how many there are in all.
 * Time is proportional to the users. A snapshot: users may change once the call returns.
 */
int disco_memmap_users(struct disco_memmap *mm, disco_mpn mpn, struct disco_page_user *users,
                       size_t max, size_t *n);
/**
 * The users of @p mpn in order, the lower pmap first and of one pmap the lower PPN, each named once: those that come
 * after @p after (NULL: from the first on) are added to users[0 .. *n), which is in that order already (of other pages,
 * say), as long as they are among the first @p max. A walk in pieces meets every user that is there all the time,
 * whoever comes or goes meanwhile. Time is proportional to the users, times @p max at worst.
 */
int disco_memmap_users_after(struct disco_memmap *mm, disco_mpn mpn,
                             const struct disco_page_user *after, struct disco_page_user *users,
                             size_t max, size_t *n);

/** The page's state. A snapshot, lock-free; a page outside the memmap is ABSENT. */
enum disco_page_state disco_memmap_state(const struct disco_memmap *mm, disco_mpn mpn);
/** The node it lies on. A snapshot, lock-free; 0 for a page outside the memmap. */
unsigned disco_memmap_node(const struct disco_memmap *mm, disco_mpn mpn);
/** Its references. A snapshot, lock-free; none for a page outside the memmap. */
uint32_t disco_memmap_refs(const struct disco_memmap *mm, disco_mpn mpn);

/**
 * Replicas: @p copy (PRIVATE, one reference, no user; it becomes REPLICA and that reference now
 * belongs to the master) holds the contents of @p master for the node it lies on.
 * @return DISCO_ERR_BUSY if that node has a replica already or is the master's own.
 */
int disco_memmap_add_replica(struct disco_memmap *mm, disco_mpn master, disco_mpn copy);
/**
 * The page that @p node should use for @p master: its replica there, else the master itself.
 * Lock-free, time at most proportional to the nodes.
 */
disco_mpn disco_memmap_nearest(const struct disco_memmap *mm, disco_mpn master, unsigned node);
/** The master of a replica; the page itself if it is none. */
disco_mpn disco_memmap_master(const struct disco_memmap *mm, disco_mpn mpn);
/** Free every replica of @p master. The caller has revoked all their translations. */
int disco_memmap_drop_replicas(struct disco_memmap *mm, disco_mpn master);
/**
 * The same in two steps, for pages that many use: take the replicas off @p master, so that nobody who begins to look
 * finds them; and, when no user has a translation to one any more, free them. They are the caller's between the two,
 * whatever becomes of the master; *first names them. @return DISCO_ERR_NOT_FOUND if there is none.
 */
int disco_memmap_detach_replicas(struct disco_memmap *mm, disco_mpn master, disco_mpn *first);
/** See disco_memmap_detach_replicas(). */
void disco_memmap_free_replicas(struct disco_memmap *mm, disco_mpn first);
/** Has it replicas? A snapshot, lock-free. */
bool disco_memmap_replicated(const struct disco_memmap *mm, disco_mpn master);

/*
 * From a user's number to its pmap. What a pmap's revocations need when other pmaps use the page; embedded in each.
 */

/** A pmap as others find it. @c id is set before disco_memmap_enroll(), the rest is private. */
struct disco_memmap_pmap {
    uint32_t id;
    uint32_t held;
    struct disco_memmap_pmap *next;
};

/** From now on disco_memmap_hold_pmap() finds it. @return 0, DISCO_ERR_BAD_ARG (number out of range, or taken). */
int disco_memmap_enroll(struct disco_memmap *mm, struct disco_memmap_pmap *p);
/** Nobody finds it any more; waits until nobody holds it. The caller holds no lock that a holder may want. */
void disco_memmap_withdraw(struct disco_memmap *mm, struct disco_memmap_pmap *p);
/** The pmap numbered @p id, there until disco_memmap_let_go_pmap(), for a short time; NULL if there is none. */
struct disco_memmap_pmap *disco_memmap_hold_pmap(struct disco_memmap *mm, uint32_t id);
/** See disco_memmap_hold_pmap(). */
void disco_memmap_let_go_pmap(struct disco_memmap_pmap *p);

/** Counters of @p node into *out. @return 0 or DISCO_ERR_BAD_ARG (no such node). */
int disco_memmap_node_stats(const struct disco_memmap *mm, unsigned node,
                            struct disco_memmap_node_stats *out);
/** Has @p node fewer free pages than its low-water mark? */
bool disco_memmap_low(const struct disco_memmap *mm, unsigned node);

#ifdef __cplusplus
}
#endif
#endif
