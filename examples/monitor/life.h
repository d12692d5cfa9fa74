/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_LIFE_H
#define MONITOR_LIFE_H

/*
 * The life of virtual machines: started, paused, reset, stopped, ended by themselves, started again.
 *
 *     OFF --start--> ON --guest, person, fault--> ENDING --all stopped--> OFF, or WAITING --> ON
 *
 * Only processor 0 changes it, from its poll(), so none of this needs a lock. Other processors
 * leave a word (`over`, `starved`) and call for attention.
 */

#include <disco/vcpu.h>

struct vm;

enum life_state {
    LIFE_OFF,
    LIFE_ON,
    LIFE_ENDING,  /* told to end; a virtual CPU may still run */
    LIFE_WAITING, /* to be started again, soon */
};

struct life {
    enum life_state state;
    bool paused;           /* by a person */
    bool hungry;           /* waits for machine memory */
    bool again;            /* a person wants it started again when it has ended */
    bool stop;             /* a person wants it not to be, whatever its guest wants */
    bool told;             /* its end has been told */
    uint32_t over;         /* it has ended; accessed atomically */
    uint32_t starved;      /* it found no machine memory; accessed atomically */
    uint64_t at;           /* ns: when it was started; while WAITING when it will be */
    uint64_t stands_since; /* ns: the VM's time stands still since then; 0: it goes on */
    uint64_t hungry_at, told_at;
};

/* What a person can ask for. NULL, or why not ("is running"). Processor 0. */
const char *life_start(struct vm *vm);
const char *life_stop(struct vm *vm);
const char *life_reset(struct vm *vm);
const char *life_pause(struct vm *vm);
const char *life_resume(struct vm *vm);
/* Stop all, and let the machine be switched off. */
void life_quit(void);

/* Deal with what other processors left. False when every VM is off. Processor 0. */
bool life_tick(uint64_t now);

/* Hooks of every VM: any processor. */
void life_ended(struct disco_vm *vm);
enum disco_next hunger_no_memory(struct disco_vcpu *v);

/* hunger.c: those that found no memory, and those for whom there is some again. Processor 0. */
void hunger_tick(uint64_t now);
/* Let VM time run or stand, as the VM does. */
void life_set_clock(struct vm *vm);

/* In a word: "running", "paused", ... */
const char *life_word(const struct vm *vm);
/* A VM by its name, else by its number, from 1. NULL: there is none. */
struct vm *life_find(const char *word);
/* VM number i, from 0, in the order of vms.conf; NULL behind the last. */
struct vm *life_vm(unsigned i);

#endif
