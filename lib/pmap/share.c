/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sharing by provenance (Disco, sections 4.2.2 and 5): pages that come from one disk block or one
 * network buffer are one machine page, read-only in every VM. `lend` gives a page of this map
 * away for sharing, `share` maps one that was lent, `drop` gives one back. In
 * tests/model/pmap_entry.pml: l1 the lent page is referred to; l2 revoked; l3 read-only from then on. In
 * pmap_many.pml: m1 all entries are held, in ascending order; m2 revoked together; m3 the old pages are
 * given up; m4 the new ones appear.
 */
#include "pmap_private.h"

int disco_pmap_touch(struct disco_pmap *pm, disco_ppn ppn, unsigned node)
{
    struct hold h;
    int err;

    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, ppn);
    err = disco_entry_touch(pm, &h, node);
    disco_entry_let_go(&h);
    return err;
}

static bool shares(enum disco_pmap_reason r)
{
    return r == DISCO_PMAP_COW || r == DISCO_PMAP_NET;
}

/* Several entries at once, held in ascending order (lock.h), with what is to happen to each. */
struct many {
    struct hold h[DISCO_PMAP_MANY];
    disco_mpn old[DISCO_PMAP_MANY]; /* UINT64_MAX: there was no page */
    size_t n;
};

static struct hold *hold_another(struct disco_pmap *pm, struct many *m, disco_ppn ppn)
{
    m->h[m->n] = disco_entry_hold(pm, ppn);
    return &m->h[m->n++];
}

/* Revoke the pages and end our use of them, which frees those that nobody else has. @return how many there were. */
static size_t remove(struct disco_pmap *pm, struct many *m)
{
    size_t had = 0;

    for (size_t i = 0; i < m->n; i++)
        m->old[i] = word_of(&m->h[i]) ? page_of(pm, &m->h[i]) : (disco_mpn){UINT64_MAX};
    disco_entry_revoke_many(pm, m->h, m->n);
    for (size_t i = 0; i < m->n; i++) {
        if (m->old[i].v == UINT64_MAX)
            continue;
        disco_memmap_del_user(pm->mm, m->old[i], user_of(pm, m->h[i].ppn));
        had++;
    }
    return had;
}

static void let_go(struct many *m)
{
    for (size_t i = 0; i < m->n; i++)
        disco_entry_let_go(&m->h[i]);
}

/* The places in the order of their PPNs; equal ones stay in the order in which they were named. */
static void sort(const struct disco_pmap_place *p, size_t n, uint8_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;

        for (; at && p[order[at - 1]].ppn.v > p[i].ppn.v; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)i;
    }
}

