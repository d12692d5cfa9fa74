/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STRESS_CPU_H
#define STRESS_CPU_H

/* The processors of mm_stress.c: TLBs, purging, misses, loads and stores of the guests. */

#include "mock_backend.h"

#include <disco/atomic.h>
#include <disco/l2tlb.h>

#include <pthread.h>

enum {
    CPUS = 4,
    NODES = 2,
    VMS = 2,
    PRIVATE = 16,
    PPNS = 24,
    PAGES = 58,
    FIRST = 16,
    SETS = 12,
    CHUNKS = 4,
    TLB = 8,
    ASIDS = 8,
    L2SETS = 8,
    PAIRS = 20,
    MORTAL = 20, /* pages from here on are marked as dead now and then */
    MAP = PPNS,  /* the page of the map of dead pages, which no translation leads to */
};
#define UNMAPPED_VPN UINT64_C(0x80000)
#define VA_MASK UINT64_C(0x00000000ffffe000)

struct translation {
    bool used;
    unsigned vm;
    disco_vpn pair;
    uint32_t asid;
    uint64_t ppn[2];
    disco_tlbe e[2];
};

/* What one processor asks of another. */
struct request {
    uint64_t pending; /* set by the asker, cleared by the one asked */
    unsigned vm;
    const struct disco_pmap_gone *gone;
    size_t pages;
    const struct disco_purge *p;
    size_t n;
};

/* What a processor remembers of a store. */
struct memory {
    uint64_t begun, value;
};

struct cpu {
    unsigned id;
    uint64_t seed, stores;
    uint32_t asid;
    struct disco_l2tlb l2[VMS];
    struct translation tlb[TLB];
    struct request ask[CPUS]; /* by asker */
    struct memory memory[VMS][PPNS];
    uint64_t done[16];
    pthread_t thread;
};

extern struct mock m;
extern struct disco_memmap *mm;
extern struct disco_pmap pm[VMS];
extern struct cpu cpus[CPUS];
extern uint64_t begun[VMS][PPNS], ended[VMS][PPNS]; /* calls that replace a page's contents */
extern _Thread_local struct cpu *self;

#define MUST(x) ((x) ? (void)0 : broken(#x, __LINE__))
_Noreturn void broken(const char *what, int line);

unsigned dice(unsigned n);
unsigned here(void); /* the node of this processor */

/* Answer what others ask. This is the only place where a processor's TLB changes under it. */
void serve(void *ctx);
/* disco_pmap_purge_fn; ctx is the pmap. */
void purge(void *ctx, const struct disco_pmap_gone *gone, size_t pages, const struct disco_purge *p,
           size_t n);
/* disco_pmap_vcpus_on_fn: a VM has a virtual CPU on each processor. */
uint64_t vcpus_on(void *ctx, unsigned node);
/* The word @p k of the page that @p e leads to. */
uint64_t *word(disco_tlbe e, unsigned k);
/* The guest loads or stores somewhere, answered as a monitor would. */
void guest_step(void);

#endif
