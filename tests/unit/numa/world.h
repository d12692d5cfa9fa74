/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NUMA_WORLD_H
#define NUMA_WORLD_H

/*
 * Some virtual machines on a small machine with nodes, and an engine. Time stands unless a test moves it; a move of
 * a page takes 10 us of it for each copy. Of Check nothing is used: fuzz targets stand on this too.
 */

#include "mock_backend.h"

#include <disco/numa.h>

enum {
    NODES = 4,
    EACH = 24,
    FIRST = 64,
    VMS = 3,
    PPNS = 12,
    QUEUE = 64,
    HISTORY = 64,
    REPLICAS = 8
};

struct world {
    unsigned nodes; /* of the machine */
    uint64_t pages; /* of each node that has any */
    unsigned with;  /* nodes that have memory */
    uint64_t low_water;
    uint32_t queue, history, replicas;
    bool unattached; /* virtual machines are not attached yet */
};

extern struct mock m;
extern struct disco_memmap *mm;
extern struct disco_pmap pm[VMS];
extern struct disco_numa *numa;
extern uint64_t time_ns;
extern unsigned running; /* the processor that runs; node n has processor n */
extern unsigned purges;  /* revocations */
extern void (*in_purge)(void);
extern unsigned purged_of; /* whose the last one was, and its first page */
extern disco_ppn purged_at;

#define MUST(x) ((x) ? (void)0 : broken(#x, __FILE__, __LINE__))
_Noreturn void broken(const char *what, const char *file, int line);

/* trigger 100, sharing 25, one store, two migrations, 40 moves, 32 misses a copy, 1 ms. */
struct disco_numa_params world_params(void);
void world_begin(void);
void world_begin_as(const struct world *w);
/* Everything must have come back. */
void world_end(void);
void pmap_begin(unsigned vm);

disco_ppn ppn(uint64_t v);
/* The machine page as seen from a node; UINT64_MAX: none. */
uint64_t seen(unsigned vm, uint64_t p, unsigned node);
/* The node on which lies what @p node sees. */
unsigned node_seen(unsigned vm, uint64_t p, unsigned node);
uint64_t master_of(unsigned vm, uint64_t p);
/* The first word of the page, as a node reads it; and a store by the guest. */
uint64_t word_seen(unsigned vm, uint64_t p, unsigned node);
void store(unsigned vm, uint64_t p, unsigned node, uint64_t value);
/* A page of @p vm on @p node with @p value in it. */
void make(unsigned vm, uint64_t p, unsigned node, uint64_t value);
/* The page of one VM, read-only in another too. */
void share(unsigned from, uint64_t p, unsigned to, uint64_t q);

/* A record: 100 misses of @p node on @p mpn, and nothing else. */
struct disco_numa_hot record(uint64_t mpn, unsigned node);
/* The same, queued and worked off. */
void hot(uint64_t mpn, unsigned node);
/* The same with 25 misses of another node. */
void hot_shared(uint64_t mpn, unsigned node);

struct disco_numa_stats stats(void);
/* How often a reason was given. */
uint64_t decided(enum disco_numa_reason r);

#endif
