/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other users of pages of which copies came or went (Disco, section 4.1.3: what memmap is for). A user that had a
 * translation before must look anew: to find the copy on its node, or because the one it uses is to be freed.
 *
 * Entries of two pmaps are never held at once (lock.h), so this is a walk with nothing held in between: users in
 * order, a pmap at a time, up to DISCO_PMAP_MANY of them with one revocation. Users come and go meanwhile, which does
 * not matter: who came after the copies were detached has not found them, who went has revoked its translations. Should
 * the page itself be gone and be somebody else's by now, that one looks anew for nothing.
 */
#include "pmap_private.h"

/* The virtual CPUs that @p u has been taken away from already. */
static uint64_t done_already(const struct others *o, const struct disco_page_user *u)
{
    for (size_t i = 0; u->pmap == o->pm->id && i < o->done; i++) {
        if (o->ppn[i].v == u->ppn.v)
            return o->vcpus[i];
    }
    return 0;
}

/* Who uses one of the pages through @p h, and on a node where something has changed: all nodes, if copies went. */
static uint64_t concerned(const struct others *o, const struct disco_pmap *of, const struct hold *h)
{
    uint64_t vcpus = 0;

    for (size_t i = 0; word_of(h) && i < o->pages; i++) {
        if (o->page[i].v == page_of(of, h).v)
            vcpus |= disco_entry_vcpus_on(of, o->node[i]);
    }
    return vcpus;
}

/* Users of one pmap, in ascending order. */
static void look_anew(const struct others *o, struct disco_pmap *of,
                      const struct disco_page_user *use, size_t n)
{
    struct many m;

    m.n = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t done = done_already(o, &use[i]);
        struct hold *h;

        if (done == DISCO_ALL_VCPUS)
            continue;
        h = disco_many_hold(of, &m, use[i].ppn, i);
        h->vcpus = concerned(o, of, h) & ~done;
        if (!h->vcpus)
            disco_many_let_last_go(&m);
    }
    disco_many_revoke(of, &m);
    for (size_t i = 0; i < m.n; i++)
        disco_many_put_back(of, &m, i);
    disco_many_let_go(&m);
}

/* The next users after @p after, all of one pmap: how many. */
static size_t next_users(const struct others *o, const struct disco_page_user *after,
                         struct disco_page_user use[DISCO_PMAP_MANY])
{
    size_t n = 0, same = 0;

    for (size_t i = 0; i < o->pages; i++)
        disco_memmap_users_after(o->pm->mm, o->page[i], after, use, DISCO_PMAP_MANY, &n);
    while (same < n && use[same].pmap == use[0].pmap)
        same++;
    return same;
}

static void visit(const struct others *o, const struct disco_page_user *use, size_t n)
{
    struct disco_memmap_pmap *p = disco_memmap_hold_pmap(o->pm->mm, use[0].pmap);

    if (!p)
        return; /* it is ending, and nothing of it runs */
    look_anew(o, pmap_of(p), use, n);
    disco_memmap_let_go_pmap(p);
}

void disco_others_look_anew(const struct others *o)
{
    struct disco_page_user use[DISCO_PMAP_MANY], last;
    size_t n = next_users(o, NULL, use);

    while (n) {
        visit(o, use, n);
        last = use[n - 1];
        n = next_users(o, &last, use);
    }
}
