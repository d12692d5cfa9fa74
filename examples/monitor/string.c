/* SPDX-License-Identifier: BSD-2-Clause */
/* The four functions that the compiler and the libraries may call. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Calls to them may appear when whatever calls nothing yet has been thrown away. */
#define USED __attribute__((used))

#define LINE 128 /* at a time: pages are cleared and copied here */

/* Release 6 loads and stores words at any address. */
struct word {
    uint64_t v;
} __attribute__((packed, may_alias));

USED void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    for (; n >= LINE; n -= LINE, t += LINE, f += LINE) {
#pragma GCC unroll 16
        for (unsigned i = 0; i < LINE / 8; i++)
            ((struct word *)t)[i] = ((const struct word *)f)[i];
    }
    for (; n >= 8; n -= 8, t += 8, f += 8)
        *(struct word *)t = *(const struct word *)f;
    while (n--)
        *t++ = *f++;
    return to;
}

USED void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (t <= f || t >= f + n)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

USED void *memset(void *to, int c, size_t n)
{
    unsigned char *t = to;
    uint64_t word = (unsigned char)c * UINT64_C(0x0101010101010101);

    for (; n && ((uintptr_t)t & 7); n--)
        *t++ = (unsigned char)c;
    for (; n >= LINE; n -= LINE, t += LINE) {
#pragma GCC unroll 16
        for (unsigned i = 0; i < LINE / 8; i++)
            ((uint64_t *)t)[i] = word;
    }
    for (; n >= 8; n -= 8, t += 8)
        *(uint64_t *)t = word;
    while (n--)
        *t++ = (unsigned char)c;
    return to;
}

USED int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (; n; n--, x++, y++) {
        if (*x != *y)
            return *x - *y;
    }
    return 0;
}
