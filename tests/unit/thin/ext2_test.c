/* SPDX-License-Identifier: BSD-2-Clause */
/* The thin OS's reader of ext2 on a small file system: right, and with each kind of damage. */
#include "image.h"

#include "suite.h"

#include <string.h>

static uint8_t bytes[SAMPLE_BLOCKS * EXT2_BLOCK];
static uint8_t contents[SAMPLE_LARGE_SIZE + EXT2_BLOCK];
static struct image image;
static struct ext2 fs;
static struct ext2_file file;

#define SUPER (bytes + SAMPLE_SUPER)
#define GROUP (bytes + EXT2_BLOCK)

static void setup(void)
{
    sample(bytes);
    image = (struct image){.bytes = bytes, .blocks = SAMPLE_BLOCKS};
}

static int find(const char *path)
{
    int err = image_mount(&image, &fs);

    memset(&file, 0xa5, sizeof file);
    return err ? err : ext2_find(&fs, path, &file);
}

static int read_all(const char *path)
{
    int err = find(path);

    return err ? err : image_read(&image, &fs, &file, UINT64_MAX, contents);
}

START_TEST(names)
{
    const struct {
        const char *path;
        int err, directory;
    } row[] = {
        {"/", 0, 1},
        {"", 0, 1},
        {"/sub", 0, 1},
        {"sub/", 0, 1},
        {"//sub//small", 0, 0},
        {"/sub/./../sub/large", 0, 0},
        {"/lost", 0, 0},
        {"/gone", OS_NOT_FOUND, 0},
        {"/los", OS_NOT_FOUND, 0},
        {"/losts", OS_NOT_FOUND, 0},
        {"/nowhere/small", OS_NOT_FOUND, 0},
        {"/sub/small/", 0, 0},
        {"/sub/small/x", OS_NOT_FOUND, 0},
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        int err = find(row[i].path);

        ck_assert_msg(err == row[i].err, "%s: %d", row[i].path, err);
        ck_assert(err || file.directory == row[i].directory);
    }
}
END_TEST

/* Block `index` of `contents` is full of one letter. */
static int full_of(uint64_t index, int letter)
{
    const uint8_t *b = contents + index * EXT2_BLOCK;

    return b[0] == letter && memcmp(b, b + 1, EXT2_BLOCK - 1) == 0;
}

START_TEST(blocks_of_every_kind)
{
    ck_assert_int_eq(read_all("/sub/small"), 0);
    ck_assert_uint_eq(file.size, 5);
    ck_assert(memcmp(contents, "small", 5) == 0);
    ck_assert_int_eq(read_all("/sub/large"), 0);
    ck_assert_uint_eq(file.size, SAMPLE_LARGE_SIZE);
    ck_assert_uint_le(image.reads, 30); /* no block of numbers again and again */
    for (uint64_t i = 0; i < 12 + 1024 + 1024 + 6; i++)
        ck_assert(full_of(i, i == 0                      ? 'a'
                             : i == 12 + 3               ? 'b'
                             : i == 12 + 1024 + 1024 + 5 ? 'c'
                                                         : 0));
}
END_TEST

/* With three levels of numbers a file could go on; this reader does not. */
START_TEST(larger_than_can_be)
{
    const uint64_t most = 12 + 1024 + 1024 * 1024;
    uint32_t first;

    ck_assert_int_eq(find("/sub/large"), 0);
    ck_assert_int_eq(ext2_run(&fs, &file, most - 1, 1, &first), 1);
    ck_assert_uint_eq(first, 0);
    ck_assert_int_eq(ext2_run(&fs, &file, most - 1, 9, &first), 1);
    ck_assert_int_eq(ext2_run(&fs, &file, most, 1, &first), OS_UNSUPPORTED);
    ck_assert_int_eq(ext2_run(&fs, &file, UINT64_MAX, 1, &first), OS_UNSUPPORTED);
}
END_TEST

/* --- damage --- */

/*
 * A field of the width 2 or 4 that gets a value; what finding and reading `path` then says, or, if
 * that is NULL, mounting.
 */
struct damage {
    uint8_t *at;
    unsigned width;
    uint32_t value;
    const char *path;
    int err;
};

