/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_TEST_SAMPLES_H
#define MONITOR_TEST_SAMPLES_H

/* Valid inputs of the monitor's parsers, to be damaged by tests and fuzz targets. */

#include <linux/elf.h>
#include <stddef.h>
#include <stdint.h>

/* --- a boot archive --- */

#define CPIO_HEADER 110
#define CPIO_FILESIZE (6 + 8 * 6) /* where these fields stand in a header */
#define CPIO_NAMESIZE (6 + 8 * 11)

struct cpio {
    uint8_t bytes[4096];
    size_t len;
};

/* Add a file. Returns where its header starts. */
size_t cpio_add(struct cpio *a, const char *name, const void *data, size_t len);
/* vms.conf, some files of other lengths, and the entry that ends an archive. */
void cpio_sample(struct cpio *a);

/* --- a kernel --- */

#define KERNEL_SEGMENTS 18
#define KERNEL_MEMORY UINT64_C(0x20000000) /* of a VM it fits in */
#define KSEG0 UINT64_C(0xffffffffc0000000)
#define DIRECT UINT64_C(0x4000000000000000)

/* A whole file: two segments to load (one of them through each segment of the guest), one note. */
struct kernel {
    struct elf64_hdr header;
    struct elf64_phdr segment[KERNEL_SEGMENTS];
    uint8_t contents[256];
};

void kernel_sample(struct kernel *k);

#endif
