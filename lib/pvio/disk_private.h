/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_DISK_PRIVATE_H
#define DISCO_DISK_PRIVATE_H

/*
 * The life of a request:
 *
 *   FREE     in its port's list
 *   WORKING  somebody works on it: its slot is his, but for `forgotten`
 *   MOVING   its transfer is at the store   -+
 *   JOINED   waits for another's transfer    +- in the disk's list `waiting`, in the order they came
 *   STALLED  waits until the store takes more  -+
 *   DONE     in its port's list of those whose end the guest has not taken
 *
 * Who may touch what: the disk's lock guards lists, states, indexes and the pool. The rest of a WORKING
 * request belongs to whoever took it from a list, without the lock; guest memory is reached in that state only. A
 * port counts its WORKING requests, so that one who closes it can wait for them, and then for none that begins.
 *
 * Pages: a request has a reference of its own to each page it names. So a page of cache or log can be
 * evicted or replaced while a request still copies out of it, and pages of either are never changed.
 */

#include <disco/atomic.h>
#include <disco/disk.h>

#define BLOCK_SECTORS (DISCO_PAGE_SIZE / DISCO_SECTOR)
/* Blocks that a request touches at most: one more than its bytes fill, where it does not begin with a block. */
#define BLOCKS (DISCO_DISK_BYTES / DISCO_PAGE_SIZE + 1)
#define NO_PAGE UINT64_MAX
/* Not an enum disco_err: the request goes on when something that it waits for is over. */
#define WAITS 1

enum request_state { FREE, WORKING, MOVING, JOINED, STALLED, DONE };

struct request {
    struct request *next;
    struct disco_disk_port *port;
    enum request_state state;
    bool forgotten; /* its VM is gone */
    bool checked;   /* it asks for what there is */
    int status;
    unsigned node;
    struct disco_disk_request ask; /* what the guest wrote, copied once */
    uint64_t sectors;
    uint64_t block;         /* the first that it touches */
    unsigned blocks;        /* a flush has one, without a page */
    unsigned at;            /* the blocks before this one are settled */
    unsigned moved;         /* MOVING: blocks of the transfer, from `at` on */
    struct request *joined; /* JOINED: whose transfer it waits for */
    disco_mpn page[BLOCKS]; /* of a read: what is read; of a write: what is written */
    disco_mpn base[2]; /* of a shared write: what lies around it in its first and its last block */
    uint64_t mapped, copied, lent; /* what it counts when it is over */
    struct disco_store_io io;
    struct disco_io_seg seg[DISCO_DISK_SEGS];
};

/* From blocks to pages, with a reference to each. Nodes come from the disk's pool, of which each index is promised some. */
struct index {
    struct disco_ranges map;
    uint64_t nodes; /* it has */
    uint64_t share; /* it is promised */
};

/* First and last request of a list; zeroed it is empty. */
struct request_list {
    struct request *first, *last;
};

struct disco_disk_port {
    struct disco_disk *disk;
    struct disco_pmap *pmap; /* NULL: closed */
    struct disco_line line;
    bool closing;
    uint64_t working; /* requests; written under the lock, accessed atomically */
    struct index log;
    struct request_list free, done;
    struct request request[DISCO_DISK_DEPTH];
};

struct disco_disk {
    /* Read by everybody, without the lock. */
    struct disco_disk_config c;
    struct disco_disk_port *port;
    /* What the lock guards. */
    DISCO_OWN_LINE struct disco_lock lock;
    struct disco_ranges_pool pool;
    struct index cache, log; /* log: of a visible disk */
    uint64_t promised;       /* nodes that indexes are promised and do not have yet */
    uint64_t hand;           /* block at which eviction goes on */
    struct request_list waiting;
    unsigned moving, stalled; /* how many of them */
    struct disco_disk_stats stats;
};

/* --- disk.c --- */

static inline bool is_read(const struct request *r) { return r->ask.op == DISCO_DISK_READ; }
static inline bool is_write(const struct request *r) { return r->ask.op == DISCO_DISK_WRITE; }
/* Written through: neither cache nor log. */
static inline bool is_direct(const struct disco_disk *d)
{
    return d->c.mode == (DISCO_DISK_VISIBLE | DISCO_DISK_KEPT);
}
static inline void lock(struct disco_disk *d) { disco_lock(&d->lock, d->c.backend); }
static inline void unlock(struct disco_disk *d) { disco_unlock(&d->lock); }

static inline void append(struct request_list *l, struct request *r)
{
    r->next = NULL;
    if (l->first)
        l->last->next = r;
    else
        l->first = r;
    l->last = r;
}

