/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of the first disk. Where their blocks are is looked up by one thread at a time; the blocks
 * themselves go straight from the disk to where they are wanted, in pieces as large as the
 * disk's layout and the monitor allow. They are whole pages at whole pages, so that the monitor may map
 * those that it has.
 */
#include <string.h>

#include "ext2.h"
#include "inside.h"

#include <disco/io.h>

#define FILES 8
#define BLOCK_SECTORS (EXT2_BLOCK / DISCO_SECTOR)
#define MOST (DISCO_DISK_BYTES / EXT2_BLOCK)

static int read_block(void *ctx, uint32_t block, void *to)
{
    (void)ctx;
    return disk_read(0, (uint64_t)block * BLOCK_SECTORS, to, EXT2_BLOCK);
}

static struct os_lock lock;
static struct ext2_file files[FILES];
static int opened;
static _Alignas(OS_PAGE) uint8_t pages[2 * EXT2_BLOCK];
static struct ext2 fs = {.read = read_block, .pages = pages};

/* Once there is a file to be opened. The lock is held. */
static int mount(void)
{
    int64_t sectors = fs.disk_blocks ? 0 : disk_size(0);
    int err;

    if (sectors < 0)
        return OS_NOT_FOUND;
    if (fs.disk_blocks)
        return 0;
    fs.disk_blocks = (uint64_t)sectors / BLOCK_SECTORS;
    err = ext2_mount(&fs);
    if (err)
        fs.disk_blocks = 0;
    return err;
}

static int open_locked(const char *path, uint64_t *size)
{
    struct ext2_file *file = &files[opened];
    int err = opened == FILES ? OS_TOO_MANY : mount();

    err = err ? err : ext2_find(&fs, path, file);
    if (err)
        return err;
    if (file->directory)
        return OS_UNSUPPORTED;
    *size = file->size;
    return opened++;
}

int os_open(const char *path, uint64_t *size)
{
    int file;

    os_lock(&lock);
    file = open_locked(path, size);
    os_unlock(&lock);
    return file;
}

static int64_t find_run(int file, uint64_t index, uint64_t most, uint32_t *first)
{
    int64_t n;

    os_lock(&lock);
    n = ext2_run(&fs, &files[file], index, most < MOST ? most : MOST, first);
    os_unlock(&lock);
    return n;
}

int os_read(int file, uint64_t offset, void *to, uint64_t bytes)
{
    uint64_t index = offset / EXT2_BLOCK, end = index + (bytes + EXT2_BLOCK - 1) / EXT2_BLOCK;
    uint8_t *at = to;

    while (index < end) {
        uint32_t first;
        int64_t n = find_run(file, index, end - index, &first);
        int err = 0;

        if (n < 0)
            return (int)n;
        if (first)
            err = disk_read(0, (uint64_t)first * BLOCK_SECTORS, at, (uint64_t)n * EXT2_BLOCK);
        else
            memset(at, 0, (uint64_t)n * EXT2_BLOCK);
        if (err)
            return err;
        index += (uint64_t)n;
        at += n * EXT2_BLOCK;
    }
    return 0;
}

const char *os_error(int err)
{
    static const char *const text[] = {"nothing wrong", "not found",       "damaged file system",
                                       "unsupported",   "unreadable disk", "too many"};

    return text[err < 0 && err >= OS_TOO_MANY ? -err : 0];
}