/* May @p p be shared, and is its page held for it and counted as a use? Then it is one more of @p m. */
static int begin(struct disco_pmap *pm, struct many *m, struct disco_pmap_place *p)
{
    struct hold *h;
    int err;

    if (p->ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    p->mpn = disco_memmap_master(pm->mm, p->mpn);
    h = hold_another(pm, m, p->ppn);
    err = disco_memmap_add_user(pm->mm, p->mpn, user_of(pm, p->ppn));
    if (err) {
        disco_entry_let_go(h);
        m->n--;
    }
    return err;
}

/* A page that is shared has contents that matter. */
static void publish(struct disco_pmap *pm, struct hold *h, disco_mpn mpn,
                    enum disco_pmap_reason reason)
{
    disco_dead_clear(pm, h->ppn);
    disco_entry_publish(pm, h, mpn, reason);
}

static void share(struct disco_pmap *pm, struct disco_pmap_place *p, size_t n,
                  enum disco_pmap_reason reason)
{
    uint8_t order[DISCO_PMAP_MANY];
    struct many m;
    size_t k = 0;

    m.n = 0;
    sort(p, n, order);
    for (size_t i = 0; i < n; i++) {
        bool again = i && p[order[i - 1]].ppn.v == p[order[i]].ppn.v;

        p[order[i]].err = again ? DISCO_ERR_BAD_ARG : begin(pm, &m, &p[order[i]]);
    }
    remove(pm, &m);
    for (size_t i = 0; i < n; i++) {
        if (!p[order[i]].err)
            publish(pm, &m.h[k++], p[order[i]].mpn, reason);
    }
    let_go(&m);
}

void disco_pmap_share_many(struct disco_pmap *pm, struct disco_pmap_place *p, size_t n,
                           enum disco_pmap_reason reason)
{
    if (shares(reason) && n <= DISCO_PMAP_MANY) {
        share(pm, p, n, reason);
        return;
    }
    for (size_t i = 0; i < n; i++)
        p[i].err = DISCO_ERR_BAD_ARG;
}

int disco_pmap_share(struct disco_pmap *pm, disco_ppn ppn, disco_mpn mpn,
                     enum disco_pmap_reason reason)
{
    struct disco_pmap_place p = {ppn, mpn, DISCO_OK};

    disco_pmap_share_many(pm, &p, 1, reason);
    return p.err;
}

static int lend_copy(struct disco_pmap *pm, const struct hold *h, unsigned node, disco_mpn *out)
{
    int err = disco_memmap_alloc(pm->mm, node, DISCO_PAGE_MONITOR, out);

    if (!err)
        pm->backend->ops->page_copy(pm->backend, *out, page_of(pm, h));
    return err;
}

/* A page that was read-only before has no writable translation: nothing to revoke. */
static int lend(struct disco_pmap *pm, struct hold *h, unsigned node,
                enum disco_pmap_reason reason, disco_mpn *out)
{
    int err = disco_entry_touch(pm, h, node);
    disco_mpn mpn;

    if (err)
        return err;
    if (disco_dead_is_map(pm, h))
        return lend_copy(pm, h, node, out);
    mpn = page_of(pm, h);
    err = disco_memmap_get(pm->mm, mpn);
    if (err)
        return err;
    if (meta_reason(h->meta) == DISCO_PMAP_WRITABLE)
        disco_entry_revoke(pm, h);
    publish(pm, h, mpn, reason);
    *out = mpn;
    return DISCO_OK;
}

int disco_pmap_lend(struct disco_pmap *pm, disco_ppn ppn, unsigned node,
                    enum disco_pmap_reason reason, disco_mpn *out)
{
    struct hold h;
    int err;

    if (!shares(reason))
        return DISCO_ERR_BAD_ARG;
    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, ppn);
    err = lend(pm, &h, node, reason, out);
    disco_entry_let_go(&h);
    return err;
}

int disco_pmap_drop_many(struct disco_pmap *pm, disco_ppn first, uint64_t n, uint64_t *had)
{
    uint64_t count = 0;

    if (first.v >= pm->pages || n > pm->pages - first.v)
        return DISCO_ERR_BAD_ADDRESS;
    while (n) {
        struct many m;

        for (m.n = 0; n && m.n < DISCO_PMAP_MANY; n--, first.v++)
            hold_another(pm, &m, first);
        count += remove(pm, &m);
        let_go(&m);
    }
    if (had)
        *had = count;
    return DISCO_OK;
}

int disco_pmap_drop(struct disco_pmap *pm, disco_ppn ppn)
{
    return disco_pmap_drop_many(pm, ppn, 1, NULL);
}

/*
 * In place if nobody else has the page: a page taken back would have to be revoked, allocated and
 * zeroed all the same. A page that others share is not ours to write: give it back.
 */
int disco_pmap_zero(struct disco_pmap *pm, disco_ppn ppn)
{
    struct many m;
    struct hold *h;

    if (ppn.v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    m.n = 0;
    h = hold_another(pm, &m, ppn);
    if (word_of(h) && meta_reason(h->meta) == DISCO_PMAP_WRITABLE)
        pm->backend->ops->page_zero(pm->backend, page_of(pm, h));
    else
        remove(pm, &m);
    let_go(&m);
    return DISCO_OK;
}
