/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_FLASH_H
#define DISCO_FLASH_H

/**
 * @file flash.h
 * @brief What FLASH's node controllers tell the monitor: pages that are hot (Disco, section 4.2.1).
 *
 * The model of the memory system (tools/flash) counts the misses of every node on every page, as MAGIC does, and
 * tells of a page when a node's count reaches the trigger. Model and monitor share an *area* of RAM, at a page-aligned
 * place that both are told: a head and a ring of records. Whoever lays memory out keeps that area from guests.
 *
 * All numbers are words of 64 bits in the byte order of the *machine*, so that the monitor reads them as they are;
 * the model turns them around where the host's order is the other. In the wrong order the magic number does not match.
 *
 * A record says what a policy after Verghese et al. asks: who missed, how often, how much the other nodes did, how much
 * was written. The counters of all nodes stay in the model: with 64 nodes they would be 256 bytes a page and record, and
 * all that the policy takes from them is the greatest of the others and which of them are above a threshold.
 *
 * Who writes what: the model everything but the third part of the head, which is the monitor's. Lines of caches are not
 * shared between the two. Neither believes the other: the model bounds what it writes by its own notion of the ring, and
 * a reader checks every record, so that garbage costs records and nothing else.
 *
 * Records are numbered from 0. The model fills in number n at `n % slots`, with `seq` = n + 1 stored last, then head =
 * n + 1, if head - tail < slots; otherwise the record is dropped and counted. The monitor takes number n when head > n, and
 * stores tail = n + 1 afterwards.
 */

#include <disco/atomic.h>

