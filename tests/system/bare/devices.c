/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's drivers, run on the bare machine and asked for everything that they can do. */
#include "bare.h"

#include "irq.h"

/* More often than devices could raise the line anew, and not so often that the drivers give it up as nobody's. */
#define ASKS 100

/*
 * Nothing is at work any more, so the line goes down when the devices are asked, if it is up at all: it may be. A device
 * puts an answer into its ring first and raises the line afterwards; who came for an earlier answer takes this one along,
 * and then the line goes up once more with nothing to take.
 */
static bool goes_down(void)
{
    for (unsigned i = 0; i < ASKS; i++) {
        if (!irq_up())
            return true;
        (void)drivers_poll(bare_now());
    }
    return false;
}

void bare_main(unsigned udp_port)
{
    drivers_start(&machine.backend);
    bare_result("line", "down before", !irq_up());
    for (unsigned unit = 0; drivers_disk(unit); unit++)
        disks_test(unit);
    if (drivers_net())
        subnet_test(udp_port);
    bare_result("line", "down after", goes_down());
    drivers_stop();
    say("idled %u times", bare_idles);
}
