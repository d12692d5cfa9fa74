/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_VM_H
#define MONITOR_VM_H

/*
 * A virtual machine of this monitor: the libraries' objects put together. It and its tables stay where
 * they are while the monitor runs, in its node; vm_make() fills them anew each time the VM is started.
 */

#include <disco/disk.h>
#include <disco/mmio.h>
#include <disco/net.h>
#include <disco/pvio.h>
#include <disco/vcpu.h>

#include "config.h"
#include "elf.h"
#include "life.h"

struct vm {
    /* Read by every processor that runs it, and written when it is made. */
    struct disco_vm vm; /* first */
    unsigned number;    /* in the order of vms.conf, from 0 */
    const struct vm_config *config;
    struct disco_disks disks;
    struct disk_line {
        struct vm *vm;
        unsigned n;
    } disk_line[CONFIG_VM_DISKS]; /* whose line it is: disks.c */
    struct disco_nic nic;
    struct disco_power power;
    struct disco_smp smp;
    struct disco_memory memory;
    struct disco_remapper remapper;
    void *pmap_storage;
    struct bytes kernel, initrd;
    struct elf_image image;
    uint64_t initrd_pa;
    uint32_t starts; /* how often its guest was loaded: no two starts have one seed */
    struct disco_pmap pmap;
    struct disco_vcpu *vcpu[CONFIG_CPUS]; /* at the head of its storage, in its node, */
    uint8_t vcpu_node[CONFIG_CPUS];       /* which is this one */
    struct disco_calls calls;
    struct disco_calls_counters *calls_counters; /* of each processor */
    /* Written when it calls, each under its own lock or atomically. */
    DISCO_OWN_LINE struct disco_console console;
    struct disco_timer timer;
    struct disco_mmio mmio; /* empty, or with the port below: uart.c */
    struct disco_uart16550 uart;
    bool vcpu_stops[CONFIG_CPUS]; /* VCPU_STOP was called; own processor */
    struct disco_lock line_lock;  /* of devices_up; inside a device's lock, see devices.c */
    uint32_t devices_up;          /* which devices hold the device line up */
    unsigned reports;             /* lines about what the guest should not have done; atomically */
    /* Processor 0 looks here after most exits. */
    DISCO_OWN_LINE struct life life;
    uint64_t timer_at; /* when the timer wants a look; accessed atomically: devices.c */
};

static inline struct vm *vm_of(struct disco_vm *vm) { return (struct vm *)vm; }

/* --- vm.c --- */

/* Take a VM's own storage, in the node of virtual CPU 0. Before memory is shared out, as what follows. */
struct vm *vm_new(unsigned number, const struct vm_config *config);
/* Check everything about a VM that can be checked before it exists. NULL, or what is wrong. */
const char *vm_check(struct vm *vm, struct bytes archive);
/* Take the storage of its tables: those of all its processors lie where the VM itself does. */
void vm_reserve(struct vm *vm);
/* Make it, load the guest, set virtual CPU 0 going. On an error nothing is left of it. */
int vm_make(struct vm *vm);
/*
 * Take its devices back, then its machine pages. It has ended, or was never started. False: a device still
 * works for it; call again.
 */
bool vm_free(struct vm *vm);

/* --- guest.c: what the guest finds when it starts --- */

/* Find room for device tree and RAM disk. NULL, or what is wrong. */
const char *guest_place(struct vm *vm);
int guest_load(struct vm *vm);
/* Virtual CPU 0 in the state that the guest's kernel expects. */
void guest_boot(struct vm *vm);

/* --- devices.c: what the guest can ask for --- */

/* Devices, as bits: who holds the VM's device line up. */
enum {
    DEVICE_CONSOLE = 1,
    DEVICE_TIMER = 2,
    DEVICE_NET = 4,
    DEVICE_UART = 8,
    DEVICE_DISK = 16, /* and the bits above, one for each disk */
};

int devices_make(struct vm *vm);
/* False: one of them still works for the VM. */
bool devices_free(struct vm *vm);
/* Raise or lower a device's part of the device line of VM `ctx`. Any processor. */
void devices_line(void *ctx, uint32_t device, bool up);
enum disco_next devices_call(struct disco_vcpu *v, const struct disco_exit *x, int64_t *result);
void devices_report(struct disco_vcpu *v, const char *what, uint64_t where);
/* Raise the lines of timers that have run out. When to call again, ns. Processor 0. */
uint64_t devices_timers(uint64_t now);

#endif
