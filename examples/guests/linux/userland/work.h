/* SPDX-License-Identifier: BSD-2-Clause */
/* For the loads: numbers that look random and are the same everywhere, and marks for who counts. */
#ifndef WORK_H
#define WORK_H

#include <stdbool.h>
#include <stdint.h>

/* splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* `ori $0, $0, 0xd150` and ...0xd151: see mark.c. Elsewhere, where results are compared with, nothing. */
#ifdef __mips__
#define MARK(n) __asm__ volatile(".word 0x3400d150 + " #n ::: "memory")
#else
#define MARK(n) ((void)0)
#endif
#define mark_begin() MARK(0)
#define mark_end() MARK(1)

#endif
