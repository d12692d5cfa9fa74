/* SPDX-License-Identifier: BSD-2-Clause */
/* A map in its storage: what is written, by lines; the entries; backmap sets; pages of the map of dead pages. */
#include "pmap_private.h"

#include <string.h>

struct layout {
    size_t counters, entry, sets, dead, end;
};

static bool valid(const struct disco_pmap_config *c)
{
    return c && c->id < DISCO_MAX_PMAPS && c->backend && c->backend->cpus &&
           c->backend->cpus <= DISCO_MAX_CPUS && c->pages && c->sets < UINT32_MAX &&
           c->pages <= (SIZE_MAX / 4) / sizeof(struct disco_pmap_entry) &&
           c->pages <= UINT64_C(1) << 40 &&
           c->sets <= (SIZE_MAX / 4) / sizeof(struct disco_pmap_set);
}

/* Only what pmap calls: it can be used without virtual CPUs. */
static bool backend_ok(const struct disco_backend *b)
{
    const struct disco_backend_ops *o = b->ops;

    return o && o->tlbe_make && o->tlbe_merge && o->tlbe_mpn && o->page && o->page_zero &&
           o->page_copy && o->cpu && o->relax;
}

/* Sets lie by their own size: a line each. */
static size_t align(size_t n)
{
    return (n + sizeof(struct disco_pmap_set) - 1) & ~(sizeof(struct disco_pmap_set) - 1);
}

static struct layout lay_out(const struct disco_pmap_config *c)
{
    struct layout l;

    l.counters = sizeof(struct disco_pmap_common);
    l.entry = l.counters + c->backend->cpus * sizeof(struct disco_pmap_counters);
    l.sets = align(l.entry + (size_t)c->pages * sizeof(struct disco_pmap_entry));
    l.dead = l.sets + (size_t)c->sets * sizeof(struct disco_pmap_set);
    l.end = l.dead + (size_t)disco_dead_words(c->pages) * sizeof(uint64_t);
    return l;
}

size_t disco_pmap_size(const struct disco_pmap_config *c) { return valid(c) ? lay_out(c).end : 0; }

static void place_tables(struct disco_pmap *pm, void *storage, const struct disco_pmap_config *c)
{
    const struct layout l = lay_out(c);
    uint8_t *base = storage;

    memset(storage, 0, l.end);
    pm->common = storage;
    pm->counters = (struct disco_pmap_counters *)(void *)(base + l.counters);
    pm->entry = (struct disco_pmap_entry *)(void *)(base + l.entry);
    pm->sets = (struct disco_pmap_set *)(void *)(base + l.sets);
    pm->dead_page = (uint64_t *)(void *)(base + l.dead);
}

/* A pmap that is not known is none: disco_pmap_fini() has nothing to do. */
static int enroll(struct disco_pmap *pm)
{
    int err;

    pm->common->pm = pm;
    pm->common->self.id = pm->id;
    err = disco_memmap_enroll(pm->mm, &pm->common->self);
    if (err)
        memset(pm, 0, sizeof *pm);
    return err;
}

int disco_pmap_init(struct disco_pmap *pm, void *storage, size_t size,
                    const struct disco_pmap_config *c)
{
    if (!pm || !storage || (uintptr_t)storage % DISCO_CACHE_LINE || !valid(c) || !c->mm)
        return DISCO_ERR_BAD_ARG;
    if (!backend_ok(c->backend))
        return DISCO_ERR_MISSING_OP;
    if (size < disco_pmap_size(c))
        return DISCO_ERR_NO_SPACE;
    memset(pm, 0, sizeof *pm);
    place_tables(pm, storage, c);
    pm->pages = c->pages;
    pm->id = c->id;
    pm->mm = c->mm;
    pm->backend = c->backend;
    pm->purge = c->purge;
    pm->vcpus_on = c->vcpus_on;
    pm->purge_ctx = c->purge_ctx;
    pm->nsets = c->sets;
    pm->cpus = c->backend->cpus;
    disco_backmap_fill_pool(pm);
    return enroll(pm);
}

/* Nobody can use a translation any more, so nothing is purged, once others that revoke pages have gone (others.c). */
void disco_pmap_fini(struct disco_pmap *pm)
{
    if (!pm || !pm->entry)
        return;
    disco_memmap_withdraw(pm->mm, &pm->common->self);
    for (disco_ppn p = {0}; p.v < pm->pages; p.v++) {
        disco_tlbe e = disco_load(&pm->entry[p.v].tlbe);

        if (e)
            disco_memmap_del_user(pm->mm, pm->backend->ops->tlbe_mpn(e), user_of(pm, p));
    }
    disco_dead_give_back(pm);
    memset(pm, 0, sizeof *pm);
}
