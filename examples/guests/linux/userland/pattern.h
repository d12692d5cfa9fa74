/* SPDX-License-Identifier: BSD-2-Clause */
/* Bytes that say where they belong: each eight of them follow from a key and their place. */
#ifndef PATTERN_H
#define PATTERN_H

#include <stddef.h>
#include <string.h>

#include "guest.h"

static inline uint64_t pattern_word(uint64_t key, uint64_t index)
{
    uint64_t x = (index + 1) * UINT64_C(0x9e3779b97f4a7c15) + key;

    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

/* Fill `n` bytes with what stands at `offset`, which may be any. */
static inline void pattern_fill(void *to, uint64_t key, uint64_t offset, size_t n)
{
    unsigned char *at = to;

    while (n > 0) {
        uint64_t word = pattern_word(key, offset / 8);
        size_t skip = offset % 8, part = 8 - skip < n ? 8 - skip : n;

        memcpy(at, (const char *)&word + skip, part);
        at += part;
        offset += part;
        n -= part;
    }
}

/* Where the first wrong byte is, or `n`. */
static inline size_t pattern_check(const void *from, uint64_t key, uint64_t offset, size_t n)
{
    const unsigned char *at = from;
    size_t done = 0;

    while (done < n) {
        uint64_t word = pattern_word(key, (offset + done) / 8);
        size_t skip = (offset + done) % 8, part = 8 - skip < n - done ? 8 - skip : n - done;

        if (memcmp(at + done, (const char *)&word + skip, part) != 0)
            break;
        done += part;
    }
    while (done < n) {
        uint64_t word = pattern_word(key, (offset + done) / 8);

        if (at[done] != ((const unsigned char *)&word)[(offset + done) % 8])
            break;
        done++;
    }
    return done;
}

#endif
