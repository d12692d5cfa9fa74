// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dead pages: those that are free, in a map that the monitor sees. A free page may still share its machine page with a
 * cache of the monitor's or with another guest; when it is used again, its first write must not pay for a copy
 * of what nobody wants. The allocator's hook marks every page it gets back by one store (mach-disco/dead.h):
 * cheaper than to know which pages are shared. The monitor takes a mark away when it shares the page again.
 */
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include <hypcall.h>
#include <dead.h>

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "disco."

/* The map while pages are marked in it. */
u8 *disco_dead_map;

static u8 *map;

/* disco.dead=0, or 0 written to the parameter, ends marking. Marks that remain do no harm: sharing takes them away. */
static bool dead = true;

static int set_dead(const char *text, const struct kernel_param *param)
{
	int err = param_set_bool(text, param);

	if (!err)
		WRITE_ONCE(disco_dead_map, dead ? map : NULL);
	return err;
}

static const struct kernel_param_ops dead_ops = { .set = set_dead, .get = param_get_bool };
module_param_cb(dead, &dead_ops, &dead, 0644);

static int __init disco_dead_init(void)
{
	size_t bytes = PAGE_ALIGN(max_pfn);
	u8 *memory = alloc_pages_exact(bytes, GFP_KERNEL | __GFP_ZERO);

	if (!memory)
		return -ENOMEM;
	if (disco_call(DISCO_CALL_DEAD_PAGES, __pa(memory), max_pfn) < 0) {
		free_pages_exact(memory, bytes);
		return 0;
	}
	map = memory;
	if (dead)
		WRITE_ONCE(disco_dead_map, map);
	return 0;
}
early_initcall(disco_dead_init);
