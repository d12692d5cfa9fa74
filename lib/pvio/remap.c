/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying a page by sharing it (Disco, section 4.2.3: the guest's bcopy), and the map of pages that are dead.
 *
 * Pairs are done in the order in which they are named, as copies would be, but in batches with two revocations each: of
 * what is read, which is lent, and of what is replaced. A pair that reads or replaces what an earlier one of its batch
 * replaces, or replaces what that reads, begins a new batch. What comes before the first pair that cannot be done is
 * done, and what it read is still there.
 */
#include <disco/net.h>

#include "calls_private.h"

struct job {
    struct disco_pmap *pm;
    const struct disco_remap *pair;
    size_t failed; /* the first pair that cannot be done; so far all can: their number */
    int err;       /* why not */
    unsigned node;
    enum disco_pmap_reason reason; /* of the batch */
    size_t n;                      /* in the batch */
    uint8_t which[DISCO_PMAP_MANY];
    struct disco_pmap_place place[DISCO_PMAP_MANY]; /* `from`; once that is lent, `to` */
};
_Static_assert(DISCO_REMAP_MAX <= UINT8_MAX, "a pair's number fits in a byte");

static disco_ppn page_at(uint64_t pa) { return disco_pa_page((disco_pa){pa}); }

static void fail(struct job *j, size_t i, int err)
{
    if (err && i < j->failed) {
        j->failed = i;
        j->err = err;
    }
}

static const struct disco_remap *pair_of(const struct job *j, size_t place)
{
    return &j->pair[j->which[place]];
}

/*
 * `from` pages are lent, and keep their contents until the batch is done.
 * @return how many pairs come before the first that has none.
 */
static size_t lend(struct job *j)
{
    size_t lent = 0;

    disco_pmap_lend_many(j->pm, j->place, j->n, j->node, j->reason);
    for (; lent < j->n && !j->place[lent].err; lent++)
        j->place[lent].ppn = page_at(pair_of(j, lent)->to);
    for (size_t i = lent; i < j->n; i++) {
        fail(j, j->which[i], j->place[i].err);
        if (!j->place[i].err)
            disco_memmap_put(j->pm->mm, j->place[i].mpn);
    }
    return lent;
}

static void flush(struct job *j)
{
    size_t lent = lend(j);

    disco_pmap_share_many(j->pm, j->place, lent, j->reason);
    for (size_t i = 0; i < lent; i++) {
        fail(j, j->which[i], j->place[i].err);
        disco_memmap_put(j->pm->mm, j->place[i].mpn);
    }
    j->n = 0;
}

static int check(const struct disco_pmap *pm, const struct disco_remap *p)
{
    int err;

    if ((p->to | p->from) & DISCO_PAGE_MASK)
        return DISCO_ERR_BAD_ARG;
    err = disco_pmap_check(pm, (disco_pa){p->to}, DISCO_PAGE_SIZE);
    return err ? err : disco_pmap_check(pm, (disco_pa){p->from}, DISCO_PAGE_SIZE);
}

static bool fits(const struct job *j, const struct disco_remap *p, enum disco_pmap_reason reason)
{
    if (j->n == DISCO_PMAP_MANY || reason != j->reason)
        return false;
    for (size_t i = 0; i < j->n; i++) {
        const struct disco_remap *earlier = pair_of(j, i);

        if (earlier->to == p->to || earlier->to == p->from || earlier->from == p->to)
            return false;
    }
    return true;
}

/* A page that is shared already stays shared for the reason it has. */
static enum disco_pmap_reason reason_of(const struct job *j, const struct disco_remap *p)
{
    return disco_pmap_reason(j->pm, page_at(p->from)) == DISCO_PMAP_COW ? DISCO_PMAP_COW
                                                                        : DISCO_PMAP_NET;
}

/* One pair more for the batch. Pages come into being in the order of the pairs, while there is memory. */
static int add(struct job *j, size_t i)
{
    disco_ppn from = page_at(j->pair[i].from);
    int err = disco_pmap_touch(j->pm, from, j->node);

    if (!err) {
        j->place[j->n].ppn = from;
        j->which[j->n++] = (uint8_t)i;
    }
    return err;
}

static int step(struct job *j, size_t i)
{
    const struct disco_remap *p = &j->pair[i];
    enum disco_pmap_reason reason;
    int err = check(j->pm, p);

    if (err || p->to == p->from)
        return err;
    reason = reason_of(j, p);
    if (!fits(j, p, reason))
        flush(j);
    if (j->failed < i)
        return DISCO_OK;
    j->reason = reason;
    return add(j, i);
}

static void count(struct disco_calls_stats *s, size_t done, size_t n)
{
    disco_count_own(&s->remapped, done);
    disco_count_own(&s->remaps_failed, done < n);
}

/* How many pairs were done before the first that failed; its error if none was. */
static int64_t remap(struct disco_remapper *r, const struct disco_remap *pair, size_t n)
{
    struct disco_backend *b = r->pmap->backend;
    struct job j;

    j.pm = r->pmap;
    j.pair = pair;
    j.failed = n;
    j.err = DISCO_OK;
    j.node = b->node_of_cpu[b->ops->cpu(b)];
    j.reason = DISCO_PMAP_NET;
    j.n = 0;
    for (size_t i = 0; i < j.failed; i++)
        fail(&j, i, step(&j, i));
    flush(&j);
    count(calls_here(r->calls), j.failed, n);
    return j.failed ? (int64_t)j.failed : j.err;
}

static int64_t remap_one(void *dev, void *caller, const union disco_arg *a)
{
    const struct disco_remap pair = {a[0].value, a[1].value};
    int64_t done = remap(dev, &pair, 1);

    (void)caller;
    return done < 0 ? done : DISCO_OK;
}

/* The pairs are read once: what the guest writes there meanwhile, or remaps, changes nothing. */
static int64_t remap_many(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_remap pair[DISCO_REMAP_MAX];
    const struct disco_buf *b = &a[0].buf;
    int err;

    (void)caller;
    if (b->len % sizeof pair[0])
        return DISCO_ERR_BAD_ARG;
    err = disco_buf_read(b, 0, pair, b->len);
    return err ? err : remap(dev, pair, b->len / sizeof pair[0]);
}

static int64_t dead_pages(void *dev, void *caller, const union disco_arg *a)
{
    const struct disco_buf *b = &a[0].buf;

    (void)dev;
    (void)caller;
    return disco_pmap_set_dead(b->pmap, b->pa, b->len, b->node);
}

int disco_remap_calls(struct disco_remapper *r, struct disco_calls *t)
{
    const struct disco_call call[] = {
        {DISCO_CALL_REMAP,
         "remap",
         remap_one,
         r,
         {{DISCO_ARG_VALUE, 0, UINT64_MAX}, {DISCO_ARG_VALUE, 0, UINT64_MAX}}},
        {DISCO_CALL_REMAP_MANY,
         "remap_many",
         remap_many,
         r,
         {{DISCO_ARG_BUF_IN, 0, DISCO_REMAP_MAX * sizeof(struct disco_remap)}}},
        {DISCO_CALL_DEAD_PAGES, "dead_pages", dead_pages, r, {{DISCO_ARG_BUF_OUT, 0, UINT64_MAX}}},
    };

    if (!r || !r->pmap)
        return DISCO_ERR_BAD_ARG;
    r->calls = t;
    return disco_calls_add_all(t, call, sizeof call / sizeof call[0]);
}