static inline struct request *take_first(struct request_list *l)
{
    struct request *r = l->first;

    if (r)
        l->first = r->next;
    return r;
}

/* --- disk_request.c: what a guest asks --- */

/* A piece of a request: `len` bytes in one block and in one segment. */
struct piece {
    disco_pa pa;
    unsigned block; /* counted from the request's first */
    uint32_t offset, len;
};
/* Where one stands in a request's pieces. */
struct walk {
    const struct request *r;
    unsigned seg;
    uint64_t done; /* bytes of it */
    uint64_t at;   /* bytes from the beginning of the first block on */
};
struct walk disco_disk_walk(const struct request *r);
bool disco_disk_piece(struct walk *w, struct piece *p);
/* A whole page in a whole block? */
bool disco_disk_whole(const struct request *r, const struct piece *p);
/* Sectors of block @p i that the request is about, of those that the disk has. @return whether that is all of them. */
bool disco_disk_span(const struct request *r, unsigned i, uint64_t *first, uint64_t *end);

/* --- disk_work.c: how requests go on --- */

/* Lock held. Take @p r as far as it comes. @return whether it waits (then it is in no list yet). */
bool disco_disk_go_on(struct request *r);
/* Lock held. Have the store move blocks [at, at + n): 0, WAITS or an error. */
int disco_disk_submit(struct request *r, uint32_t op, unsigned n);
/* Without the lock: what is left to do where guest memory is reached, and give up pages. */
void disco_disk_finish(struct request *r);
/* Without the lock: requests that are over go to their guests. */
void disco_disk_end(struct request_list *over);
void disco_disk_set_line(struct disco_disk_port *p);
/*
 * Write the end of one request, of the disk that its guest calls number @p n, to @p at of @p b. It is taken only if it
 * has arrived there. DISCO_ERR_NOT_FOUND: there is none.
 */
int disco_disk_tell(struct disco_disk_port *p, uint32_t n, const struct disco_buf *b, uint64_t at);
/* Lock held. @p r is in nobody's hands any more, or in somebody's. */
void disco_disk_leave(struct request *r, enum request_state state);
void disco_disk_enter(struct request *r);
/* Lock held. @p r, which was WORKING, is over. */
void disco_disk_count(const struct request *r, bool failed);
/* Lock held. The slot of @p r, which was WORKING, is free. */
void disco_disk_give_slot(struct request *r);

/* --- disk_read.c --- */

/* Lock held. Have all blocks that a shared request needs: 0, WAITS or an error. */
int disco_disk_collect(struct request *r);
/* Without the lock: pages to guest memory. */
int disco_disk_deliver(struct request *r);

/* --- disk_write.c --- */

/* Without the lock: what the guest writes, as pages. */
int disco_disk_gather(struct request *r);
/* Lock held. The pages become the log's; those that were there before are the request's. */
int disco_disk_commit(struct request *r);

/* --- disk_index.c --- */

/* Lock held, or nobody else there: the disk's indexes are empty, and share the pool. */
void disco_disk_index_init(struct disco_disk *d);
/* The log that a port writes to. */
struct index *disco_disk_log(struct disco_disk_port *p);
/*
 * Lock held. Of the @p max blocks from @p block on the first few, which @p x all has, at pages that follow each
 * other from *page on, or all lacks. @return how many, *has which of both.
 */
unsigned disco_disk_look(const struct index *x, uint64_t block, unsigned max, bool *has,
                         uint64_t *page);
/* Lock held. disco_ranges_set() and _clear(), which leave to others what they are promised. */
int disco_disk_index_set(struct disco_disk *d, struct index *x, uint64_t block, uint64_t n,
                         uint64_t page);
int disco_disk_index_clear(struct disco_disk *d, struct index *x, uint64_t block, uint64_t n);
/*
 * Without the lock: give the pages of @p map back, which was the map of @p x and is nobody's any more. *counter counts
 * them down.
 */
void disco_disk_drop(struct disco_disk *d, struct index *x, struct disco_ranges *map,
                     uint64_t *counter);

/* --- disk_cache.c --- */

/* Lock held. A new page. */
int disco_disk_page(struct disco_disk *d, unsigned node, disco_mpn *out);
/* Lock held. New pages for up to @p n blocks from `at` on. @return how many, or an error. */
int disco_disk_pages(struct request *r, unsigned n);
/* Where the page of block @p i goes: of a read it is the page, of a write what is around it. */
disco_mpn *disco_disk_place(struct request *r, unsigned i);
/* Lock held. Keep the pages of blocks [at, at + n), just read from the store. */
void disco_disk_keep(struct request *r, unsigned n);

#endif
