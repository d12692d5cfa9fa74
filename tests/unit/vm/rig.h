/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VM_RIG_H
#define VM_RIG_H

/* A monitor in small, for tests: sim machine, machine memory, scheduler, VMs with their devices. */

#include <disco/pvio.h>
#include <disco/sim.h>
#include <disco/vcpu.h>

#include <stdio.h>
#include <stdlib.h>

/* Not Check's, for fuzzers use the rig too. */
#define RIG_CHECK(cond)                                                                            \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#define RIG_VMS 3
#define RIG_VCPUS 8
#define RIG_SETS 16
#define RIG_STORAGE 64
#define RIG_OUT 8192

struct rig;

struct rig_vm {
    struct disco_vm vm;
    struct disco_pmap pmap;
    struct disco_vcpu vcpu[RIG_VCPUS];
    struct disco_calls calls;
    struct disco_calls_counters *counters;
    struct disco_console console;
    struct disco_timer timer;
    struct disco_power power;
    struct rig *rig;
    void *pmap_storage;
    uint64_t pages;
    char out[RIG_OUT]; /* what it wrote to its console */
    size_t out_n;
    char last_words[300];
    uint32_t ended;     /* how often the hook was called; atomic */
    uint32_t no_memory; /* the same */
};

struct rig {
    struct sim_machine *m;
    struct disco_backend *b;
    struct disco_memmap *mm;
    struct disco_sched *s;
    struct rig_vm *vm[RIG_VMS];
    unsigned vms;
    void *storage[RIG_STORAGE];
    unsigned stored;
};

struct rig_config {
    unsigned cpus, nodes;
    uint64_t pages; /* of machine memory, a node; 0: 256 */
    unsigned tlb_pairs, hidden;
    bool tagged;        /* TLBs */
    uint64_t slice_ns;  /* 0: 100 operations */
    unsigned queue_len; /* 0: enough */
    uint32_t seed;
};

void rig_init(struct rig *r, const struct rig_config *c);
void rig_fini(struct rig *r);
/* A VM of @p pages and @p vcpus that run @p program when started. */
struct rig_vm *rig_add(struct rig *r, uint64_t pages, unsigned vcpus,
                       const struct sim_insn *program, uint32_t length);
#define RIG_ADD(r, pages, vcpus, program)                                                          \
    rig_add(r, pages, vcpus, program, sizeof(program) / sizeof((program)[0]))

/* A VM that has ended is made anew in the same storage, with the program and memory of a new one. */
void rig_again(struct rig_vm *vm, const struct sim_insn *program, uint32_t length);

/* One turn of processor @p cpu, with the devices polled. */
void rig_turn(struct rig *r, unsigned cpu);
/* Turns on processor 0 until @p v has left state READY and RUNNING, at most @p turns. */
void rig_settle(struct rig *r, struct disco_vcpu *v, unsigned turns);
/* Every processor takes turns in its own thread until all VMs have ended. */
void rig_run_threads(struct rig *r);
/* The same on this thread, one turn each; false if @p turns did not do. */
bool rig_run(struct rig *r, unsigned turns);
/* Have @p v run on processor 0, for direct calls of what says "own processor"; BLOCKED then. */
void rig_bring_in(struct rig *r, struct disco_vcpu *v);
bool rig_ended(const struct rig_vm *vm);
bool rig_all_ended(const struct rig *r);
uint32_t rig_state(const struct disco_vcpu *v);
struct disco_pmap_stats rig_stats(const struct rig_vm *vm);
uint64_t rig_peek(struct rig_vm *vm, uint64_t pa);
void rig_poke(struct rig_vm *vm, uint64_t pa, uint64_t value);

#endif
