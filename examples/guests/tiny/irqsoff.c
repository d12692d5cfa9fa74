/* SPDX-License-Identifier: BSD-2-Clause */
/* All virtual CPUs loop in the guest's kernel with interrupts off and never call the monitor again. */
#include "vcpus.h"

static void loop(void)
{
    interrupts_off();
    for (;;)
        __asm__ volatile("");
}

int guest_main(void)
{
    int ok = vcpu_start_all(loop);

    print(ok ? "irqsoff: looping\n" : "irqsoff: FAILED\n");
    loop();
    return 1;
}
