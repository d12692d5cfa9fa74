/* SPDX-License-Identifier: BSD-2-Clause */
/* What a record must lead to, found in a simple way: by going through all pages of all virtual machines. */
#include "model.h"

#include <string.h>

#define EACH_PAGE(v, p)                                                                            \
    for (unsigned v = 0; v < VMS; v++)                                                             \
        for (unsigned p = 0; p < PPNS; p++)

/* Where everything lies. */
struct map {
    uint64_t mpn[VMS][PPNS][NODES];
};

static void draw(struct map *map)
{
    EACH_PAGE(v, p)
    {
        for (unsigned n = 0; n < NODES; n++)
            map->mpn[v][p][n] = seen(v, p, n);
    }
}

static unsigned node_of(uint64_t mpn) { return disco_memmap_node(mm, (disco_mpn){mpn}); }

/* The page itself is what every node sees that has no copy, its own node among them. */
static bool uses(const struct map *map, unsigned v, unsigned p, uint64_t master)
{
    return map->mpn[v][p][node_of(master)] == master;
}

struct found {
    uint64_t master;
    unsigned users, attached, v, p; /* v, p: one of the users; of several, the last */
    struct known *known;
};

static void find_users(struct model *md, const struct map *map, struct found *f)
{
    EACH_PAGE(v, p)
    {
        if (!uses(map, v, p, f->master))
            continue;
        f->users++;
        f->attached += md->attached[v];
        f->v = v, f->p = p;
    }
}

static enum disco_numa_page kind_of(uint64_t mpn, const struct found *f)
{
    if (mpn < FIRST || mpn >= FIRST + NODES * EACH)
        return DISCO_NUMA_PAGE_FOREIGN;
    if (!f->users && !disco_memmap_refs(mm, (disco_mpn){mpn}))
        return DISCO_NUMA_PAGE_FREE;
    if (!f->users)
        return DISCO_NUMA_PAGE_MONITOR;
    return f->attached ? DISCO_NUMA_PAGE_GUEST : DISCO_NUMA_PAGE_NO_USER;
}

static void node_state(struct disco_numa_view *v)
{
    struct disco_memmap_node_stats s;

    MUST(!disco_memmap_node_stats(mm, v->node, &s));
    v->full = s.free == 0;
    v->low = s.free < s.low_water;
}

static void copies(const struct map *map, const struct found *f, struct disco_numa_view *v)
{
    for (unsigned n = 0; n < NODES; n++)
        v->replicated |= map->mpn[f->v][f->p][n] != f->master;
    v->copy_here = node_of(map->mpn[f->v][f->p][v->node]) == v->node;
}

static void counts(const struct disco_numa_params *p, const struct disco_numa_hot *h,
                   const struct found *f, struct disco_numa_view *v)
{
    const struct known *k = f->known;

    v->misses = h->misses;
    v->others = h->others;
    if (k->copied && h->others <= p->copy && h->sharers == UINT64_C(1) << k->copier)
        v->others = 0;
    if (h->mpn.v == f->master)
        v->writes = h->writes > k->base ? h->writes - k->base : 0;
    v->moves = k->migrations;
    v->collapsed = k->replicated && !v->replicated;
}

static struct disco_numa_view view_of(struct model *md, const struct disco_numa_params *p,
                                      const struct disco_numa_hot *h, const struct map *map,
                                      struct found *f)
{
    struct disco_numa_view v = {.node = h->node};
    enum disco_pmap_reason r;

    *f = (struct found){.master = disco_memmap_master(mm, h->mpn).v};
    find_users(md, map, f);
    v.page = kind_of(h->mpn.v, f);
    v.spent = (uint32_t)md->acts;
    if (v.page != DISCO_NUMA_PAGE_GUEST)
        return v;
    r = disco_pmap_reason(&pm[f->v], ppn(f->p));
    v.read_only = r == DISCO_PMAP_COW || r == DISCO_PMAP_NET;
    v.sole = f->users == 1 && disco_memmap_refs(mm, (disco_mpn){f->master}) == 1;
    f->known = v.sole ? &md->of_user[f->v][f->p] : &md->of_page[f->master - FIRST];
    v.at = node_of(h->mpn.v);
    node_state(&v);
    copies(map, f, &v);
    counts(p, h, f, &v);
    return v;
}

