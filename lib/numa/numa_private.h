/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_NUMA_PRIVATE_H
#define DISCO_NUMA_PRIVATE_H

/*
 * The engine. Who may touch what:
 *
 *   queue, params                 who holds the queue lock; its numbers may be read without
 *   history, rings, round, left, stats
 *                                 who holds the work lock; of stats, which may be read without, the first four belong
 *                                 to the queue lock
 *   pmap[]                        disco_numa_attach() puts in by compare-and-swap, disco_numa_detach() takes out with
 *                                 the work lock held: what its holder finds there lives until it lets go
 *   generation, end               atomics, which disco_numa_tick() writes; interval, disco_numa_set()
 *
 * Both locks are in lock.h's order: work is 2, outside pmap entries (3) and pages (4); queue is 6, inside all.
 *
 *   policy.c   the decision                      history.c  what is remembered of pages
 *   queue.c    records that wait                 look.c     from a record to what the policy asks
 *   work.c     records become rounds of moves    drop.c     replicas by node, and giving them back
 *   moves.c    a round's moves                   init.c     the engine in its storage, parameters, pmaps, time
 */

#include <disco/lock.h>
#include <disco/numa.h>

/* --- history.c --- */

/* What is remembered of a page within an interval. A private page goes by its user, for its machine page changes. */
struct note {
    uint64_t key;
    uint64_t generation; /* of the interval; if it is not the present one, this is nothing */
    uint64_t when;       /* the queue's `put` at its last move */
    uint16_t moves;      /* migrations; of a page with several users, remaps */
    bool replicated;
    uint8_t copier; /* number of the node that copied it, plus 1; 0: not known, or nobody did */
    uint32_t base;  /* stores counted on it that are older than its last move, or that move's own */
};
_Static_assert(sizeof(struct note) == 32, "two notes a cache line");

struct history {
    struct note *note;
    uint32_t sets;       /* a power of two */
    uint64_t generation; /* of the present interval, from 1 */
};

#define HISTORY_WAYS 4

/* What is remembered of @p key, or NULL. */
const struct note *disco_history_find(const struct history *h, uint64_t key);
/* The same, to be written; if there is none yet a new one, which may evict another: then *evicted counts it. */
struct note *disco_history_note(struct history *h, uint64_t key, uint64_t *evicted);

/* --- queue.c --- */

struct record {
    struct disco_numa_hot hot;
    uint64_t number; /* of the last that was merged into it */
};

/* A ring, and an index by page and node that finds most duplicates: hash -> number of a record + 1. */
struct queue {
    struct disco_lock lock;
    uint32_t places; /* a power of two */
    uint64_t put;    /* records ever accepted, merged ones included */
    uint64_t head, tail;
    struct record *record;
    uint64_t *index;
};

/* Take up to @p max records into @p r; how many. */
size_t disco_queue_take(struct disco_numa *n, struct record *r, size_t max);

/* --- a round: moves of one pmap that share a revocation --- */

/* A guest's page, and what is to become of it. */
struct target {
    struct disco_pmap *pm;
    disco_ppn ppn;
    disco_mpn master;
    uint64_t key;
    enum disco_numa_action action;
    unsigned node;
    uint64_t writes; /* as the policy saw them */
    int err;         /* of the move */
};

struct round {
    struct disco_pmap *pm; /* of all targets */
    size_t n;
    struct target target[DISCO_PMAP_MANY];
};

/* Masters that were given a replica on one node, in a ring: the oldest at `tail`. */
struct ring {
    uint64_t head, tail;
    uint64_t *master;
};

struct disco_numa {
    struct disco_backend *backend;
    uint64_t (*now)(struct disco_backend *);
    struct disco_memmap *mm;
    unsigned nodes, cpus;
    uint32_t pmaps, replicas;
    struct disco_pmap **pmap;
    uint64_t interval; /* params.interval, to be read without the lock */
    /* Where every processor looks whether there is work, written by who puts or takes records. */
    DISCO_OWN_LINE struct queue queue;
    uint64_t left; /* of `record`, still to be decided; may be read without the lock */
    struct disco_numa_params params;
    uint64_t generation, end;
    DISCO_OWN_LINE struct disco_lock work;
    uint32_t waiters; /* for the work lock; atomic */
    struct history history;
    struct ring ring[DISCO_MAX_NODES];
    struct record record[DISCO_PMAP_MANY]; /* taken from the queue */
    struct round round;
    uint64_t spent; /* moves in this interval */
    struct disco_numa_stats stats;
};

/* --- init.c --- */

/* Take the work lock, and have its holder end soon. */
void disco_numa_lock(struct disco_numa *n);
void disco_numa_unlock(struct disco_numa *n);
/* Parameters as they are now, and the interval; with the work lock held. */
void disco_numa_refresh(struct disco_numa *n, struct disco_numa_params *p);

/* --- look.c --- */

/* Where is the page, whose is it? Everything but the counts in @p v; *t if it is a guest's. */
void disco_numa_look(struct disco_numa *n, disco_mpn mpn, unsigned node, struct target *t,
                     struct disco_numa_view *v);
/* All that the policy asks of @p r. */
void disco_numa_view(struct disco_numa *n, const struct disco_numa_params *p,
                     const struct record *r, struct target *t, struct disco_numa_view *v);

/* --- moves.c --- */

/* Carry a round out; each target's err tells. */
void disco_numa_move(struct round *round);

/* --- work.c --- */

/* The round's moves, what they cost, and what is to be remembered of them. The round is empty afterwards. */
void disco_numa_run(struct disco_numa *n);
/* May @p t join the round? It is of the same pmap, there is room, and its page is not in the round. */
bool disco_numa_joins(const struct round *round, const struct target *t);

/* --- drop.c --- */

/* @p master has a replica on @p node now. */
void disco_numa_remember(struct disco_numa *n, unsigned node, disco_mpn master);

#endif
