/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_DISK_H
#define DISCO_DISK_H

/**
 * @file disk.h
 * @brief Disks that several virtual machines share without knowing it (Disco, section 4.2).
 *
 * A disk stands over a *store*, which holds its sectors: a real disk's driver, or memory. Each VM reaches it through a
 * *port*. What happens to a VM's writes is configured on the paper's two axes (section 4.2.1):
 *
 *                 lost at reset                        kept
 *     private     a log of the VM's own, emptied       a log of the VM's own, kept while the
 *                 when the port closes                 disk exists
 *     visible     one log for all ports, emptied       written through to the store: one
 *                 when the last of them closes         port at a time
 *
 * All but "visible, kept" are *shared*: the store is only read, each sector once, into a cache of machine pages. A read
 * looks into the log, then into the cache, then asks the store. Where a request wants a whole aligned page into a
 * whole aligned page, the page of log or cache is mapped read-only at the target (copy-on-write, DISCO_PMAP_COW), else
 * bytes are copied. Written sectors go to the log: a whole aligned page that is written is not copied either, but lent
 * to the log by its guest. A page of the log is never changed, for guests may have it mapped: the log takes a new
 * one. A page of the cache that nobody maps can be evicted.
 *
 * Cache and logs are indexes from blocks of a page's size to machine pages (ranges.h), in nodes of one pool. Each has a
 * share that others cannot take: half of the nodes is the logs', a quarter the cache's. Where the cache gets none, its
 * pages are used once and forgotten.
 *
 * Locking: a disk's lock is a device's (lock.h, 0). It is held while indexes are looked into and changed, and while
 * the store is given work; guest memory is reached without it, but for what DISK_DONE writes. Nothing here waits for
 * a store: its completion goes on with the requests that waited.
 */

#include <disco/io.h>
#include <disco/pvio.h>
#include <disco/ranges.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- stores: for those who write a driver --- */

/** Pieces of one transfer at most. */
#define DISCO_STORE_SEGS 32

/** Part of a machine page. */
struct disco_store_seg {
    disco_mpn mpn;
    uint32_t offset, len; /**< bytes */
};

/** One transfer between machine pages and a store. The storage is the submitter's until `done`. */
struct disco_store_io {
    uint32_t op; /**< DISCO_DISK_READ, _WRITE or _FLUSH */
    uint32_t segs;
    uint64_t sector;
    struct disco_store_seg seg[DISCO_STORE_SEGS];
    /** Called once, on any processor, holding no lock: 0 or an enum disco_err. */
    void (*done)(struct disco_store_io *io, int status);
    void *ctx;                   /**< the submitter's */
    struct disco_store_io *next; /**< the store's */
};

/** What holds a disk's sectors. */
struct disco_store {
    uint64_t sectors;
    bool read_only;
    /**
     * Begin @p io; may be called under a disk's lock, so `done` is never called from here.
     * @return 0: `done` will be called; 1: all is done already, and `done` will not be called; DISCO_ERR_BUSY: as many
     * as it can take are at work, submit again after some `done` of the same disk; another error: it failed.
     * No transfer goes beyond the store's end.
     */
    int (*submit)(struct disco_store *s, struct disco_store_io *io);
};

/* --- disks --- */

/** Requests of one port at work at most, those included whose end the guest has not taken; beyond: DISCO_ERR_BUSY. */
#define DISCO_DISK_DEPTH 32

/** What a disk does with writes: bits. */
enum disco_disk_mode {
    DISCO_DISK_VISIBLE = 1, /**< else private */
    DISCO_DISK_KEPT = 2,    /**< else lost at reset */
};

/** What disco_disk_init() makes. */
struct disco_disk_config {
    struct disco_store *store;
    struct disco_memmap *mm;
    struct disco_backend *backend;
    unsigned mode;        /**< enum disco_disk_mode, bits */
    unsigned ports;       /**< VMs that may have it, at most 64 */
    uint64_t cache_pages; /**< of the cache at most; 0: no limit but memory's */
    uint64_t log_pages;   /**< of each log at most; beyond: DISCO_ERR_NO_SPACE to the writer */
    /**
     * Index nodes in the pool, for cache and logs; not needed by a "visible, kept" disk. Twice disco_ranges_nodes() for
     * the pages of all logs is always enough, whatever guests write; a quarter of that for what they write in practice.
     */
    uint64_t nodes;
    bool copy; /**< never map, always copy: for comparison */
};

