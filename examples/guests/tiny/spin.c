/* SPDX-License-Identifier: BSD-2-Clause */
/* Loops for ever with interrupts off. Only the monitor's key ends it. */
#include "tiny.h"

int guest_main(void)
{
    print("spin: interrupts are off\n");
    for (;;)
        __asm__ volatile("di");
}
