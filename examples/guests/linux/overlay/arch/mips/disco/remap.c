// SPDX-License-Identifier: GPL-2.0-only
/*
 * A copy of a whole page into a whole page as a mapping (Disco, section 4.2.3: remap in place of bcopy): the monitor
 * lets both read one machine page until either is written.
 *
 * A page at a time is one trap a page. Where many pages are copied in a row, as out of one packet, the copies are
 * collected and asked for together: one trap, and one interruption of the other processors, for all of them.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <hypcall.h>
#include <remap.h>

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "disco."

/* disco.remap=0 copies. */
static bool remap = true;
module_param(remap, bool, 0644);

/* disco.batch=0 asks for each page by itself. */
static bool batch = true;
module_param(batch, bool, 0644);

/* Pages remapped; calls that took; pages that the monitor would not remap, and were copied. */
static DEFINE_PER_CPU(unsigned long, pages);
static DEFINE_PER_CPU(unsigned long, calls);
static DEFINE_PER_CPU(unsigned long, refused);

struct collection {
	bool open;
	unsigned int n;
	struct disco_remap pair[DISCO_REMAP_MAX];
};

/* Used by tasks only, without preemption. */
static DEFINE_PER_CPU(struct collection, collections);

static void count(unsigned long done, unsigned long not_done)
{
	this_cpu_add(pages, done);
	this_cpu_add(refused, not_done);
	this_cpu_inc(calls);
}

static void carry_out(struct collection *c)
{
	long done = disco_call(DISCO_CALL_REMAP_MANY, __pa(c->pair), c->n * sizeof(c->pair[0]));
	unsigned int i, from = done > 0 ? done : 0;

	for (i = from; i < c->n; i++)
		copy_page(__va(c->pair[i].to), __va(c->pair[i].from));
	count(from, c->n - from);
	c->n = 0;
}

static bool collect(struct collection *c, unsigned long to, unsigned long from)
{
	if (!c->open || !in_task())
		return false;
	c->pair[c->n].to = to;
	c->pair[c->n].from = from;
	if (++c->n == DISCO_REMAP_MAX)
		carry_out(c);
	return true;
}

static bool now(unsigned long to, unsigned long from)
{
	bool done = disco_call(DISCO_CALL_REMAP, to, from) == 0;

	count(done, !done);
	return done;
}

/* Both are whole pages of the direct map. */
void disco_copy_page(void *to, const void *from)
{
	if (!READ_ONCE(remap) || to == from) {
		copy_page(to, (void *)from);
		return;
	}
	preempt_disable();
	if (!collect(this_cpu_ptr(&collections), __pa(to), __pa(from)) && !now(__pa(to), __pa(from)))
		copy_page(to, (void *)from);
	preempt_enable();
}

/*
 * Between the two, copies may be put off; their sources must stay what they are, and nobody may look at what was
 * copied. Nothing between them sleeps.
 */
bool disco_copies_begin(bool fit)
{
	struct collection *c;

	if (!fit || !in_task() || !READ_ONCE(remap) || !READ_ONCE(batch))
		return false;
	preempt_disable();
	c = this_cpu_ptr(&collections);
	c->open = true;
	return true;
}

void disco_copies_end(bool begun)
{
	struct collection *c;

	if (!begun)
		return;
	c = this_cpu_ptr(&collections);
	if (c->n > 0)
		carry_out(c);
	c->open = false;
	preempt_enable();
}

static int show_sum(char *buffer, const struct kernel_param *param)
{
	unsigned long __percpu *counter = param->arg;
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *per_cpu_ptr(counter, cpu);
	return sysfs_emit(buffer, "%lu\n", sum);
}

static const struct kernel_param_ops sum_ops = { .get = show_sum };
module_param_cb(remapped, &sum_ops, &pages, 0444);
module_param_cb(remap_calls, &sum_ops, &calls, 0444);
module_param_cb(remap_refused, &sum_ops, &refused, 0444);
