/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Executes numbers of instructions that are known beforehand: who counts them must find just these.
 * The sums in the comments begin with the first mark of a piece and end before its last.
 */
#include "mark.h"
#include "tiny.h"

#define MARKED(text)                                                                               \
    __asm__ volatile(".set push; .set noreorder\n" MARK_BEGIN text MARK_END ".set pop" ::          \
                         : "$2", "$8", "memory")

/* A loop without any surprise: 1 + 1 + 1000 * 3 = 3002. */
static void loop(void)
{
    MARKED("li $8, 1000\n"
           "1: daddiu $8, $8, -1\n"
           "bnez $8, 1b\n"
           " nop\n");
}

/* Compact branches leave a block in its middle: 1 + 1 + 500 * 2 + 499 * 2 + 1 = 2001. */
static void compact(void)
{
    MARKED("li $8, 500\n"
           "1: daddiu $8, $8, -1\n"
           "beqzc $8, 2f\n"
           "nop\n"
           "bc 1b\n"
           "2: nop\n");
}

/* Traps leave one too: 1 + 1 + 100 * 5 = 502, and 100 traps. */
static void calls(void)
{
    MARKED("li $8, 100\n"
           "1: li $2, 0\n"
           ".word 0x42000028\n"
           "daddiu $8, $8, -1\n"
           "bnez $8, 1b\n"
           " nop\n");
}

int guest_main(void)
{
    loop();
    compact();
    calls();
    return 0;
}
