/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dead pages: what IRIX's mbuf list taught Disco (section 5.3). A guest frees a page that is shared and uses it
 * for something else; its first store would make the monitor copy what nobody will read. The guest knows, and says
 * so by a store into a map in its own memory, a byte a page, which costs it no trap.
 *
 * The map's machine pages are written down once, with a reference to each, and kept until the pmap ends: so it can be
 * read and written here without a lock, while a guest that gives the same pages back, or shares them, harms
 * only itself: it writes to other pages from then on.
 *
 * Order: who shares a page clears its byte while it holds the entry, before the page can be read as the new one. A
 * guest that marks a page dead after that means the new contents.
 */
#include "pmap_private.h"

static uint8_t *byte_of(const struct disco_pmap *pm, disco_ppn ppn)
{
    disco_mpn mpn;

    if (ppn.v >= __atomic_load_n(&pm->dead_bytes, __ATOMIC_ACQUIRE))
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

/* One page of the map, the guest's and writable, with a reference that keeps the machine page. */
static int keep(struct disco_pmap *pm, disco_ppn ppn, unsigned node, uint64_t *mpn)
{
    struct hold h = disco_entry_hold(pm, ppn);
    int err = disco_entry_own(pm, &h, node);

    if (!err)
        err = disco_memmap_get(pm->mm, page_of(pm, &h));
    if (!err)
        *mpn = page_of(pm, &h).v;
    disco_entry_let_go(&h);
    return err;
}

static void give_back(struct disco_pmap *pm, uint64_t pages)
{
    for (uint64_t i = 0; i < pages; i++)
        disco_memmap_put(pm->mm, (disco_mpn){pm->dead_page[i]});
}

/* Until dead_bytes is written nobody looks at the pages; a map that failed leaves none behind. */
static int set_dead(struct disco_pmap *pm, disco_ppn first, uint64_t len, unsigned node)
{
    uint64_t pages = disco_dead_words(len);
    int err;

    for (uint64_t i = 0; i < pages; i++) {
        err = keep(pm, (disco_ppn){first.v + i}, node, &pm->dead_page[i]);
        if (err) {
            give_back(pm, i);
            return err;
        }
    }
    __atomic_store_n(&pm->dead_bytes, len, __ATOMIC_RELEASE);
    return DISCO_OK;
}

/* Turned off: the bytes count no more. The pages stay, for others may look at them now; fini knows them by count. */
static int turn_off(struct disco_pmap *pm)
{
    uint64_t len = __atomic_exchange_n(&pm->dead_bytes, 0, __ATOMIC_ACQ_REL);

    if (len)
        __atomic_store_n(&pm->dead_kept, disco_dead_words(len), __ATOMIC_RELAXED);
    __atomic_store_n(&pm->dead_known, 1, __ATOMIC_RELAXED);
    return DISCO_OK;
}

int disco_pmap_set_dead(struct disco_pmap *pm, disco_pa pa, uint64_t len, unsigned node)
{
    int err = disco_pmap_check(pm, pa, len);

    if (!len)
        return turn_off(pm);
    if (err)
        return err;
    if (pa.v & DISCO_PAGE_MASK || len > pm->pages)
        return DISCO_ERR_BAD_ARG;
    if (__atomic_exchange_n(&pm->dead_known, 1, __ATOMIC_ACQ_REL))
        return DISCO_ERR_STATE;
    return set_dead(pm, disco_pa_page(pa), len, node);
}

void disco_dead_fini(struct disco_pmap *pm)
{
    give_back(pm, pm->dead_bytes ? disco_dead_words(pm->dead_bytes) : pm->dead_kept);
}
