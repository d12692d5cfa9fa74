/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_IRQ_H
#define MONITOR_IRQ_H

/*
 * From a device on the PCI bus to processor 0: INTA to INTD of all slots arrive as one line, a level, which brings the
 * processor out of a guest, or out of idling, while it is up.
 */

#include <stdbool.h>

/*
 * Before guests run, with devices or without: the boot loader leaves a timer that nobody wants on this line. `listen`:
 * let the devices' interrupts through.
 */
void irq_begin(bool listen);
/* Is it up? Cheap: asks the processor. On processor 0. */
bool irq_up(void);
/* It stays up and nobody knows why: nothing comes through any more. */
void irq_off(void);

#endif
