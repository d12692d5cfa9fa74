/* SPDX-License-Identifier: BSD-2-Clause */
/* The four functions that the compiler and the libraries may call. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Release 6 loads and stores words at any address. */
struct word {
    uint64_t v;
} __attribute__((packed, may_alias));

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    for (; n >= 32; n -= 32, t += 32, f += 32) {
        const struct word *w = (const struct word *)f;
        uint64_t a = w[0].v, b = w[1].v, c = w[2].v, d = w[3].v;

        ((struct word *)t)[0].v = a;
        ((struct word *)t)[1].v = b;
        ((struct word *)t)[2].v = c;
        ((struct word *)t)[3].v = d;
    }
    while (n--)
        *t++ = *f++;
    return to;
}

void *memmove(void *to, const void *from, size_t n)
{
    unsigned char *t = to;
    const unsigned char *f = from;

    if (t <= f || t >= f + n)
        return memcpy(to, from, n);
    while (n--)
        t[n] = f[n];
    return to;
}

void *memset(void *to, int c, size_t n)
{
    unsigned char *t = to;
    uint64_t word = (unsigned char)c * UINT64_C(0x0101010101010101);

    for (; n && ((uintptr_t)t & 7); n--)
        *t++ = (unsigned char)c;
    for (; n >= 32; n -= 32, t += 32) {
        ((uint64_t *)t)[0] = word;
        ((uint64_t *)t)[1] = word;
        ((uint64_t *)t)[2] = word;
        ((uint64_t *)t)[3] = word;
    }
    while (n--)
        *t++ = (unsigned char)c;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (; n; n--, x++, y++) {
        if (*x != *y)
            return *x - *y;
    }
    return 0;
}
