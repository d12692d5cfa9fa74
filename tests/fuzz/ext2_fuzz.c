/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: the thin OS's reader of ext2, on what comes as a disk and on a damaged good one. */
#include "damage.h"
#include "image.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BLOCKS_MOST (1 << 14) /* of a file that are looked at: one may say that it is very large */

/* All of it lies on the disk: image.c looks. And no file takes more reads than it has numbers. */
static void look(struct image *image, struct ext2 *fs, const char *path)
{
    struct ext2_file file;
    uint64_t before = image->reads;

    if (ext2_find(fs, path, &file) == 0)
        (void)image_read(image, fs, &file, (uint64_t)BLOCKS_MOST * EXT2_BLOCK, NULL);
    demand(image->reads - before <= 4 * SAMPLE_BLOCKS * SAMPLE_BLOCKS + 4 * BLOCKS_MOST,
           "work is bounded by the size of disk and file");
}

static void search(uint8_t *bytes, size_t size)
{
    static const char *const paths[] = {"/", "/sub/small", "/sub/large", "/lost",
                                        "/sub/./../sub/x"};
    struct image image = {.bytes = bytes, .blocks = size / EXT2_BLOCK};
    struct ext2 fs;

    if (image_mount(&image, &fs))
        return;
    demand(fs.blocks && fs.blocks <= image.blocks, "the file system is on the disk");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        look(&image, &fs, paths[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[SAMPLE_BLOCKS * EXT2_BLOCK];

    if (!size)
        return 0;
    sample(bytes);
    if (data[0] % 4 == 0 && size - 1 <= EXT2_BLOCK) { /* the superblock's place and what follows */
        memcpy(bytes + SAMPLE_SUPER, data + 1, size - 1);
        search(bytes, sizeof bytes);
        return 0;
    }
    search(bytes, damage(bytes, sizeof bytes, data + 1, size - 1));
    return 0;
}
