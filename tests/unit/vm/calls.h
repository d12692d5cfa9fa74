/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_CALLS_H
#define VM_CALLS_H

/* For tests of pvio: one VM of four pages, and a table of calls. */
#include "../mm/suite.h"
#include "rig.h"

#include <string.h>

#define PAGES 4
#define CPUS 2
#define END (PAGES * DISCO_PAGE_SIZE)

static struct rig r;
static struct rig_vm *vm;
static struct disco_calls t;
static struct disco_calls_counters counters[CPUS];

static const struct sim_insn spin[] = {{SIM_BEQ, 0, 0, 0}};

static inline void setup(void)
{
    static const struct rig_config c = {.cpus = CPUS, .nodes = 1, .pages = 16};

    rig_init(&r, &c);
    vm = RIG_ADD(&r, PAGES, 1, spin);
    memset(counters, 0xa5, sizeof counters);
    ck_assert_int_eq(disco_calls_init(&t, counters, r.b), 0);
}

static inline void teardown(void) { rig_fini(&r); }

static inline struct disco_calls_stats counted(const struct disco_calls *of)
{
    struct disco_calls_stats s;

    disco_calls_stats(of, &s);
    return s;
}

static unsigned ran; /* whose address the caller is */

static inline int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t raw[DISCO_CALL_ARGS] = {a, b, c};

    return disco_calls_run(&t, number, raw, &vm->pmap, 0, &ran);
}

#endif
