/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_CONFIG_H
#define MONITOR_CONFIG_H

/*
 * vms.conf: the virtual machines to make.
 *
 *     # comment
 *     [name]                 letters, digits, - and _; not machine, nor cpu...
 *     cpus = 1               1 to 8; optional
 *     memory = 128M          K, M or G; a multiple of 8K
 *     kernel = vmlinux       a file of the boot archive
 *     initrd = initramfs.gz  optional
 *     append = quiet ...     optional: the kernel's command line
 */

#include "archive.h"

#define CONFIG_VMS 16
#define CONFIG_CPUS 8
#define CONFIG_NAME 32
#define CONFIG_APPEND 2048

struct vm_config {
    char name[CONFIG_NAME];
    unsigned cpus;
    uint64_t memory; /* bytes */
    char kernel[CONFIG_NAME];
    char initrd[CONFIG_NAME]; /* "" = none */
    char append[CONFIG_APPEND];
};

struct config {
    struct vm_config vm[CONFIG_VMS];
    unsigned vms;
};

/* What is wrong, and in which line (from 1; 0: the file as a whole). NULL `what`: nothing. */
struct config_error {
    unsigned line;
    const char *what;
};

struct config_error config_parse(struct bytes text, struct config *out);

#endif
