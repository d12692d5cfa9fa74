/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_VM_H
#define MONITOR_VM_H

/*
 * A virtual machine of this monitor: the libraries' objects put together, and what the guest finds
 * when it starts (kernel, initial RAM disk, device tree).
 */

#include <disco/pvio.h>
#include <disco/vcpu.h>

#include "config.h"
#include "elf.h"

struct vm {
    struct disco_vm vm; /* first */
    const struct vm_config *config;
    struct disco_pmap pmap;
    struct disco_vcpu vcpu; /* one, for now */
    struct disco_calls calls;
    struct disco_console console;
    struct disco_timer timer;
    struct disco_power power;
    uint32_t devices_up; /* which devices hold the device line up; accessed atomically */
    struct bytes kernel, initrd;
    struct elf_image image;
    uint64_t initrd_pa;
    unsigned reports; /* lines about what the guest should not have done */
};

/* What VMs are made of. */
struct host {
    struct disco_backend *backend;
    struct disco_memmap *mm;
    struct disco_sched *sched;
    void *(*storage)(size_t size); /* 64-byte aligned, zeroed; NULL: no more */
    void (*ended)(struct vm *vm);  /* a VM has ended */
};

/* Check everything about a VM that can be checked before it exists. NULL, or what is wrong. */
const char *vm_check(struct vm *vm, const struct vm_config *config, struct bytes archive);
/* Make it, and load the guest. 0 or a disco_err. */
int vm_make(struct vm *vm, unsigned id, const struct host *host);
int vm_start(struct vm *vm, struct disco_sched *sched);
/* Name of a disco_cause, as the log has it. */
const char *vm_cause_name(enum disco_cause cause);

#endif
