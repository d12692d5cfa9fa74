/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flash: a model of FLASH's memory system that rides along with QEMU, which it tells nothing: it sees what
 * the processors execute, and says what it would have cost on a machine of nodes, each with some
 * processors and a part of memory (Disco, section 5.1).
 *
 * The model, in this header, knows nothing of QEMU: a processor fetches, loads and stores lines of RAM,
 * by number. plugin.c feeds it; tests feed it by hand. How to use it: README.md.
 *
 * Threads: a processor's functions are called by its own thread, each processor's perhaps in parallel. What
 * a processor finds in its caches takes no lock. What others change in its caches, they change by
 * compare-and-swap, holding the line's lock (coherence.c).
 */
#ifndef FLASH_H
#define FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <disco/flash.h>

#include "cache.h"
#include "mips64.h"

#define MAX_CPUS DISCO_MAX_CPUS
#define MAX_NODES DISCO_MAX_NODES
#define MAX_MARKS 4096
#define LOCKS 1024 /* a power of two */

/* --- the machine --- */

struct geometry {
    uint32_t bytes, ways;
};

/* Times are in picoseconds, so that a cycle need not be a whole nanosecond. */
struct config {
    uint64_t ram; /* bytes */
    uint32_t nodes, cpus;
    uint32_t line_shift;
    struct geometry first, second; /* first level: of instructions, and as much of data */
    uint64_t cycle, hit2, local, remote;
    bool uma;                  /* all misses are local */
    bool wake;                 /* see clock_wake() */
    uint32_t sample;           /* one miss in so many is counted */
    uint32_t trigger, sharing; /* until the monitor sets others */
    uint32_t slots;            /* of the ring */
    bool swap;                 /* the machine's byte order is not the host's */
};

/* What a processor did; all but the idle time is counted, and made into time when somebody asks. */
struct figures {
    uint64_t executed[MODES];             /* instructions */
    uint64_t hit2[MODES];                 /* first-level misses that the second level answered */
    uint64_t local[MODES], remote[MODES]; /* what the home node was asked for */
    uint64_t upgrades; /* of those: stores to a line that was there, but not alone */
    uint64_t idle;     /* picoseconds */
};

/*
 * Written by its own processor, but for the tags and the idle time; in cache lines of its own. What most accesses need, the
 * numbers of instructions included, is in the first.
 */
struct cpu {
    _Alignas(128) enum mode mode;
    uint32_t node;
    struct cache code, data;
    struct figures n;
    struct cache second;
    uint32_t skip; /* misses until the next that is counted */
    bool waits;    /* it executed a wait, and nothing since */
};

/* A node's misses on a page. They stop at 65535. */
struct count {
    uint16_t reads, writes;
};

struct ring {
    struct disco_flash_area *area; /* NULL: not known yet */
    uint64_t head;
    uint64_t hot, overflows;
    bool busy;
};

struct mark {
    unsigned cpu, number;
    struct figures *n; /* by processor: in flash.noted */
};

struct flash {
    struct config c;
    struct cpu *cpu;
    uint64_t *holders; /* by line: the processors that have it */
    uint64_t node_pages, pages;
    struct count *count; /* by page and node */
    uint64_t *epoch;     /* by page: when it was counted last */
    bool line_busy[LOCKS], page_busy[LOCKS], clock_busy;
    struct ring ring;
    struct mark *mark;
    struct figures *noted; /* by mark and processor */
    unsigned marks, marks_lost;
};

/* flash.c */
/* What is wrong with it; NULL: nothing. */
const char *flash_init(struct flash *f, const struct config *c);
void flash_fini(struct flash *f);
static inline void flash_add(uint64_t *n, uint64_t more) { disco_count_own(n, more); }
void lock(bool *busy);
static inline void unlock(bool *busy) { __atomic_clear(busy, __ATOMIC_RELEASE); }

/* coherence.c */
/* Processor `id` wants a line that was not the latest of its set in this first-level cache. */
void flash_look(struct flash *f, unsigned id, struct cache *first, uint32_t line, bool store);

static inline void flash_fetch(struct flash *f, unsigned id, uint32_t line)
{
    if (!cache_hit_latest(&f->cpu[id].code, line, false))
        flash_look(f, id, &f->cpu[id].code, line, false);
}

static inline void flash_access(struct flash *f, unsigned id, uint32_t line, bool store)
{
    if (!cache_hit_latest(&f->cpu[id].data, line, store))
        flash_look(f, id, &f->cpu[id].data, line, store);
}

/* node.c */
unsigned node_of(const struct flash *f, uint64_t page);
/* The home node of a line is asked for it by processor `id`. Charges the time, and counts. */
void node_miss(struct flash *f, unsigned id, uint32_t line, bool store);

/* ring.c */
/* Make an area in f->c.slots' worth of memory, and tell of hot pages there from now on. */
void ring_open(struct flash *f, void *at);
/* A word of the area that the monitor writes. */
uint64_t ring_word(const struct flash *f, const uint64_t *word);
/* The monitor's word for the clock of processor `id`. */
void ring_clock(struct flash *f, unsigned id, uint64_t ns);
void ring_put(struct flash *f, const struct disco_flash_record *r);

/* clock.c */
/* Picoseconds that a processor was busy. */
uint64_t clock_busy(const struct config *c, const struct figures *n);
/* Processor `id` has come to a mark: all clocks go on to the latest, and all figures are noted down. */
void clock_mark(struct flash *f, unsigned id, unsigned number);
/* The monitor gets to know processor `id`'s clock as it is. */
void clock_tell(struct flash *f, unsigned id);
/* All clocks go on to the latest. Returns it. */
uint64_t clock_align(struct flash *f);
/* Processor `id`, which waited, executes again: its clock goes on to the latest. */
void clock_wake(struct flash *f, unsigned id);

/* options.c */
struct options {
    struct config c;
    const char *out;
    uint64_t area; /* where in RAM the ring is */
    bool has_area;
    bool sleep; /* nothing is modelled before the first mark 0 */
};

void options_default(struct options *o);
/* KEY=VALUE. What `o` keeps of it, points into it. Returns whether it means something. */
bool options_parse(struct options *o, char *text);

/* report.c */
void report(const struct flash *f, const char *target, FILE *out);

#endif