#ifdef __cplusplus
extern "C" {
#endif

/** First word of an area. */
#define DISCO_FLASH_MAGIC UINT64_C(0x464c4153482d4431)
/** Of this layout. */
#define DISCO_FLASH_VERSION 2
/** Records in a ring at most. Always a power of two. */
#define DISCO_FLASH_SLOTS_MAX 65536

/**
 * A node's count on a page has reached the trigger, or twice, four times ... as much, and the page lies on another node.
 * 64 bytes.
 */
struct disco_flash_record {
    uint64_t seq;  /**< number of the record, plus 1 */
    uint64_t page; /**< of RAM, counted from RAM's beginning */
    uint64_t node; /**< that missed */
    uint64_t cpu;  /**< the processor, of that node, whose miss it was */
    /**
     * Of the node on the page since the last reset; counts stop at 65535 reads and as many stores
     */
    uint64_t misses;
    uint64_t others; /**< of that other node which has the most */
    uint64_t writes; /**< stores among the misses of all nodes */
    /** Bit n: another node n, which has as many misses as the sharing threshold or more */
    uint64_t sharers;
};

/** The head of an area; the records follow it. */
struct disco_flash_area {
    /* Fixed when the machine starts. */
    uint64_t magic, version;
    uint64_t slots;
    uint64_t ram; /**< bytes */
    /**
     * Node n has the n-th of as many equal parts of RAM, in pages; the last one also what is left
     * over
     */
    uint64_t nodes;
    uint64_t cpus;   /**< processor i belongs to node i * nodes / cpus */
    uint64_t sample; /**< one miss in so many is counted */
    uint64_t fixed[9];
    /* The model's. */
    uint64_t head;      /**< records written */
    uint64_t overflows; /**< records dropped because the ring was full */
    uint64_t model[14];
    /* The monitor's. */
    uint64_t tail;    /**< records taken */
    uint64_t epoch;   /**< a new number here: all counters are 0 again. O(1) for both sides */
    uint64_t trigger; /**< counted misses of one node that make a page hot; 0 = never */
    uint64_t sharing; /**< see disco_flash_record::sharers; 0 = nobody is told of */
    /**
     * Pages of RAM, from the first to before the second, of which every node has a copy at the same address, as
     * FLASH's controllers map it: loads and fetches stay there.
     */
    uint64_t copied, copied_end;
    uint64_t monitor[10];
    /* The model's again. */
    /** Nanoseconds that a processor was busy, when it told its clock last */
    uint64_t clock[DISCO_MAX_CPUS];
};

/** The instruction `ori $0, $0, 0xd15f`: the model writes what time it is on this processor to `clock`. */
#define DISCO_FLASH_TELL_CLOCK 15

/** Bytes of an area with a ring of @p slots records. */
static inline uint64_t disco_flash_size(uint64_t slots)
{
    return sizeof(struct disco_flash_area) + slots * sizeof(struct disco_flash_record);
}

/**
 * The monitor's end of a ring. One processor at a time uses it: the lock is the caller's. Others may call
 * disco_flash_waiting() and disco_flash_clock() meanwhile, which read what is never written.
 */
struct disco_flash_reader {
    struct disco_flash_area *area;
    uint64_t slots, pages, nodes, cpus; /**< what the head said when it was attached */
    DISCO_OWN_LINE uint64_t tail;
    uint64_t bad;  /**< records that made no sense */
    uint64_t lost; /**< records given up because the head had jumped */
};

/**
 * Look for an area in the @p size bytes at @p at. The machine has no model, or it was told another place:
 * DISCO_ERR_NOT_FOUND. Records that came earlier are skipped.
 * @return 0, DISCO_ERR_NOT_FOUND, DISCO_ERR_UNSUPPORTED (another version), DISCO_ERR_NO_SPACE (it would be longer than
 * @p size), DISCO_ERR_BAD_ARG (@p at is not aligned to a record, or the head makes no sense).
 */
static inline int disco_flash_attach(struct disco_flash_reader *r, void *at, uint64_t size)
{
    struct disco_flash_area *area = (struct disco_flash_area *)at;
    uint64_t slots;

    if ((uintptr_t)at % sizeof(struct disco_flash_record))
        return DISCO_ERR_BAD_ARG;
    if (size < sizeof *area)
        return DISCO_ERR_NO_SPACE;
    if (disco_load_acquire(&area->magic) != DISCO_FLASH_MAGIC)
        return DISCO_ERR_NOT_FOUND;
    if (area->version != DISCO_FLASH_VERSION)
        return DISCO_ERR_UNSUPPORTED;
    slots = area->slots;
    if (!slots || slots > DISCO_FLASH_SLOTS_MAX || slots & (slots - 1) || !area->nodes ||
        area->nodes > DISCO_MAX_NODES || !area->cpus || area->cpus > DISCO_MAX_CPUS)
        return DISCO_ERR_BAD_ARG;
    if (disco_flash_size(slots) > size)
        return DISCO_ERR_NO_SPACE;
    r->area = area;
    r->slots = slots;
    r->pages = area->ram >> DISCO_PAGE_SHIFT;
    r->nodes = area->nodes;
    r->cpus = area->cpus;
    r->bad = r->lost = 0;
    r->tail = disco_load_acquire(&area->head);
    disco_store_release(&area->tail, r->tail);
    return DISCO_OK;
}

/** Whether a record is number @p n and names a page, a node and a processor that exist. */
static inline bool disco_flash_sane(const struct disco_flash_reader *r,
                                    const struct disco_flash_record *record, uint64_t n)
{
    return record->seq == n + 1 && record->page < r->pages && record->node < r->nodes &&
           record->cpu < r->cpus;
}

/**
 * Take the oldest record. O(1).
 * @return 1 with the record in *out; 0 if there is none; DISCO_ERR_BAD_ARG: one that made no sense was passed over, and
 * counted; take the next.
 */
static inline int disco_flash_take(struct disco_flash_reader *r, struct disco_flash_record *out)
{
    const struct disco_flash_record *ring = (const struct disco_flash_record *)(r->area + 1);
    uint64_t n = r->tail, ready = disco_load_acquire(&r->area->head) - n;
    struct disco_flash_record record;

    if (!ready)
        return 0;
    if (ready > r->slots) {
        r->lost += ready;
        r->tail += ready;
        disco_store_release(&r->area->tail, r->tail);
        return 0;
    }
    record = ring[n & (r->slots - 1)];
    r->tail = n + 1;
    disco_store_release(&r->area->tail, r->tail);
    if (!disco_flash_sane(r, &record, n)) {
        r->bad++;
        return DISCO_ERR_BAD_ARG;
    }
    *out = record;
    return 1;
}

/** Is there anything to take? No more than a look: any processor, without the lock. */
static inline bool disco_flash_waiting(const struct disco_flash_reader *r)
{
    return disco_load(&r->area->head) != disco_load(&r->area->tail);
}

/** From now on pages are hot, and shared, at these counts. */
static inline void disco_flash_set(struct disco_flash_reader *r, uint64_t trigger, uint64_t sharing)
{
    disco_store(&r->area->sharing, sharing);
    disco_store(&r->area->trigger, trigger);
}

/** Each node has a copy of the pages @p from to before @p end: a monitor's text, say. None to begin with. */
static inline void disco_flash_copied(struct disco_flash_reader *r, uint64_t from, uint64_t end)
{
    disco_store(&r->area->copied, from);
    disco_store(&r->area->copied_end, end);
}

/** Modelled time that @p cpu was busy, ns, when it last executed DISCO_FLASH_TELL_CLOCK. */
static inline uint64_t disco_flash_clock(const struct disco_flash_reader *r, unsigned cpu)
{
    return cpu < DISCO_MAX_CPUS ? disco_load(&r->area->clock[cpu]) : 0;
}

/** All counters are 0 again: the end of a reset interval. Records that wait in the ring stay. */
static inline void disco_flash_reset(struct disco_flash_reader *r)
{
    disco_store(&r->area->epoch, disco_load(&r->area->epoch) + 1);
}

#ifdef __cplusplus
}
#endif
#endif
