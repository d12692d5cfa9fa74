/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a hot record to what the policy asks. A record is old when its turn comes: its page may have been freed, given
 * to somebody else, moved, replicated. So nothing but the counts is taken from it, and the page is looked up anew;
 * without locks, for pmap does so again when it moves.
 */
#include "numa_private.h"

/* A page with more users than these is moved only if one of them is attached. */
#define USERS 16

/* Bit 63 tells users from machine pages, which are below 2^52. */
static uint64_t key_of_user(const struct target *t)
{
    return UINT64_C(1) << 63 | (uint64_t)t->pm->id << 48 | t->ppn.v;
}

static struct disco_pmap *attached(const struct disco_numa *n, uint32_t id)
{
    return id < n->pmaps ? __atomic_load_n(&n->pmap[id], __ATOMIC_ACQUIRE) : NULL;
}

/* Does @p u's entry lead to the page? A master's own node has no replica, so from there the master is seen. */
static bool leads_to(const struct disco_numa *n, const struct disco_pmap *pm, disco_ppn ppn,
                     disco_mpn master)
{
    disco_mpn now;

    return !disco_pmap_translate(pm, ppn, disco_memmap_node(n->mm, master), &now) &&
           now.v == master.v;
}

/* A remap is for one user alone: the next one begins with the next user. */
static size_t first_user(const struct disco_numa *n, const struct target *t, bool sole)
{
    const struct note *note = sole ? NULL : disco_history_find(&n->history, t->master.v);

    return note ? note->moves : 0;
}

/* One user that is attached and still has the page: for all moves but a remap, any of them stands for all. */
static enum disco_numa_page find_user(struct disco_numa *n, struct target *t, bool *sole)
{
    struct disco_page_user u[USERS];
    enum disco_numa_page page = DISCO_NUMA_PAGE_NO_USER;
    size_t users = 0, first;

    disco_memmap_users(n->mm, t->master, u, USERS, &users);
    if (!users)
        return DISCO_NUMA_PAGE_MONITOR;
    *sole = users == 1 && disco_memmap_refs(n->mm, t->master) == 1;
    first = first_user(n, t, *sole);
    users = users < USERS ? users : USERS;
    for (size_t i = 0; i < users; i++) {
        t->pm = attached(n, u[(first + i) % users].pmap);
        t->ppn = u[(first + i) % users].ppn;
        if (t->pm && leads_to(n, t->pm, t->ppn, t->master))
            return DISCO_NUMA_PAGE_GUEST;
        if (t->pm)
            page = DISCO_NUMA_PAGE_CHANGED;
    }
    return page;
}

static enum disco_numa_page find_page(struct disco_numa *n, disco_mpn mpn, struct target *t,
                                      bool *sole)
{
    switch (disco_memmap_state(n->mm, mpn)) {
    case DISCO_PAGE_ABSENT: return DISCO_NUMA_PAGE_FOREIGN;
    case DISCO_PAGE_FREE: return DISCO_NUMA_PAGE_FREE;
    case DISCO_PAGE_MONITOR: return DISCO_NUMA_PAGE_MONITOR;
    default: break;
    }
    t->master = disco_memmap_master(n->mm, mpn);
    return find_user(n, t, sole);
}

/* Writable in place, and yet somebody else's too: what the monitor itself writes to. */
static void look_at_rights(struct target *t, struct disco_numa_view *v)
{
    enum disco_pmap_reason reason = disco_pmap_reason(t->pm, t->ppn);

    v->read_only = reason == DISCO_PMAP_COW || reason == DISCO_PMAP_NET;
    if (!v->read_only && !v->sole)
        v->page = DISCO_NUMA_PAGE_WIRED;
}

static void look_at_node(const struct disco_numa *n, unsigned node, struct disco_numa_view *v)
{
    struct disco_memmap_node_stats s;

    v->full = disco_memmap_node_stats(n->mm, node, &s) || !s.free;
    v->low = disco_memmap_low(n->mm, node);
}

void disco_numa_look(struct disco_numa *n, disco_mpn mpn, unsigned node, struct target *t,
                     struct disco_numa_view *v)
{
    disco_mpn near;

    *v = (struct disco_numa_view){.node = node};
    *t = (struct target){.node = node};
    v->page = find_page(n, mpn, t, &v->sole);
    if (v->page != DISCO_NUMA_PAGE_GUEST)
        return;
    look_at_rights(t, v);
    look_at_node(n, node, v);
    near = disco_memmap_nearest(n->mm, t->master, node);
    v->at = disco_memmap_node(n->mm, mpn);
    v->copy_here = disco_memmap_node(n->mm, near) == node;
    v->replicated = disco_memmap_replicated(n->mm, t->master);
    t->key = v->sole ? key_of_user(t) : t->master.v;
}

/*
 * Stores that tell whether the page is written to. On a replica they are from before it became one, or our own
 * copying. The same is true of those that were counted before the page's last move, and of as many as its note knows
 * of.
 */
static uint64_t stores(const struct record *r, const struct target *t, const struct note *note)
{
    uint64_t base = note ? note->base : 0;

    if (r->hot.mpn.v != t->master.v || (note && r->number < note->when))
        return 0;
    return r->hot.writes > base ? r->hot.writes - base : 0;
}

/* The processor that copied the page looks like another node that uses it. */
static uint64_t others(const struct disco_numa_params *p, const struct record *r,
                       const struct note *note)
{
    if (note && note->copier && r->hot.others <= p->copy &&
        r->hot.sharers == UINT64_C(1) << (note->copier - 1))
        return 0;
    return r->hot.others;
}

void disco_numa_view(struct disco_numa *n, const struct disco_numa_params *p,
                     const struct record *r, struct target *t, struct disco_numa_view *v)
{
    const struct note *note;

    disco_numa_look(n, r->hot.mpn, r->hot.node, t, v);
    v->spent = (uint32_t)n->spent;
    v->misses = r->hot.misses;
    if (v->page != DISCO_NUMA_PAGE_GUEST)
        return;
    note = disco_history_find(&n->history, t->key);
    v->writes = t->writes = stores(r, t, note);
    v->others = others(p, r, note);
    if (!note)
        return;
    v->moves = note->moves;
    v->collapsed = note->replicated && !v->replicated;
    v->stale = r->number < note->when;
}
