/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On the disk all numbers are little-endian. Blocks are in groups; a table behind the superblock has
 * the place of each group's inodes. An inode has the numbers of its file's first twelve blocks,
 * that of a block of further numbers, and so on. Directories are files of names with inode numbers.
 */
#include "ext2.h"

#define MAGIC 0xef53
#define SUPERBLOCK 1024 /* from the beginning of the disk, whatever the size of blocks */
#define GROUP_TABLE 1   /* block */
#define GROUP_SIZE 32
#define BITS (8 * EXT2_BLOCK) /* of a group's bitmaps, which are a block each */
#define NAMES_HAVE_TYPES 0x2u /* the one incompatible feature that makes no difference here */
#define ROOT 2
#define DIRECT 12
#define NUMBERS (EXT2_BLOCK / 4) /* in a block of numbers */
#define MOST_BLOCKS (DIRECT + NUMBERS + (uint64_t)NUMBERS * NUMBERS)
#define TYPE 0xf000
#define TYPE_DIRECTORY 0x4000
#define TYPE_FILE 0x8000
#define OTHER_LAYOUT 0x10080000u /* flags of an inode: extents, or data in the inode itself */
#define NAME 8 /* in a directory's entry: its number, lengths and type come first */

static uint32_t le16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t le32(const uint8_t *p) { return le16(p) | le16(p + 2) << 16; }

/* Have a block in one of the two places: one is for blocks of numbers that files end in. */
static int have(struct ext2 *fs, unsigned place, uint64_t block, const uint8_t **bytes)
{
    struct ext2_cached *c = &fs->cached[place];
    int err = 0;

    if (!block || block >= fs->blocks)
        return OS_DAMAGED;
    if (c->block != block) {
        err = fs->read(fs->ctx, (uint32_t)block, c->bytes);
        c->block = err ? 0 : (uint32_t)block;
    }
    *bytes = c->bytes;
    return err;
}

/* --- the file system --- */

static int check_superblock(struct ext2 *fs, const uint8_t *s)
{
    uint32_t blocks = le32(s + 4), per_group = le32(s + 32);
    int first_revision = le32(s + 76) == 0;

    if (le16(s + 56) != MAGIC || !blocks || !per_group || per_group > BITS)
        return OS_DAMAGED;
    if (le32(s + 24) != 2 || le32(s + 20) || (!first_revision && le32(s + 96) & ~NAMES_HAVE_TYPES))
        return OS_UNSUPPORTED;
    fs->inodes = le32(s);
    fs->inodes_per_group = le32(s + 40);
    fs->inode_size = first_revision ? 128 : le16(s + 88);
    fs->groups = (uint32_t)(((uint64_t)blocks + per_group - 1) / per_group);
    fs->blocks = blocks;
    return 0;
}

static int check_inodes(const struct ext2 *fs)
{
    uint32_t size = fs->inode_size;

    if (!fs->inodes_per_group || fs->inodes_per_group > BITS)
        return OS_DAMAGED;
    if (size < 128 || size > EXT2_BLOCK || size & (size - 1))
        return OS_DAMAGED;
    return fs->inodes > (uint64_t)fs->groups * fs->inodes_per_group ? OS_DAMAGED : 0;
}

int ext2_mount(struct ext2 *fs)
{
    int err;

    for (unsigned i = 0; i < 2; i++)
        fs->cached[i] = (struct ext2_cached){0, fs->pages + i * EXT2_BLOCK};
    if (!fs->disk_blocks)
        return OS_DAMAGED;
    err = fs->read(fs->ctx, 0, fs->pages);
    err = err ? err : check_superblock(fs, fs->pages + SUPERBLOCK);
    err = err ? err : check_inodes(fs);
    return err ? err : fs->blocks > fs->disk_blocks ? OS_DAMAGED : 0; /* a disk that was cut off */
}

/* --- inodes --- */

static int check_inode(const struct ext2 *fs, const uint8_t *inode, struct ext2_file *file)
{
    uint32_t type = le16(inode) & TYPE;

    if (!le16(inode + 26)) /* no name leads to it: deleted */
        return OS_DAMAGED;
    if ((type != TYPE_FILE && type != TYPE_DIRECTORY) || le32(inode + 32) & OTHER_LAYOUT)
        return OS_UNSUPPORTED;
    file->directory = type == TYPE_DIRECTORY;
    file->size = le32(inode + 4) | (file->directory ? 0 : (uint64_t)le32(inode + 108) << 32);
    for (unsigned i = 0; i < 15; i++)
        file->block[i] = le32(inode + 40 + 4 * i);
    if (file->directory && (file->size % EXT2_BLOCK || file->size / EXT2_BLOCK > fs->blocks))
        return OS_DAMAGED;
    return 0;
}

