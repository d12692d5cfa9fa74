// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest of the Disco monitor: everything about the machine comes from the device tree the monitor wrote.
 */
#include <linux/init.h>
#include <linux/irq.h>
#include <linux/libfdt.h>
#include <linux/of.h>
#include <linux/of_fdt.h>

#include <asm/bootinfo.h>
#include <asm/irq_cpu.h>
#include <asm/prom.h>
#include <asm/traps.h>

#include "disco.h"

const char *get_system_type(void)
{
	return "Disco virtual machine";
}

void __init prom_init(void)
{
	void *fdt = get_fdt();

	if (!fdt || fdt_check_header(fdt))
		panic("no device tree from the monitor");
	/* The one hook of trap_init() after it has set its TLB handlers that nobody else takes. */
	board_nmi_handler_setup = disco_install_tlb_handlers;
}

void __init plat_mem_setup(void)
{
	__dt_setup_arch(get_fdt());
}

void __init device_tree_init(void)
{
	unflatten_and_copy_device_tree();
	disco_smp_setup();
}

void __init arch_init_irq(void)
{
	struct device_node *lines = of_find_compatible_node(NULL, NULL, "mti,cpu-interrupt-controller");

	/* Only devices with drivers of Linux's own refer to it; ours know the number of their line. */
	if (lines)
		mips_cpu_irq_of_init(lines, NULL);
	else
		mips_cpu_irq_init();
	of_node_put(lines);
}
