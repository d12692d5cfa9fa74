/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four interrupt lines of the bus go to the south bridge (PIIX4), which leads them to inputs of its pair of
 * interrupt controllers (8259); the first of the two reaches the processors' controller (GIC), and that one, as
 * smp_route_board() has told it, line IP2 of processor 0.
 *
 * All four are led to one input of the first 8259, and that is made sensitive to a level. Nobody ever acknowledges
 * an interrupt there: so its output follows the devices, and goes down when the last of them has been asked. The
 * second 8259 would not do: its line into the first is an edge, and stays up until somebody acknowledges it.
 */
#include "irq.h"

#include "device.h"
#include "pci.h"
#include "regs.h"
#include "smp.h"

#define BRIDGE_SLOT 10
#define BRIDGE_ROUTES 0x60 /* a byte for each line of the bus */
#define BRIDGE_LINES 4
#define INPUT 5 /* nothing on the board itself has it */
#define NOWHERE 0x80

#define PORTS UINT64_C(0x18000000)
enum {
    PIC1 = 0x20,
    PIC1_MASK = 0x21,
    PIC2 = 0xa0,
    PIC2_MASK = 0xa1,
    PIC1_LEVEL = 0x4d0,
    PIC2_LEVEL = 0x4d1
};
/* The words of initialization: begin, four words; (the first vector;) where the second one is; its manner, 8086. */
enum { ICW1 = 0x11, VECTORS = 0x20, ICW3_FIRST = 0x04, ICW3_SECOND = 0x02, ICW4 = 0x01 };

static void out(unsigned port, uint8_t v) { *device_at(PORTS + port) = v; }

static void begin_pic(unsigned port, uint8_t vectors, uint8_t icw3)
{
    out(port, ICW1);
    out(port + 1, vectors);
    out(port + 1, icw3);
    out(port + 1, ICW4);
    out(port + 1, 0xff);
}

static void route_bus(uint8_t to)
{
    struct pci_device bridge;

    if (!pci_look(BRIDGE_SLOT, &bridge))
        return;
    for (unsigned i = 0; i < BRIDGE_LINES; i++)
        pci_put8(&bridge, BRIDGE_ROUTES + i, to);
}

void irq_begin(bool listen)
{
    begin_pic(PIC1, VECTORS, ICW3_FIRST);
    begin_pic(PIC2, VECTORS + 8, ICW3_SECOND);
    out(PIC1_LEVEL, 1u << INPUT);
    out(PIC2_LEVEL, 0);
    out(PIC2_MASK, 0xff);
    route_bus(listen ? INPUT : NOWHERE);
    out(PIC1_MASK, (uint8_t)(listen ? ~(1u << INPUT) : 0xff));
    smp_route_board();
}

bool irq_up(void) { return mips_get32(C0_CAUSE) & ST_IM_DEVICE; }

void irq_off(void) { out(PIC1_MASK, 0xff); }
