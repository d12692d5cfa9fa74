/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts the instructions that a program executes between its first and its second SIGUSR1, one
 * at a time under ptrace: exact, slow, and it needs no counters of the processor's, which virtual
 * machines rarely have.
 *
 *   steps PROGRAM ARGUMENT...
 */
#define _DEFAULT_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

static int child(char **argv)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL)) {
        perror("steps: ptrace");
        return EXIT_FAILURE;
    }
    execv(argv[0], argv);
    perror(argv[0]);
    return EXIT_FAILURE;
}

/* Go on until the next SIGUSR1, in single steps or at full speed; the number of stops. */
static long long go(pid_t pid, int how)
{
    int status;

    for (long long n = 0;; n++) {
        if (ptrace(how, pid, NULL, NULL) || waitpid(pid, &status, 0) != pid ||
            !WIFSTOPPED(status)) {
            fprintf(stderr, "steps: the program ended without two SIGUSR1\n");
            exit(EXIT_FAILURE);
        }
        if (WSTOPSIG(status) == SIGUSR1)
            return n;
    }
}

int main(int argc, char **argv)
{
    pid_t pid;
    int status;

    if (argc < 2) {
        fprintf(stderr, "usage: steps PROGRAM ARGUMENT...\n");
        return EXIT_FAILURE;
    }
    pid = fork();
    if (pid < 0) {
        perror("steps: fork");
        return EXIT_FAILURE;
    }
    if (!pid)
        return child(argv + 1);
    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        fprintf(stderr, "steps: the program did not start\n");
        return EXIT_FAILURE;
    }
    go(pid, PTRACE_CONT);
    printf("%lld\n", go(pid, PTRACE_SINGLESTEP));
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return EXIT_SUCCESS;
}
