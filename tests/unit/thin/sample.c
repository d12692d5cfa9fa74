/* SPDX-License-Identifier: BSD-2-Clause */
/* A file system with one of everything, in the fewest blocks, written from the description of the format. */
#include "image.h"

#include <string.h>

enum {
    GROUPS = 1,
    SUB = 6,
    SMALL = 7,
    LARGE = 8,
    NUMBERS = 9,
    FAR = 10,
    DOUBLE = 11,
    INNER = 12,
    LAST = 13
};

void put16(uint8_t *at, unsigned v)
{
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
}

void put32(uint8_t *at, uint32_t v)
{
    put16(at, v & 0xffff);
    put16(at + 2, v >> 16);
}

uint8_t *sample_inode(uint8_t *bytes, unsigned number)
{
    return bytes + SAMPLE_TABLE * EXT2_BLOCK + (number - 1) * 128;
}

static void superblock(uint8_t *s)
{
    put32(s, SAMPLE_INODES);
    put32(s + 4, SAMPLE_BLOCKS);
    put32(s + 24, 2);     /* blocks of 1024 << 2 */
    put32(s + 32, 32768); /* blocks of a group */
    put32(s + 40, SAMPLE_INODES);
    put16(s + 56, 0xef53);
    put32(s + 76, 1); /* revision, with the sizes and features behind it */
    put16(s + 88, 128);
    put32(s + 96, 2); /* names have types */
}

static uint8_t *inode(uint8_t *bytes, unsigned number, unsigned mode, uint64_t size)
{
    uint8_t *i = sample_inode(bytes, number);

    put16(i, mode);
    put32(i + 4, (uint32_t)size);
    put32(i + 108, (uint32_t)(size >> 32));
    put16(i + 26, 1);
    return i + 40; /* numbers of its blocks */
}

static uint8_t *entry(uint8_t *at, const char *name, uint32_t inode_number, unsigned step)
{
    put32(at, inode_number);
    put16(at + 4, step);
    at[6] = (uint8_t)strlen(name);
    memcpy(at + 8, name, at[6]);
    return at + step;
}

static void directory(uint8_t *block, uint32_t self, const char *a, uint32_t a_inode, const char *b,
                      uint32_t b_inode)
{
    uint8_t *at = entry(block, ".", self, 12);

    at = entry(at, "..", 2, 12);
    at = entry(at, "gone", 0, 16); /* removed: its inode's number is 0 */
    at = entry(at, a, a_inode, 20);
    entry(at, b, b_inode, (unsigned)(block + EXT2_BLOCK - at));
}

static void files(uint8_t *bytes)
{
    uint8_t *large = inode(bytes, SAMPLE_LARGE, 0x81a4, SAMPLE_LARGE_SIZE);

    put32(inode(bytes, 2, 0x41ed, EXT2_BLOCK), SAMPLE_ROOT);
    put32(inode(bytes, SAMPLE_SUB, 0x41ed, EXT2_BLOCK), SUB);
    put32(inode(bytes, SAMPLE_SMALL, 0x81a4, 5), SMALL);
    put32(large, LARGE);
    put32(large + 12 * 4, NUMBERS);
    put32(large + 13 * 4, DOUBLE);
}

void sample(uint8_t *bytes)
{
    memset(bytes, 0, SAMPLE_BLOCKS * EXT2_BLOCK);
    superblock(bytes + SAMPLE_SUPER);
    put32(bytes + GROUPS * EXT2_BLOCK, 2); /* bitmaps, then the inodes */
    put32(bytes + GROUPS * EXT2_BLOCK + 4, 3);
    put32(bytes + GROUPS * EXT2_BLOCK + 8, SAMPLE_TABLE);
    files(bytes);
    directory(bytes + SAMPLE_ROOT * EXT2_BLOCK, 2, "lost", SAMPLE_SMALL, "sub", SAMPLE_SUB);
    directory(bytes + SUB * EXT2_BLOCK, SAMPLE_SUB, "small", SAMPLE_SMALL, "large", SAMPLE_LARGE);
    memcpy(bytes + SMALL * EXT2_BLOCK, "small", 5);
    put32(bytes + NUMBERS * EXT2_BLOCK + 3 * 4, FAR);
    put32(bytes + DOUBLE * EXT2_BLOCK + 1 * 4, INNER);
    put32(bytes + INNER * EXT2_BLOCK + 5 * 4, LAST);
    memset(bytes + LARGE * EXT2_BLOCK, 'a', EXT2_BLOCK);
    memset(bytes + FAR * EXT2_BLOCK, 'b', EXT2_BLOCK);
    memset(bytes + LAST * EXT2_BLOCK, 'c', EXT2_BLOCK);
}
