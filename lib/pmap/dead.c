/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dead pages: what IRIX's mbuf list taught Disco (section 5.3). A guest frees a page that is shared and uses it
 * for something else; its first store would make the monitor copy what nobody will read. The guest knows, and says
 * so by a store into a map in its own memory, a byte a page, which costs it no trap.
 *
 * The map's machine pages are written down once, with a reference to each, and kept until the pmap ends: so it can be
 * read and written here without a lock, while a guest that gives the same pages back, or has others mapped there, harms
 * only itself: it writes to other pages from then on. They are never lent nor replicated, for they go on changing here while
 * others would believe them read-only: disco_pmap_lend() gives a copy away.
 *
 * Order: who shares a page clears its byte while it holds the entry, before the page can be read as the new one. A
 * guest that marks a page dead after that means the new contents.
 */
#include "pmap_private.h"

enum { NEVER_SET, BEING_SET, ON, OFF };

static uint8_t *byte_of(const struct disco_pmap *pm, disco_ppn ppn)
{
    disco_mpn mpn;

    if (__atomic_load_n(&pm->dead_state, __ATOMIC_ACQUIRE) != ON || ppn.v >= pm->dead_bytes)
        return NULL;
    mpn.v = pm->dead_page[ppn.v >> DISCO_PAGE_SHIFT];
    return (uint8_t *)pm->backend->ops->page(pm->backend, mpn) + (ppn.v & DISCO_PAGE_MASK);
}

bool disco_dead_marked(const struct disco_pmap *pm, disco_ppn ppn)
{
    const uint8_t *at = byte_of(pm, ppn);

    return at && __atomic_load_n(at, __ATOMIC_RELAXED);
}

void disco_dead_clear(struct disco_pmap *pm, disco_ppn ppn)
{
    uint8_t *at = byte_of(pm, ppn);

    if (at)
        __atomic_store_n(at, 0, __ATOMIC_RELAXED);
}

bool disco_dead_is_map(const struct disco_pmap *pm, const struct hold *h)
{
    uint64_t i = h->ppn.v - disco_load(&pm->dead_first);

    return i < disco_load(&pm->dead_pages) && disco_load(&pm->dead_page[i]) == page_of(pm, h).v;
}

/* The map's next page, the guest's and writable, with a reference. Known as such before anybody else can hold it. */
static int keep(struct disco_pmap *pm, uint64_t i, unsigned node)
{
    struct hold h = disco_entry_hold(pm, (disco_ppn){pm->dead_first + i});
    int err = disco_entry_own(pm, &h, node);

    if (!err)
        err = disco_memmap_get(pm->mm, page_of(pm, &h));
    if (!err) {
        disco_store(&pm->dead_page[i], page_of(pm, &h).v);
        disco_store(&pm->dead_pages, i + 1);
    }
    disco_entry_let_go(&h);
    return err;
}

void disco_dead_give_back(struct disco_pmap *pm)
{
    uint64_t pages = pm->dead_pages;

    disco_store(&pm->dead_pages, 0);
    for (uint64_t i = 0; i < pages; i++)
        disco_memmap_put(pm->mm, (disco_mpn){pm->dead_page[i]});
}

static bool turn(struct disco_pmap *pm, uint32_t from, uint32_t to)
{
    return __atomic_compare_exchange_n(&pm->dead_state, &from, to, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

/* Until the state is ON nobody looks into the pages; a map that failed leaves none behind. */
static int set(struct disco_pmap *pm, disco_ppn first, uint64_t len, unsigned node)
{
    int err = DISCO_OK;

    disco_store(&pm->dead_first, first.v);
    pm->dead_bytes = len;
    for (uint64_t i = 0; !err && i < disco_dead_words(len); i++)
        err = keep(pm, i, node);
    if (err)
        disco_dead_give_back(pm);
    turn(pm, BEING_SET, err ? OFF : ON); /* unless it was turned off meanwhile */
    return err;
}

int disco_pmap_set_dead(struct disco_pmap *pm, disco_pa pa, uint64_t len, unsigned node)
{
    int err = disco_pmap_check(pm, pa, len);

    if (!len) {
        __atomic_store_n(&pm->dead_state, OFF, __ATOMIC_RELEASE);
        return DISCO_OK;
    }
    if (err)
        return err;
    if (pa.v & DISCO_PAGE_MASK || len > pm->pages)
        return DISCO_ERR_BAD_ARG;
    if (!turn(pm, NEVER_SET, BEING_SET))
        return DISCO_ERR_STATE;
    return set(pm, disco_pa_page(pa), len, node);
}
