/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FLASH_MACHINE_H
#define FLASH_MACHINE_H

/*
 * A small machine: 2 nodes with 2 processors and 8 pages each, lines of 128 bytes, first level 8 lines in two
 * ways, second level 32 lines in two ways. A line's set is its number modulo 4, and modulo 16.
 */
#include <check.h>

#include "flash.h"
#include "suite.h"

#define LINES_PER_PAGE 32
#define NODE_LINES (8 * LINES_PER_PAGE)

static inline struct config small_machine(void)
{
    struct options o;

    options_default(&o);
    o.c.ram = 16 << DISCO_PAGE_SHIFT;
    o.c.nodes = 2;
    o.c.cpus = 4;
    o.c.first = (struct geometry){8 * 128, 2};
    o.c.second = (struct geometry){32 * 128, 2};
    o.c.slots = 4;
    return o.c;
}

static struct flash f;

static inline void start_with(const struct config *c) { ck_assert_ptr_null(flash_init(&f, c)); }

static inline void setup(void)
{
    struct config c = small_machine();

    start_with(&c);
}

static inline void teardown(void) { flash_fini(&f); }

static inline void load(unsigned cpu, uint32_t line) { flash_access(&f, cpu, line, false); }
static inline void store(unsigned cpu, uint32_t line) { flash_access(&f, cpu, line, true); }

static inline uint64_t total(const uint64_t n[MODES])
{
    return n[MODE_USER] + n[MODE_SUPERVISOR] + n[MODE_KERNEL];
}

/* What a processor has been charged so far. */
static inline void charged(unsigned cpu, uint64_t hit2, uint64_t local, uint64_t remote)
{
    ck_assert_uint_eq(total(f.cpu[cpu].n.hit2), hit2);
    ck_assert_uint_eq(total(f.cpu[cpu].n.local), local);
    ck_assert_uint_eq(total(f.cpu[cpu].n.remote), remote);
}

#endif
