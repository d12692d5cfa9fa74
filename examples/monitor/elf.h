/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_ELF_H
#define MONITOR_ELF_H

/*
 * Guest kernels: ELF64 executables for MIPS, linked where the guest's relocated kernel segment is.
 * The file is checked whole before anything is loaded.
 */

#include "archive.h"

#define ELF_SEGMENTS 16

struct elf_segment {
    uint64_t pa;           /* guest-physical address */
    struct bytes contents; /* the rest, up to `size`, is zero */
    uint64_t size;
};

struct elf_image {
    uint64_t entry; /* virtual */
    unsigned segments;
    struct elf_segment segment[ELF_SEGMENTS];
    uint64_t end; /* guest-physical address behind the highest segment */
};

/*
 * Check a kernel, of the byte order that this code runs in, for a VM of `memory` bytes.
 * Returns NULL and fills *image, or says what is wrong.
 */
const char *elf_check(struct bytes file, uint64_t memory, struct elf_image *image);

#endif
