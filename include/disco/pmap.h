/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_PMAP_H
#define DISCO_PMAP_H

/**
 * @file pmap.h
 * @brief One VM's map from physical pages (what its guest believes) to machine pages (what is).
 *
 * The paper's pmap (section 4.1.2): an array with one entry a physical page. An entry holds
 *  - the precomputed TLB entry: machine page, the monitor's rights, cache attribute. Backends
 *    read this word from assembly, without a lock: it is 0 whenever nobody may use it;
 *  - the backmap: through which virtual addresses of which virtual CPUs the page was entered, so
 *    that it can be revoked. One place is kept in the entry itself, up to eight virtual pages, each
 *    of any virtual CPUs, in a set from a pool, more than that is "everywhere".
 *
 * Effective rights are the guest's AND the monitor's. The monitor has three reasons for keeping
 * a page read-only that its guest believes writable (enum disco_pmap_reason); a write fault is
 * resolved in one place, disco_pmap_write_fault().
 *
 * Pages come into being on first touch, zeroed, on the node of the toucher.
 *
 * Revocation, in an order in which no processor can refill a stale entry: entry locked, its
 * precomputed word zeroed, L2TLBs, hardware TLBs, then the change, then the new word, unlocked.
 * L2TLBs are not pmap's business: whoever owns them gives a `purge` function at init, which
 * forgets translations in L2TLBs first and in hardware TLBs after. A page is taken away from all
 * virtual CPUs, except by two moves after which what they have is as good as before: a further
 * copy of what nobody may write to, and DISCO_PMAP_REMAP. These take it from those on one node.
 *
 * Segments that the guest believes unmapped are not recorded in backmaps, because their addresses
 * follow from the PPN: `purge` gets the PPN too and forgets those aliases itself.
 *
 * Locking: calls lock the entries they touch (lower PPN first, never of two pmaps at once), see lock.h;
 * they may be made from any processor with interrupts off. While an entry is held its holder may call no other function
 * on the same entry, except where one says so.
 */

#include <disco/memmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Why the monitor keeps a page read-only. */
enum disco_pmap_reason {
    DISCO_PMAP_WRITABLE, /**< it does not */
    DISCO_PMAP_COW,      /**< a page of a copy-on-write disk, or any page shared by provenance */
    DISCO_PMAP_NET,      /**< a page that went over the virtual network: sender and receiver */
    DISCO_PMAP_REPLICA,  /**< copies of it lie on other nodes */
};

/** One physical page; 16 bytes: assembly relies on `tlbe` at offset 0. */
struct disco_pmap_entry {
    /**
     * Precomputed entry (a disco_tlbe), 0 = not usable now; accessed atomically. Made as
     * DISCO_COPIED where there are replicas: then it is not for processors of other nodes than the
     * page's. As DISCO_SUPERPAGE: then it says so of all pages of the superpage
     */
    uint64_t tlbe;
    uint64_t meta; /**< lock, reason, backmap; accessed atomically */
};

/** A physical page whose translations are to be forgotten. */
struct disco_pmap_gone {
    disco_ppn ppn;
    /** By these virtual CPUs, bit i for that with id i; 0: none; or DISCO_ALL_VCPUS */
    uint64_t vcpus;
};

/**
 * Forget @p n translations @p p (0 or more), each of the virtual CPUs that it names, of the @p pages physical pages
 * @p gone (1 to DISCO_PMAP_MANY), and these pages' addresses in segments that the guest believes unmapped, each of the
 * page's `vcpus`: first in L2TLBs, then in hardware TLBs; returns when all have. Several pages at once, because asking
 * processors costs more than what is asked; a revocation of very many translations calls it for some of its pages, then
 * for others. Both arrays are pmap's, for the time of the call. The entries of the pages are held: it may wait for
 * processors, and calls nothing of pmap.
 */
typedef void disco_pmap_purge_fn(void *ctx, const struct disco_pmap_gone *gone, size_t pages,
                                 const struct disco_purge *p, size_t n);
/**
 * The virtual CPUs that run on @p node, or will when they run next, bit i for that with id i: who loses translations
 * where a page that stays gets a copy there, or is to be looked at anew. A matter of speed only: one that comes to the
 * node at this moment and is not named goes on with the page it has. Entries are held: it takes no lock.
 */