static int get_inode(struct ext2 *fs, uint32_t number, struct ext2_file *file)
{
    uint64_t group = (number - 1) / fs->inodes_per_group, table, at;
    const uint8_t *bytes;
    int err;

    if (number > fs->inodes)
        return OS_DAMAGED;
    err = have(fs, 0, GROUP_TABLE + group * GROUP_SIZE / EXT2_BLOCK, &bytes);
    if (err)
        return err;
    table = le32(bytes + group * GROUP_SIZE % EXT2_BLOCK + 8);
    at = (uint64_t)((number - 1) % fs->inodes_per_group) * fs->inode_size;
    err = have(fs, 0, table + at / EXT2_BLOCK, &bytes);
    return err ? err : check_inode(fs, bytes + at % EXT2_BLOCK, file);
}

/* --- blocks of a file --- */

/* A number in a block of numbers; a block that is not there has only zeros, which are holes. */
static int number_in(struct ext2 *fs, unsigned place, uint32_t block, uint64_t index,
                     uint32_t *number)
{
    const uint8_t *bytes;
    int err;

    *number = 0;
    if (!block)
        return 0;
    err = have(fs, place, block, &bytes);
    if (!err)
        *number = le32(bytes + 4 * index);
    return err;
}

/* Where block `index` of a file is on the disk; 0 is a hole. */
static int block_at(struct ext2 *fs, const struct ext2_file *file, uint64_t index, uint32_t *block)
{
    uint32_t numbers = file->block[DIRECT];
    int err = 0;

    if (index >= MOST_BLOCKS)
        return OS_UNSUPPORTED;
    if (index < DIRECT) {
        *block = file->block[index];
    } else {
        index -= DIRECT;
        if (index >= NUMBERS) {
            index -= NUMBERS;
            err = number_in(fs, 0, file->block[DIRECT + 1], index / NUMBERS, &numbers);
        }
        err = err ? err : number_in(fs, 1, numbers, index % NUMBERS, block);
    }
    return err ? err : *block >= fs->blocks ? OS_DAMAGED : 0;
}

int64_t ext2_run(struct ext2 *fs, const struct ext2_file *file, uint64_t index, uint64_t most,
                 uint32_t *first)
{
    int err = block_at(fs, file, index, first);
    int64_t n = 1;

    if (err)
        return err;
    for (; (uint64_t)n < most; n++) {
        uint32_t block;

        /* What is wrong with a block further on is said when it is asked for. */
        if (block_at(fs, file, index + (uint64_t)n, &block) || block != (*first ? *first + n : 0))
            break;
    }
    return n;
}

/* --- names --- */

static int same(const uint8_t *entry, const char *name, unsigned length)
{
    if (entry[6] != length)
        return 0;
    while (length && entry[NAME + length - 1] == (uint8_t)name[length - 1])
        length--;
    return !length;
}

/* A block of entries, each of which says where the next one is. The inode's number, or an error. */
static int64_t look_in_block(const uint8_t *bytes, const char *name, unsigned length)
{
    unsigned at = 0, step;

    for (; at < EXT2_BLOCK; at += step) {
        step = at + NAME <= EXT2_BLOCK ? le16(bytes + at + 4) : 0;
        if (step > EXT2_BLOCK - at || NAME + bytes[at + 6] > (int)step)
            return OS_DAMAGED;
        if (le32(bytes + at) && same(bytes + at, name, length))
            return le32(bytes + at);
    }
    return OS_NOT_FOUND;
}

static int64_t look_up(struct ext2 *fs, const struct ext2_file *directory, const char *name,
                       unsigned length)
{
    int64_t found = OS_NOT_FOUND;

    for (uint64_t i = 0; i < directory->size / EXT2_BLOCK && found == OS_NOT_FOUND; i++) {
        const uint8_t *bytes;
        uint32_t block;
        int err = block_at(fs, directory, i, &block);

        err = err ? err : have(fs, 0, block, &bytes);
        found = err ? err : look_in_block(bytes, name, length);
    }
    return found;
}

int ext2_find(struct ext2 *fs, const char *path, struct ext2_file *file)
{
    int err = get_inode(fs, ROOT, file);

    while (!err) {
        unsigned length = 0;
        int64_t number;

        while (*path == '/')
            path++;
        if (!*path)
            return 0;
        if (!file->directory)
            return OS_NOT_FOUND;
        while (path[length] && path[length] != '/')
            length++;
        number = look_up(fs, file, path, length);
        err = number < 0 ? (int)number : get_inode(fs, (uint32_t)number, file);
        path += length;
    }
    return err;
}
