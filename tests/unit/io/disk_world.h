/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IO_DISK_WORLD_H
#define IO_DISK_WORLD_H

/*
 * A few VMs and one disk on a mock of a machine, over a store that answers when it is told to. For tests, and for
 * the fuzzer: no Check here.
 */

#include "mock_backend.h"

#include <disco/disk.h>

#include <stdio.h>
#include <stdlib.h>

#define MUST(cond)                                                                                 \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define VMS 3
#define VM_PAGES 80
#define PAGE DISCO_PAGE_SIZE
#define MOST_SECTORS 1024

/* A store that keeps what it is given until somebody says how it ends. Locked, for threads. */
struct slow_store {
    struct disco_store store; /* first */
    struct disco_backend *backend;
    struct disco_lock lock;
    uint8_t bytes[MOST_SECTORS * DISCO_SECTOR];
    struct disco_store_io *waiting[VMS * DISCO_DISK_DEPTH];
    unsigned n, most;                           /* waiting now; at most: beyond it is BUSY */
    bool now;                                   /* do it at once */
    int refuse;                                 /* answer of submit, if not 0 */
    unsigned transfers, reads, writes, flushes; /* begun */
    uint64_t sectors;                           /* moved by them */
};
/* The transfer that has waited as number @p i ends with @p status; what it moves is moved now. */
void store_end(struct slow_store *s, unsigned i, int status);
/* All that wait, and all that come of that, until nothing waits. */
void store_end_all(struct slow_store *s);

struct world_vm {
    struct disco_pmap pmap;
    struct disco_disk_port *port;
    struct disco_disks disks;
    struct disco_calls calls;
    struct disco_calls_counters counters[MOCK_CPUS];
    void *storage;
    bool line;
    unsigned risen;
};

struct world {
    struct mock m;
    struct disco_memmap *mm;
    struct slow_store store;
    struct disco_disk_config c;
    struct disco_disk *disk;
    struct world_vm vm[VMS];
    void *mm_storage, *disk_storage;
    uint64_t pages;
};

struct world_config {
    unsigned mode;
    uint64_t pages;                                  /* of the machine; 0: enough */
    uint64_t sectors, cache_pages, log_pages, nodes; /* 0: enough, no limit */
    uint64_t user_chunks;
    bool copy, read_only;
    unsigned ports; /* opened; the rest is the test's */
};

/* The disk's sectors have contents of their own: store_byte(). */
void world_init(struct world *w, const struct world_config *c);
/* Everything ends, the store too; every page must have come back. */
void world_fini(struct world *w);
void world_open(struct world *w, unsigned vm);
int world_close(struct world *w, unsigned vm);
uint8_t store_byte(uint64_t at);

/* Where requests lie in a VM's memory: its last page. */
#define ASK_PAGE (VM_PAGES - 1)
/* Ask for @p n pieces of memory. @return as disco_disk_request(). */
int world_ask(struct world *w, unsigned vm, uint32_t op, uint64_t sector, uint64_t tag,
              const struct disco_io_seg *seg, uint32_t n);
/* A request of one piece; the end, whenever it comes, must be the one that is given. */
int world_io(struct world *w, unsigned vm, uint32_t op, uint64_t sector, uint64_t pa, uint64_t len);
/* One end: its status; the tag must be the one that is given. */
int world_done(struct world *w, unsigned vm, uint64_t tag);

void guest_write(struct world *w, unsigned vm, uint64_t pa, const void *from, uint64_t len);
void guest_read(struct world *w, unsigned vm, uint64_t pa, void *to, uint64_t len);
void guest_fill(struct world *w, unsigned vm, uint64_t pa, uint64_t len, uint8_t byte);
bool guest_has(struct world *w, unsigned vm, uint64_t pa, uint64_t len, uint8_t byte);
/* Do @p len bytes at @p pa show what the store had at @p sector from the beginning? */
bool guest_shows(struct world *w, unsigned vm, uint64_t pa, uint64_t sector, uint64_t len);
/* The machine page behind the page at @p pa; UINT64_MAX: none. */
uint64_t page_behind(struct world *w, unsigned vm, uint64_t pa);
struct disco_disk_stats world_stats(struct world *w);
uint64_t world_free(const struct world *w);
/* Take all free pages but @p rest. @return how many, for world_let_go(). */
unsigned world_hoard(struct world *w, disco_mpn *page, uint64_t rest);
void world_let_go(struct world *w, disco_mpn *page, unsigned n);

#endif
