/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * readfile read|mmap|touch FILE [ROUNDS]: reads a file to its end by read() or through a mapping, and prints the sum of
 * its words; touch reads one word of each page, so that what is measured is how the pages come.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"

#define PAGE 4096

static uint64_t sum_words(const uint64_t *word, size_t n, uint64_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum = (sum << 1 | sum >> 63) + word[i];
    return sum;
}

static uint64_t by_read(int fd)
{
    static uint64_t block[65536 / 8];
    uint64_t sum = 0;
    ssize_t n;

    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    while ((n = read(fd, block, sizeof(block))) > 0)
        sum = sum_words(block, (size_t)n / 8, sum);
    CHECK(n == 0);
    return sum;
}

static uint64_t by_mapping(int fd, size_t length, size_t words)
{
    const char *at = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
    uint64_t sum = 0;

    CHECK(at != MAP_FAILED);
    for (size_t i = 0; i + 8 <= length; i += PAGE) {
        size_t here = (length - i) / 8;

        sum = sum_words((const uint64_t *)(at + i), here < words ? here : words, sum);
    }
    CHECK(munmap((void *)(uintptr_t)at, length) == 0);
    return sum;
}

static uint64_t once(const char *how, int fd, size_t length)
{
    if (strcmp(how, "read") == 0)
        return by_read(fd);
    return by_mapping(fd, length, strcmp(how, "touch") == 0 ? 1 : PAGE / 8);
}

static void report_rate(uint64_t bytes, uint64_t ns)
{
    fprintf(stderr, "readfile: %llu bytes in %llu ns, %llu bytes/s\n", (unsigned long long)bytes,
            (unsigned long long)ns, (unsigned long long)(bytes * 1000000000u / (ns + 1)));
}

int main(int argc, char **argv)
{
    unsigned long rounds = argument(argc, argv, 3, 1);
    off_t length;
    int fd;

    if (argc < 3) {
        fprintf(stderr, "usage: readfile read|mmap|touch FILE [ROUNDS]\n");
        return 2;
    }
    fd = open(argv[2], O_RDONLY);
    CHECK(fd >= 0);
    length = lseek(fd, 0, SEEK_END);
    CHECK(length >= 8);
    while (rounds-- > 0) {
        uint64_t start = now_ns(), sum = once(argv[1], fd, (size_t)length);

        report_rate((uint64_t)length, now_ns() - start);
        printf("readfile %s %lld bytes sum %016llx\n", argv[1], (long long)length,
               (unsigned long long)sum);
    }
    return 0;
}
