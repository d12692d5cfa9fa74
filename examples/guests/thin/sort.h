/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SORT_H
#define SORT_H

/*
 * Radix sort by several threads, in the manner of SPLASH-2's kernel: for each digit, beginning with the
 * last, every thread counts the digits of its part of the keys, the counts become places, and every thread
 * moves its keys there.
 */

#include <stdint.h>

#include "os.h"

#define SORT_MOST_BITS 16

enum sort_phase { SORT_HISTOGRAM, SORT_PREFIX, SORT_PERMUTE, SORT_WAIT, SORT_PHASES };

struct sort {
    /* Who sorts fills these in. */
    unsigned threads, bits; /* of a digit: 1 to SORT_MOST_BITS */
    uint64_t keys;          /* fewer than 2^32 */
    uint32_t *key, *other;  /* as many each */
    uint32_t *places;       /* sort_places() of them, zeroed or not */

    /* Each thread's time by phase, in ns; SORT_WAIT: at barriers. */
    uint64_t time[OS_THREADS][SORT_PHASES];

    struct os_barrier barrier;
    uint64_t in_slice[OS_THREADS]; /* keys whose digit is one of that thread's slice of digits */
};

/* A row for each thread, which begins at a page of its own. */
static inline uint64_t sort_row(unsigned bits)
{
    const uint64_t page = OS_PAGE / sizeof(uint32_t);

    return ((UINT64_C(1) << bits) + page - 1) & -page;
}
static inline uint64_t sort_places(unsigned threads, unsigned bits)
{
    return threads * sort_row(bits);
}

/* The part of `n` things that is thread `me`'s: from sort_part(n, me) up to its neighbour's. */
static inline uint64_t sort_part(uint64_t n, unsigned me, unsigned threads)
{
    return n * me / threads;
}

/* All threads, numbered from 0, call it; when they return, sort_result() is sorted. */
void sort_thread(struct sort *s, unsigned me);
/* `key` or `other`, by the number of digits. */
uint32_t *sort_result(const struct sort *s);

#endif
