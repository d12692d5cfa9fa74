// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hints about memory that the Disco paper has its IRIX give the monitor: "this page is free" and "give me a zeroed page".
 *
 * A page that the monitor gives memory to reads as zeros; a kernel that clears it does the work again. Only the
 * monitor knows which pages have no memory. The kernel keeps a guess: a bit for each page that was not cleared
 * since boot or since it was reported free. A page with the bit set is asked of the monitor, once; the page
 * reads as zeros after the call whether the guess was right or not.
 */
#include <linux/bitmap.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/page_reporting.h>
#include <linux/percpu.h>
#include <linux/pfn.h>
#include <linux/scatterlist.h>

#include <hypcall.h>

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "disco."

/*
 * Blocks of 64 KB and more are reported: smaller ones are mostly allocated again before the report, which
 * comes some two seconds after a page was freed, and each costs a call.
 */
#define REPORT_ORDER 4

/* disco.hints=0 on the command line turns both hints off. */
static bool hints = true;
module_param(hints, bool, 0444);

/* How many pages were reported free. */
static unsigned long pages_freed;
module_param(pages_freed, ulong, 0444);

/* How many pages this kernel did not clear. */
static DEFINE_PER_CPU(unsigned long, zeroed);

static unsigned long *untouched;

static bool zeroed_by_monitor(struct page *page)
{
	unsigned long *map = READ_ONCE(untouched), pfn = page_to_pfn(page);

	if (!map || !test_bit(pfn, map) || !test_and_clear_bit(pfn, map))
		return false;
	if (disco_call(DISCO_CALL_PAGE_ZERO, PFN_PHYS(pfn), 0) < 0)
		return false;
	this_cpu_inc(zeroed);
	return true;
}

struct page *disco_zeroed_user_page(struct vm_area_struct *vma, unsigned long address)
{
	struct page *page = alloc_page_vma(GFP_HIGHUSER_MOVABLE, vma, address);

	if (page && !zeroed_by_monitor(page))
		clear_user_highpage(page, address);
	return page;
}

/* The bits share words with those of neighbours that are in use: one atomic operation each. */
static void note_untouched(unsigned long pfn, unsigned long pages)
{
	while (pages--)
		set_bit(pfn++, untouched);
}

/* The allocator hands none of these pages out before this returns. */
static int report_free(struct page_reporting_dev_info *unused, struct scatterlist *list, unsigned int n)
{
	struct scatterlist *range;
	unsigned int i;

	for_each_sg(list, range, n, i) {
		unsigned long pages = range->length >> PAGE_SHIFT;

		if (disco_call(DISCO_CALL_PAGES_FREE, sg_phys(range), range->length) < 0)
			return -EIO;
		note_untouched(PHYS_PFN(sg_phys(range)), pages);
		pages_freed += pages;
	}
	return 0;
}

static struct page_reporting_dev_info reporting = {
	.report = report_free,
	.order = REPORT_ORDER,
};

static int show_zeroed(char *buffer, const struct kernel_param *unused)
{
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu(zeroed, cpu);
	return sysfs_emit(buffer, "%lu\n", sum);
}

static const struct kernel_param_ops zeroed_ops = { .get = show_zeroed };
module_param_cb(pages_zeroed, &zeroed_ops, NULL, 0444);

static int __init disco_memory_init(void)
{
	unsigned long *map;

	if (!hints)
		return 0;
	map = bitmap_alloc(max_pfn, GFP_KERNEL);
	if (!map)
		return -ENOMEM;
	bitmap_fill(map, max_pfn);
	smp_store_release(&untouched, map);
	return page_reporting_register(&reporting);
}
arch_initcall(disco_memory_init);
