/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mark [0|1]: executes `ori $0, $0, 0xd150` or ...0xd151, which does nothing. Whoever counts the machine's
 * instructions (tools/icount) notes down its counts there: where a measured piece of a script begins and ends.
 */
#include "guest.h"

int main(int argc, char **argv)
{
    if (argument(argc, argv, 1, 0))
        __asm__ volatile(".word 0x3400d151");
    else
        __asm__ volatile(".word 0x3400d150");
    return 0;
}
