/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving pages between nodes (Disco, section 4.2.1). The guest cannot see it: its physical page stays what it was, and
 * only the machine page behind it changes. No move falls back on a third node, for there a page is no gain.
 *
 * In tests/model/numa_move.pml and replica.pml: v1 pages are taken before anything is locked, so that entries are not
 * held for longer than they must be; v2 all entries are held, in ascending order, and what there is to do for each is
 * seen; v3 revoked together; v4 copied, which must be of a page that nobody writes; v5 the old page is given up, or the
 * copy found by who looks for one; v6 the new word; then the entries are let go, v7 the other users of a page look
 * anew (others.c), and v8 replicas that are gone for all of them are free.
 */
#include "pmap_private.h"

/* A batch while it is done. */
struct batch {
    struct disco_pmap *pm;
    struct disco_pmap_move *m;
    /* By move: the page taken for it, and not used yet; or NO_PAGE */
    disco_mpn fresh[DISCO_PMAP_MANY];
    disco_mpn gone[DISCO_PMAP_MANY]; /* by move: replicas that it detached; or NO_PAGE */
};

/* What a move takes: nothing, for there is nothing to do; a revocation; a page too. */
enum need { NOTHING, PURGE, PAGE };

/* --- what there is to do --- */

static int judge_migration(const struct disco_pmap *pm, const struct hold *h, unsigned node,
                           enum need *need)
{
    disco_mpn mpn = page_of(pm, h);

    if (disco_memmap_node(pm->mm, mpn) == node)
        return DISCO_OK;
    *need = PAGE;
    return disco_memmap_refs(pm->mm, mpn) == 1 ? DISCO_OK : DISCO_ERR_BUSY;
}

static int judge_replication(const struct disco_pmap *pm, const struct hold *h, unsigned node,
                             enum need *need)
{
    disco_mpn near = disco_memmap_nearest(pm->mm, page_of(pm, h), node);

    if (disco_dead_is_map(pm, h))
        return DISCO_ERR_BUSY;
    *need = disco_memmap_node(pm->mm, near) == node ? NOTHING : PAGE;
    return DISCO_OK;
}

/* Exact if the entry is held, else a guess. */
static int judge(const struct disco_pmap *pm, const struct hold *h, const struct disco_pmap_move *m,
                 enum need *need)
{
    *need = NOTHING;
    if (!word_of(h))
        return DISCO_ERR_NOT_FOUND;
    switch (m->kind) {
    case DISCO_PMAP_MIGRATE: return judge_migration(pm, h, m->node, need);
    case DISCO_PMAP_REPLICATE: return judge_replication(pm, h, m->node, need);
    case DISCO_PMAP_COLLAPSE:
        *need = disco_memmap_replicated(pm->mm, page_of(pm, h)) ? PURGE : NOTHING;
        return DISCO_OK;
    case DISCO_PMAP_REMAP: *need = PURGE; return DISCO_OK;
    }
    return DISCO_ERR_BAD_ARG;
}

/* --- pages and entries --- */

static int take_page(struct batch *b, size_t i)
{
    return disco_entry_page_on(b->pm, b->m[i].node, &b->fresh[i]);
}

