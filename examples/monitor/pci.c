/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration cycles go through the GT64120 bridge, by an address register and a data register (Galileo GT-64120,
 * PCI configuration space). QEMU's boot loader has put the bridge at 0x1be00000 and opened its windows; in the one for
 * memory, and for transfers that devices start, an address on the bus is the physical address.
 */
#include "pci.h"

#include "device.h"

#define BRIDGE UINT64_C(0x1be00000)
#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA 0xcfc
#define CONFIG_ENABLE UINT32_C(0x80000000)

/* The first of the bridge's windows for memory; nobody else has taken of it. */
#define WINDOW UINT64_C(0x10000000)
#define WINDOW_END UINT64_C(0x17e00000)

enum { ID = 0x00, COMMAND = 0x04, BAR = 0x10, CAPABILITIES = 0x34 };
#define COMMAND_MEMORY 0x0002u
#define COMMAND_MASTER 0x0004u
#define COMMAND_PLAIN                                                                              \
    0xffffu /* the status bits beside it are cleared by writing ones: write none */
#define STATUS_LIST 0x00100000u
#define BAR_IO 0x1u
#define BAR_KIND 0x6u
#define BAR_64 0x4u
#define BAR_FLAGS 0xfu
/* A list of capabilities longer than configuration space has room for goes round in circles. */
#define CAPABILITIES_MAX 48

static uint64_t next_place = WINDOW;

/* --- configuration space --- */

/* The address register is little-endian; the bridge swaps the data itself, but for its own. */
static volatile uint32_t *config(unsigned slot, unsigned offset)
{
    device_put32(device_at(BRIDGE + CONFIG_ADDRESS),
                 CONFIG_ENABLE | (uint32_t)slot << 11 | (offset & 0xfc));
    return (volatile uint32_t *)(volatile void *)device_at(BRIDGE + CONFIG_DATA);
}

uint32_t pci_get32(const struct pci_device *d, unsigned offset) { return *config(d->slot, offset); }

void pci_put32(const struct pci_device *d, unsigned offset, uint32_t v)
{
    *config(d->slot, offset) = v;
}

uint8_t pci_get8(const struct pci_device *d, unsigned offset)
{
    return (uint8_t)(pci_get32(d, offset) >> offset % 4 * 8);
}

void pci_put8(const struct pci_device *d, unsigned offset, uint8_t v)
{
    unsigned shift = offset % 4 * 8;

    pci_put32(d, offset,
              (pci_get32(d, offset) & ~(UINT32_C(0xff) << shift)) | (uint32_t)v << shift);
}

bool pci_look(unsigned slot, struct pci_device *d)
{
    uint32_t id;

    *d = (struct pci_device){.slot = (uint8_t)slot};
    id = pci_get32(d, ID);
    d->vendor = (uint16_t)id;
    d->id = (uint16_t)(id >> 16);
    return d->vendor != 0xffff && d->vendor;
}

unsigned pci_capability(const struct pci_device *d, unsigned id, unsigned after)
{
    unsigned at = after ? after + 1 : CAPABILITIES;

    if (!(pci_get32(d, COMMAND) & STATUS_LIST))
        return 0;
    for (unsigned i = 0; i < CAPABILITIES_MAX; i++) {
        at = pci_get8(d, at) & 0xfcu;
        if (!at || pci_get8(d, at) == id)
            return at;
        at++; /* there the next one stands */
    }
    return 0;
}

/* --- places --- */

/* What stays of ones that are written there is the length, as a mask. */
static uint32_t probe(const struct pci_device *d, unsigned offset)
{
    pci_put32(d, offset, UINT32_MAX);
    return pci_get32(d, offset);
}

/* Base register `i`; *next is the one behind it. */
static const char *place(struct pci_device *d, unsigned i, unsigned *next)
{
    unsigned offset = BAR + 4 * i;
    uint32_t low = probe(d, offset);
    bool wide = !(low & BAR_IO) && (low & BAR_KIND) == BAR_64;
    uint64_t mask = (low & ~BAR_FLAGS) | (uint64_t)UINT32_MAX << 32, at;

    *next = i + 1 + (unsigned)wide;
    if (wide)
        mask = (low & ~BAR_FLAGS) | (uint64_t)probe(d, offset + 4) << 32;
    if (!(low & ~BAR_FLAGS) || low & BAR_IO) { /* not there; nor do we use I/O ports */
        pci_put32(d, offset, 0);
        return NULL;
    }
    at = (next_place + ~mask) & mask;
    if (~mask >= WINDOW_END - WINDOW || at + ~mask >= WINDOW_END)
        return "no room for its registers";
    pci_put32(d, offset, (uint32_t)at);
    if (wide)
        pci_put32(d, offset + 4, 0);
    d->bar[i] = at;
    d->bar_len[i] = ~mask + 1;
    next_place = at + d->bar_len[i];
    return NULL;
}

const char *pci_place(struct pci_device *d)
{
    uint32_t command = pci_get32(d, COMMAND) & COMMAND_PLAIN;
    const char *wrong = NULL;

    pci_put32(d, COMMAND, command & ~(COMMAND_MEMORY | COMMAND_MASTER));
    for (unsigned i = 0; i < PCI_BARS && !wrong;)
        wrong = place(d, i, &i);
    if (!wrong)
        pci_put32(d, COMMAND, command | COMMAND_MEMORY | COMMAND_MASTER);
    return wrong;
}
