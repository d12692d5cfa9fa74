/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What soak does with processes, pipes, signals and registers. Any of it may be interrupted by a signal whose
 * handler restarts system calls.
 */
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

pid_t soak_fork(void)
{
    pid_t child = fork();

    CHECK(child >= 0);
    return child;
}

int soak_status(pid_t child)
{
    int status;

    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status));
    return WEXITSTATUS(status);
}

int soak_answer(unsigned long question) { return (int)((question * 37 + 11) & 0x7f); }

void soak_exec(struct random *r)
{
    unsigned question = random_below(r, 1000);
    pid_t child = soak_fork();

    if (child == 0) {
        char number[24];

        snprintf(number, sizeof(number), "%u", question);
        execl("/proc/self/exe", "soak", "=", number, (char *)NULL);
        _exit(255);
    }
    CHECK(soak_status(child) == soak_answer(question));
}

static void write_all(int fd, const char *from, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, from, n);

        CHECK(done > 0);
        from += done;
        n -= (size_t)done;
    }
}

static size_t read_all(int fd, char *to, size_t n)
{
    size_t got = 0;
    ssize_t done;

    while (got < n && (done = read(fd, to + got, n - got)) != 0) {
        CHECK(done > 0);
        got += (size_t)done;
    }
    return got;
}

void soak_pipe(struct random *r)
{
    unsigned pages = 1 + random_below(r, MOST_PAGES);
    uint64_t key = random_next(r);
    char *at = soak_map(pages);
    int fd[2];
    pid_t child;

    CHECK(pipe(fd) == 0);
    child = soak_fork();
    if (child == 0) {
        soak_fill(at, pages, key);
        write_all(fd[1], at, pages * PAGE);
        _exit(0);
    }
    close(fd[1]);
    CHECK(read_all(fd[0], at, pages * PAGE) == pages * PAGE);
    close(fd[0]);
    soak_check(at, pages, key);
    CHECK(soak_status(child) == 0);
    CHECK(munmap(at, pages * PAGE) == 0);
}

static volatile sig_atomic_t counted;

static void count(int sig)
{
    (void)sig;
    counted++;
}

/* A child is stopped, let go on, and killed; signals to oneself come at once. */
void soak_signals(struct random *r)
{
    struct sigaction act = {.sa_handler = count, .sa_flags = SA_RESTART};
    int status, n = 1 + (int)random_below(r, 20);
    pid_t child;

    CHECK(sigaction(SIGUSR2, &act, NULL) == 0);
    counted = 0;
    for (int i = 0; i < n; i++)
        CHECK(raise(SIGUSR2) == 0);
    CHECK(counted == n);
    child = soak_fork();
    if (child == 0)
        for (;;)
            sched_yield();
    CHECK(kill(child, SIGSTOP) == 0 && waitpid(child, &status, WUNTRACED) == child &&
          WIFSTOPPED(status));
    CHECK(kill(child, SIGCONT) == 0 && kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
          WTERMSIG(status) == SIGKILL);
}

static double series(double x, unsigned n, int yielding)
{
    double lane[8], sum = 0;

    for (int i = 0; i < 8; i++)
        lane[i] = x + i;
    for (unsigned round = 0; round < n; round++) {
        for (int i = 0; i < 8; i++)
            lane[i] = lane[i] * 0.99 + 1.0 / (lane[(i + 1) % 8] + 1.5);
        if (yielding && round % 16 == 0)
            sched_yield();
    }
    for (int i = 0; i < 8; i++)
        sum += lane[i];
    return sum;
}

void soak_fp(struct random *r)
{
    double x = 1.0 + random_below(r, 1000);
    unsigned n = 100 + random_below(r, 2000);

    CHECK(series(x, n, 0) == series(x, n, 1));
}
