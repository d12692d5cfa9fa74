/* SPDX-License-Identifier: BSD-2-Clause */
#include "archive.h"

#include <string.h>

/* A header is the magic and 13 fields of 8 hexadecimal digits. */
#define HEADER 110
#define MAGIC "070701"
enum { FIELD_SIZE = 6, FIELD_NAMESIZE = 11 };

static bool field(const uint8_t *header, unsigned n, uint32_t *value)
{
    const uint8_t *digit = header + 6 + 8 * n;

    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t c = digit[i];
        int d = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 16;

        if (d == 16)
            return false;
        *value = *value << 4 | (uint32_t)d;
    }
    return true;
}

static size_t round4(size_t n) { return (n + 3) & ~(size_t)3; }

/* The entry at `offset`: its name, its contents, and where the next one starts. */
static bool entry(struct bytes a, size_t *offset, struct bytes *name, struct bytes *file)
{
    const uint8_t *h = a.at + *offset;
    uint32_t name_len, len;
    size_t data;

    if (a.len - *offset < HEADER || memcmp(h, MAGIC, 6) != 0 ||
        !field(h, FIELD_NAMESIZE, &name_len) || !field(h, FIELD_SIZE, &len))
        return false;
    if (name_len == 0 || name_len > a.len - *offset - HEADER || h[HEADER + name_len - 1] != 0)
        return false;
    data = round4(*offset + HEADER + name_len);
    if (data > a.len || len > a.len - data)
        return false;
    *name = (struct bytes){h + HEADER, name_len - 1};
    *file = (struct bytes){a.at + data, len};
    *offset = round4(data + len);
    return true;
}

bool archive_find(struct bytes archive, const char *name, size_t name_len, struct bytes *file)
{
    size_t offset = 0;
    struct bytes n;

    while (offset <= archive.len && entry(archive, &offset, &n, file)) {
        if (n.len == name_len && memcmp(n.at, name, name_len) == 0)
            return true;
    }
    return false;
}
