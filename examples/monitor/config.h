/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_CONFIG_H
#define MONITOR_CONFIG_H

/*
 * vms.conf: the virtual machines to make, and the disks they may have.
 *
 *     # comment
 *     [name]                 letters, digits, - and _; not machine, disk, net or numa, nor cpu...
 *     cpus = 1               1 to 16; optional
 *     memory = 128M          K, M or G; a multiple of 8K
 *     kernel = vmlinux       a file of the boot archive
 *     initrd = initramfs.gz  optional
 *     append = quiet ...     optional: the kernel's command line
 *     disks = root data      optional: at most 4, in the order of the numbers the guest sees
 *     net = no               yes: a port of the virtual subnet
 *     uart = no              yes: an emulated 16550
 *
 *     [disk name]            before or behind those who name it
 *     unit = 0               which of the machine's block devices, in the order of their slots
 *     changes = private      visible: all who have the disk see them
 *     keep = no              yes: changes outlive the virtual machine
 *     log = 64M              most that a log of written sectors may hold; a multiple of 4K
 *     copy = no              yes: never map pages, always copy
 */

#include "archive.h"

#define CONFIG_VMS 16
#define CONFIG_CPUS 16
#define CONFIG_NAME 32
#define CONFIG_APPEND 2048
#define CONFIG_DISKS 8    /* of the machine */
#define CONFIG_VM_DISKS 4 /* of one virtual machine */
#define CONFIG_LOG (UINT64_C(64) << 20)
#define CONFIG_LOG_MAX (UINT64_C(1) << 30)

struct disk_config {
    char name[CONFIG_NAME];
    unsigned unit;
    bool visible, keep, copy;
    uint64_t log; /* bytes */
};

struct vm_config {
    char name[CONFIG_NAME];
    unsigned cpus;
    uint64_t memory; /* bytes */
    char kernel[CONFIG_NAME];
    char initrd[CONFIG_NAME]; /* "" = none */
    char append[CONFIG_APPEND];
    unsigned disk[CONFIG_VM_DISKS], disks; /* disk[number of the guest]: index in config.disk */
    bool net, uart;
};

struct config {
    struct vm_config vm[CONFIG_VMS];
    unsigned vms;
    struct disk_config disk[CONFIG_DISKS];
    unsigned disks;
};

/* What is wrong, and in which line (from 1; 0: the file as a whole). NULL `what`: nothing. */
struct config_error {
    unsigned line;
    const char *what;
};

struct config_error config_parse(struct bytes text, struct config *out);

#endif
