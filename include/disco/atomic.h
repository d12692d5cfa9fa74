/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_ATOMIC_H
#define DISCO_ATOMIC_H

/**
 * @file atomic.h
 * @brief Atomic access to the plain words of open structures. For the libraries and backends.
 *
 * Tables that assembly and C++ read too (pmap entries, L2TLB entries) are made of plain `uint64_t`
 * and `uint32_t`; whoever shares such a word between processors goes through these functions.
 * The order is in the name; without one it is relaxed, which is right wherever a lock that is held
 * orders the access already, and for counters. Built on the compilers' __atomic functions, which
 * take plain words and work in C and C++ alike.
 */

#include <disco/base.h>

/** Read, in no particular order. */
static inline uint64_t disco_load(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_RELAXED);
}

/** Read before everything that follows; pairs with disco_store_release(). */
static inline uint64_t disco_load_acquire(const uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/** Write, in no particular order. */
static inline void disco_store(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELAXED);
}

/** Write after everything before it; pairs with disco_load_acquire(). */
static inline void disco_store_release(uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_RELEASE);
}

/** Set @p bits; the word as it was before. Acquires, as the taking of a lock must. */
static inline uint64_t disco_set_bits_acquire(uint64_t *p, uint64_t bits)
{
    return __atomic_fetch_or(p, bits, __ATOMIC_ACQUIRE);
}

/** Add to a counter that several processors count on. */
static inline void disco_count(uint64_t *p, uint64_t n)
{
    __atomic_fetch_add(p, n, __ATOMIC_RELAXED);
}

/**
 * A full fence between a store and a later load of another word. Two processors that each store,
 * fence, and load the other's word cannot both miss the other's store.
 */
static inline void disco_fence(void)
{
#if defined(__SANITIZE_THREAD__) /* gcc warns that the sanitizer ignores fences: it may */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#if defined(__SANITIZE_THREAD__)
#pragma GCC diagnostic pop
#endif
}

/** Add @p size bytes of counters, 64 bits each and atomically read, to those at @p to, which are only the caller's. */
static inline void disco_counters_add(void *to, const void *from, size_t size)
{
    uint64_t *sum = (uint64_t *)to;
    const uint64_t *more = (const uint64_t *)from;

    for (size_t i = 0; i < size / sizeof *sum; i++)
        sum[i] += disco_load(&more[i]);
}

/** Add to a counter that nobody else writes meanwhile: it is this processor's, or a lock is held. Others may read it. */
static inline void disco_count_own(uint64_t *p, uint64_t n) { disco_store(p, disco_load(p) + n); }

#endif
