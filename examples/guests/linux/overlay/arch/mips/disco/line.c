// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device line: one level for all devices of the machine, up while anything waits in one of them. It comes to
 * processor 0, and is opened there.
 *
 * A driver that takes what waits later, outside of its interrupt handler, holds the line meanwhile: the level stays up
 * until then, and an open line would interrupt the work that lowers it for ever.
 */
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/of.h>
#include <linux/workqueue.h>

#include <asm/irq_cpu.h>
#include <asm/mach-generic/irq.h>
#include <asm/mipsregs.h>

#include <hypcall.h>

#include "disco.h"

#define LINE_BIT (IE_SW0 << DISCO_LINE_DEVICE)

/* Only looked at and changed on processor 0, interrupts off. */
static bool held;

static void device_line(struct irq_desc *desc)
{
	handle_percpu_irq(desc);
	/* The end of that has opened the line; nothing comes through before interrupts are on. */
	if (held)
		clear_c0_status(LINE_BIT);
}

void disco_line_hold(void)
{
	held = true;
}

void disco_line_release(void)
{
	unsigned long flags;

	local_irq_save(flags);
	held = false;
	set_c0_status(LINE_BIT);
	local_irq_restore(flags);
}

struct request {
	irq_handler_t handler;
	const char *name;
	void *dev;
};

static long __init request_here(void *arg)
{
	const struct request *r = arg;

	return request_irq(MIPS_CPU_IRQ_BASE + DISCO_LINE_DEVICE, r->handler, IRQF_SHARED, r->name, r->dev);
}

int __init disco_request_line(const struct device_node *node, irq_handler_t handler, const char *name, void *dev)
{
	struct request r = { handler, name, dev };
	u32 line;

	if (of_property_read_u32(node, "interrupts", &line) || line != DISCO_LINE_DEVICE)
		return -ENODEV;
	/* The first who asks opens the line, on the processor it runs on. */
	return work_on_cpu(0, request_here, &r);
}

static int __init disco_line_init(void)
{
	irq_set_handler(MIPS_CPU_IRQ_BASE + DISCO_LINE_DEVICE, device_line);
	return 0;
}
arch_initcall(disco_line_init);
