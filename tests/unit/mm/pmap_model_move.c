/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The model of moves: what there is to do for each is seen before any is done, then all are done in the order of their
 * PPNs. Where a copy really is comes out at the end, for a later move of the batch may have collapsed it.
 */
#include "pmap_model_move.h"

#include "pmap_world.h"

#include <string.h>

#define TO_BE_LEARNED 1 /* in the place of a replica's MPN; all MPNs are higher */

enum { MOST = PPNS + 2 }; /* moves of a batch, some of them named twice or nowhere */

struct plan {
    struct disco_pmap_move m;
    int want;
    bool acts;
    /* Who loses translations: all, or those on the node of a copy of what nobody may write */
    uint64_t vcpus;
};

struct batch {
    unsigned vm, n;
    struct plan p[MOST];
    unsigned taken[NODES]; /* pages that it needs */
    struct object *looked_at[MOST];
    uint64_t looks[MOST]; /* virtual CPUs */
    unsigned objects;     /* of which copies came or went for several users */
};

static bool has_replicas(const struct object *o)
{
    bool any = false;

    for (unsigned k = 0; k < NODES; k++)
        any |= o->replica[k] != 0;
    return any;
}

/* --- what is to be expected --- */

static int wants_page(struct batch *b, struct plan *p)
{
    if (b->taken[p->m.node] == free_on(p->m.node))
        return DISCO_ERR_NO_MEMORY;
    b->taken[p->m.node]++;
    p->acts = true;
    return 0;
}

static int model_one(struct batch *b, struct plan *p)
{
    const struct object *o = w.page[b->vm][p->m.ppn.v].o;
    unsigned node = p->m.node;

    if (!o)
        return DISCO_ERR_NOT_FOUND;
    switch (p->m.kind) {
    case DISCO_PMAP_MIGRATE:
        return o->node == node ? 0 : !sole(o) ? DISCO_ERR_BUSY : wants_page(b, p);
    case DISCO_PMAP_REPLICATE:
        return is_map(o)                             ? DISCO_ERR_BUSY
               : o->node == node || o->replica[node] ? 0
                                                     : wants_page(b, p);
    case DISCO_PMAP_COLLAPSE: p->acts = has_replicas(o); return 0;
    case DISCO_PMAP_REMAP: p->acts = true; return 0;
    }
    return DISCO_ERR_BAD_ARG;
}

static void expect(struct batch *b)
{
    for (uint64_t ppn = 0; ppn <= PPNS; ppn++) {
        bool again = false;

        for (unsigned i = 0; i < b->n; i++) {
            struct plan *p = &b->p[i];

            if (p->m.ppn.v != ppn)
                continue;
            p->want = again || (unsigned)p->m.kind > DISCO_PMAP_REMAP ? DISCO_ERR_BAD_ARG
                      : ppn == PPNS                                   ? DISCO_ERR_BAD_ADDRESS
                                                                      : model_one(b, p);
            again = true;
        }
    }
}

static const struct plan *acts_on(const struct batch *b, unsigned vm, uint64_t ppn)
{
    for (unsigned i = 0; i < b->n; i++) {
        if (vm == b->vm && b->p[i].acts && b->p[i].m.ppn.v == ppn)
            return &b->p[i];
    }
    return NULL;
}

static bool is_looked_at(const struct batch *b, const struct object *o, uint64_t *vcpus)
{
    bool any = false;

    *vcpus = 0;
    for (unsigned i = 0; o && i < b->objects; i++) {
        if (b->looked_at[i] != o)
            continue;
        *vcpus |= b->looks[i];
        any = true;
    }
    return any;
}

/* Which VMs have others look anew? */
static unsigned other_purges(const struct batch *b)
{
    unsigned sum = 0;

    for (unsigned v = 0; v < VMS; v++) {
        bool any = false;

        for (uint64_t ppn = 0; ppn < PPNS; ppn++) {
            const struct plan *p = acts_on(b, v, ppn);
            uint64_t vcpus;

            any |= is_looked_at(b, w.page[v][ppn].o, &vcpus) && vcpus & ~(p ? p->vcpus : 0);
        }
        sum += any;
    }
    return sum;
}

static uint64_t losers(const struct plan *p, const struct page *page)
{
    bool stays = p->m.kind == DISCO_PMAP_REMAP ||
                 (p->m.kind == DISCO_PMAP_REPLICATE && page->reason != DISCO_PMAP_WRITABLE);

    return stays ? vcpus_on(NULL, p->m.node) : DISCO_ALL_VCPUS;
}

static unsigned expected_purges(struct batch *b)
{
    bool any = false;

    for (unsigned i = 0; i < b->n; i++) {
        struct plan *p = &b->p[i];
        const struct page *page = &w.page[b->vm][p->m.ppn.v % PPNS];

        any |= p->acts;
        p->vcpus = losers(p, page);
        if (p->acts && (p->m.kind == DISCO_PMAP_REPLICATE || p->m.kind == DISCO_PMAP_COLLAPSE) &&
            (page->reason == DISCO_PMAP_COW || page->reason == DISCO_PMAP_NET)) {
            b->looks[b->objects] = p->vcpus;
            b->looked_at[b->objects++] = page->o;
        }
    }
    return any + other_purges(b);
}

/* --- what has become of it --- */