/* v1. That there is no memory counts only if it turns out that the move needs some. */
static int prepare(struct batch *b, size_t i, bool again)
{
    const struct disco_pmap_move *m = &b->m[i];
    struct hold peek;
    enum need need;

    b->fresh[i].v = b->gone[i].v = NO_PAGE;
    if (again || (unsigned)m->kind > DISCO_PMAP_REMAP)
        return DISCO_ERR_BAD_ARG;
    if (m->ppn.v >= b->pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    peek = (struct hold){.e = &b->pm->entry[m->ppn.v], .ppn = m->ppn};
    return !judge(b->pm, &peek, m, &need) && need == PAGE ? take_page(b, i) : DISCO_OK;
}

/* The page of a move that needs one: from v1, or from now if it was not seen then that it would. */
static int fresh_page(struct batch *b, size_t i)
{
    struct disco_pmap_move *m = &b->m[i];
    int err = m->err;

    if (!err && b->fresh[i].v == NO_PAGE)
        err = take_page(b, i);
    if (!err && m->kind == DISCO_PMAP_MIGRATE)
        err = disco_memmap_adopt(b->pm->mm, b->fresh[i], user_of(b->pm, m->ppn));
    return err;
}

/* A page that stays and that nobody may write to: who is not on the node of its copy may go on with what it has. */
static bool nobody_writes(const struct hold *h, const struct disco_pmap_move *m)
{
    return m->kind == DISCO_PMAP_REMAP ||
           (m->kind == DISCO_PMAP_REPLICATE && meta_reason(h->meta) != DISCO_PMAP_WRITABLE);
}

/* v2. The entry stays held only if there is something to do. */
static int begin(struct batch *b, struct many *held, size_t i)
{
    struct hold *h = disco_many_hold(b->pm, held, b->m[i].ppn, i);
    enum need need;
    int err = judge(b->pm, h, &b->m[i], &need);

    if (!err && need == PAGE)
        err = fresh_page(b, i);
    if (err || need == NOTHING)
        disco_many_let_last_go(held);
    else if (nobody_writes(h, &b->m[i]))
        h->vcpus = disco_entry_vcpus_on(b->pm, b->m[i].node);
    return err;
}

/* --- the moves; entry k of the held ones was revoked --- */

static void migrate(struct batch *b, struct many *held, size_t k)
{
    struct disco_pmap *pm = b->pm;
    disco_mpn *fresh = &b->fresh[held->of[k]];

    pm->backend->ops->page_copy(pm->backend, *fresh, held->old[k]);           /* v4 */
    disco_memmap_del_user(pm->mm, held->old[k], user_of(pm, held->h[k].ppn)); /* v5 */
    held->old[k] = *fresh;
    held->was[k] = DISCO_PMAP_WRITABLE;
    fresh->v = NO_PAGE;
    disco_count_own(&stats_here(pm)->migrations, 1);
}

/* A copy that is near to this processor is as good as the page. */
static disco_mpn nearest_here(const struct disco_pmap *pm, disco_mpn master)
{
    struct disco_backend *b = pm->backend;

    return disco_memmap_nearest(pm->mm, master, b->node_of_cpu[b->ops->cpu(b)]);
}

/* Another user may have been faster: then the copy goes back, and theirs is as good. */
static int replicate(struct batch *b, struct many *held, size_t k)
{
    struct disco_pmap *pm = b->pm;
    disco_mpn *fresh = &b->fresh[held->of[k]], from = nearest_here(pm, held->old[k]);
    int err;

    pm->backend->ops->page_copy(pm->backend, *fresh, from);       /* v4 */
    err = disco_memmap_add_replica(pm->mm, held->old[k], *fresh); /* v5 */
    if (err)
        return err == DISCO_ERR_BUSY ? DISCO_OK : err;
    if (held->was[k] == DISCO_PMAP_WRITABLE)
        held->was[k] = DISCO_PMAP_REPLICA;
    fresh->v = NO_PAGE;
    disco_count_own(&stats_here(pm)->replications, 1);
    return DISCO_OK;
}

/* Detached, not free: other users may have translations to them still. */
static void collapse(struct batch *b, struct many *held, size_t k)
{
    if (disco_memmap_detach_replicas(b->pm->mm, held->old[k], &b->gone[held->of[k]]))
        return;
    if (held->was[k] == DISCO_PMAP_REPLICA)
        held->was[k] = DISCO_PMAP_WRITABLE;
    disco_count_own(&stats_here(b->pm)->collapses, 1);
}

static void perform(struct batch *b, struct many *held, size_t k)
{
    struct disco_pmap_move *m = &b->m[held->of[k]];

    if (m->kind == DISCO_PMAP_MIGRATE)
        migrate(b, held, k);
    else if (m->kind == DISCO_PMAP_REPLICATE)
        m->err = replicate(b, held, k);
    else if (m->kind == DISCO_PMAP_COLLAPSE)
        collapse(b, held, k);
    disco_many_put_back(b->pm, held, k); /* v6 */
}

/* Only a page that is shared has users besides this one, and only copies that come or go are their business. */
static void note_others(const struct batch *b, const struct many *held, struct others *o)
{
    o->pm = b->pm;
    o->pages = o->done = 0;
    for (size_t k = 0; k < held->n; k++) {
        const struct disco_pmap_move *m = &b->m[held->of[k]];
        enum disco_pmap_move_kind kind = m->kind;
        bool shared = held->was[k] == DISCO_PMAP_COW || held->was[k] == DISCO_PMAP_NET;

        o->vcpus[o->done] = held->h[k].vcpus;
        o->ppn[o->done++] = held->h[k].ppn;
        if (!shared || (kind != DISCO_PMAP_REPLICATE && kind != DISCO_PMAP_COLLAPSE))
            continue;
        o->node[o->pages] = kind == DISCO_PMAP_REPLICATE ? m->node : DISCO_MAX_NODES;
        o->page[o->pages++] = held->old[k];
    }
}

/* Its entries are off the stack while others are asked. */
__attribute__((noinline)) static void move(struct batch *b, const uint8_t *order, size_t n,
                                           struct others *o)
{
    struct many held;

    held.n = 0;
    for (size_t i = 0; i < n; i++) {
        struct disco_pmap_move *m = &b->m[order[i]];

        if (m->err != DISCO_ERR_BAD_ARG && m->err != DISCO_ERR_BAD_ADDRESS)
            m->err = begin(b, &held, order[i]);
    }
    disco_many_revoke(b->pm, &held); /* v3 */
    for (size_t k = 0; k < held.n; k++)
        perform(b, &held, k);
    note_others(b, &held, o);
    disco_many_let_go(&held);
}

/* v8, and pages that were not used after all. */
static void finish(struct batch *b, size_t i)
{
    if (b->gone[i].v != NO_PAGE)
        disco_memmap_free_replicas(b->pm->mm, b->gone[i]);
    if (b->fresh[i].v != NO_PAGE)
        disco_memmap_put(b->pm->mm, b->fresh[i]);
}

static void move_all(struct disco_pmap *pm, struct disco_pmap_move *m, size_t n)
{
    struct batch b = {.pm = pm, .m = m};
    uint8_t order[DISCO_PMAP_MANY];
    struct others o;

    disco_many_order(&m->ppn, sizeof *m, n, order);
    for (size_t i = 0; i < n; i++) {
        bool again = i && m[order[i - 1]].ppn.v == m[order[i]].ppn.v;

        m[order[i]].err = prepare(&b, order[i], again);
    }
    move(&b, order, n, &o);
    disco_others_look_anew(&o); /* v7 */
    for (size_t i = 0; i < n; i++)
        finish(&b, i);
}

void disco_pmap_move_many(struct disco_pmap *pm, struct disco_pmap_move *m, size_t n)
{
    if (n && n <= DISCO_PMAP_MANY) {
        move_all(pm, m, n);
        return;
    }
    for (size_t i = 0; i < n; i++)
        m[i].err = DISCO_ERR_BAD_ARG;
}

static int move_one(struct disco_pmap *pm, disco_ppn ppn, unsigned node,
                    enum disco_pmap_move_kind kind)
{
    struct disco_pmap_move m = {ppn, node, kind, DISCO_OK};

    move_all(pm, &m, 1);
    return m.err;
}

int disco_pmap_migrate(struct disco_pmap *pm, disco_ppn ppn, unsigned node)
{
    return move_one(pm, ppn, node, DISCO_PMAP_MIGRATE);
}

int disco_pmap_replicate(struct disco_pmap *pm, disco_ppn ppn, unsigned node)
{
    return move_one(pm, ppn, node, DISCO_PMAP_REPLICATE);
}
