/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iocheck write FILE SEED [MIB]: a file, or the beginning of a disk, gets bytes that say where they belong.
 * iocheck check FILE SEED [MIB]: are they still there.
 * iocheck soak FILE SEED [ROUNDS [MIB]]: pieces of any size are written, by all ways there are, and read back, against
 * a memory of what was written last; between them the system's cache is emptied.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pattern.h"
#include "soak.h"

#define BLOCK 65536
/* What is written at once, with one key; also what a direct transfer is a multiple of. */
#define UNIT 4096

static const char *path;

static int open_it(int flags)
{
    int fd = open(path, flags | O_CREAT, 0644);

    /* Not every file system has direct transfers. */
    if (fd < 0 && flags & O_DIRECT)
        return open_it(flags & ~O_DIRECT);
    CHECK(fd >= 0);
    return fd;
}

static void fail(uint64_t at)
{
    printf("iocheck: %s: wrong from byte %llu on\n", path, (unsigned long long)at);
    exit(1);
}

static void expect(const void *got, uint64_t key, uint64_t offset, size_t n)
{
    size_t good = pattern_check(got, key, offset, n);

    if (good < n)
        fail(offset + good);
}

static void empty_cache(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

    sync();
    /* Only root may. */
    if (fd >= 0)
        CHECK(write(fd, "3\n", 2) == 2 && close(fd) == 0);
}

static void write_all(uint64_t seed, uint64_t length)
{
    static char block[BLOCK];
    int fd = open_it(O_WRONLY);

    for (uint64_t at = 0; at < length; at += BLOCK) {
        pattern_fill(block, seed, at, BLOCK);
        CHECK(pwrite(fd, block, BLOCK, (off_t)at) == BLOCK);
    }
    CHECK(fsync(fd) == 0 && close(fd) == 0);
}

static void check_all(uint64_t seed, uint64_t length)
{
    static char block[BLOCK];
    int fd = open(path, O_RDONLY);

    CHECK(fd >= 0);
    for (uint64_t at = 0; at < length; at += BLOCK) {
        CHECK(pread(fd, block, BLOCK, (off_t)at) == BLOCK);
        expect(block, seed, at, BLOCK);
    }
    CHECK(close(fd) == 0);
}

/* The key that each unit of the file was last written with. */
static uint64_t *key;
static unsigned units;

struct piece {
    unsigned first, n;
};

static struct piece some(struct random *r)
{
    unsigned most = BLOCK / UNIT, n = 1 + random_below(r, most < units ? most : units);

    return (struct piece){random_below(r, units - n + 1), n};
}

static void fill_piece(char *to, struct piece p, uint64_t new)
{
    for (unsigned i = 0; i < p.n; i++) {
        key[p.first + i] = new + i;
        pattern_fill(to + i * UNIT, key[p.first + i], (uint64_t)(p.first + i) * UNIT, UNIT);
    }
}

static void expect_piece(const char *got, struct piece p)
{
    for (unsigned i = 0; i < p.n; i++)
        expect(got + i * UNIT, key[p.first + i], (uint64_t)(p.first + i) * UNIT, UNIT);
}

static void write_piece(struct piece p, uint64_t new, int flags)
{
    static char block[BLOCK] __attribute__((aligned(UNIT)));
    int fd = open_it(O_WRONLY | flags);

    fill_piece(block, p, new);
    CHECK(pwrite(fd, block, p.n * UNIT, (off_t)p.first * UNIT) == (ssize_t)(p.n * UNIT));
    CHECK(close(fd) == 0);
}

static void read_piece(struct piece p, int flags)
{
    static char block[BLOCK] __attribute__((aligned(UNIT)));
    int fd = open_it(O_RDONLY | flags);

    CHECK(pread(fd, block, p.n * UNIT, (off_t)p.first * UNIT) == (ssize_t)(p.n * UNIT));
    expect_piece(block, p);
    CHECK(close(fd) == 0);
}

/* Through a mapping: written in place, or read and then written privately, which must not come through. */
static void map_piece(struct piece p, uint64_t new, int how)
{
    int fd = open_it(O_RDWR);
    char *at = mmap(NULL, p.n * UNIT, PROT_READ | PROT_WRITE, how, fd, (off_t)p.first * UNIT);

    CHECK(at != MAP_FAILED && close(fd) == 0);
    expect_piece(at, p);
    if (how == MAP_SHARED)
        fill_piece(at, p, new);
    else
        memset(at, 0xa5, p.n * UNIT);
    CHECK(munmap(at, p.n * UNIT) == 0);
}

/* Some bytes of a unit, the same as they are: a write that is no whole page. */
static void touch_piece(struct piece p, struct random *r)
{
    uint64_t at = (uint64_t)p.first * UNIT + random_below(r, UNIT);
    size_t n = 1 + random_below(r, (unsigned)(UNIT - at % UNIT));
    static char bytes[UNIT];
    int fd = open_it(O_WRONLY);

    pattern_fill(bytes, key[p.first], at, n);
    CHECK(pwrite(fd, bytes, n, (off_t)at) == (ssize_t)n);
    CHECK(close(fd) == 0);
}

static void once(struct random *r)
{
    struct piece p = some(r);
    uint64_t new = random_next(r);

    switch (random_below(r, 10)) {
    case 0:
    case 1: write_piece(p, new, 0); break;
    case 2: write_piece(p, new, O_DIRECT); break;
    case 3: write_piece(p, new, O_SYNC); break;
    case 4: map_piece(p, new, MAP_SHARED); break;
    case 5: map_piece(p, new, MAP_PRIVATE); break;
    case 6: touch_piece(p, r); break;
    case 7: read_piece(p, O_DIRECT); break;
    default: read_piece(p, 0); break;
    }
    if (random_below(r, 50) == 0)
        empty_cache();
}

static void soak(uint64_t seed, unsigned long rounds, uint64_t length)
{
    struct random r = {seed};

    units = (unsigned)(length / UNIT);
    key = calloc(units, sizeof(*key));
    CHECK(key != NULL);
    for (unsigned u = 0; u < units; u += BLOCK / UNIT)
        write_piece((struct piece){u, BLOCK / UNIT}, random_next(&r), 0);
    for (unsigned long i = 0; i < rounds; i++)
        once(&r);
    empty_cache();
    for (unsigned u = 0; u < units; u += BLOCK / UNIT)
        read_piece((struct piece){u, BLOCK / UNIT}, 0);
}

int main(int argc, char **argv)
{
    uint64_t start = now_ns();
    unsigned long seed = argument(argc, argv, 3, 1);

    if (argc < 4) {
        fprintf(stderr, "usage: iocheck write|check FILE SEED [MIB]\n"
                        "       iocheck soak FILE SEED [ROUNDS [MIB]]\n");
        return 2;
    }
    path = argv[2];
    if (strcmp(argv[1], "write") == 0)
        write_all(seed, argument(argc, argv, 4, 4) << 20);
    else if (strcmp(argv[1], "check") == 0)
        check_all(seed, argument(argc, argv, 4, 4) << 20);
    else
        soak(seed, argument(argc, argv, 4, 500), argument(argc, argv, 5, 4) << 20);
    printf("iocheck %s: all as it should be\n", argv[1]);
    report_time("iocheck", start);
    return 0;
}