static void check_damage(const struct damage *d, size_t n)
{
    for (size_t i = 0; i < n; i++, d++) {
        int err;

        setup();
        if (d->width == 2)
            put16(d->at, d->value);
        else
            put32(d->at, d->value);
        err = d->path ? read_all(d->path) : image_mount(&image, &fs);
        ck_assert_msg(err == d->err, "row %zu: %d, not %d", i, err, d->err);
    }
}
#define CHECK_DAMAGE(rows) check_damage(rows, sizeof(rows) / sizeof((rows)[0]))

START_TEST(bad_superblock)
{
    const struct damage rows[] = {
        {SUPER + 56, 2, 0, NULL, OS_DAMAGED},         /* magic */
        {SUPER, 4, 1, "/lost", OS_DAMAGED},           /* inodes */
        {SUPER, 4, 33, NULL, OS_DAMAGED},             /* more than the groups have */
        {SUPER, 4, 12, "/sub/large", OS_DAMAGED},     /* fewer than are used */
        {SUPER + 4, 4, 0, NULL, OS_DAMAGED},          /* blocks */
        {SUPER + 4, 4, 16, NULL, OS_DAMAGED},         /* more than the disk has */
        {SUPER + 4, 4, 0xffffffff, NULL, OS_DAMAGED}, /* the same */
        {SUPER + 4, 4, 13, "/sub/large", OS_DAMAGED}, /* fewer than are used */
        {SUPER + 20, 4, 1, NULL, OS_UNSUPPORTED},     /* first block */
        {SUPER + 24, 4, 0, NULL, OS_UNSUPPORTED},     /* their size */
        {SUPER + 32, 4, 0, NULL, OS_DAMAGED},         /* blocks of a group */
        {SUPER + 32, 4, 32769, NULL, OS_DAMAGED},     /* the same */
        {SUPER + 40, 4, 0, NULL, OS_DAMAGED},         /* inodes of a group */
        {SUPER + 40, 4, 32769, NULL, OS_DAMAGED},     /* the same */
        {SUPER + 76, 4, 0, NULL, 0},                  /* first revision: 128 bytes, no features */
        {SUPER + 88, 2, 64, NULL, OS_DAMAGED},        /* size of an inode */
        {SUPER + 88, 2, 192, NULL, OS_DAMAGED},       /* the same */
        {SUPER + 88, 2, 8192, NULL, OS_DAMAGED},      /* the same */
        {SUPER + 96, 4, 0x42, NULL, OS_UNSUPPORTED},  /* incompatible features: extents */
        {SUPER + 96, 4, 1u << 31, NULL, OS_UNSUPPORTED}, /* one that nobody knows */
    };

    CHECK_DAMAGE(rows);
}
END_TEST

/* Revision 0 had no such fields, and may have anything there. */
START_TEST(first_revision)
{
    put32(SUPER + 76, 0);
    put16(SUPER + 88, 0x1234);
    put32(SUPER + 96, 0xffffffff);
    ck_assert_int_eq(read_all("/sub/large"), 0);
    ck_assert_uint_eq(file.size, SAMPLE_LARGE_SIZE);
}
END_TEST

START_TEST(bad_inodes)
{
    uint8_t *root = sample_inode(bytes, 2), *small = sample_inode(bytes, SAMPLE_SMALL);
    const struct damage rows[] = {
        {root + 108, 4, 1, "/lost", 0},          /* of a directory that is no part of its size */
        {GROUP + 8, 4, 0, "/lost", OS_DAMAGED},  /* the table of inodes */
        {GROUP + 8, 4, 15, "/lost", OS_DAMAGED}, /* behind the end */
        {GROUP + 8, 4, 0xffffffff, "/lost", OS_DAMAGED},     /* the same */
        {small, 2, 0xa1ff, "/lost", OS_UNSUPPORTED},         /* a symbolic link */
        {small, 2, 0, "/lost", OS_UNSUPPORTED},              /* nothing at all */
        {small + 26, 2, 0, "/lost", OS_DAMAGED},             /* deleted */
        {small + 32, 4, 0x80000, "/lost", OS_UNSUPPORTED},   /* extents */
        {small + 40, 4, 15, "/lost", OS_DAMAGED},            /* its block */
        {small + 40, 4, 0xffffffff, "/lost", OS_DAMAGED},    /* the same */
        {root, 2, 0x81a4, "/lost", OS_NOT_FOUND},            /* the root is a file */
        {root + 4, 4, 4095, "/lost", OS_DAMAGED},            /* its size */
        {root + 4, 4, 16 * EXT2_BLOCK, "/lost", OS_DAMAGED}, /* larger than the disk */
        {root + 4, 4, 2 * EXT2_BLOCK, "/other", OS_DAMAGED}, /* a directory with a hole */
        {root + 4, 4, 0, "/lost", OS_NOT_FOUND},             /* an empty one */
        {root + 40, 4, 0, "/lost", OS_DAMAGED},              /* its block */
        {root + 40, 4, 15, "/lost", OS_DAMAGED},             /* the same */
    };

    CHECK_DAMAGE(rows);
}
END_TEST

