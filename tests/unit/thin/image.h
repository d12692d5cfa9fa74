/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef THIN_TEST_IMAGE_H
#define THIN_TEST_IMAGE_H

/* Images of ext2 file systems in memory, and a reader of them that notices what may not happen. */

#include "ext2.h"

/* What the reader under test reads from. */
struct image {
    uint8_t *bytes;
    uint64_t blocks;
    uint8_t *asked; /* NULL, or a byte for each block: nonzero = was read */
    uint64_t reads;
    uint64_t broken; /* no block from this one on can be read; 0 = all can */
};

/* Mount it anew; the reader's pages lie before a fence. Aborts if it ever reads behind the disk. */
int image_mount(struct image *image, struct ext2 *fs);
/*
 * All of a file, run by run, into `contents` (its size, rounded up to blocks) unless that is NULL. Returns 0 or
 * the reader's error. Aborts if a run is not one. A file larger than `most` is read to there only.
 */
int image_read(struct image *image, struct ext2 *fs, const struct ext2_file *file, uint64_t most,
               uint8_t *contents);

/* --- a small file system, made by hand --- */

#define SAMPLE_BLOCKS 15
#define SAMPLE_INODES 32
#define SAMPLE_TABLE 4 /* block of all inodes, 128 bytes each */
#define SAMPLE_ROOT 5  /* block of the directory's entries */
/* "/sub" and its files "small" (5 bytes) and "large", which has a block of each kind and holes. */
#define SAMPLE_SUB 11 /* inode numbers */
#define SAMPLE_SMALL 12
#define SAMPLE_LARGE 13
#define SAMPLE_LARGE_SIZE ((uint64_t)(12 + 1024 + 1024 + 6) * EXT2_BLOCK - 10)
#define SAMPLE_SUPER 1024

/* Little-endian fields. */
void put16(uint8_t *at, unsigned v);
void put32(uint8_t *at, uint32_t v);
/* Where an inode of the sample is. */
uint8_t *sample_inode(uint8_t *bytes, unsigned number);
void sample(uint8_t *bytes); /* SAMPLE_BLOCKS blocks */

#endif
