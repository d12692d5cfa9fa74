/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the test programs share. Their standard output is the same on every machine and in both byte orders;
 * times and sizes go to standard error. Exit status 0 means that all they check held.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);                         \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static inline uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void report_time(const char *what, uint64_t start)
{
    fprintf(stderr, "%s: %llu ns\n", what, (unsigned long long)(now_ns() - start));
}

/* FNV-1a, a byte at a time. */
#define SUM_START UINT64_C(14695981039346656037)

static inline uint64_t sum_byte(uint64_t sum, unsigned char byte)
{
    return (sum ^ byte) * UINT64_C(1099511628211);
}

static inline uint64_t sum_word(uint64_t sum, uint64_t word)
{
    for (int i = 0; i < 8; i++)
        sum = sum_byte(sum, (unsigned char)(word >> (8 * i)));
    return sum;
}

/* The n-th argument as a number, or what it is without one. */
static inline unsigned long argument(int argc, char **argv, int n, unsigned long otherwise)
{
    char *end;
    unsigned long value;

    if (argc <= n)
        return otherwise;
    value = strtoul(argv[n], &end, 0);
    if (*end != '\0' || end == argv[n]) {
        fprintf(stderr, "%s: not a number: %s\n", argv[0], argv[n]);
        exit(2);
    }
    return value;
}

#endif
