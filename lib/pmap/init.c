/* SPDX-License-Identifier: BSD-2-Clause */
/* A map in its storage: the entries, the pool of backmap sets, the pages of the map of dead pages. */
#include "pmap_private.h"

#include <string.h>

#define ALIGN 64

static bool valid(const struct disco_pmap_config *c)
{
    return c && c->id < DISCO_MAX_PMAPS && c->pages && c->sets < UINT32_MAX &&
           c->pages <= (SIZE_MAX / 4) / sizeof(struct disco_pmap_entry) &&
           c->pages <= UINT64_C(1) << 40 &&
           c->sets <= (SIZE_MAX / 4) / sizeof(struct disco_pmap_set);
}

/* Only what pmap calls: it can be used without virtual CPUs. */
static bool backend_ok(const struct disco_backend *b)
{
    const struct disco_backend_ops *o = b->ops;

    return o && o->tlbe_make && o->tlbe_merge && o->tlbe_mpn && o->page && o->page_zero &&
           o->page_copy && o->relax;
}

static size_t entries_size(const struct disco_pmap_config *c)
{
    return ((size_t)c->pages * sizeof(struct disco_pmap_entry) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

size_t disco_pmap_size(const struct disco_pmap_config *c)
{
    if (!valid(c))
        return 0;
    return entries_size(c) + (size_t)c->sets * sizeof(struct disco_pmap_set) +
           (size_t)disco_dead_words(c->pages) * sizeof(uint64_t);
}

/* A pmap that is not known is none: disco_pmap_fini() has nothing to do. */
static int enroll(struct disco_pmap *pm)
{
    int err = disco_memmap_enroll(pm->mm, &pm->self);

    if (err)
        memset(pm, 0, sizeof *pm);
    return err;
}

int disco_pmap_init(struct disco_pmap *pm, void *storage, size_t size,
                    const struct disco_pmap_config *c)
{
    if (!pm || !storage || (uintptr_t)storage % ALIGN || !valid(c) || !c->mm || !c->backend)
        return DISCO_ERR_BAD_ARG;
    if (!backend_ok(c->backend))
        return DISCO_ERR_MISSING_OP;
    if (size < disco_pmap_size(c))
        return DISCO_ERR_NO_SPACE;
    memset(pm, 0, sizeof *pm);
    memset(storage, 0, disco_pmap_size(c));
    pm->entry = storage;
    pm->pages = c->pages;
    pm->id = c->id;
    pm->mm = c->mm;
    pm->backend = c->backend;
    pm->purge = c->purge;
    pm->purge_ctx = c->purge_ctx;
    pm->sets = (struct disco_pmap_set *)(void *)((uint8_t *)storage + entries_size(c));
    pm->nsets = c->sets;
    pm->dead_page = (uint64_t *)(void *)&pm->sets[c->sets];
    disco_backmap_fill_pool(pm);
    pm->self.id = c->id;
    return enroll(pm);
}

/* Nobody can use a translation any more, so nothing is purged, once others that revoke pages have gone (others.c). */
void disco_pmap_fini(struct disco_pmap *pm)
{
    if (!pm || !pm->entry)
        return;
    disco_memmap_withdraw(pm->mm, &pm->self);
    for (disco_ppn p = {0}; p.v < pm->pages; p.v++) {
        disco_tlbe e = disco_load(&pm->entry[p.v].tlbe);

        if (e)
            disco_memmap_del_user(pm->mm, pm->backend->ops->tlbe_mpn(e), user_of(pm, p));
    }
    disco_dead_give_back(pm);
    memset(pm, 0, sizeof *pm);
}
