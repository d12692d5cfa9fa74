/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looking a page up without a lock. The word and the reason are two loads: should the entry
 * change between them, the answer is a page that was the right one a moment ago, which is all that
 * a caller without the lock can ask for.
 */
#include "pmap_private.h"

/* Kept out of the way of pages that have no replicas. */
__attribute__((noinline)) static int translate_read_only(const struct disco_pmap *pm,
                                                         disco_tlbe word, unsigned node,
                                                         disco_mpn *out)
{
    *out = disco_memmap_nearest(pm->mm, pm->backend->ops->tlbe_mpn(word), node);
    return DISCO_OK;
}

int disco_pmap_translate(const struct disco_pmap *pm, disco_ppn ppn, unsigned node, disco_mpn *out)
{
    const struct disco_pmap_entry *e;
    disco_tlbe word;

    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    e = &pm->entry[ppn.v];
    word = disco_load_acquire(&e->tlbe);
    if (!word)
        return DISCO_ERR_NOT_FOUND;
    if (disco_load(&e->meta) & META_REASON_MASK)
        return translate_read_only(pm, word, node, out);
    *out = pm->backend->ops->tlbe_mpn(word);
    return DISCO_OK;
}

enum disco_pmap_reason disco_pmap_reason(const struct disco_pmap *pm, disco_ppn ppn)
{
    if (ppn.v >= pm->pages)
        return DISCO_PMAP_WRITABLE;
    return meta_reason(disco_load(&pm->entry[ppn.v].meta));
}

int disco_pmap_check(const struct disco_pmap *pm, disco_pa pa, uint64_t len)
{
    uint64_t size = pm->pages << DISCO_PAGE_SHIFT;

    if (len > UINT64_MAX - pa.v)
        return DISCO_ERR_OVERFLOW;
    return pa.v + len <= size ? DISCO_OK : DISCO_ERR_BAD_ADDRESS;
}
