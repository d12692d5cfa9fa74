/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fsynclog append FILE [COUNT]: writes numbered records behind those that are there, COUNT or for ever, and prints each
 * one's number when fsync() has returned: from then on it must survive whatever happens to the machine.
 * fsynclog check FILE: prints how many records there are, from the first to the last that is whole; exit status 1 if a
 * record of another place stands among them.
 *
 * The file may be a disk. Records are no whole pages, so that one is written into a page that holds others.
 */
#include <fcntl.h>
#include <libgen.h>
#include <unistd.h>

#include "pattern.h"

#define RECORD 1000

struct record {
    uint64_t number;
    unsigned char bytes[RECORD - 8];
};

static off_t place(uint64_t number) { return (off_t)(number - 1) * RECORD; }

static void make(struct record *r, uint64_t number)
{
    r->number = number;
    pattern_fill(r->bytes, number, 0, sizeof(r->bytes));
}

/* Whether record `number` is there, whole. */
static int is_there(int fd, uint64_t number)
{
    struct record r;

    if (pread(fd, &r, RECORD, place(number)) != RECORD || r.number == 0 || r.number > UINT32_MAX)
        return 0;
    if (pattern_check(r.bytes, r.number, 0, sizeof(r.bytes)) < sizeof(r.bytes))
        return 0;
    CHECK(r.number == number);
    return 1;
}

static uint64_t count(int fd)
{
    uint64_t n = 0;

    while (is_there(fd, n + 1))
        n++;
    return n;
}

static void append(int fd, uint64_t how_many)
{
    uint64_t number = count(fd), last = number + how_many;
    struct record r;

    while (number++ < last) {
        make(&r, number);
        CHECK(pwrite(fd, &r, RECORD, place(number)) == RECORD);
        CHECK(fsync(fd) == 0);
        printf("%llu\n", (unsigned long long)number);
        fflush(stdout);
    }
}

/* A new file's name is its folder's, and must survive as well. */
static int open_log(char *path)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644), folder = open(dirname(path), O_RDONLY);

    CHECK(fd >= 0 && folder >= 0);
    CHECK(fsync(folder) == 0 && close(folder) == 0);
    return fd;
}

int main(int argc, char **argv)
{
    int fd;

    if (argc < 3) {
        fprintf(stderr, "usage: fsynclog append FILE [COUNT] | fsynclog check FILE\n");
        return 2;
    }
    fd = open_log(argv[2]);
    if (argv[1][0] == 'a')
        append(fd, argument(argc, argv, 3, UINT32_MAX));
    else
        printf("fsynclog: %llu records\n", (unsigned long long)count(fd));
    return 0;
}
