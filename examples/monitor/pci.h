/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_PCI_H
#define MONITOR_PCI_H

/* The Malta board's PCI bus: who is there, and where its registers are. Processor 0, before others start. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCI_SLOTS 32
#define PCI_BARS 6

struct pci_device {
    uint8_t slot;
    uint16_t vendor, id;
    /* Registers in memory: physical address and length; 0, 0: none. pci_place() writes them. */
    uint64_t bar[PCI_BARS], bar_len[PCI_BARS];
};

/* Function 0 of `slot` into *d. Whether there is one. */
bool pci_look(unsigned slot, struct pci_device *d);
/*
 * Give its registers places in the bus's memory window, and let it answer there and reach memory by itself. NULL,
 * or what is wrong.
 */
const char *pci_place(struct pci_device *d);

uint8_t pci_get8(const struct pci_device *d, unsigned offset);
uint32_t pci_get32(const struct pci_device *d, unsigned offset);
void pci_put8(const struct pci_device *d, unsigned offset, uint8_t v);
void pci_put32(const struct pci_device *d, unsigned offset, uint32_t v);

/* The next capability `id` behind the one at `after` (0: the first); 0: none. */
unsigned pci_capability(const struct pci_device *d, unsigned id, unsigned after);

#endif
