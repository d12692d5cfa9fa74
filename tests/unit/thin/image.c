/* SPDX-License-Identifier: BSD-2-Clause */
#include "image.h"

#include "fence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(int good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "violated: %s\n", what);
    abort();
}

static int read_block(void *ctx, uint32_t block, void *to)
{
    struct image *image = ctx;

    must(block < image->blocks, "what is read is on the disk");
    image->reads++;
    if (image->asked)
        image->asked[block] = 1;
    if (image->broken && block >= image->broken)
        return OS_IO;
    memcpy(to, image->bytes + (uint64_t)block * EXT2_BLOCK, EXT2_BLOCK);
    return 0;
}

int image_mount(struct image *image, struct ext2 *fs)
{
    memset(fs, 0xa5, sizeof *fs);
    fs->read = read_block;
    fs->ctx = image;
    fs->disk_blocks = image->blocks;
    fs->pages = fence(2 * EXT2_BLOCK);
    return ext2_mount(fs);
}

#define RUN 7 /* blocks at most, so that there are many */

static void take(struct image *image, uint64_t index, uint64_t n, uint32_t first, uint8_t *contents)
{
    must(n >= 1 && n <= RUN, "a run is as long as may be");
    must(!first || first + n <= image->blocks, "a run is on the disk");
    if (contents && first)
        memcpy(contents + index * EXT2_BLOCK, image->bytes + (uint64_t)first * EXT2_BLOCK,
               n * EXT2_BLOCK);
    if (contents && !first)
        memset(contents + index * EXT2_BLOCK, 0, n * EXT2_BLOCK);
}

int image_read(struct image *image, struct ext2 *fs, const struct ext2_file *file, uint64_t most,
               uint8_t *contents)
{
    uint64_t size = file->size < most ? file->size : most;
    uint64_t blocks = (size + EXT2_BLOCK - 1) / EXT2_BLOCK;

    for (uint64_t index = 0; index < blocks;) {
        uint64_t left = blocks - index;
        uint32_t first;
        int64_t n = ext2_run(fs, file, index, left < RUN ? left : RUN, &first);

        if (n < 0)
            return (int)n;
        must((uint64_t)n <= left, "a run ends with the file");
        take(image, index, (uint64_t)n, first, contents);
        index += (uint64_t)n;
    }
    return 0;
}
