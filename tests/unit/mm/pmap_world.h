/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PMAP_WORLD_H
#define PMAP_WORLD_H

/* What the model knows of the world, and how it is held against the real one. See pmap_model.h. */

#include "mock_backend.h"

#include <stddef.h>

enum {
    VMS = 3,
    PPNS = 8,
    VCPUS = 3,
    NODES = 3,
    PAGES = 27,
    FIRST = 64,
    CHUNKS = 2,
    SETS = 2,
    TOKENS = 4,
    TLB = 24,
    VPNS = 24,
    OBJECTS = PAGES,
};

#define CHECK(x) ((x) ? (void)0 : wrong(#x, __FILE__, __LINE__))

/* A machine page as the model sees it; gone when it has neither users nor tokens. */
struct object {
    uint8_t data[DISCO_PAGE_SIZE];
    unsigned users, tokens; /* tokens: references that are none, of tests and of dead maps */
    uint64_t mpn;
    unsigned node;
    uint64_t replica[NODES]; /* MPN, 0: none */
};

struct page {
    struct object *o; /* NULL: not touched */
    enum disco_pmap_reason reason;
};

/* A VM's map of dead pages: the object that holds it, a byte a page, for as long as the VM is there. */
struct deadmap {
    bool tried, on;
    struct object *o;
    uint64_t bytes, copies;
};

/* What a VM's statistics should say. */
struct moved {
    uint64_t migrations, replications, collapses;
};

struct translation {
    bool used, recorded;
    unsigned vm;
    uint32_t vcpu;
    disco_vpn pair;
    disco_ppn ppn[2];
    disco_tlbe e[2];
};

struct world {
    struct mock mock;
    struct disco_memmap *mm;
    void *mm_storage, *storage[VMS];
    struct disco_pmap pm[VMS];
    struct object object[OBJECTS];
    struct page page[VMS][PPNS];
    struct object *token[TOKENS];
    struct deadmap dead[VMS];
    struct moved moved[VMS];
    struct translation tlb[TLB];
    unsigned next_slot;
    const uint8_t *data;
    size_t left, steps;
    unsigned op, purges; /* of this step */
};
extern struct world w;

/* disco_pmap_vcpus_on_fn: virtual CPUs and nodes by turns. */
uint64_t vcpus_on(void *ctx, unsigned node);

/* The next byte of the input, below @p n; 0 at its end. */
unsigned byte(unsigned n);

void world_start(void);
void world_stop(void); /* gives everything back and checks that it is all there */
void world_check(void);
_Noreturn void wrong(const char *what, const char *file, int line);

/* --- objects --- */

bool alive(const struct object *o);
bool is_map(const struct object *o); /* of dead pages */
bool sole(const struct object *o);   /* one user or token, no more */
unsigned free_on(unsigned node);
unsigned chunks_used(void);
/* The node that an allocation for @p node comes from, or -1. */
int source(unsigned node);
struct object *fresh(const uint8_t *contents, unsigned node);
void release(struct page *p);
void use(struct page *p, struct object *o, enum disco_pmap_reason reason);
uint64_t real_mpn(unsigned vm, uint64_t ppn, unsigned node);
/* A new object stands behind the page: learn where it really is, which must be nobody else's. */
void learn(unsigned vm, uint64_t ppn);
/* It stands behind @p mpn, which must be nobody else's. */
void learn_object(struct object *o, uint64_t mpn);

#endif