typedef uint64_t disco_pmap_vcpus_on_fn(void *ctx, unsigned node);

/** Counters of one pmap: each processor counts on its own, disco_pmap_stats() sums. */
struct disco_pmap_stats {
    uint64_t first_touch; /**< pages made and zeroed */
    uint64_t cow_copies, net_copies;
    uint64_t collapses; /**< pages whose replicas went, for a write fault or by a move */
    uint64_t migrations, replications;
    uint64_t write_reused; /**< write faults that found themselves the last user: no copy */
    uint64_t dead;         /**< copies that were none: the guest had no use for the contents */
    uint64_t purges;       /**< calls of `purge`, however many pages each */
    uint64_t purged; /**< translations in them: virtual pages, each of any number of virtual CPUs */
    uint64_t everywhere; /**< of these calls, of everything that all virtual CPUs had */
    uint64_t promoted;   /**< superpages that were made */
    uint64_t demoted;    /**< and taken apart, since one of their pages changed */
    uint64_t present;    /**< pages that exist now */
    uint64_t shared;     /**< of these, read-only by COW or NET */
};

/**
 * A map; open so that it can be embedded, but touched only through the functions below. Every processor reads it all
 * the time, so what is written more than once or twice in its life lies in the storage, in other lines.
 */
struct disco_pmap {
    DISCO_OWN_LINE struct disco_pmap_entry *entry;
    uint64_t pages;
    struct disco_memmap *mm;
    struct disco_backend *backend;
    disco_pmap_purge_fn *purge;
    disco_pmap_vcpus_on_fn *vcpus_on;
    void *purge_ctx;
    struct disco_pmap_set *sets; /**< pool of backmap sets */
    uint64_t nsets;
    struct disco_pmap_common *common;     /**< written by any processor */
    struct disco_pmap_counters *counters; /**< of each processor */
    uint32_t cpus;                        /**< how many */
    uint32_t id;                          /**< what memmap knows it by */
    uint64_t *dead_page; /**< machine pages of the map of dead pages; accessed atomically */
    uint64_t dead_pages; /**< how many of them are kept; accessed atomically */
    uint64_t dead_first; /**< PPN of the first; accessed atomically */
    uint64_t dead_bytes; /**< how many pages the map tells of */
    uint32_t dead_state; /**< whether it counts; accessed atomically */
};

/** What disco_pmap_init() makes. */
struct disco_pmap_config {
    uint32_t id;    /**< unique among the pmaps of one memmap, < DISCO_MAX_PMAPS */
    uint64_t pages; /**< size of the VM's physical memory */
    uint64_t sets;  /**< backmap sets in the pool; pages / 16 is plenty */
    struct disco_memmap *mm;
    struct disco_backend *backend;
    disco_pmap_purge_fn *purge;       /**< NULL: nobody keeps translations (no virtual CPUs) */
    disco_pmap_vcpus_on_fn *vcpus_on; /**< NULL: all of them may be on any node */
    void *purge_ctx;                  /**< of both */
};

/**
 * Bytes of storage for @p c: 16 a page, 128 a backmap set, 8 for each 4096 pages, a line (DISCO_CACHE_LINE) for each
 * processor of the backend and one more. 0 if the configuration is bad.
 */
size_t disco_pmap_size(const struct disco_pmap_config *c);
/**
 * @p storage: the caller's, aligned to DISCO_CACHE_LINE. Of the backend only its number of processors, the operations
 * on translations, machine pages, `cpu` and `relax` are used. @return 0, DISCO_ERR_BAD_ARG, DISCO_ERR_NO_SPACE,
 * DISCO_ERR_MISSING_OP.
 */
int disco_pmap_init(struct disco_pmap *pm, void *storage, size_t size,
                    const struct disco_pmap_config *c);
/**
 * Give every page back. No virtual CPU of the VM runs any more, but `purge` may still be called while this runs, by other
 * processors that revoke a page they shared with the VM. NULL or zeroed: nothing.
 */
void disco_pmap_fini(struct disco_pmap *pm);

/* --- looking --- */

/**
 * The machine page behind @p ppn as seen from @p node (its replica there, if there is one).
 * Lock-free, a few instructions. @return 0, DISCO_ERR_BAD_ADDRESS (outside the VM),
 * DISCO_ERR_NOT_FOUND (not touched yet, or being revoked at this moment).
 */
