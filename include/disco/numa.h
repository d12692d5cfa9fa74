/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_NUMA_H
#define DISCO_NUMA_H

/**
 * @file numa.h
 * @brief Pages go to where they are used: the policy, and what carries it out (Disco, section 4.2.1).
 *
 * FLASH's node controllers count misses and tell of pages that are *hot* (flash.h). Of each such page a pure function,
 * disco_numa_decide(), says what to do; it is the one of Verghese, Devine, Gupta and Rosenblum (ASPLOS 1996), as the
 * paper says:
 *
 *   missed by one node                 migrate it there
 *   missed by several, hardly written  replicate it on the node that misses
 *   missed by several, and written     leave it: neither helps
 *   moved too often already            leave it
 *
 * Hardware keeps memory coherent, so a wrong decision costs time and never correctness. Everything here may therefore
 * look at pages without a lock and be overtaken: pmap.h checks each move again.
 *
 * An engine, struct disco_numa, takes hot records from any processor into a bounded queue (disco_numa_hot()), and
 * one processor at a time works them off (disco_numa_work()), in rounds of up to DISCO_PMAP_MANY moves of one pmap that
 * share a revocation. What it remembers of pages is bounded, and forgotten in O(1) when an interval ends.
 *
 * Locking. Every call may be made with interrupts off, from any processor. There are two locks:
 *  - the *work lock* (lock.h, 2), held by disco_numa_work() while it looks pages up and moves them, and by
 *    disco_numa_detach() and disco_numa_drop_replicas(), which wait for it. pmap entries are locked inside it: whoever
 *    calls one of the three holds no pmap entry and no lock of a memmap, and is not in a backend's `relax`. Who waits
 *    serves purges, and waits for one round at most (disco_numa_work() ends early for it);
 *  - the *queue lock* (lock.h, 6), a leaf: disco_numa_hot(), disco_numa_set() and disco_numa_get() take nothing but it,
 *    so they may be called with whatever held. A processor on which an interrupt can call them has interrupts off
 *    whenever it does.
 * The other calls take no lock.
 */

#include <disco/pmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- the policy --- */

/** Which moves are wanted, as bits. Off: nothing is done; replicas that exist stay until they are written. */
enum disco_numa_mode {
    DISCO_NUMA_OFF = 0,
    DISCO_NUMA_MIGRATE = 1,
    DISCO_NUMA_REPLICATE = 2,
    DISCO_NUMA_ON = 3,
};

/** The numbers of the policy. Counts are of counted misses: with sampling, one in so many. */
struct disco_numa_params {
    uint32_t mode;    /**< bits of enum disco_numa_mode */
    uint32_t trigger; /**< misses of one node on a page, since the last reset, that make it hot */
    uint32_t sharing; /**< misses of another node that make it shared; at most the trigger */
    uint32_t write;   /**< stores above which a page is not replicated */
    uint32_t migrate; /**< a page that has migrated so often in an interval stays where it is */
    uint32_t cap;     /**< moves of all pages together in an interval */
    /** Misses that the monitor's own copying of a page leaves in a count: lines of a page */
    uint32_t copy;
    uint64_t interval; /**< nanoseconds after which all counts begin anew */
};

/**
 * What Disco starts with. Verghese et al. have 128, a quarter of it, 1, 1 and 100 ms, where a move costs 400 to 500
 * us. Here it costs 60 to 100 us, and a far miss costs 600 ns more than a near one: it has paid for itself after 100
 * to 170 misses, and after some more if what others have of the page in their caches counts, which they all miss on
 * anew. A rule that never does much worse than one that knows the future waits for as many: 192, with the same quarter
 * for sharing and one store; and two migrations, for a virtual CPU may itself be moved twice. They are counted for 300
 * ms, as 64 in 100 ms would be the same rate: but what short processes do, a build's for example, has passed by then, and
 * following it cost a tenth of their time (the build of `./disco reproduce figure8`, with
 * `--numa-set trigger=64,sharing=16,interval=100`). 768 moves are at most a quarter of one
 * processor's time in an interval. `copy` is for 128-byte lines, all counted.
 */
void disco_numa_params_default(struct disco_numa_params *p);
/** DISCO_ERR_BAD_ARG for an unknown mode, no trigger, sharing 0 or above the trigger, or no interval; else 0. */
int disco_numa_params_check(const struct disco_numa_params *p);

/** What a hot record's page turned out to be. */
enum disco_numa_page {
    DISCO_NUMA_PAGE_GUEST,   /**< a guest's, and it can be moved */
    DISCO_NUMA_PAGE_FOREIGN, /**< not in the memmap */
    DISCO_NUMA_PAGE_FREE,
    DISCO_NUMA_PAGE_MONITOR, /**< the monitor's own, or nobody's any more but a cache's */
    DISCO_NUMA_PAGE_NO_USER, /**< none of its users is known here (disco_numa_attach()) */
    DISCO_NUMA_PAGE_CHANGED, /**< its user has another page by now, or it is being revoked */
    DISCO_NUMA_PAGE_WIRED,   /**< writable, and the monitor refers to it: a map of dead pages */
};

