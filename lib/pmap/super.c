/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Superpages: runs of pages that one translation can name, because they are contiguous in machine memory, alike aligned
 * in both, and nobody may write to them. A guest's kernel text is such a run. Each word of the run is marked, and the mark
 * says it of the whole run: a processor that has read one marked word may load all. The pages stay pages to everybody
 * else.
 *
 * So a run is demoted, by who takes one of its pages away and before that is hidden (p2 in entry.c): all words lose
 * the mark, the first one last. That order is the rule. Whoever finds the first word without a mark knows that there is
 * none in the run any more; and a processor that had read a mark before has loaded what it loads by the time it answers
 * the purge. To forget an address is to forget whatever translation matches there, of whatever size.
 *
 * The words of the run's other pages are not held. Only the mark is taken from them, of the very word that was seen; who
 * holds them stores words without a mark. In tests/model/superpage.pml: s1 the first word is looked at; s2 marks go, from
 * the last to the first; then p2 to p5.
 */
#include "pmap_private.h"

static disco_tlbe word_for(const struct disco_pmap *pm, disco_mpn mpn, unsigned mark)
{
    return pm->backend->ops->tlbe_make(mpn, RIGHTS_SHARED | mark);
}

static bool is_marked(const struct disco_pmap *pm, disco_tlbe word)
{
    return word && word == word_for(pm, pm->backend->ops->tlbe_mpn(word), DISCO_SUPERPAGE);
}

/* --- promotion; all entries are held --- */

/* Page @p i of the run as it is to be, if its first is @p first. */
static bool fits(const struct disco_pmap *pm, const struct disco_pmap_entry *e, disco_mpn first, unsigned i)
{
    return disco_load(&e->tlbe) == word_for(pm, (disco_mpn){first.v + i}, 0) &&
           meta_reason(disco_load(&e->meta)) != DISCO_PMAP_WRITABLE;
}

static int mark_all(struct disco_pmap *pm, struct disco_pmap_entry *e, unsigned n)
{
    disco_tlbe word = disco_load(&e->tlbe);
    disco_mpn first;

    if (!word)
        return DISCO_ERR_STATE;
    first = pm->backend->ops->tlbe_mpn(word);
    if (first.v & (n - 1))
        return DISCO_ERR_STATE;
    for (unsigned i = 0; i < n; i++) {
        if (!fits(pm, &e[i], first, i))
            return DISCO_ERR_STATE;
    }
    for (unsigned i = 0; i < n; i++)
        disco_store_release(&e[i].tlbe, word_for(pm, (disco_mpn){first.v + i}, DISCO_SUPERPAGE));
    disco_count_own(&stats_here(pm)->promoted, 1);
    return DISCO_OK;
}

int disco_pmap_promote(struct disco_pmap *pm, disco_ppn first)
{
    unsigned n = pm->backend->superpage;
    struct disco_pmap_entry *e;
    int err;

    if (!n || pm->backend->nodes > 1)
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
    disco_tlbe word = disco_load(&e->tlbe);

    return is_marked(pm, word) &&
           __atomic_compare_exchange_n(&e->tlbe, &word, word_for(pm, pm->backend->ops->tlbe_mpn(word), 0), false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

void disco_super_demote(struct disco_pmap *pm, disco_ppn ppn)
{
    unsigned n = pm->backend->superpage;
    struct disco_pmap_entry *e;

    if (!n)
        return;
    e = &pm->entry[ppn.v & ~(uint64_t)(n - 1)];
    if (!is_marked(pm, disco_load_acquire(&e->tlbe))) /* s1 */
        return;
    for (unsigned i = n - 1; i > 0; i--) /* s2 */
        (void)unmark(pm, &e[i]);
    if (unmark(pm, e)) /* of several at a time, one counts */
        disco_count_own(&stats_here(pm)->demoted, 1);
}
