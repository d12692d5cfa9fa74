/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_FDT_H
#define MONITOR_FDT_H

/*
 * Writes a flattened device tree (Devicetree Specification 0.4, chapter 5) front to back into one
 * buffer: of each node first its properties, then the nodes in it. A failure (buffer full) is
 * remembered, and reported by fdt_finish().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_STRINGS 512

struct fdt {
    uint8_t *at;
    size_t size;
    size_t used;
    char strings[FDT_STRINGS];
    size_t strings_used;
    bool full;
};

void fdt_start(struct fdt *f, void *at, size_t size);
void fdt_begin(struct fdt *f, const char *node);
void fdt_end(struct fdt *f);
/* Any value; NULL with `len` 0 for a property whose presence says all. */
void fdt_bytes(struct fdt *f, const char *property, const void *value, size_t len);
void fdt_string(struct fdt *f, const char *property, const char *value);
void fdt_u32(struct fdt *f, const char *property, uint32_t value);
void fdt_u64(struct fdt *f, const char *property, uint64_t value);
/* Two 64-bit cells: an address and a size. */
void fdt_reg(struct fdt *f, uint64_t address, uint64_t size);
/* Complete the tree; its size, or 0 if it did not fit. */
size_t fdt_finish(struct fdt *f);

#endif
