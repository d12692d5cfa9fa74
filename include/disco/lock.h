/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_LOCK_H
#define DISCO_LOCK_H

/**
 * @file lock.h
 * @brief The locks of the libraries, and the order in which they are taken.
 *
 * Lock order, outermost first. A lock is never taken while one below it in this list is held:
 *
 *   0. a device (pvio: console, timer, virtual processors, disks), never two at once; inside it whatever a
 *      monitor or a backend has of the kind (lines, ports, deadlines); the start of virtual CPUs (vcpu)
 *   1. run queue of a processor (vcpu; two queues: lower processor number first)
 *   2. the work of numa
 *   3. pmap entry (several of one pmap: lower PPN first; never of two pmaps at once)
 *   4. memmap page (never two at once)
 *   5. free list of a node (never two at once)
 *   6. pools: backmap sets, user chunks; the list of pmaps; numa's queue; a processor's idle time
 *
 * Every lock is a spin lock held for a bounded, short time, with two exceptions: a pmap entry and the
 * work of numa are held while a purge waits for other processors. Whoever spins must therefore serve
 * purges: spin loops call the backend's `relax`.
 */

#include <disco/arch.h>
#include <disco/atomic.h>

/** A spin lock; zeroed storage is an unlocked lock. */
struct disco_lock {
    uint32_t held; /**< accessed atomically */
};

/** Take @p l. @p b may be NULL where no purge can be pending (tests, single processor). */
static inline void disco_lock(struct disco_lock *l, struct disco_backend *b)
{
    while (__atomic_exchange_n(&l->held, 1, __ATOMIC_ACQUIRE)) {
        if (b)
            b->ops->relax(b);
    }
}

/** Give @p l back. */
static inline void disco_unlock(struct disco_lock *l)
{
    __atomic_store_n(&l->held, 0, __ATOMIC_RELEASE);
}

/**
 * A lock that is one bit of a word, for tables that have a bit to spare in each entry. Its holder
 * owns the other bits too: it gets them here, works on its copy, and writes them back by
 * disco_unlock_word(). Others may read the word at any time.
 */
static inline uint64_t disco_lock_word(uint64_t *word, uint64_t bit, struct disco_backend *b)
{
    uint64_t old;

    while ((old = disco_set_bits_acquire(word, bit)) & bit) {
        do {
            if (b)
                b->ops->relax(b);
        } while (disco_load(word) & bit);
    }
    return old;
}

/** Unlock by writing the word; @p value has the lock's bit clear. */
static inline void disco_unlock_word(uint64_t *word, uint64_t value)
{
    disco_store_release(word, value);
}

#endif