int disco_pmap_translate(const struct disco_pmap *pm, disco_ppn ppn, unsigned node, disco_mpn *out);
/** Why the monitor keeps @p ppn read-only. A snapshot, lock-free. */
enum disco_pmap_reason disco_pmap_reason(const struct disco_pmap *pm, disco_ppn ppn);
/**
 * Counters into *out, summed over processors: each is read atomically, not all of them together. Lock-free, any
 * processor. Of a zeroed pmap, and of one that has ended, zeros.
 */
void disco_pmap_stats(const struct disco_pmap *pm, struct disco_pmap_stats *out);

/* --- entering translations --- */

/** A pair of pages that a guest maps together. Fill in the first four; the rest comes back. */
struct disco_pmap_pair {
    const struct disco_guest_map *m;
    uint32_t vcpu;
    unsigned node;
    bool record;     /**< write the place into the backmaps; false for unmapped segments */
    disco_tlbe e[2]; /**< out: what to load; 0 where the guest has nothing or owns nothing */
    int err[2];      /**< out: why e[i] is 0 though wanted: BAD_ADDRESS, NO_MEMORY, BAD_ARG */
    bool copied; /**< out: a page has replicas; e[] leads to the one that is nearest to the node */
    struct disco_pmap_entry *held[2]; /**< private */
};

/**
 * Bring both pages of a pair into being, merge the guest's wishes with the monitor's rights, note
 * the place in the backmaps, and *keep both entries locked* until disco_pmap_leave(): between the
 * two calls the caller puts the pair into the L2TLB and the hardware TLB. That is what makes a
 * revocation see every translation. Never fails as a whole: see err[].
 */
void disco_pmap_enter(struct disco_pmap *pm, struct disco_pmap_pair *p);
/** Let go of the entries that disco_pmap_enter() locked. */
void disco_pmap_leave(struct disco_pmap *pm, struct disco_pmap_pair *p);

/* --- faults --- */

/**
 * The guest stored to @p ppn and the entry it went through was read-only, though the guest's own
 * entry allows the store. Resolve the monitor's reason: copy (or, for the last user, just
 * take) a COW or NET page, collapse replicas. Afterwards the page is writable and the old
 * translations are gone; the caller enters the pair anew.
 * @return 0 resolved (also when it was writable already: someone else resolved it first);
 *         DISCO_ERR_BAD_ADDRESS; DISCO_ERR_NO_MEMORY (then nothing has changed).
 */
int disco_pmap_write_fault(struct disco_pmap *pm, disco_ppn ppn, unsigned node);

/*
 * --- changing the map ---
 *
 * Each call returns DISCO_ERR_BAD_ADDRESS for a page outside the VM, and on any error leaves
 * everything as it was.
 */

/** Make sure @p ppn exists (zeroed on first touch, on @p node). */
int disco_pmap_touch(struct disco_pmap *pm, disco_ppn ppn, unsigned node);
/**
 * Map @p mpn, which others may use too, read-only at @p ppn for @p reason (COW or NET). What was
 * there is revoked and released before the new page appears. Takes a use of @p mpn; the caller has
 * a reference to it during the call, and every other user has it read-only. @return 0,
 * DISCO_ERR_BAD_ARG, DISCO_ERR_STATE (a page not in use), DISCO_ERR_NO_SPACE (user chunks).
 */
int disco_pmap_share(struct disco_pmap *pm, disco_ppn ppn, disco_mpn mpn,
                     enum disco_pmap_reason reason);

/** Pages that one revocation takes at most. */
#define DISCO_PMAP_MANY 32
/** One page to share: @c mpn at @c ppn; @c err comes back. */
struct disco_pmap_place {
    disco_ppn ppn;
    disco_mpn mpn;
    int err;
};
/**
 * disco_pmap_share() for @p n places (at most DISCO_PMAP_MANY; more: DISCO_ERR_BAD_ARG in each), with one
 * revocation for all. Each place fails or succeeds alone; a PPN that is named twice fails the second time
 * with DISCO_ERR_BAD_ARG, whatever became of the first. @c mpn comes back as its master, where it was a replica.
 */
void disco_pmap_share_many(struct disco_pmap *pm, struct disco_pmap_place *p, size_t n,
                           enum disco_pmap_reason reason);
