/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's drivers, run on the bare machine and asked for everything that they can do. */
#include "bare.h"

#include "irq.h"

void bare_main(unsigned udp_port)
{
    drivers_start(&machine.backend);
    bare_result("line", "down before", !irq_up());
    for (unsigned unit = 0; drivers_disk(unit); unit++)
        disks_test(unit);
    if (drivers_net())
        subnet_test(udp_port);
    bare_result("line", "down after", !irq_up());
    drivers_stop();
    say("idled %u times", bare_idles);
}
