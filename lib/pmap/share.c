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

static bool shares(enum disco_pmap_reason r) { return r == DISCO_PMAP_COW || r == DISCO_PMAP_NET; }

/* Revoke the pages and end our use of them, which frees those that nobody else has. @return how many there were. */
static size_t remove(struct disco_pmap *pm, struct many *m)
{
    size_t had = 0;

    disco_many_revoke(pm, m);
    for (size_t i = 0; i < m->n; i++) {
        if (m->old[i].v == NO_PAGE)
            continue;
        disco_memmap_del_user(pm->mm, m->old[i], user_of(pm, m->h[i].ppn));
        had++;
    }
    return had;
}

/* What becomes of every place. */
struct want {
    /* Begin with one place, whose entry was held last of all; it stays held if the place has more to come. */
    int (*begin)(struct disco_pmap *pm, struct many *m, struct disco_pmap_place *p,
                 const struct want *want);
    /* Begin with a place of the PPN that @p before, which was begun with, has too. */
    int (*again)(struct disco_pmap *pm, struct disco_pmap_place *p,
                 const struct disco_pmap_place *before);
    unsigned node;
    enum disco_pmap_reason reason;
};

/* Hold the places' entries, each once. */
static void begin_all(struct disco_pmap *pm, struct many *m, struct disco_pmap_place *p, size_t n,
                      const struct want *want)
{
    uint8_t order[DISCO_PMAP_MANY];

    m->n = 0;
    disco_many_order(&p->ppn, sizeof *p, n, order);
    for (size_t i = 0; i < n; i++) {
        struct disco_pmap_place *now = &p[order[i]];

        if (i && p[order[i - 1]].ppn.v == now->ppn.v) {
            now->err = want->again(pm, now, &p[order[i - 1]]);
        } else if (now->ppn.v >= pm->pages) {
            now->err = DISCO_ERR_BAD_ADDRESS;
        } else {
            disco_many_hold(pm, m, now->ppn, order[i]);
            now->err = want->begin(pm, m, now, want);
        }
    }
}

/* Whether there is anything to do; else each place knows why not. */
static bool some_allowed(struct disco_pmap_place *p, size_t n, enum disco_pmap_reason reason)
{
    if (shares(reason) && n && n <= DISCO_PMAP_MANY)
        return true;
    for (size_t i = 0; i < n; i++)
        p[i].err = DISCO_ERR_BAD_ARG;
    return false;
}

/* A page that is shared has contents that matter. */
static void publish(struct disco_pmap *pm, struct hold *h, disco_mpn mpn,
                    enum disco_pmap_reason reason)
{
    disco_dead_clear(pm, h->ppn);
    disco_entry_publish(pm, h, mpn, reason);
}

/* Revoked or removed: each place leads to its page from now on. */
static void publish_all(struct disco_pmap *pm, struct many *m, const struct disco_pmap_place *p,
                        enum disco_pmap_reason reason)
{
    for (size_t i = 0; i < m->n; i++)
        publish(pm, &m->h[i], p[m->of[i]].mpn, reason);
    disco_many_let_go(m);
}

/* May @p p be shared? Then its page is counted as a use. */
static int begin_share(struct disco_pmap *pm, struct many *m, struct disco_pmap_place *p,
                       const struct want *want)
{
    int err;

    (void)want; /* the reason is for publish_all() */
    p->mpn = disco_memmap_master(pm->mm, p->mpn);
    err = disco_memmap_add_user(pm->mm, p->mpn, user_of(pm, p->ppn));
    if (err)
        disco_many_let_last_go(m);
    return err;
}

/* Two pages cannot be at one place. */
static int share_again(struct disco_pmap *pm, struct disco_pmap_place *p,
                       const struct disco_pmap_place *before)
{
    (void)pm, (void)p, (void)before;
    return DISCO_ERR_BAD_ARG;
}

void disco_pmap_share_many(struct disco_pmap *pm, struct disco_pmap_place *p, size_t n,
                           enum disco_pmap_reason reason)
{
    const struct want want = {begin_share, share_again, 0, reason};
    struct many m;

    if (!some_allowed(p, n, reason))
        return;
    begin_all(pm, &m, p, n, &want);
    remove(pm, &m);
    publish_all(pm, &m, p, reason);
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

static int lend(struct disco_pmap *pm, struct hold *h, const struct want *want, disco_mpn *out)
{
    int err = disco_entry_touch(pm, h, want->node);

    if (err)
        return err;
    if (disco_dead_is_map(pm, h))
        return lend_copy(pm, h, want->node, out);
    *out = page_of(pm, h);
    return disco_memmap_get(pm->mm, *out);
}

/*
 * A page that was read-only before has no writable translation: nothing to revoke, the reason is all that changes. Its
 * word is stored anew, though, without a mark; so a superpage is demoted first (super.c), and translations of it stay.
 */
static int begin_lend(struct disco_pmap *pm, struct many *m, struct disco_pmap_place *p,
                      const struct want *want)
{
    struct hold *h = &m->h[m->n - 1];
    int err = lend(pm, h, want, &p->mpn);
    bool itself = !err && page_of(pm, h).v == p->mpn.v;
    bool revoke = itself && meta_reason(h->meta) == DISCO_PMAP_WRITABLE;

    if (itself && !revoke) {
        disco_super_demote(pm, h->ppn);
        publish(pm, h, p->mpn, want->reason);
    }
    if (!revoke)
        disco_many_let_last_go(m);
    return err;
}

static int lend_again(struct disco_pmap *pm, struct disco_pmap_place *p,
                      const struct disco_pmap_place *before)
{
    p->mpn = before->mpn;
    return before->err ? before->err : disco_memmap_get(pm->mm, p->mpn);
}

void disco_pmap_lend_many(struct disco_pmap *pm, struct disco_pmap_place *p, size_t n,
                          unsigned node, enum disco_pmap_reason reason)
{
    const struct want want = {begin_lend, lend_again, node, reason};
    struct many m;

    if (!some_allowed(p, n, reason))
        return;
    begin_all(pm, &m, p, n, &want);
    disco_many_revoke(pm, &m);
    publish_all(pm, &m, p, reason);
}

int disco_pmap_lend(struct disco_pmap *pm, disco_ppn ppn, unsigned node,
                    enum disco_pmap_reason reason, disco_mpn *out)
{
    struct disco_pmap_place p = {ppn, {0}, DISCO_OK};

    disco_pmap_lend_many(pm, &p, 1, node, reason);
    if (!p.err)
        *out = p.mpn;
    return p.err;
}

int disco_pmap_drop_many(struct disco_pmap *pm, disco_ppn first, uint64_t n, uint64_t *had)
{
    uint64_t count = 0;

    if (first.v >= pm->pages || n > pm->pages - first.v)
        return DISCO_ERR_BAD_ADDRESS;
    while (n) {
        struct many m;

        for (m.n = 0; n && m.n < DISCO_PMAP_MANY; n--, first.v++)
            disco_many_hold(pm, &m, first, m.n);
        count += remove(pm, &m);
        disco_many_let_go(&m);
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
    h = disco_many_hold(pm, &m, ppn, 0);
    if (word_of(h) && meta_reason(h->meta) == DISCO_PMAP_WRITABLE)
        pm->backend->ops->page_zero(pm->backend, page_of(pm, h));
    else
        remove(pm, &m);
    disco_many_let_go(&m);
    return DISCO_OK;
}
