// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console, hvc0, over monitor calls.
 *
 * Input: the monitor holds the device line up while input waits. The handler takes all of it at once, which
 * lowers the line, and leaves it for the hvc thread: the line never stays up while the tty is closed or
 * throttled. What does not fit is lost, as with any UART. Without an interrupt in the device tree the hvc
 * thread asks the monitor instead.
 */
#include <linux/console.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/kfifo.h>
#include <linux/of.h>
#include <linux/spinlock.h>

#include <asm/page.h>

#include <hypcall.h>

#include "disco.h"
#include "../../../drivers/tty/hvc/hvc_console.h"

static DEFINE_KFIFO(input, char, 8192);
static DEFINE_SPINLOCK(input_lock);
static bool by_interrupt;

/* Bytes the monitor had waiting, at most len; never an error. */
static int fetch(char *buf, int len)
{
	long n = disco_call(DISCO_CALL_CONSOLE_READ, __pa(buf), len);

	return n > 0 ? n : 0;
}

static irqreturn_t console_interrupt(int irq, void *unused)
{
	static char chunk[256];
	irqreturn_t seen = IRQ_NONE;
	int n;

	spin_lock(&input_lock);
	while ((n = fetch(chunk, sizeof(chunk))) > 0) {
		kfifo_in(&input, chunk, n);
		seen = IRQ_HANDLED;
	}
	spin_unlock(&input_lock);
	if (seen == IRQ_HANDLED)
		hvc_kick();
	return seen;
}

/* What came early; the first question opens the line to the console. */
static void first_look(void)
{
	unsigned long flags;

	local_irq_save(flags);
	console_interrupt(0, NULL);
	local_irq_restore(flags);
}

static int console_get(uint32_t vtermno, char *buf, int count)
{
	unsigned long flags;
	int n;

	if (!by_interrupt)
		return fetch(buf, count);
	spin_lock_irqsave(&input_lock, flags);
	n = kfifo_out(&input, buf, count);
	spin_unlock_irqrestore(&input_lock, flags);
	return n;
}

static int console_put(uint32_t vtermno, const char *buf, int count)
{
	long n = disco_call(DISCO_CALL_CONSOLE_WRITE, __pa(buf), count);

	return n < 0 ? -EIO : n;
}

static const struct hv_ops console_ops = {
	.get_chars = console_get,
	.put_chars = console_put,
};

static int __init console_device_init(void)
{
	struct device_node *node = of_find_node_by_path("/disco/console");
	/* First, for it makes the thread that the handler wakes. */
	int err = PTR_ERR_OR_ZERO(hvc_alloc(0, 0, &console_ops, 256));

	by_interrupt = !err && disco_request_line(node, console_interrupt, "disco console", &input) == 0;
	of_node_put(node);
	if (by_interrupt)
		first_look();
	return err;
}
device_initcall(console_device_init);

static int __init console_early_init(void)
{
	return hvc_instantiate(0, 0, &console_ops);
}
console_initcall(console_early_init);