START_TEST(bad_numbers)
{
    uint8_t *large = sample_inode(bytes, SAMPLE_LARGE) + 40;
    const struct damage rows[] = {
        {large + 12 * 4, 4, 15, "/sub/large", OS_DAMAGED},
        {large + 13 * 4, 4, 15, "/sub/large", OS_DAMAGED},
        {large + 13 * 4, 4, 0, "/sub/large", 0}, /* a large hole */
        {bytes + 9 * EXT2_BLOCK + 8, 4, 15, "/sub/large", OS_DAMAGED},
        {bytes + 11 * EXT2_BLOCK + 4, 4, 15, "/sub/large", OS_DAMAGED},
        {bytes + 12 * EXT2_BLOCK, 4, 0xffffffff, "/sub/large", OS_DAMAGED},
    };

    CHECK_DAMAGE(rows);
}
END_TEST

START_TEST(bad_entries)
{
    uint8_t *entry = bytes + SAMPLE_ROOT * EXT2_BLOCK, *last = entry + 12 + 12 + 16 + 20;
    const unsigned rest = (unsigned)(entry + EXT2_BLOCK - last);
    const struct damage rows[] = {
        {entry + 4, 2, 0, "/sub", OS_DAMAGED},      /* where the next one is */
        {entry + 4, 2, 4, "/sub", OS_DAMAGED},      /* too near */
        {entry + 4, 2, 0xfffc, "/sub", OS_DAMAGED}, /* in another block */
        {entry + 6, 2, 5, "/sub", OS_DAMAGED},      /* the name is longer than the entry */
        {entry + 4, 2, 4096, "/sub", OS_NOT_FOUND}, /* the first is the last */
        {last + 4, 2, rest + 4, "/sub", OS_DAMAGED},
        {last + 4, 2, rest - 4, "/x", OS_DAMAGED}, /* the block goes on for four bytes */
        {last, 4, 33, "/sub", OS_DAMAGED},         /* an inode that there is not */
        {last, 4, 0xffffffff, "/sub", OS_DAMAGED}, /* the same */
        {last, 4, 20, "/sub", OS_DAMAGED},         /* one that nobody uses */
    };

    CHECK_DAMAGE(rows);
}
END_TEST

/* Wherever a disk ends, it is an error; and so is a block that cannot be read. */
START_TEST(torn)
{
    for (image.blocks = 0; image.blocks < SAMPLE_BLOCKS; image.blocks++)
        ck_assert_int_eq(find("/lost"), OS_DAMAGED);
    for (image.broken = 1; image.broken <= SAMPLE_TABLE; image.broken++)
        ck_assert_int_eq(find("/lost"), OS_IO);
    for (; image.broken <= 12; image.broken++)
        ck_assert_int_eq(read_all("/sub/large"), OS_IO);
    image.broken++;
    ck_assert_int_eq(read_all("/sub/large"), 0); /* the last is not the reader's to read */
}
END_TEST

/* What could not be read, or belonged to what was mounted before, is not taken for what was read. */
START_TEST(read_again)
{
    image.broken = 9;
    ck_assert_int_eq(read_all("/sub/large"), OS_IO);
    image.broken = 0;
    ck_assert_int_eq(image_read(&image, &fs, &file, UINT64_MAX, contents), 0);
    ck_assert(full_of(12 + 3, 'b'));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {names,          blocks_of_every_kind, larger_than_can_be,
                            bad_superblock, first_revision,       bad_inodes,
                            bad_numbers,    bad_entries,          torn,
                            read_again};

    return SUITE_RUN("ext2", tests, setup, NULL);
}
