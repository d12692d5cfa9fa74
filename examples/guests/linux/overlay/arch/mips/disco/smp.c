// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual processors: listed in the device tree, started and interrupted by monitor calls.
 */
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/of.h>
#include <linux/sched.h>
#include <linux/sched/task_stack.h>
#include <linux/smp.h>

#include <asm/cpu-info.h>
#include <asm/mach-generic/irq.h>
#include <asm/mipsregs.h>
#include <asm/processor.h>
#include <asm/smp-ops.h>
#include <asm/smp.h>
#include <asm/time.h>

#include <hypcall.h>

#include "disco.h"

/* What the next inter-processor interrupt of a processor is for: SMP_* bits. */
static DEFINE_PER_CPU_SHARED_ALIGNED(atomic_t, reasons);

static void send_ipi_single(int cpu, unsigned int action)
{
	atomic_or(action, &per_cpu(reasons, cpu));
	smp_mb__after_atomic();
	disco_call(DISCO_CALL_IPI, 1UL << cpu, 0);
}

/* All targets in one trap. */
static void send_ipi_mask(const struct cpumask *mask, unsigned int action)
{
	unsigned long targets = 0;
	int cpu;

	for_each_cpu(cpu, mask) {
		atomic_or(action, &per_cpu(reasons, cpu));
		targets |= 1UL << cpu;
	}
	smp_mb__after_atomic();
	disco_call(DISCO_CALL_IPI, targets, 0);
}

/* The line goes down first: a reason added after the exchange raises it again. */
static irqreturn_t ipi_interrupt(int irq, void *unused)
{
	unsigned int why;

	disco_call(DISCO_CALL_IPI_ACK, 0, 0);
	why = atomic_xchg(this_cpu_ptr(&reasons), 0);
	if (why & SMP_RESCHEDULE_YOURSELF)
		scheduler_ipi();
	if (why & SMP_CALL_FUNCTION)
		generic_smp_call_function_interrupt();
	return IRQ_HANDLED;
}

static void __init smp_setup(void)
{
	struct device_node *node;
	int n = 0;

	init_cpu_possible(cpumask_of(0));
	for_each_of_cpu_node(node) {
		if (n >= NR_CPUS)
			break;
		set_cpu_possible(n, true);
		set_cpu_present(n, true);
		__cpu_number_map[n] = n;
		__cpu_logical_map[n] = n;
		n++;
	}
}

static void __init prepare_cpus(unsigned int max_cpus)
{
	if (request_irq(MIPS_CPU_IRQ_BASE + DISCO_LINE_IPI, ipi_interrupt, IRQF_PERCPU | IRQF_NO_THREAD, "IPI",
			&reasons))
		panic("the inter-processor interrupt is taken");
}

static int boot_secondary(int cpu, struct task_struct *idle)
{
	long err = disco_call4(DISCO_CALL_VCPU_START, cpu, (unsigned long)&smp_bootstrap, __KSTK_TOS(idle),
			       (unsigned long)task_thread_info(idle));

	return err < 0 ? -EIO : 0;
}

/*
 * Caches are the monitor's affair: as parts of one core, which would share theirs, the processors do not interrupt
 * each other to flush what they do not have. The interrupt lines were opened on the boot processor only, when
 * their handlers were set.
 */
static void init_secondary(void)
{
	cpu_set_core(&current_cpu_data, 0);
	change_c0_status(ST0_IM, (0x100 << DISCO_LINE_IPI) | (0x100 << DISCO_LINE_TIMER));
}

static void smp_finish(void)
{
	write_c0_compare(read_c0_count() + mips_hpt_frequency / HZ);
	local_irq_enable();
}

static const struct plat_smp_ops disco_smp_ops = {
	.send_ipi_single = send_ipi_single,
	.send_ipi_mask = send_ipi_mask,
	.init_secondary = init_secondary,
	.smp_finish = smp_finish,
	.boot_secondary = boot_secondary,
	.smp_setup = smp_setup,
	.prepare_cpus = prepare_cpus,
};

void __init disco_smp_setup(void)
{
	struct device_node *node;
	int n = 0;

	for_each_of_cpu_node(node)
		n++;
	if (n < 2 && !register_up_smp_ops())
		return;
	register_smp_ops(&disco_smp_ops);
}
