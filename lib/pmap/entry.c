/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of one entry: held, touched, published, revoked, let go.
 *
 * Revocation is the heart of it. Other processors may at this moment look the page up in an L2TLB,
 * load it into a hardware TLB, or read the entry's first word from assembly, none of which takes
 * a lock. So, in this order:
 *   p1: the entry is held: no processor can *enter* the page anew, for it must hold it too;
 *   p2: the first word becomes 0: assembly that reads it from now on finds nothing;
 *   p3: L2TLBs forget it: a refill from now on finds nothing there either;
 *   p4: `seen` tells which processors may hold it (lib/vcpu/purge.c);
 *   p5: hardware TLBs forget it, on each of them, each saying that it has. A refill that read
 *       a word or an L2TLB entry before p2 or p3 ran with interrupts off, so it is over by
 *       the time its processor answers, and what it loaded is forgotten with the rest;
 *   p6: the page may be changed or given up;
 *   p7: the new word is published.
 * tests/model/shootdown.pml, pmap_entry.pml, pmap_many.pml, numa_move.pml, replica.pml and superpage.pml go through every
 * order of these steps and others'.
 */
#include "pmap_private.h"

struct hold disco_entry_hold(struct disco_pmap *pm, disco_ppn ppn)
{
    struct hold h = {.e = &pm->entry[ppn.v], .ppn = ppn, .vcpus = DISCO_ALL_VCPUS};

    h.meta = disco_lock_word(&h.e->meta, META_LOCK, pm->backend);
    return h;
}

void disco_entry_let_go(struct hold *h) { disco_unlock_word(&h->e->meta, h->meta); }

static bool counts_as_shared(enum disco_pmap_reason r)
{
    return r == DISCO_PMAP_COW || r == DISCO_PMAP_NET;
}

/* Places of one purge; what has more is purged in rounds. */
#define PURGE_PLACES 64

static void count_change(struct disco_pmap *pm, const struct hold *h, bool now, bool now_shared)
{
    bool was = word_of(h) != 0, was_shared = counts_as_shared(meta_reason(h->meta));
    struct disco_pmap_stats *s = stats_here(pm);

    if (now != was)
        disco_count_own(&s->present, now ? 1 : UINT64_MAX);
    if (now_shared != was_shared)
        disco_count_own(&s->shared, now_shared ? 1 : UINT64_MAX);
}

void disco_entry_publish(struct disco_pmap *pm, struct hold *h, disco_mpn mpn,
                         enum disco_pmap_reason reason)
{
    unsigned rights = reason == DISCO_PMAP_WRITABLE ? RIGHTS_OWN : RIGHTS_SHARED;

    /* Only a hint: replicas may come and go with other users of the page. With one node there are none. */
    if (reason != DISCO_PMAP_WRITABLE && pm->backend->nodes > 1 &&
        disco_memmap_replicated(pm->mm, mpn))
        rights |= DISCO_COPIED;
    count_change(pm, h, true, counts_as_shared(reason));
    h->meta = (h->meta & ~META_REASON_MASK) | (uint64_t)reason << META_REASON_SHIFT;
    /* Readers without the lock take the word first, then the reason. */
    disco_store(&h->e->meta, h->meta | META_LOCK);
    disco_store_release(&h->e->tlbe, pm->backend->ops->tlbe_make(mpn, rights));
}

/* What one purge takes: pages, and the places they were entered at. */
struct gone {
    struct disco_pmap_gone page[DISCO_PMAP_MANY];
    struct disco_purge place[PURGE_PLACES];
    size_t pages, places;
    uint64_t all; /* virtual CPUs that forget everything; no place names them */
};

static bool full(const struct gone *g)
{
    return g->places + SET_PLACES >= PURGE_PLACES; /* one is for `all` */
}

static void add_all(struct gone *g, uint64_t vcpus)
{
    size_t kept = 0;

    g->all |= vcpus;
    for (size_t i = 0; i < g->places; i++) {
        g->place[i].vcpus &= ~g->all;
        if (g->place[i].vcpus)
            g->place[kept++] = g->place[i];
    }
    g->places = kept;
}

