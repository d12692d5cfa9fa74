// SPDX-License-Identifier: GPL-2.0-only
/*
 * Time is Count, which is both the clock and, with Compare, the timer.
 *
 * The monitor gives all virtual processors the same Count to within less than a microsecond, not exactly. A
 * clock that reads 32 bits of it as "ticks since the last look" takes a step back, between a look on one
 * processor and the next on another, for a jump of 2^32 ticks: 26 seconds. There are three such readers:
 * timekeeping, for which Kconfig selects the kernel's own check; the vdso, which gets the same check in
 * vdso-delta.h; and sched_clock(), here.
 */
#include <linux/init.h>
#include <linux/of.h>
#include <linux/sched_clock.h>
#include <linux/smp.h>

#include <asm/time.h>

/* More than Counts differ by, less than a scheduler minds. */
#define LAG_NS 2000

static u32 lag;

void __init plat_time_init(void)
{
	struct device_node *cpus = of_find_node_by_path("/cpus");
	u32 hz;

	if (of_property_read_u32(cpus, "clock-frequency", &hz))
		panic("no clock-frequency in /cpus");
	of_node_put(cpus);
	mips_hpt_frequency = hz;
}

/*
 * What sched_clock() measures from is renewed by a timer of processor 0 alone. Kept a little behind, its Count
 * is never ahead of what another processor then reads.
 */
static u64 notrace read_lagging(void)
{
	u32 count = read_c0_count();

	return raw_smp_processor_id() == 0 ? count - lag : count;
}

/* Takes the place of the reader that the clock source registered; before there are other processors. */
static int __init disco_sched_clock_init(void)
{
	lag = div_u64((u64)mips_hpt_frequency * LAG_NS, NSEC_PER_SEC);
	sched_clock_register(read_lagging, 32, mips_hpt_frequency);
	return 0;
}
early_initcall(disco_sched_clock_init);
