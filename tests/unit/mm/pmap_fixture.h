/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PMAP_FIXTURE_H
#define PMAP_FIXTURE_H

/* Two VMs on a small machine, and a purge that writes down what it was asked. */

#include "mock_backend.h"
#include "suite.h"

#define NODES 2
#define PAGES 16
#define PPNS 8
#define SETS 1

extern struct mock m;
extern struct disco_memmap *mm;
extern struct disco_pmap pm, other;

struct purged {
    unsigned calls;
    unsigned of[3]; /* calls by the pmap's number: 1 `pm`, 2 `other` */
    disco_ppn ppn;  /* the first */
    struct disco_pmap_gone gone[DISCO_PMAP_MANY];
    size_t pages;
    struct disco_purge p[64];
    size_t n;
    disco_tlbe word;     /* the entries' first words while purging, all in one */
    unsigned marked;     /* how many words of the pmap were marked then, in all calls */
    uint8_t *last_store; /* where a guest stores just before it loses the page */
    disco_mpn watched;   /* a page, and what it was while purging */
    enum disco_page_state was;
};
extern struct purged purged;

void setup(void);
/* The same with other sizes. */
void setup_of(uint64_t pages, uint64_t ppns, uint64_t sets, uint64_t chunks);
/* With other nodes, and who is asked which virtual CPUs are on one. */
void setup_nodes(unsigned nodes, disco_pmap_vcpus_on_fn *vcpus_on, uint64_t pages, uint64_t ppns);
void teardown(void); /* checks that every page came back */

struct disco_pmap_config config(struct disco_pmap *of, uint32_t id);
disco_ppn ppn(uint64_t v);
uint64_t mpn_at(struct disco_pmap *of, uint64_t p, unsigned node);
/* Enter both halves read-write at (vcpu, vpn) of `pm` and let go. */
struct disco_pmap_pair enter(uint64_t vpn, uint32_t vcpu, uint64_t even, uint64_t odd);
void fill_memory(void);
void empty_memory(void);

#endif
