/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * netcheck recv tcp|udp PORT: takes one stream, or datagrams until the last, and checks every byte.
 * netcheck send tcp ADDRESS PORT BYTES write|odd|sendfile [FILE]: whole pages at a time, pieces of odd sizes, or
 * a file (default /tmp/netcheck, made first), whose pages can travel as they are.
 * netcheck send udp ADDRESS PORT BYTES: datagrams of all sizes.
 *
 * Addresses are IPv4 or IPv6, the latter with %INTERFACE if it is of a link only. A stream is acknowledged when it was
 * received whole, and the time printed is until then.
 */
#define _GNU_SOURCE

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pattern.h"
#include "soak.h"
#include "sockets.h"

#define BLOCK 65536
#define KEY 7
#define LONGEST_DATAGRAM 65507
/* How long the last datagram may keep us waiting, in seconds, and how often it is sent. */
#define SILENCE 5
#define ENDS 3

static char block[BLOCK] __attribute__((aligned(PAGE)));

static void report(const char *what, uint64_t bytes, uint64_t start)
{
    uint64_t ns = now_ns() - start;

    printf("netcheck %s: %llu bytes\n", what, (unsigned long long)bytes);
    fprintf(stderr, "netcheck: %llu.%03llu s, %llu bytes/s\n",
            (unsigned long long)(ns / 1000000000u), (unsigned long long)(ns / 1000000 % 1000),
            (unsigned long long)(bytes * 1000000000u / (ns + 1)));
}

/* --- streams --- */

static void recv_stream(unsigned long port)
{
    int listener = bound(SOCK_STREAM, port), fd;
    uint64_t got = 0, start;
    ssize_t n;

    CHECK(listen(listener, 1) == 0);
    fd = accept(listener, NULL, NULL);
    /* Or who comes next would wait here, and be turned away when we end. */
    CHECK(fd >= 0 && close(listener) == 0);
    start = now_ns();
    while ((n = recv(fd, block, BLOCK, 0)) > 0) {
        CHECK(pattern_check(block, KEY, got, (size_t)n) == (size_t)n);
        got += (uint64_t)n;
    }
    CHECK(n == 0 && write(fd, "k", 1) == 1);
    report("recv tcp", got, start);
}

static void put(int fd, const char *from, size_t n)
{
    while (n > 0) {
        ssize_t sent = write(fd, from, n);

        CHECK(sent > 0);
        from += sent;
        n -= (size_t)sent;
    }
}

static void send_pieces(int fd, uint64_t length, int odd)
{
    struct random r = {length};

    for (uint64_t sent = 0; sent < length;) {
        size_t n = odd ? 1 + random_below(&r, BLOCK) : BLOCK;

        n = n < length - sent ? n : (size_t)(length - sent);
        pattern_fill(block, KEY, sent, n);
        put(fd, block, n);
        sent += n;
    }
}

/* A file with the first `length` bytes of the pattern, written unless it is there. */
static int source(const char *path, uint64_t length)
{
    int fd = open(path, O_RDWR | O_CREAT, 0644);

    CHECK(fd >= 0);
    if (lseek(fd, 0, SEEK_END) >= (off_t)length)
        return fd;
    for (uint64_t at = 0; at < length; at += BLOCK) {
        pattern_fill(block, KEY, at, BLOCK);
        CHECK(pwrite(fd, block, BLOCK, (off_t)at) == BLOCK);
    }
    CHECK(fsync(fd) == 0);
    return fd;
}

static void send_file(int fd, int file, uint64_t length)
{
    off_t at = 0;

    while ((uint64_t)at < length)
        CHECK(sendfile(fd, file, &at, (size_t)(length - (uint64_t)at)) > 0);
}

static void send_stream(char *address, unsigned long port, uint64_t length, const char *how,
                        const char *path)
{
    int file = strcmp(how, "sendfile") == 0 ? source(path, length) : -1;
    int fd = connected(SOCK_STREAM, address, port);
    uint64_t start = now_ns();
    char answer;

    if (file >= 0)
        send_file(fd, file, length);
    else
        send_pieces(fd, length, strcmp(how, "odd") == 0);
    CHECK(shutdown(fd, SHUT_WR) == 0 && read(fd, &answer, 1) == 1);
    report("send tcp", length, start);
}

/* --- datagrams: each begins with its number, from 1 on, which is the key of the rest; number 0 is the last --- */

static void recv_datagrams(unsigned long port)
{
    int fd = bound(SOCK_DGRAM, port);
    uint64_t got = 0, datagrams = 0, start = now_ns(), number;
    struct timeval silence = {.tv_sec = 60};
    ssize_t n;

    for (;;) {
        CHECK(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) == 0);
        n = recv(fd, block, BLOCK, 0);
        if (n < 0)
            break;
        CHECK(n >= 8);
        memcpy(&number, block, 8);
        /* The end of an earlier stream may still be on its way. */
        if (number == 0 && datagrams == 0)
            continue;
        if (number == 0)
            break;
        start = datagrams == 0 ? now_ns() : start;
        CHECK(pattern_check(block + 8, number, 8, (size_t)n - 8) == (size_t)n - 8);
        got += (uint64_t)n;
        datagrams++;
        silence.tv_sec = SILENCE;
    }
    CHECK(datagrams > 0);
    fprintf(stderr, "netcheck: %llu datagrams\n", (unsigned long long)datagrams);
    report("recv udp", got, start);
}

static void send_datagrams(char *address, unsigned long port, uint64_t length)
{
    int fd = connected(SOCK_DGRAM, address, port);
    uint64_t sent = 0, number = 0, start = now_ns();
    struct random r = {length};

    while (sent < length) {
        size_t n = 8 + random_below(&r, LONGEST_DATAGRAM - 8 + 1);

        number++;
        memcpy(block, &number, 8);
        pattern_fill(block + 8, number, 8, n - 8);
        /* Who is not there yet, or has no room, loses datagrams. */
        CHECK(send(fd, block, n, 0) == (ssize_t)n || errno == ECONNREFUSED || errno == ENOBUFS);
        sent += n;
    }
    fprintf(stderr, "netcheck: %llu datagrams\n", (unsigned long long)number);
    report("send udp", sent, start);
    memset(block, 0, 8);
    for (int i = 0; i < ENDS; i++) {
        usleep(200000);
        send(fd, block, 8, 0);
    }
}

static int usage(void)
{
    fprintf(stderr, "usage: netcheck recv tcp|udp PORT\n"
                    "       netcheck send tcp ADDRESS PORT BYTES write|odd|sendfile [FILE]\n"
                    "       netcheck send udp ADDRESS PORT BYTES\n");
    return 2;
}

int main(int argc, char **argv)
{
    int tcp = argc > 2 && strcmp(argv[2], "tcp") == 0;

    if (argc == 4 && strcmp(argv[1], "recv") == 0) {
        (tcp ? recv_stream : recv_datagrams)(argument(argc, argv, 3, 0));
        return 0;
    }
    if (argc < 6 || strcmp(argv[1], "send") != 0 || (tcp && argc < 7))
        return usage();
    if (tcp)
        send_stream(argv[3], argument(argc, argv, 4, 0), argument(argc, argv, 5, 0), argv[6],
                    argc > 7 ? argv[7] : "/tmp/netcheck");
    else
        send_datagrams(argv[3], argument(argc, argv, 4, 0), argument(argc, argv, 5, 0));
    return 0;
}
