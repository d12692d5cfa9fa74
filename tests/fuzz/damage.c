/* SPDX-License-Identifier: BSD-2-Clause */
#include "damage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP 5 /* bytes of input that make one change */

/* Values that parsers get wrong: around 0, the input's size, and where sums wrap. */
static uint64_t value(uint8_t which, uint8_t near, size_t size)
{
    const uint64_t base[] = {0,
                             size,
                             0x10000000,
                             0x20000000,
                             0xffffffff,
                             UINT64_C(1) << 60,
                             UINT64_C(1) << 62,
                             UINT64_C(1) << 63,
                             UINT64_C(0xffffffffc0000000)};

    return base[which % (sizeof base / sizeof base[0])] + (uint64_t)(int64_t)(int8_t)near;
}

static void change(uint8_t *file, size_t size, const uint8_t *d)
{
    static const size_t widths[] = {1, 1, 2, 4, 8, 8};
    size_t width = widths[d[0] % 6], at = (size_t)(d[1] | d[2] << 8) % size;
    uint64_t v = width == 1 ? d[4] : value(d[3], d[4], size);

    at &= ~(width - 1);
    if (at + width <= size)
        memcpy(file + at, &v, width);
}

size_t damage(uint8_t *file, size_t size, const uint8_t *data, size_t len)
{
    size_t changes;

    if (len < STEP || !size)
        return size;
    changes = data[0] % 8;
    if (data[0] & 0x80)
        size -= (size_t)(data[1] | data[2] << 8) % size;
    for (data += STEP, len -= STEP; len >= STEP && changes; data += STEP, len -= STEP, changes--)
        change(file, size, data);
    return size;
}

void demand(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}