static void add_places(const struct disco_pmap *pm, const struct hold *h, struct gone *g)
{
    struct disco_purge place[SET_PLACES];
    size_t n = disco_backmap_places(pm, h, place);

    for (size_t i = 0; i < n; i++) {
        place[i].vcpus &= h->vcpus & ~g->all;
        if (!place[i].vcpus)
            continue;
        if (place[i].vpn.v == DISCO_ALL_PAGES)
            add_all(g, place[i].vcpus);
        else
            g->place[g->places++] = place[i];
    }
}

/*
 * p2; the page's translations are known before it is made to look absent. Those of virtual CPUs that need not forget it
 * stay in the backmap.
 */
static void hide(struct disco_pmap *pm, struct hold *h, struct gone *g)
{
    add_places(pm, h, g);
    g->page[g->pages++] = (struct disco_pmap_gone){h->ppn, h->vcpus};
    count_change(pm, h, false, false);
    h->meta &= ~META_REASON_MASK;
    if (h->vcpus == DISCO_ALL_VCPUS)
        disco_backmap_forget(pm, h);
    disco_super_demote(pm, h->ppn);
    disco_store(&h->e->tlbe, 0);
}

static void count_purge(struct disco_pmap_stats *s, const struct gone *g)
{
    disco_count_own(&s->purges, 1);
    disco_count_own(&s->purged, g->places);
    disco_count_own(&s->everywhere, g->all == DISCO_ALL_VCPUS);
}

static void nothing(struct gone *g)
{
    g->pages = g->places = 0;
    g->all = 0;
}

/* p3 to p5 of what is hidden. */
static void purge(struct disco_pmap *pm, struct gone *g)
{
    if (!g->pages)
        return;
    disco_fence();
    if (g->all)
        g->place[g->places++] = (struct disco_purge){g->all, {DISCO_ALL_PAGES}};
    if (pm->purge)
        pm->purge(pm->purge_ctx, g->page, g->pages, g->place, g->places);
    count_purge(stats_here(pm), g);
    nothing(g);
}

/*
 * More places than one purge names are purged in rounds: p2 to p5 of some pages, then of the next, as if they were
 * revocations after each other. All are held until the last is through, so none of them is changed before.
 */
void disco_entry_revoke_many(struct disco_pmap *pm, struct hold *h, size_t n)
{
    struct gone g;

    nothing(&g);
    for (size_t i = 0; i < n; i++) {
        if (!word_of(&h[i]))
            continue;
        if (full(&g))
            purge(pm, &g);
        hide(pm, &h[i], &g);
    }
    purge(pm, &g);
}

void disco_entry_revoke(struct disco_pmap *pm, struct hold *h)
{
    disco_entry_revoke_many(pm, h, 1);
}

uint64_t disco_entry_vcpus_on(const struct disco_pmap *pm, unsigned node)
{
    if (!pm->vcpus_on || node >= pm->backend->nodes)
        return DISCO_ALL_VCPUS;
    return pm->vcpus_on(pm->purge_ctx, node);
}

int disco_entry_new_page(struct disco_pmap *pm, disco_ppn ppn, unsigned node, disco_mpn *out)
{
    int err = disco_memmap_alloc(pm->mm, node, DISCO_PAGE_PRIVATE, out);

    return err ? err : disco_memmap_adopt(pm->mm, *out, user_of(pm, ppn));
}

/* *out only if it is the caller's to keep. */
int disco_entry_page_on(struct disco_pmap *pm, unsigned node, disco_mpn *out)
{
    disco_mpn mpn;
    int err = disco_memmap_alloc(pm->mm, node, DISCO_PAGE_PRIVATE, &mpn);

    if (err)
        return err;
    if (disco_memmap_node(pm->mm, mpn) != node) {
        disco_memmap_put(pm->mm, mpn);
        return DISCO_ERR_NO_MEMORY;
    }
    *out = mpn;
    return DISCO_OK;
}

__attribute__((noinline)) int disco_entry_make(struct disco_pmap *pm, struct hold *h, unsigned node)
{
    disco_mpn mpn;
    int err = disco_entry_new_page(pm, h->ppn, node, &mpn);

    if (err)
        return err;
    pm->backend->ops->page_zero(pm->backend, mpn);
    disco_entry_publish(pm, h, mpn, DISCO_PMAP_WRITABLE);
    disco_count_own(&stats_here(pm)->first_touch, 1);
    return DISCO_OK;
}
