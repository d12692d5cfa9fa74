/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NET_WORLD_H
#define NET_WORLD_H

/*
 * A few VMs on one network, with their calls, and ports of the monitor's own behind theirs; for tests and fuzzers. A
 * VM's memory: one page for what it tells the monitor, one for what comes back, the rest is its own.
 */

#include "../mm/mock_backend.h"

#include <disco/net.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VMS 3
#define PORTS 6 /* the VMs' and three of the monitor's */
#define PPNS 64
#define NODES 2
#define PAGE ((uint64_t)DISCO_PAGE_SIZE)
#define REQUEST UINT64_C(0) /* where a VM writes what it sends, */
#define ANSWER PAGE         /* and what it offers */
#define OWN 2               /* its first page beyond these */

#define MUST(x) ((x) ? (void)0 : net_broken(#x, __FILE__, __LINE__))
_Noreturn void net_broken(const char *what, const char *file, int line);

struct net_vm {
    struct disco_pmap pmap;
    struct disco_calls calls;
    struct disco_calls_counters counters[MOCK_CPUS];
    struct disco_nic nic;
    struct disco_remapper remapper;
    struct disco_memory memory;
    void *storage;
    unsigned port;
    struct disco_net_recv answer; /* of the last recv() */
};

struct line {
    bool up;
    unsigned rises;
};

struct world {
    struct mock m; /* first: the clock is found through it */
    struct disco_memmap *mm;
    struct disco_net *net;
    struct net_vm vm[VMS];
    struct line line[PORTS];
    uint64_t now, pages;
    void *mm_storage, *net_storage;
};

struct world_config {
    uint64_t pages, chunks; /* of machine memory, of users beyond a page's first */
    bool copy;
};

void world_init(struct world *w, const struct world_config *c);
/* Every port is closed and every VM ends; then every page must be free. */
void world_fini(struct world *w);
/* The VM of a port ends and another one takes its place. */
void world_again(struct world *w, unsigned vm);
struct disco_line world_line(struct world *w, unsigned port);

/* A monitor call of the VM's. */
int64_t net_call(struct net_vm *vm, uint64_t number, uint64_t a, uint64_t b);
void poke(struct net_vm *vm, uint64_t pa, const void *bytes, uint64_t len);
void peek(struct net_vm *vm, uint64_t pa, void *bytes, uint64_t len);
/* Where the VM's page @p ppn is. */
uint64_t mpn_at(struct net_vm *vm, uint64_t ppn);

/* The address of port @p i's owner. */
void mac_of(unsigned i, uint8_t mac[6]);
extern const uint8_t broadcast[6];
/* Write an Ethernet header at @p pa of the VM's memory. */
void header(struct net_vm *vm, uint64_t pa, const uint8_t to[6], const uint8_t from[6]);
int64_t send_segs(struct net_vm *vm, const struct disco_io_seg *seg, uint32_t n, uint16_t start,
                  uint16_t offset);
/* One segment from @p pa on. */
int64_t send_at(struct net_vm *vm, uint64_t pa, uint64_t len);
/* Offer @p n pages from @p ppn on; what came back is in vm->answer. */
int64_t recv_at(struct net_vm *vm, uint64_t ppn, uint32_t n);
/* The frame that came back, as bytes; its length. @p to has room for the longest. */
uint32_t answer_bytes(struct net_vm *vm, uint8_t *to);
/* A frame of the monitor's: a head of @p len bytes. */
struct disco_frame small_frame(const uint8_t to[6], const uint8_t from[6], uint32_t len);
struct disco_net_stats stats_of(struct world *w, unsigned port);
uint64_t free_pages(const struct world *w);

#endif
