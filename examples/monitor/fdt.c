/* SPDX-License-Identifier: BSD-2-Clause */
#include "fdt.h"

#include <string.h>

#define MAGIC 0xd00dfeedu
#define VERSION 17
#define LAST_COMPATIBLE 16
#define HEADER 40
#define RESERVATIONS 16 /* one empty entry ends the list */

enum { BEGIN_NODE = 1, END_NODE = 2, PROPERTY = 3, END = 9 };

static void put(struct fdt *f, const void *from, size_t n)
{
    if (f->full || n > f->size - f->used) {
        f->full = true;
        return;
    }
    if (n)
        memcpy(f->at + f->used, from, n);
    f->used += n;
}

static void big32(uint8_t *to, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put32(struct fdt *f, uint32_t v)
{
    uint8_t b[4];

    big32(b, v);
    put(f, b, 4);
}

static void pad(struct fdt *f)
{
    static const uint8_t zero[4];

    put(f, zero, (0 - f->used) & 3);
}

static size_t length(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

/* Offset of a property's name among the strings. Names are few: no sharing of tails. */
static uint32_t name_offset(struct fdt *f, const char *name)
{
    size_t n = length(name) + 1, at = 0;

    for (; at < f->strings_used; at += length(f->strings + at) + 1) {
        if (length(f->strings + at) + 1 == n && memcmp(f->strings + at, name, n) == 0)
            return (uint32_t)at;
    }
    if (n > FDT_STRINGS - f->strings_used) {
        f->full = true;
        return 0;
    }
    memcpy(f->strings + at, name, n);
    f->strings_used += n;
    return (uint32_t)at;
}

void fdt_start(struct fdt *f, void *at, size_t size)
{
    f->at = at;
    f->size = size;
    f->used = HEADER + RESERVATIONS;
    f->strings_used = 0;
    f->full = size < HEADER + RESERVATIONS;
    if (!f->full)
        memset(at, 0, HEADER + RESERVATIONS);
}

void fdt_begin(struct fdt *f, const char *node)
{
    put32(f, BEGIN_NODE);
    put(f, node, length(node) + 1);
    pad(f);
}

void fdt_end(struct fdt *f) { put32(f, END_NODE); }

void fdt_bytes(struct fdt *f, const char *property, const void *value, size_t len)
{
    put32(f, PROPERTY);
    put32(f, (uint32_t)len);
    put32(f, name_offset(f, property));
    put(f, value, len);
    pad(f);
}

void fdt_string(struct fdt *f, const char *property, const char *value)
{
    fdt_bytes(f, property, value, length(value) + 1);
}

void fdt_u32(struct fdt *f, const char *property, uint32_t value)
{
    uint8_t b[4];

    big32(b, value);
    fdt_bytes(f, property, b, 4);
}

void fdt_u64(struct fdt *f, const char *property, uint64_t value)
{
    uint8_t b[8];

    big32(b, (uint32_t)(value >> 32));
    big32(b + 4, (uint32_t)value);
    fdt_bytes(f, property, b, 8);
}

void fdt_reg(struct fdt *f, uint64_t address, uint64_t size)
{
    uint8_t b[16];

    big32(b, (uint32_t)(address >> 32));
    big32(b + 4, (uint32_t)address);
    big32(b + 8, (uint32_t)(size >> 32));
    big32(b + 12, (uint32_t)size);
    fdt_bytes(f, "reg", b, 16);
}

size_t fdt_finish(struct fdt *f)
{
    size_t strings;

    put32(f, END);
    strings = f->used;
    put(f, f->strings, f->strings_used);
    if (f->full)
        return 0;
    const uint32_t header[] = {MAGIC,
                               (uint32_t)f->used,
                               HEADER + RESERVATIONS,
                               (uint32_t)strings,
                               HEADER,
                               VERSION,
                               LAST_COMPATIBLE,
                               0,
                               (uint32_t)f->strings_used,
                               (uint32_t)(strings - HEADER - RESERVATIONS)};

    for (unsigned i = 0; i < sizeof header / sizeof header[0]; i++)
        big32(f->at + 4 * i, header[i]);
    return f->used;
}