static void model_migrate(unsigned vm, uint64_t ppn, unsigned node)
{
    struct page *p = &w.page[vm][ppn];
    struct object *o = fresh(p->o->data, node);

    release(p);
    use(p, o, DISCO_PMAP_WRITABLE);
    learn(vm, ppn);
    w.moved[vm].migrations++;
}

static void model_replicate(unsigned vm, struct page *p, unsigned node)
{
    if (p->o->replica[node])
        return;
    p->o->replica[node] = TO_BE_LEARNED;
    if (p->reason == DISCO_PMAP_WRITABLE)
        p->reason = DISCO_PMAP_REPLICA;
    w.moved[vm].replications++;
}

static void model_collapse(unsigned vm, struct page *p)
{
    if (!has_replicas(p->o))
        return;
    memset(p->o->replica, 0, sizeof p->o->replica);
    if (p->reason == DISCO_PMAP_REPLICA)
        p->reason = DISCO_PMAP_WRITABLE;
    w.moved[vm].collapses++;
}

static void done(unsigned vm, const struct plan *p)
{
    struct page *page = &w.page[vm][p->m.ppn.v % PPNS];

    if (!p->acts)
        return;
    if (p->m.kind == DISCO_PMAP_MIGRATE)
        model_migrate(vm, p->m.ppn.v, p->m.node);
    else if (p->m.kind == DISCO_PMAP_REPLICATE)
        model_replicate(vm, page, p->m.node);
    else if (p->m.kind == DISCO_PMAP_COLLAPSE)
        model_collapse(vm, page);
}

/* Who should not has no translation any more of the pages that were moved, nor of those whose copies came or went. */
static void check_half_gone(const struct batch *b, const struct translation *t, unsigned h)
{
    const struct plan *p = acts_on(b, t->vm, t->ppn[h].v);
    uint64_t vcpus;

    (void)is_looked_at(b, w.page[t->vm][t->ppn[h].v].o, &vcpus);
    CHECK(!((vcpus | (p ? p->vcpus : 0)) >> t->vcpu & 1));
}

static void check_translations(const struct batch *b)
{
    for (unsigned i = 0; i < TLB; i++) {
        const struct translation *t = &w.tlb[i];

        for (unsigned h = 0; t->used && h < 2; h++) {
            if (t->e[h])
                check_half_gone(b, t, h);
        }
    }
}

static void learn_replicas(struct object *o)
{
    for (unsigned k = 0; k < NODES; k++) {
        if (!alive(o) || o->replica[k] != TO_BE_LEARNED)
            continue;
        o->replica[k] = disco_memmap_nearest(w.mm, (disco_mpn){o->mpn}, k).v;
        CHECK(o->replica[k] != o->mpn);
        CHECK(disco_memmap_node(w.mm, (disco_mpn){o->replica[k]}) == k);
    }
}

static void follow(struct batch *b)
{
    check_translations(b);
    for (uint64_t ppn = 0; ppn < PPNS; ppn++) {
        for (unsigned i = 0; i < b->n; i++) {
            if (b->p[i].m.ppn.v == ppn)
                done(b->vm, &b->p[i]);
        }
    }
    for (unsigned i = 0; i < OBJECTS; i++)
        learn_replicas(&w.object[i]);
}

/* --- steps --- */

static struct disco_pmap_move any_move(void)
{
    return (struct disco_pmap_move){{byte(PPNS + 1)}, byte(NODES), byte(DISCO_PMAP_REMAP + 1), 1};
}

static void move(unsigned vm, const struct disco_pmap_move *m, unsigned n)
{
    struct disco_pmap_move real[MOST];
    struct batch b = {.vm = vm, .n = n};
    unsigned purges;

    for (unsigned i = 0; i < n; i++)
        b.p[i].m = real[i] = m[i];
    expect(&b);
    purges = expected_purges(&b);
    disco_pmap_move_many(&w.pm[vm], real, n);
    CHECK(w.purges == purges);
    for (unsigned i = 0; i < n; i++)
        CHECK(real[i].err == b.p[i].want);
    follow(&b);
}

void move_many(void)
{
    unsigned vm = byte(VMS), n = byte(MOST + 1);
    struct disco_pmap_move m[MOST];

    for (unsigned i = 0; i < n; i++)
        m[i] = any_move();
    move(vm, m, n);
}

void move_one(void)
{
    unsigned vm = byte(VMS);
    struct disco_pmap_move m = any_move();

    move(vm, &m, 1);
}

/* The calls for one page. */
static void call(enum disco_pmap_move_kind kind,
                 int (*fn)(struct disco_pmap *, disco_ppn, unsigned))
{
    struct batch b = {.vm = byte(VMS), .n = 1};
    struct plan *p = &b.p[0];
    unsigned purges;

    p->m = (struct disco_pmap_move){.node = byte(NODES), .ppn = {byte(PPNS + 1)}, .kind = kind};
    expect(&b);
    purges = expected_purges(&b);
    CHECK(fn(&w.pm[b.vm], p->m.ppn, p->m.node) == p->want);
    CHECK(w.purges == purges);
    follow(&b);
}

void migrate(void) { call(DISCO_PMAP_MIGRATE, disco_pmap_migrate); }

void replicate(void) { call(DISCO_PMAP_REPLICATE, disco_pmap_replicate); }
