/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All test programs in one static binary, told apart by the name they are called by: the C library is in the
 * initramfs once. Each is a file with a main(), compiled under the name NAME_main.
 */
#include <string.h>

#include "guest.h"

/* clang-format off */
#define PROGRAMS(P) \
    P(cpuloop) P(engineering) P(forkexec) P(fpalt) P(fsynclog) P(iocheck) P(mark) P(meet) P(mmaptest) P(netcheck) \
    P(oom) P(pipetest) P(radix) P(raytrace) P(readfile) P(services) P(shootdown) P(sigtest) P(smptest) P(soak) P(spinners) \
    P(tlbwalk)
/* clang-format on */

#define DECLARE(name) int name##_main(int argc, char **argv);
PROGRAMS(DECLARE)

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash != NULL ? slash + 1 : argv[0];

#define RUN_IF_NAMED(program)                                                                      \
    if (strcmp(name, #program) == 0)                                                               \
        return program##_main(argc, argv);
    PROGRAMS(RUN_IF_NAMED)
#define NAME_IT(program) " " #program
    fprintf(stderr, "%s: call me by one of these names:%s\n", name, PROGRAMS(NAME_IT));
    return 2;
}
