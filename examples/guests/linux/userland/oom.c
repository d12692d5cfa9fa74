/* SPDX-License-Identifier: BSD-2-Clause */
/* oom: a child takes memory until its kernel kills it; the parent must live and see why the child died. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define PIECE (1 << 20)

/* The kernel may pick whom it kills: make it us. */
static void volunteer(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY);

    CHECK(fd >= 0 && write(fd, "1000", 4) == 4);
    close(fd);
}

static void take_all(volatile unsigned long *taken)
{
    for (;;) {
        char *at = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (at == MAP_FAILED)
            _exit(3);
        memset(at, 0xa5, PIECE);
        ++*taken;
    }
}

int main(int argc, char **argv)
{
    volatile unsigned long *taken = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t start = now_ns();
    int status;
    pid_t child;

    (void)argc;
    (void)argv;
    CHECK(taken != MAP_FAILED);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        volunteer();
        take_all(taken);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    CHECK(*taken > 0);
    printf("oom: child killed by signal %d, parent lives\n", WTERMSIG(status));
    fprintf(stderr, "oom: after %lu MiB\n", *taken);
    report_time("oom", start);
    return 0;
}
