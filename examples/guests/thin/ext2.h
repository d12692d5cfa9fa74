/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef EXT2_H
#define EXT2_H

/*
 * Finds files in an ext2 file system with blocks of 4 KiB, for reading. It needs nothing but a way to
 * read blocks, so that it is tested on the host as it is.
 *
 * What it reads may be anything: a number from the disk is checked before it is used, and the work
 * is bounded by the size of the disk. Who calls sees to it that one call is at work at a time.
 */

#include <stdint.h>

#include "os.h"

#define EXT2_BLOCK 4096

/* A block of the file system's own, as it was last read: 0 = nothing yet. */
struct ext2_cached {
    uint32_t block;
    uint8_t *bytes;
};

/* A file system. Who makes one gives it the first four. */
struct ext2 {
    /* Read one block, which is below `disk_blocks`. 0, or a negative enum os_err. */
    int (*read)(void *ctx, uint32_t block, void *to);
    void *ctx;
    uint64_t disk_blocks;
    uint8_t *pages; /* two blocks, page-aligned, to work in */

    uint32_t blocks, groups, inodes, inodes_per_group, inode_size;
    struct ext2_cached cached[2];
};

/* A file or a directory. */
struct ext2_file {
    uint64_t size;
    int directory;
    uint32_t block[15]; /* 12 of its own, then a block of numbers, then one of numbers of such */
};

int ext2_mount(struct ext2 *fs);
/* The file with this absolute path; symbolic links are not followed. */
int ext2_find(struct ext2 *fs, const char *path, struct ext2_file *file);
/*
 * Where the file's blocks from number `index` on are: how many of them, 1 to `most`, lie side by side on the
 * disk, beginning with `first`. first = 0: that many are a hole, and read as zeros.
 */
int64_t ext2_run(struct ext2 *fs, const struct ext2_file *file, uint64_t index, uint64_t most,
                 uint32_t *first);

#endif
