/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_DISPATCH_H
#define VM_DISPATCH_H

/* For tests of the dispatch: one virtual CPU on one processor, exits made by hand. */
#include "../mm/suite.h"
#include "rig.h"

#include <string.h>

#define PAGES 32
#define VA UINT64_C(0x10000) /* an even page */

static struct rig r;
static struct rig_vm *vm;
static struct disco_vcpu *v;
static struct sim_guest *g;

static const struct sim_insn idle_program[] = {{SIM_NOP, 0, 0, 0},
                                               {SIM_ILLEGAL, 0, 0, 0},
                                               {SIM_DISABLE, 0, 0, 0}};

static inline void setup(void)
{
    static const struct rig_config c = {.cpus = 1, .nodes = 1, .pages = 48, .hidden = 4};

    rig_init(&r, &c);
    vm = RIG_ADD(&r, PAGES, 1, idle_program);
    v = &vm->vcpu[0];
    g = sim_guest(v);
    for (uint32_t i = 0; i < SIM_VECTORS; i++)
        g->vector[i] = 100 + i;
    rig_bring_in(&r, v);
}

static inline void teardown(void) { rig_fini(&r); }

/* The guest has entered a pair at slot @p slot. */
static inline void guest_has(unsigned slot, uint64_t va, int64_t even, int64_t odd)
{
    g->tlb[slot] = (struct sim_entry){va | g->asid, {(uint64_t)even, (uint64_t)odd}};
}

static inline struct disco_exit an_exit(enum disco_exit_kind kind, uint64_t va,
                                        enum disco_access access)
{
    return (struct disco_exit){.kind = kind, .access = access, .va = {va}};
}

static inline enum disco_next miss(uint64_t va, enum disco_access access)
{
    struct disco_exit x = an_exit(DISCO_EXIT_MISS, va, access);

    return disco_vcpu_handle(v, &x);
}

static inline enum disco_next store_fault(uint64_t va)
{
    struct disco_exit x = an_exit(DISCO_EXIT_WRITE, va, DISCO_ACCESS_STORE);

    return disco_vcpu_handle(v, &x);
}

static inline disco_mpn page_at(uint64_t ppn)
{
    disco_mpn mpn;

    ck_assert_int_eq(disco_pmap_translate(&vm->pmap, (disco_ppn){ppn}, 0, &mpn), 0);
    return mpn;
}

static inline bool in_tlb(uint64_t ppn) { return sim_reaches(r.m, 0, NULL, page_at(ppn)); }

/* Did exception @p what just come, for @p va? Undo it. */
static inline void expect(unsigned what, uint64_t va)
{
    ck_assert(g->exception);
    ck_assert_uint_eq(g->cause, what);
    ck_assert_uint_eq(g->pc, 100 + what);
    ck_assert_uint_eq(g->bad_va, va);
    g->exception = false;
    g->pc = 0;
}

#endif
