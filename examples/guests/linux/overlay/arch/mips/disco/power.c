// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a virtual machine ends: power off with an exit code, start anew, or die with a message.
 */
#include <linux/init.h>
#include <linux/moduleparam.h>
#include <linux/panic_notifier.h>
#include <linux/pm.h>
#include <linux/string.h>

#include <asm/page.h>
#include <asm/reboot.h>

#include <hypcall.h>

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "disco."

/* /sys/module/disco/parameters/exit_code: what the virtual machine's exit code will be. */
static u8 exit_code;
module_param(exit_code, byte, 0644);

static void disco_poweroff(void)
{
	disco_call(DISCO_CALL_POWEROFF, exit_code, 0);
}

static void disco_restart(char *command)
{
	disco_call(DISCO_CALL_RESET, 0, 0);
}

/* The message is in static storage of panic(), which the image's window reaches. */
static int disco_panic(struct notifier_block *self, unsigned long event, void *message)
{
	disco_call(DISCO_CALL_PANIC, __pa(message), strlen(message));
	return NOTIFY_DONE;
}

static struct notifier_block disco_panic_block = {
	.notifier_call = disco_panic,
	.priority = INT_MIN,
};

static int __init disco_power_init(void)
{
	pm_power_off = disco_poweroff;
	_machine_halt = disco_poweroff;
	_machine_restart = disco_restart;
	return atomic_notifier_chain_register(&panic_notifier_list, &disco_panic_block);
}
early_initcall(disco_power_init);
