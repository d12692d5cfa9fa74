/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_ARCHIVE_H
#define MONITOR_ARCHIVE_H

/*
 * The boot archive: a cpio archive ("newc", uncompressed) that the boot loader put into memory. It
 * holds vms.conf and every file that vms.conf names. It is input: nothing in it is trusted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Some bytes in memory; of a file, or of anything else. */
struct bytes {
    const uint8_t *at;
    size_t len;
};

/* Find file `name` (`name_len` bytes). False: not there, or the archive is damaged before it. */
bool archive_find(struct bytes archive, const char *name, size_t name_len, struct bytes *file);

#endif