/* What must have become of the page that node @p n saw as @p was. */
static void check_place(const struct found *f, enum disco_numa_action a, unsigned node, unsigned n,
                        uint64_t was, uint64_t is)
{
    if (a == DISCO_NUMA_DO_MIGRATE)
        MUST(is != f->master && node_of(is) == node);
    else if (a == DISCO_NUMA_DO_REPLICATE && n == node)
        MUST(is != f->master && node_of(is) == node &&
             disco_memmap_master(mm, (disco_mpn){is}).v == f->master);
    else if (a == DISCO_NUMA_DO_COLLAPSE)
        MUST(is == f->master);
    else
        MUST(is == was);
}

static void check_places(const struct map *before, const struct found *f, enum disco_numa_action a,
                         unsigned node)
{
    struct map after;

    draw(&after);
    EACH_PAGE(v, p)
    {
        bool its = f->users && uses(before, v, p, f->master);

        for (unsigned n = 0; n < NODES; n++)
            check_place(f, its ? a : DISCO_NUMA_LEAVE, node, n, before->mpn[v][p][n],
                        after.mpn[v][p][n]);
    }
}

static void learn(const struct found *f, const struct disco_numa_params *p,
                  const struct disco_numa_view *v, enum disco_numa_action a)
{
    struct known *k = f->known;

    if (a == DISCO_NUMA_DO_MIGRATE)
        *k = (struct known){k->migrations + 1, p->copy, false, true, running};
    if (a == DISCO_NUMA_DO_REPLICATE) {
        if (!k->replicated)
            k->base += v->writes;
        k->replicated = k->copied = true;
        k->copier = running;
    }
    if (a == DISCO_NUMA_DO_COLLAPSE)
        k->replicated = false;
}

uint64_t acts(void)
{
    struct disco_numa_stats s = stats();

    return s.decided[DISCO_NUMA_ONE_NODE] + s.decided[DISCO_NUMA_READ_SHARED] +
           s.decided[DISCO_NUMA_WRITTEN] + s.decided[DISCO_NUMA_FAR_COPY];
}

static uint64_t failures(void)
{
    const struct disco_numa_stats s = stats();

    return s.failed[DISCO_NUMA_DO_MIGRATE] + s.failed[DISCO_NUMA_DO_REPLICATE] +
           s.failed[DISCO_NUMA_DO_COLLAPSE] + s.failed[DISCO_NUMA_DO_REMAP];
}

void oracle_hot(struct model *md, const struct disco_numa_hot *h)
{
    struct disco_numa_decision d;
    struct disco_numa_params p;
    struct disco_numa_view v;
    struct found f;
    struct map map;
    uint64_t was, failed = failures();

    draw(&map);
    disco_numa_get(numa, &p);
    md->acts = acts() - md->acts_before;
    v = view_of(md, &p, h, &map, &f);
    d = disco_numa_decide(&p, &v);
    was = decided(d.reason);
    MUST(!disco_numa_hot(numa, h));
    MUST(disco_numa_work(numa, 1) == 1);
    if (md->lost)
        return;
    MUST(decided(d.reason) == was + 1);
    MUST(failures() == failed);
    check_places(&map, &f, d.action, h->node);
    if (d.action != DISCO_NUMA_LEAVE)
        learn(&f, &p, &v, d.action);
    md->foretold[d.reason]++;
    md->lost = stats().evicted != md->evicted_before;
}

void oracle_forget(struct model *md)
{
    memset(md->of_user, 0, sizeof md->of_user);
    memset(md->of_page, 0, sizeof md->of_page);
    md->acts_before = acts();
    md->evicted_before = stats().evicted;
    md->lost = false;
}