/**
 * The page at @p ppn (touched into being on @p node), made read-only for @p reason so that others
 * may share it: *out is it, with a reference that the caller must disco_memmap_put(). That reference is
 * what keeps the guest from taking the page back as its last user meanwhile. Of a page of the map of
 * dead pages, which the monitor writes to, *out is a copy, and the page stays as it was.
 */
int disco_pmap_lend(struct disco_pmap *pm, disco_ppn ppn, unsigned node,
                    enum disco_pmap_reason reason, disco_mpn *out);
/**
 * disco_pmap_lend() of @p n places (at most DISCO_PMAP_MANY; more: DISCO_ERR_BAD_ARG in each), with one revocation for
 * all: @c mpn comes back, with a reference, where @c err is 0. Each place fails or succeeds alone; a PPN that is named
 * twice is lent once, and what comes of that is each one's result, with a reference of its own.
 */
void disco_pmap_lend_many(struct disco_pmap *pm, struct disco_pmap_place *p, size_t n,
                          unsigned node, enum disco_pmap_reason reason);
/** Revoke and release @p ppn: the next touch finds a zeroed page. No page there: 0. */
int disco_pmap_drop(struct disco_pmap *pm, disco_ppn ppn);
/**
 * disco_pmap_drop() for @p n pages from @p first on, with a revocation for each DISCO_PMAP_MANY of them. @p had, if not
 * NULL: how many of them existed.
 */
int disco_pmap_drop_many(struct disco_pmap *pm, disco_ppn first, uint64_t n, uint64_t *had);
/** Make @p ppn read as zeros; translations of a page that only this VM uses stay. No page there: 0. */
int disco_pmap_zero(struct disco_pmap *pm, disco_ppn ppn);
/**
 * Promote the pages from @p first on, backend.superpage of them, to a superpage: processors may load them all with one
 * translation, in segments that the guest believes unmapped, until one of them changes. That demotes it, for good;
 * nobody else need know of it. Only what nobody may write to, a kernel's text, say, is worth it. No virtual
 * CPU has used these pages there since they were mapped, for it would go on to have them singly, too.
 * @return 0; DISCO_ERR_UNSUPPORTED (the backend has none; several nodes, whose copies are of single pages),
 * DISCO_ERR_BAD_ARG and DISCO_ERR_STATE (@p first, or its machine page, is no multiple; pages that are not there, not
 * read-only, or not contiguous), DISCO_ERR_BAD_ADDRESS. A superpage is one already: DISCO_ERR_STATE.
 */
int disco_pmap_promote(struct disco_pmap *pm, disco_ppn first);

/* --- moving pages between nodes (section 4.2.1); the guest cannot see it --- */

/** What becomes of a page. */
enum disco_pmap_move_kind {
    /**
     * It moves to a page on @c node and is writable there; replicas go. DISCO_ERR_BUSY: others use the page
     * (replicate it). Nothing is done where it lies on @c node already.
     */
    DISCO_PMAP_MIGRATE,
    /**
     * A copy on @c node for those who read it there, for all users of the page; where it was writable it is read-only
     * until a write fault or a move collapses it. Where it was read-only already, virtual CPUs on other nodes keep their
     * translations. DISCO_ERR_BUSY: a page of the map of dead pages, which the monitor writes to. Nothing is done where
     * there is a copy, or the page itself.
     */
    DISCO_PMAP_REPLICATE,
    /**
     * All replicas go, for all users of the page. Where they were the reason (DISCO_PMAP_REPLICA) it is writable again;
     * COW and NET stay. Nothing is done where there are none. @c node does not matter.
     */
    DISCO_PMAP_COLLAPSE,
    /**
     * Only translations of this PPN go, those of virtual CPUs on @c node (of all, if there is no such node): the next
     * ones lead to the nearest copy.
     */
    DISCO_PMAP_REMAP,
};

/** One move; @c err comes back. */
struct disco_pmap_move {
    disco_ppn ppn;
    unsigned node;
    enum disco_pmap_move_kind kind;
    int err;
};

