/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <string.h>

/*
 * The guest's own TLB, as the guest sees it, and the segments it believes unmapped.
 *
 * The L2TLB may hold more than this TLB does: that is what it is for. Three rules keep the guest
 * from noticing anything but speed:
 *   - a new entry replaces what either level has for its pair;
 *   - an indexed write takes away what it overwrites, on every level (a random one need not:
 *     the guest cannot know what it hit);
 *   - a probe that finds nothing here makes it true on every level, because a guest that wants to
 *     be rid of a page probes, and does nothing if the probe fails.
 */

static uint64_t pair_address(const struct sim_entry *e)
{
    return e->hi & ~(2 * DISCO_PAGE_SIZE - 1);
}

static uint32_t asid_of(const struct sim_entry *e) { return (uint32_t)(e->hi % SIM_ASIDS); }

static bool is_global(const struct sim_entry *e) { return e->lo[0] & e->lo[1] & SIM_LO_GLOBAL; }

static bool in_use(const struct sim_entry *e) { return e->lo[0] || e->lo[1]; }

static int find(const struct sim_guest *g, uint64_t va, uint32_t asid, bool any_asid)
{
    for (int i = 0; i < SIM_GUEST_TLB; i++) {
        const struct sim_entry *e = &g->tlb[i];

        if (in_use(e) && pair_address(e) == (va & ~(2 * DISCO_PAGE_SIZE - 1)) &&
            (any_asid || is_global(e) || asid_of(e) == asid))
            return i;
    }
    return -1;
}

static disco_tlbe wish(uint64_t lo)
{
    if (!(lo & SIM_LO_VALID))
        return 0;
    return sim_tlbe_make((disco_mpn){0}, (unsigned)(lo >> SIM_LO_RIGHTS) & DISCO_RWX);
}

int sim_guest_lookup(struct disco_vcpu *v, disco_va va, struct disco_guest_map *m)
{
    const struct sim_guest *g = v->arch;
    int i = find(g, va.v, g->asid, false);
    const struct sim_entry *e;

    if (i < 0)
        return DISCO_ERR_NOT_FOUND;
    e = &g->tlb[i];
    m->pair = (disco_vpn){pair_address(e) >> DISCO_PAGE_SHIFT};
    m->asid = g->asid;
    m->global = is_global(e);
    for (unsigned half = 0; half < 2; half++) {
        m->ppn[half] = (disco_ppn){e->lo[half] >> DISCO_PAGE_SHIFT};
        m->want[half] = wish(e->lo[half]);
    }
    m->note = (uint64_t)i;
    return DISCO_OK;
}

/* Forget what this guest had at @p va below its own TLB. Own processor. */
static void forget_below(struct disco_vcpu *v, uint64_t va, uint32_t asid)
{
    disco_l2tlb_forget(v->l2tlb, (disco_va){va}, asid);
    hw_forget(sim_this_cpu(v), v, disco_va_page((disco_va){va}));
}

void sim_vtlb_write(struct disco_vcpu *v, unsigned index, bool indexed, struct sim_entry e)
{
    struct sim_guest *g = v->arch;
    struct sim_entry *old = &g->tlb[index];
    int twin;

    if (indexed && in_use(old))
        forget_below(v, pair_address(old), asid_of(old));
    /* Two entries for one address would be a machine check: the older ones go. */
    while ((twin = find(g, e.hi, asid_of(&e), is_global(&e))) >= 0) {
        forget_below(v, e.hi, asid_of(&g->tlb[twin]));
        memset(&g->tlb[twin], 0, sizeof g->tlb[twin]);
    }
    forget_below(v, e.hi, asid_of(&e));
    *old = e;
}

int64_t sim_vtlb_probe(struct disco_vcpu *v, disco_va va)
{
    const struct sim_guest *g = v->arch;
    int i = find(g, va.v, g->asid, false);

    if (i < 0)
        forget_below(v, va.v, g->asid);
    return i;
}

void sim_vtlb_flush(struct disco_vcpu *v)
{
    struct sim_guest *g = v->arch;

    memset(g->tlb, 0, sizeof g->tlb);
    disco_l2tlb_forget_all(v->l2tlb);
    hw_forget(sim_this_cpu(v), v, (disco_vpn){DISCO_ALL_PAGES});
}

bool sim_unmapped(const struct disco_vcpu *v, disco_va va, disco_ppn *ppn)
{
    (void)v;
    if (va.v >> 40 == SIM_UNMAPPED >> 40)
        *ppn = (disco_ppn){(va.v - SIM_UNMAPPED) >> DISCO_PAGE_SHIFT};
    else if (va.v >= SIM_WINDOW && va.v < SIM_WINDOW + SIM_WINDOW_SIZE)
        *ppn = (disco_ppn){(va.v - SIM_WINDOW) >> DISCO_PAGE_SHIFT};
    else
        return false;
    return true;
}

size_t sim_aliases(disco_ppn ppn, disco_vpn out[DISCO_MAX_ALIASES])
{
    size_t n = 0;

    out[n++] = (disco_vpn){(SIM_UNMAPPED >> DISCO_PAGE_SHIFT) + ppn.v};
    if (ppn.v < SIM_WINDOW_SIZE >> DISCO_PAGE_SHIFT)
        out[n++] = (disco_vpn){(SIM_WINDOW >> DISCO_PAGE_SHIFT) + ppn.v};
    return n;
}
