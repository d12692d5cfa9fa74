/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * meet lead PORT OTHERS [COMMAND...]: waits until so many others have come, runs the command, and lets all go on.
 * meet follow ADDRESS PORT: comes, and waits until it is let go on.
 *
 * So that several machines begin a load together, or end it: with `mark` as the command, one mark stands for all of them.
 */
#include <sys/wait.h>

#include "sockets.h"

#define MOST 64

static int run(char **command)
{
    int status;
    pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0) {
        execvp(command[0], command);
        _exit(127);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int lead(unsigned long port, unsigned long others, char **command)
{
    int listener = bound(SOCK_STREAM, port), fd[MOST], status = 0;

    CHECK(others <= MOST && listen(listener, MOST) == 0);
    for (unsigned long i = 0; i < others; i++) {
        fd[i] = accept(listener, NULL, NULL);
        CHECK(fd[i] >= 0);
    }
    if (command[0] != NULL)
        status = run(command);
    for (unsigned long i = 0; i < others; i++)
        CHECK(write(fd[i], "g", 1) == 1);
    return status;
}

static int follow(char *address, unsigned long port)
{
    char byte;

    CHECK(read(connected(SOCK_STREAM, address, port), &byte, 1) == 1);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 4 && strcmp(argv[1], "lead") == 0)
        return lead(argument(argc, argv, 2, 0), argument(argc, argv, 3, 0), argv + 4);
    if (argc == 4 && strcmp(argv[1], "follow") == 0)
        return follow(argv[2], argument(argc, argv, 3, 0));
    fprintf(stderr, "usage: meet lead PORT OTHERS [COMMAND...]\n"
                    "       meet follow ADDRESS PORT\n");
    return 2;
}
