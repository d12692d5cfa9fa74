/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ext2_tree_test TREE IMAGE [REFUSED]: an image that mke2fs made of a folder has just what the folder has; then random
 * bytes of what the reader reads are changed, and nothing worse happens than an error.
 */
#define _XOPEN_SOURCE 700
#include "image.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MOST (UINT64_C(20) << 20) /* bytes of the largest file */
#define ROUNDS 300
#define CHANGES 6

#define CHECK(condition, what)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #condition, what);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static struct image image;
static struct ext2 fs;
static const char *tree;
static unsigned compared, refused, errors;

static uint8_t *load(const char *path, uint64_t *size)
{
    FILE *f = fopen(path, "rb");
    struct stat s;
    uint8_t *bytes;

    CHECK(f && !fstat(fileno(f), &s), path);
    *size = (uint64_t)s.st_size;
    bytes = malloc(*size + 1);
    CHECK(bytes && fread(bytes, 1, *size, f) == *size, path);
    fclose(f);
    return bytes;
}

static void compare_file(const char *path, const struct ext2_file *file)
{
    static uint8_t contents[MOST];
    uint64_t size;
    uint8_t *expected = load(path, &size);

    CHECK(file->size == size && size <= MOST, path);
    CHECK(image_read(&image, &fs, file, MOST, contents) == 0, path);
    CHECK(memcmp(contents, expected, size) == 0, path);
    free(expected);
}

static int compare(const char *path, const struct stat *s, int type, struct FTW *where)
{
    const char *inside = path + strlen(tree);
    struct ext2_file file;
    char other[4096];
    int err = ext2_find(&fs, inside, &file);

    (void)s;
    (void)where;
    if (type == FTW_SL) {
        CHECK(err == OS_UNSUPPORTED, path);
        return 0;
    }
    CHECK(err == 0 && file.directory == (type == FTW_D), path);
    if (type == FTW_F)
        compare_file(path, &file);
    snprintf(other, sizeof other, "%s/not there", inside);
    CHECK(ext2_find(&fs, other, &file) == OS_NOT_FOUND, path);
    compared++;
    return 0;
}

/* --- damage --- */

/* All that can be found, read as far as it goes; what it says does not matter. */
static int visit(const char *path, const struct stat *s, int type, struct FTW *where)
{
    struct ext2_file file;
    int err;

    (void)s;
    (void)type;
    if (where->level > 1 && strstr(path, "/many/"))
        return 0;
    err = ext2_find(&fs, path + strlen(tree), &file);
    err = err ? err : image_read(&image, &fs, &file, MOST, NULL);
    errors += err != 0;
    return 0;
}

static uint64_t random_word(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* A place in what was read; `super`: in the superblock. */
static uint8_t *place(const uint32_t *read, unsigned n, uint64_t *seed, int super)
{
    uint64_t block = read[random_word(seed) % n], offset = random_word(seed) >> 20;

    if (super)
        return image.bytes + 1024 + offset % 128;
    return image.bytes + block * EXT2_BLOCK + offset % (offset >> 20 & 1 ? EXT2_BLOCK : 256);
}

static void damage_round(const uint32_t *read, unsigned n, uint64_t *seed, int super)
{
    uint8_t *at[CHANGES], was[CHANGES];

    for (unsigned i = 0; i < CHANGES; i++) {
        at[i] = place(read, n, seed, super && i == 0);
        was[i] = *at[i];
        *at[i] = (uint8_t)(random_word(seed) >> 20);
    }
    if (image_mount(&image, &fs) == 0)
        nftw(tree, visit, 16, FTW_PHYS);
    else
        refused++;
    for (unsigned i = CHANGES; i-- > 0;)
        *at[i] = was[i];
}

static void damage(void)
{
    static uint32_t read[1 << 16];
    unsigned n = 0;
    uint64_t seed = 12345;

    for (uint32_t block = 0; block < image.blocks; block++) {
        if (image.asked[block])
            read[n++] = block;
    }
    for (unsigned round = 0; round < ROUNDS; round++)
        damage_round(read, n, &seed, round % 4 == 0);
    CHECK(errors > ROUNDS / 10 && refused > ROUNDS / 40, "damage is noticed");
    CHECK(image_mount(&image, &fs) == 0 && !nftw(tree, compare, 16, FTW_PHYS), "undone");
}

int main(int argc, char **argv)
{
    uint64_t size;

    CHECK(argc >= 3, "usage: ext2_tree_test TREE IMAGE [refused]");
    tree = argv[1];
    image.bytes = load(argv[2], &size);
    image.blocks = size / EXT2_BLOCK;
    image.asked = calloc(image.blocks, 1);
    if (argc > 3) {
        CHECK(image_mount(&image, &fs) == OS_UNSUPPORTED, argv[2]);
        return 0;
    }
    CHECK(image_mount(&image, &fs) == 0, argv[2]);
    CHECK(nftw(tree, compare, 16, FTW_PHYS) == 0, tree);
    CHECK(compared > 1500, tree);
    damage();
    printf("%u files; damaged: %u images refused, %u errors\n", compared, refused, errors);
    return 0;
}