/** Counters of one disk: written under its lock, of requests when they are over; disco_disk_stats() reads. */
struct disco_disk_stats {
    uint64_t reads, writes, flushes; /**< requests */
    uint64_t errors;         /**< requests that failed or were refused (but not with "ask again") */
    uint64_t mapped, copied; /**< pages mapped; bytes copied into guests */
    uint64_t hits, misses;   /**< blocks found in log or cache; read from the store */
    uint64_t lent;           /**< whole pages written without a copy */
    uint64_t cached, evicted; /**< pages in the cache now; thrown out ever */
    uint64_t logged;          /**< pages in all logs now */
};

struct disco_disk;
struct disco_disk_port;

/** Bytes of storage for @p c. 0 if the configuration is bad. */
size_t disco_disk_size(const struct disco_disk_config *c);
/** *out lies in @p storage (aligned to DISCO_CACHE_LINE). @return 0, DISCO_ERR_BAD_ARG, DISCO_ERR_NO_SPACE. */
int disco_disk_init(struct disco_disk **out, void *storage, size_t size,
                    const struct disco_disk_config *c);
/** Give every page back, kept logs too. No port is open and nothing is at work (else DISCO_ERR_BUSY). */
int disco_disk_fini(struct disco_disk *d);

/**
 * A VM gets the disk: port number @p port, requests for memory of @p pmap, @p line up while finished requests wait.
 * @return 0 with *out; DISCO_ERR_BAD_ARG; DISCO_ERR_BUSY: the port is open, or a "visible, kept" disk is another
 * VM's.
 */
int disco_disk_open(struct disco_disk *d, unsigned port, struct disco_pmap *pmap,
                    struct disco_line line, struct disco_disk_port **out);
/**
 * The VM has ended, and none of its virtual CPUs runs: its requests are forgotten, the line is lowered, a log that is
 * lost at reset gives its pages back. @return 0, and the port is closed and no longer knows the pmap;
 * DISCO_ERR_BUSY: transfers of its own are at work (written-through disks only): call again later. `pmap` must
 * outlive that; guest memory is not touched any more when the first call has returned. A closed port: 0. One caller at a
 * time. Not from a store's `done`, nor under any lock: it may wait for another processor to end what that has begun.
 */
int disco_disk_close(struct disco_disk_port *p);

/** Sectors of the disk. */
uint64_t disco_disk_sectors(const struct disco_disk *d);
/**
 * Begin the request that lies in @p in. Errors and results as struct disco_disk_request says; bad requests
 * (beyond the end, no multiple of a sector, too long, segments of a read that overlap, outside the VM's memory)
 * are refused as a whole: DISCO_ERR_BAD_ARG, _OVERFLOW, _BAD_ADDRESS; a write to a store that is read-only:
 * DISCO_ERR_READ_ONLY; a port that is closed: DISCO_ERR_STATE. @p node: on whose behalf.
 */
int disco_disk_request(struct disco_disk_port *p, const struct disco_buf *in, unsigned node);
/** Take one finished request. @return whether there was one. Lowers the line after the last. */
bool disco_disk_done(struct disco_disk_port *p, uint64_t *tag, int *status);

/**
 * Throw out up to @p pages cached pages that nobody maps. @return how many. May be called by anybody who needs memory
 * and holds no lock of lock.h that is a device's; the disk does it by itself before a request of its own fails.
 */
uint64_t disco_disk_evict(struct disco_disk *d, uint64_t pages);
/** Counters into *out: each is read atomically, not all of them together. Lock-free, any processor. */
void disco_disk_stats(const struct disco_disk *d, struct disco_disk_stats *out);

/* --- a VM's disks, as monitor calls --- */

/** Disks of one VM at most. */
#define DISCO_DISKS 4
/** The ports of a VM by disk number; NULL = no such disk. */
struct disco_disks {
    struct disco_disk_port *port[DISCO_DISKS];
    struct disco_disk *disk[DISCO_DISKS];
};
/** Add DISK_SIZE, DISK_REQUEST and DISK_DONE to @p t; @p d stays the caller's and must outlive @p t. */
int disco_disk_calls(struct disco_disks *d, struct disco_calls *t);

/* --- a store in memory, for tests and small images --- */

/** A store over bytes that the monitor can reach: done at once. */
struct disco_memory_store {
    struct disco_store store; /**< first */
    struct disco_backend *backend;
    uint8_t *bytes;
};
/** @p bytes: a multiple of a sector long. @return 0 or DISCO_ERR_BAD_ARG. */
int disco_memory_store_init(struct disco_memory_store *s, struct disco_backend *backend,
                            void *bytes, uint64_t len, bool read_only);

#ifdef __cplusplus
}
#endif
#endif
