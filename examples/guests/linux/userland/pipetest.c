/* SPDX-License-Identifier: BSD-2-Clause */
/* pipetest [MIB]: data through a pipe in pieces of odd sizes; a full pipe; a pipe nobody reads. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static unsigned char byte_at(uint64_t i)
{
    return (unsigned char)((i * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

static void produce(int fd, uint64_t length)
{
    static unsigned char piece[5000];
    uint64_t sent = 0;
    size_t size = 1;

    while (sent < length) {
        size_t n = size < length - sent ? size : length - sent;

        for (size_t i = 0; i < n; i++)
            piece[i] = byte_at(sent + i);
        for (size_t done = 0; done < n;) {
            ssize_t w = write(fd, piece + done, n - done);

            CHECK(w > 0);
            done += (size_t)w;
        }
        sent += n;
        size = size * 7 % 4999 + 1;
    }
}

static uint64_t consume(int fd, uint64_t *length)
{
    static unsigned char piece[3001];
    uint64_t sum = SUM_START;
    ssize_t n;

    *length = 0;
    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            CHECK(piece[i] == byte_at(*length + (uint64_t)i));
            sum = sum_byte(sum, piece[i]);
        }
        *length += (uint64_t)n;
    }
    CHECK(n == 0);
    return sum;
}

static void stream(uint64_t length)
{
    int fd[2], status;
    uint64_t got, sum;
    pid_t child;

    CHECK(pipe(fd) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        close(fd[0]);
        produce(fd[1], length);
        _exit(0);
    }
    close(fd[1]);
    sum = consume(fd[0], &got);
    CHECK(got == length);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    printf("pipe %llu bytes sum %016llx\n", (unsigned long long)got, (unsigned long long)sum);
}

static void full_and_broken(void)
{
    static char block[4096];
    int fd[2], blocks = 0;

    CHECK(pipe(fd) == 0);
    CHECK(fcntl(fd[1], F_SETFL, O_NONBLOCK) == 0);
    while (write(fd[1], block, sizeof(block)) == (ssize_t)sizeof(block))
        blocks++;
    CHECK(errno == EAGAIN);
    printf("full after %d blocks\n", blocks);
    signal(SIGPIPE, SIG_IGN);
    close(fd[0]);
    CHECK(write(fd[1], block, 1) == -1 && errno == EPIPE);
    close(fd[1]);
    printf("no reader: EPIPE\n");
}

int main(int argc, char **argv)
{
    uint64_t start = now_ns();

    setvbuf(stdout, NULL, _IOLBF, 0);
    stream(argument(argc, argv, 1, 2) << 20);
    full_and_broken();
    report_time("pipetest", start);
    return 0;
}