/**
 * @p n moves (at most DISCO_PMAP_MANY; more: DISCO_ERR_BAD_ARG in each) with one revocation for all their pages. Each
 * fails or succeeds alone, and leaves its page as it was on error: DISCO_ERR_BAD_ADDRESS, DISCO_ERR_NOT_FOUND (no
 * page yet), DISCO_ERR_NO_MEMORY (none free on @c node; another node would be no gain), DISCO_ERR_BAD_ARG (no such
 * kind, or no such node to make a page on, or a PPN that is named twice, the second time, whatever became of the
 * first), and BUSY as each kind says. What there is to do for each is seen before any is done; then they are done in
 * the order of their PPNs.
 *
 * Other users of a page that is replicated or collapsed, other pmaps' or further PPNs of this one, lose their
 * translations after that, on the node of the copy or on all: a revocation for each DISCO_PMAP_MANY of them in each
 * pmap, in which the pages of all moves are together. Replicas that collapse are free by the time of return. The caller
 * holds no entry of any pmap.
 */
void disco_pmap_move_many(struct disco_pmap *pm, struct disco_pmap_move *m, size_t n);
/** One DISCO_PMAP_MIGRATE. @return what it came to. */
int disco_pmap_migrate(struct disco_pmap *pm, disco_ppn ppn, unsigned node);
/** One DISCO_PMAP_REPLICATE. @return what it came to. */
int disco_pmap_replicate(struct disco_pmap *pm, disco_ppn ppn, unsigned node);

/* --- dead pages --- */

/**
 * The guest marks pages whose contents it has no use for in a map in its own memory: at @p pa, page-aligned, @p len
 * bytes, one for each page from 0 on; nonzero = dead. Where a write to a COW or NET page that is marked needs a page
 * of its own, that is zeroed instead of copied. The monitor clears the byte of every page that it shares: only what is
 * marked after that counts.
 *
 * A pmap has one such map in its life, so that the map can be used without a lock: @p len 0 turns it off for good. Its
 * machine pages, writable at first, stay in use until the pmap ends, whatever the guest does with its own.
 * @return 0, DISCO_ERR_BAD_ARG (not aligned, more bytes than pages), DISCO_ERR_BAD_ADDRESS, DISCO_ERR_OVERFLOW,
 * DISCO_ERR_STATE (there was one already), DISCO_ERR_NO_MEMORY (then there is none, nor will there be).
 */
int disco_pmap_set_dead(struct disco_pmap *pm, disco_pa pa, uint64_t len, unsigned node);

/* --- reaching guest memory --- */

/**
 * Called for each piece of a guest buffer that lies in one page, with the page held. A negative
 * result ends the walk and becomes its result.
 */
typedef int disco_pmap_piece_fn(void *ctx, void *at, size_t len);

/**
 * The one way from a guest's address and length to memory. The whole range is checked first
 * (wrap-around: DISCO_ERR_OVERFLOW; outside the VM: DISCO_ERR_BAD_ADDRESS, nothing done), pages
 * are touched into being, and where @p access has DISCO_WRITE a read-only page is first resolved
 * as by a write fault. @p node: on whose behalf.
 */
int disco_pmap_access(struct disco_pmap *pm, disco_pa pa, uint64_t len, unsigned access,
                      unsigned node, disco_pmap_piece_fn *fn, void *ctx);
/**
 * Load @p n aligned words of 8 bytes, all in one page, as a processor of the guest would: atomically each, from the copy
 * nearest to @p node. @return 0; DISCO_ERR_BAD_ADDRESS; DISCO_ERR_NOT_FOUND (there is no page yet, and none is made);
 * DISCO_ERR_BAD_ARG (not aligned, or in more than one page).
 */
int disco_pmap_peek(struct disco_pmap *pm, disco_pa pa, uint64_t *words, size_t n, unsigned node);
/** Check a range without touching it: 0, DISCO_ERR_OVERFLOW, DISCO_ERR_BAD_ADDRESS. */
int disco_pmap_check(const struct disco_pmap *pm, disco_pa pa, uint64_t len);
/** Copy @p len bytes out of guest memory, on behalf of @p node; errors as disco_pmap_access(). */
int disco_pmap_read(struct disco_pmap *pm, disco_pa pa, void *to, uint64_t len, unsigned node);
/** The same into guest memory. */
int disco_pmap_write(struct disco_pmap *pm, disco_pa pa, const void *from, uint64_t len,
                     unsigned node);

#ifdef __cplusplus
}
#endif
#endif
