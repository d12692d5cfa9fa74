/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Superpages: runs of pages that one translation can name, because they are contiguous in machine memory, alike aligned
 * in both, and nobody may write to them. A guest's kernel text is such a run. The pages stay pages to everybody else.
 *
 * Each word of the run is marked. A processor that reads a marked word looks at the first word of the run: if that is
 * marked, it may load all. So the first word decides; the other marks only say where to look.
 *
 * A run is demoted by who takes one of its pages away, before that is hidden (p2 in entry.c), or stores its word anew:
 * first the first word loses its mark, then the others. From then on nobody begins to load all; a processor that had seen
 * the mark before has loaded what it loads by the time it answers the purge; and to forget an address is to forget
 * whatever translation matches there, of whatever size. Who finds the first word without a mark need not wait for the
 * others to lose theirs. That order also keeps pages from being in a TLB twice: a single page is loaded only where there is
 * no mark, and then nobody loads all any more.
 *
 * The words of the run's other pages are not held. Only the mark is taken from them, of the very word that was seen; who
 * holds them stores words without a mark. In tests/model/superpage.pml: s1 the first word's mark goes; s2 the others; then
 * p2 to p5.
 */
#include "pmap_private.h"

/* How many pages a superpage has, 0 if there are none: with several nodes pages move one by one. */
static unsigned pages_of_one(const struct disco_pmap *pm)
{
    return pm->backend->nodes > 1 ? 0 : pm->backend->superpage;
}

static disco_tlbe word_for(const struct disco_pmap *pm, disco_mpn mpn, unsigned mark)
{
    return pm->backend->ops->tlbe_make(mpn, RIGHTS_SHARED | mark);
}

static bool is_marked(const struct disco_pmap *pm, disco_tlbe word)
{
    return word && word == word_for(pm, pm->backend->ops->tlbe_mpn(word), DISCO_SUPERPAGE);
}

/* --- promotion; all entries are held --- */

/* Are the pages there, in a row, and read-only? That they are is in their words. */
static bool is_row(const struct disco_pmap *pm, const struct disco_pmap_entry *e, unsigned n,
                   disco_mpn first)
{
    for (unsigned i = 0; i < n; i++) {
        if (disco_load(&e[i].tlbe) != word_for(pm, (disco_mpn){first.v + i}, 0))
            return false;
    }
    return !(first.v & (n - 1));
}

/* The first word last: what the others say is true then. */
static int mark_all(struct disco_pmap *pm, struct disco_pmap_entry *e, unsigned n)
{
    disco_tlbe word = disco_load(&e->tlbe);
    disco_mpn first;

    if (!word)
        return DISCO_ERR_STATE;
    first = pm->backend->ops->tlbe_mpn(word);
    if (!is_row(pm, e, n, first))
        return DISCO_ERR_STATE;
    for (unsigned i = n; i > 0; i--)
        disco_store_release(&e[i - 1].tlbe,
                            word_for(pm, (disco_mpn){first.v + i - 1}, DISCO_SUPERPAGE));
    disco_count_own(&stats_here(pm)->promoted, 1);
    return DISCO_OK;
}

int disco_pmap_promote(struct disco_pmap *pm, disco_ppn first)
{
    unsigned n = pages_of_one(pm);
    struct disco_pmap_entry *e;
    int err;

    if (!n)
        return DISCO_ERR_UNSUPPORTED;
    if (first.v & (n - 1))
        return DISCO_ERR_BAD_ARG;
    if (first.v >= pm->pages || n > pm->pages - first.v)
        return DISCO_ERR_BAD_ADDRESS;
    e = &pm->entry[first.v];
    for (unsigned i = 0; i < n; i++)
        (void)disco_lock_word(&e[i].meta, META_LOCK, pm->backend);
    err = mark_all(pm, e, n);
    for (unsigned i = 0; i < n; i++)
        disco_unlock_word(&e[i].meta, disco_load(&e[i].meta) & ~META_LOCK);
    return err;
}

/* --- demotion --- */

/* If another word takes its place now, that one has no mark. @return whether it was this call that took the mark. */
static bool unmark(const struct disco_pmap *pm, struct disco_pmap_entry *e)
{
    disco_tlbe word = disco_load_acquire(&e->tlbe);

    return is_marked(pm, word) &&
           __atomic_compare_exchange_n(&e->tlbe, &word,
                                       word_for(pm, pm->backend->ops->tlbe_mpn(word), 0), false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void disco_super_demote(struct disco_pmap *pm, disco_ppn ppn)
{
    unsigned n = pages_of_one(pm);
    struct disco_pmap_entry *e;

    if (!n)
        return;
    e = &pm->entry[ppn.v & ~(uint64_t)(n - 1)];
    if (!unmark(pm, e)) /* s1: there is none, or it is another's to take apart */
        return;
    for (unsigned i = 1; i < n; i++) /* s2 */
        (void)unmark(pm, &e[i]);
    disco_count_own(&stats_here(pm)->demoted, 1);
}
