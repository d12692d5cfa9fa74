/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backmaps: through which virtual pages of which virtual CPUs a page was entered. Nearly every page
 * is entered through one place, a virtual page of one virtual CPU, which fits in the entry. A second moves both
 * to a set from a pool, with room for eight virtual pages, each of any number of virtual CPUs: threads see a page
 * at the same address. When that is full, or the pool empty, the page is "everywhere": revoking it makes every
 * virtual CPU forget all it has. That is rare, dear, and right.
 *
 * Places are noted when a translation is entered and forgotten at revocation only, not when
 * a TLB drops the translation, which nobody could observe. They may name too much, never too
 * little. A place is a pair of pages, for a TLB entry maps two; the ASID is left out, because
 * forgetting a page forgets it under every ASID, and a guest's processes share their addresses.
 */
#include "pmap_private.h"

static struct disco_purge place_of(uint32_t vcpu, disco_vpn vpn)
{
    return (struct disco_purge){UINT64_C(1) << vcpu, {vpn.v & META_VPN_MASK & ~UINT64_C(1)}};
}

/* --- the pool --- */

static void give_set(struct disco_pmap *pm, uint32_t s)
{
    struct disco_pmap_common *c = pm->common;

    disco_lock(&c->pool_lock, pm->backend);
    pm->sets[s - 1].place[0].vpn.v = c->free_set;
    c->free_set = s;
    disco_unlock(&c->pool_lock);
}

static uint32_t take_set(struct disco_pmap *pm)
{
    struct disco_pmap_common *c = pm->common;
    uint32_t s;

    disco_lock(&c->pool_lock, pm->backend);
    s = c->free_set;
    if (s)
        c->free_set = (uint32_t)pm->sets[s - 1].place[0].vpn.v;
    disco_unlock(&c->pool_lock);
    if (s)
        pm->sets[s - 1] = (struct disco_pmap_set){{{0}}};
    return s;
}

void disco_backmap_fill_pool(struct disco_pmap *pm)
{
    for (uint32_t s = (uint32_t)pm->nsets; s > 0; s--)
        give_set(pm, s);
}

/* --- one entry's backmap, in the copy of meta --- */

static void set_map(struct hold *h, enum backmap kind, uint64_t payload)
{
    h->meta = (h->meta & ~META_MAP_MASK) | (uint64_t)kind << META_MAP_SHIFT | payload;
}

static struct disco_purge the_one(const struct hold *h)
{
    uint32_t vcpu = h->meta >> META_VCPU_SHIFT & (DISCO_MAX_VCPUS - 1);

    return place_of(vcpu, (disco_vpn){h->meta >> META_VPN_SHIFT});
}

static uint32_t set_number(const struct hold *h) { return (uint32_t)(h->meta >> META_SET_SHIFT); }

static bool put_in_set(struct disco_pmap_set *s, struct disco_purge place)
{
    for (unsigned i = 0; i < SET_PLACES; i++) {
        struct disco_purge *p = &s->place[i];

        if (!p->vcpus)
            p->vpn = place.vpn;
        if (p->vpn.v == place.vpn.v) {
            p->vcpus |= place.vcpus;
            return true;
        }
    }
    return false;
}

static void one_to_set(struct disco_pmap *pm, struct hold *h, struct disco_purge place)
{
    struct disco_purge first = the_one(h);
    uint32_t s = take_set(pm);

    if (!s) {
        set_map(h, MAP_ALL, 0);
        return;
    }
    put_in_set(&pm->sets[s - 1], first);
    put_in_set(&pm->sets[s - 1], place);
    set_map(h, MAP_SET, (uint64_t)s << META_SET_SHIFT);
}

static void set_to_all(struct disco_pmap *pm, struct hold *h)
{
    give_set(pm, set_number(h));
    set_map(h, MAP_ALL, 0);
}

void disco_backmap_record(struct disco_pmap *pm, struct hold *h, uint32_t vcpu, disco_vpn vpn)
{
    uint64_t one = map_one(vcpu, vpn);
    struct disco_purge place = place_of(vcpu, vpn);

    switch (meta_kind(h->meta)) {
    case MAP_NONE: h->meta |= one; break;
    case MAP_ONE:
        if ((h->meta & META_MAP_MASK) != one)
            one_to_set(pm, h, place);
        break;
    case MAP_SET:
        if (!put_in_set(&pm->sets[set_number(h) - 1], place))
            set_to_all(pm, h);
        break;
    case MAP_ALL: break;
    }
}

static size_t list_set(const struct disco_pmap_set *s, struct disco_purge *p)
{
    size_t n = 0;

    for (; n < SET_PLACES && s->place[n].vcpus; n++)
        p[n] = s->place[n];
    return n;
}

size_t disco_backmap_places(const struct disco_pmap *pm, const struct hold *h,
                            struct disco_purge *p)
{
    switch (meta_kind(h->meta)) {
    case MAP_NONE: return 0;
    case MAP_ONE: p[0] = the_one(h); return 1;
    case MAP_SET: return list_set(&pm->sets[set_number(h) - 1], p);
    case MAP_ALL: break;
    }
    p[0] = (struct disco_purge){DISCO_ALL_VCPUS, {DISCO_ALL_PAGES}};
    return 1;
}

void disco_backmap_forget(struct disco_pmap *pm, struct hold *h)
{
    if (meta_kind(h->meta) == MAP_SET)
        give_set(pm, set_number(h));
    set_map(h, MAP_NONE, 0);
}