/** All that a decision depends on. Nodes are numbers only, so there may be any number of them. */
struct disco_numa_view {
    enum disco_numa_page page;
    unsigned node;   /**< who missed */
    unsigned at;     /**< where the copy lies that it missed on */
    uint64_t misses; /**< of `node` on the page since the last reset */
    uint64_t others; /**< the most that any other node has */
    uint64_t writes; /**< stores of all */
    uint32_t moves;  /**< migrations of the page in this interval */
    uint32_t spent;  /**< moves of all pages in this interval */
    bool replicated; /**< it has replicas */
    bool copy_here;  /**< one of its copies lies on `node` */
    bool stale;      /**< counted before that copy was made */
    bool collapsed;  /**< it had replicas in this interval, and was written */
    bool read_only;  /**< nobody can write it in place: copy-on-write or network */
    bool sole;       /**< one user and no other reference */
    bool low;        /**< `node` is below its low-water mark */
    bool full;       /**< `node` has no free page */
};

/** What to do with a page. */
enum disco_numa_action {
    DISCO_NUMA_LEAVE,
    DISCO_NUMA_DO_MIGRATE,
    DISCO_NUMA_DO_REPLICATE,
    DISCO_NUMA_DO_COLLAPSE, /**< drop the replicas of a page that is written */
    DISCO_NUMA_DO_REMAP, /**< the node has a copy, and its processors use a far one: forget translations */
    DISCO_NUMA_ACTIONS, /**< how many there are */
};

/** Why. The first four are reasons to act, one for each action; the others are all the ways of leaving a page alone. */
enum disco_numa_reason {
    DISCO_NUMA_ONE_NODE,    /**< migrate: no other node comes near */
    DISCO_NUMA_READ_SHARED, /**< replicate: several use it and hardly anybody writes it */
    DISCO_NUMA_WRITTEN,     /**< collapse: it is written all the same */
    DISCO_NUMA_FAR_COPY,    /**< remap: there is a nearer copy */
    DISCO_NUMA_DISABLED,    /**< the mode does not want this */
    DISCO_NUMA_FOREIGN,     /**< and so on: see enum disco_numa_page */
    DISCO_NUMA_FREE,
    DISCO_NUMA_MONITOR,
    DISCO_NUMA_NO_USER,
    DISCO_NUMA_CHANGED,
    DISCO_NUMA_WIRED,
    DISCO_NUMA_NOT_HOT,      /**< fewer misses than the trigger */
    DISCO_NUMA_LOCAL,        /**< it lies there already */
    DISCO_NUMA_STALE,        /**< the node got its copy after the misses were counted */
    DISCO_NUMA_WRITE_SHARED, /**< several use it, and it is written */
    DISCO_NUMA_RESTLESS,     /**< migrated too often in this interval */
    DISCO_NUMA_NO_MEMORY,    /**< the node has no free page, or no memory */
    DISCO_NUMA_LOW_MEMORY,   /**< the node is below its low-water mark: no replicas there */
    DISCO_NUMA_CAPPED,       /**< as many moves as an interval may have */
    DISCO_NUMA_REASONS,      /**< how many there are */
};

/** What disco_numa_decide() answers; the node that an action goes to is the view's. */
struct disco_numa_decision {
    enum disco_numa_action action;
    enum disco_numa_reason reason;
};

/** The policy. Pure: the same answer to the same question, nothing else is looked at. */
struct disco_numa_decision disco_numa_decide(const struct disco_numa_params *p,
                                             const struct disco_numa_view *v);
/** A word for statistics ("write_shared"); "?" for a number that is none. */
const char *disco_numa_reason_name(enum disco_numa_reason r);
/** A word for statistics ("migrate"); "?" for a number that is none. */
const char *disco_numa_action_name(enum disco_numa_action a);

/* --- the engine --- */

struct disco_numa;

/** What disco_numa_init() makes. */
struct disco_numa_config {
    struct disco_backend *backend; /**< for spinning; for `cpu` and `now` too, if it has them */
    /** Nanoseconds, for disco_numa_stats::ns alone; NULL: the backend's */
    uint64_t (*now)(struct disco_backend *b);
    struct disco_memmap *mm;
    uint32_t pmaps; /**< their ids are below this, <= DISCO_MAX_PMAPS */
    uint32_t queue; /**< hot records that can wait, a power of two up to 65536 */
    /** Pages remembered in an interval, a power of two from 4 to 2^20; twice `cap` is plenty */
    uint32_t history;
    /** Of each node, that disco_numa_drop_replicas() can find, a power of two up to 2^24 */
    uint32_t replicas;
    struct disco_numa_params params;
};

/** Bytes of storage for @p c: 8 a pmap, 64 a queue place, 32 a history place, 8 a replica and node. 0: bad. */
size_t disco_numa_size(const struct disco_numa_config *c);
/**
 * Make an engine in @p storage (aligned to DISCO_CACHE_LINE, the caller's). It looks at the backend's number of nodes
 * now. @return 0 with *out set (it lies in @p storage), DISCO_ERR_BAD_ARG, DISCO_ERR_NO_SPACE, DISCO_ERR_MISSING_OP (a
 * backend without `relax`).
 */
