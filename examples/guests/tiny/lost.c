/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jumps to an unmapped address with its exception vectors unmapped too: every exception raises the
 * next. The guest goes nowhere; the monitor and its key are not disturbed.
 */
#include "tiny.h"

int guest_main(void)
{
    print("lost: jumping away\n");
    __asm__ volatile("dli $8, 0xffffffffd0000800; dmtc0 $8, $15, 1; dli $8, 0x1000; jr $8; nop");
    return 1;
}