int disco_numa_init(struct disco_numa **out, void *storage, size_t size,
                    const struct disco_numa_config *c);
/** Nobody calls it any more; it forgets its pmaps. Replicas stay, they are their pages'. NULL: nothing. */
void disco_numa_fini(struct disco_numa *n);

/** New numbers from now on; the interval that runs keeps its end, unless that is far off. @return as the check. */
int disco_numa_set(struct disco_numa *n, const struct disco_numa_params *p);
/** The numbers in force. */
void disco_numa_get(struct disco_numa *n, struct disco_numa_params *p);

/**
 * From now on pages of @p pm may be moved, until disco_numa_detach(). It lives in the engine's memmap.
 * @return 0, DISCO_ERR_BAD_ARG (another memmap, or an id out of range), DISCO_ERR_BUSY (its id is attached).
 */
int disco_numa_attach(struct disco_numa *n, struct disco_pmap *pm);
/**
 * From now on none of its pages is moved: wait until the round under way has ended. Call it before disco_pmap_fini().
 * Records that wait name machine pages and not pmaps; they are looked at when their turn comes, and find no user.
 * @return 0, DISCO_ERR_NOT_FOUND.
 */
int disco_numa_detach(struct disco_numa *n, struct disco_pmap *pm);

/** One node's count on one page, as hardware tells of it (disco_flash_record). Nothing in it is believed. */
struct disco_numa_hot {
    disco_mpn mpn;
    unsigned node, cpu; /**< who missed: cpu is one of node's */
    uint64_t misses;    /**< of node on the page, since the last reset */
    uint64_t others;    /**< of that other node which has the most */
    uint64_t writes;    /**< stores among the misses of all nodes */
    /** Bit n: another node n, which has as many misses as the sharing threshold or more */
    uint64_t sharers;
};

/**
 * Queue a record. One of the same page and node that still waits is brought up to date in its place.
 * @return 0 (queued or merged), DISCO_ERR_NO_SPACE (the queue is full: it is lost, and counted), DISCO_ERR_BAD_ARG (no
 * such node or processor: counted).
 */
int disco_numa_hot(struct disco_numa *n, const struct disco_numa_hot *h);

/**
 * Take up to @p budget records, look each page up again, decide, and move. If another processor is at it this one
 * returns at once, and likewise after the next round if somebody waits to detach a pmap or to drop replicas; the next
 * call goes on with what is left. @return the records taken.
 */
size_t disco_numa_work(struct disco_numa *n, size_t budget);
/** Records that wait. A snapshot, lock-free: whether there is work to do. */
uint64_t disco_numa_waiting(const struct disco_numa *n);

/**
 * Memory on @p node is short: free replicas there, those made longest ago first, until it has @p pages free pages or
 * none is left that is remembered. All copies of such a page go with it, for a page has all its replicas or none.
 * Time is proportional to the replicas looked at, each at most once.
 * @return the replicas freed on @p node.
 */
uint64_t disco_numa_drop_replicas(struct disco_numa *n, unsigned node, uint64_t pages);

/**
 * Tell the time, in nanoseconds, as often as you like. @return whether an interval has ended: true to one caller
 * only, who then resets the hardware's counts (disco_flash_reset()). The first call ends the first one. Time that jumps
 * back by more than an interval ends it, too.
 */
bool disco_numa_tick(struct disco_numa *n, uint64_t now);
/** When the present interval ends, in the time of disco_numa_tick(): whoever sees an earlier one need not tell it. Lock-free. */
uint64_t disco_numa_interval_end(const struct disco_numa *n);

/**
 * Counters. Each record is counted once in merged, overflow or bad, or waits, or was taken and is counted
 * once in `decided`.
 */
struct disco_numa_stats {
    uint64_t hot;                         /**< records offered */
    uint64_t merged;                      /**< into one that waited */
    uint64_t overflow;                    /**< lost because the queue was full */
    uint64_t bad;                         /**< of a node or processor that does not exist */
    uint64_t decided[DISCO_NUMA_REASONS]; /**< by enum disco_numa_reason */
    uint64_t moved[DISCO_NUMA_ACTIONS];   /**< pages, by enum disco_numa_action */
    /** Moves that pmap refused: no memory, or the page was another by then */
    uint64_t failed[DISCO_NUMA_ACTIONS];
    /** Time, a round's divided evenly among its moves; 0 without `now` */
    uint64_t ns[DISCO_NUMA_ACTIONS];
    uint64_t rounds; /**< revocations, of up to DISCO_PMAP_MANY pages each */
    /** Replicas freed by disco_numa_drop_replicas() on the node that was short */
    uint64_t dropped;
    uint64_t forgotten; /**< replicas that it can no longer find: `replicas` was too small */
    uint64_t evicted;   /**< pages forgotten before the interval's end: `history` was too small */
    uint64_t intervals;
};

/** A snapshot into *out; each counter is read atomically, not all of them together. */
void disco_numa_stats(const struct disco_numa *n, struct disco_numa_stats *out);

#ifdef __cplusplus
}
#endif
#endif
