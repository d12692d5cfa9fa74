/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backmaps: through which virtual pages of which virtual CPUs a page was entered. Nearly every page
 * is entered through one place, which fits in the entry. A second place moves both to a set, a
 * cache line with room for eight, from a pool. When that is full, or the pool empty, the page is
 * "everywhere": revoking it makes every virtual CPU forget all it has. That is rare, dear, and
 * right.
 *
 * Places are noted when a translation is entered and forgotten at revocation only, not when
 * a TLB drops the translation, which nobody could observe. They may name too much, never too
 * little. A place is a pair of pages, for a TLB entry maps two; the ASID is left out, because
 * forgetting a page forgets it under every ASID, and a guest's processes share their addresses.
 */
#include "pmap_private.h"

#define PLACE_VALID (UINT64_C(1) << 63)
#define PLACE_VCPU_SHIFT META_VPN_BITS
#define PLACE_VPN_MASK ((UINT64_C(1) << META_VPN_BITS) - 1)

static uint64_t pack(uint32_t vcpu, disco_vpn vpn)
{
    uint64_t pair = vpn.v & PLACE_VPN_MASK & ~UINT64_C(1);

    return PLACE_VALID | (uint64_t)vcpu << PLACE_VCPU_SHIFT | pair;
}

static struct disco_purge unpack(uint64_t place)
{
    return (struct disco_purge){
        .vcpu = (uint32_t)((place & ~PLACE_VALID) >> PLACE_VCPU_SHIFT),
        .vpn = {place & PLACE_VPN_MASK},
    };
}

/* --- the pool --- */

static void give_set(struct disco_pmap *pm, uint32_t s)
{
    struct disco_pmap_common *c = pm->common;

    disco_lock(&c->pool_lock, pm->backend);
    pm->sets[s - 1].place[0] = c->free_set;
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
        c->free_set = (uint32_t)pm->sets[s - 1].place[0];
    disco_unlock(&c->pool_lock);
    if (s)
        pm->sets[s - 1] = (struct disco_pmap_set){{0}};
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

static uint64_t the_one(const struct hold *h)
{
    uint32_t vcpu = h->meta >> META_VCPU_SHIFT & (DISCO_MAX_VCPUS - 1);

    return pack(vcpu, (disco_vpn){h->meta >> META_VPN_SHIFT});
}

static void put_one(struct hold *h, uint64_t place)
{
    struct disco_purge p = unpack(place);

    set_map(h, MAP_ONE, (uint64_t)p.vcpu << META_VCPU_SHIFT | p.vpn.v << META_VPN_SHIFT);
}

static uint32_t set_number(const struct hold *h)
{
    return (uint32_t)(h->meta >> META_SET_SHIFT);
}

static bool put_in_set(struct disco_pmap_set *s, uint64_t place)
{
    for (unsigned i = 0; i < SET_PLACES; i++) {
        if (!s->place[i])
            s->place[i] = place;
        if (s->place[i] == place)
            return true;
    }
    return false;
}

static void one_to_set(struct disco_pmap *pm, struct hold *h, uint64_t place)
{
    uint64_t first = the_one(h);
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
    uint64_t place = pack(vcpu, vpn);

    switch (meta_kind(h->meta)) {
    case MAP_NONE:
        put_one(h, place);
        break;
    case MAP_ONE:
        if (the_one(h) != place)
            one_to_set(pm, h, place);
        break;
    case MAP_SET:
        if (!put_in_set(&pm->sets[set_number(h) - 1], place))
            set_to_all(pm, h);
        break;
    case MAP_ALL:
        break;
    }
}

static size_t list_set(const struct disco_pmap_set *s, struct disco_purge *p)
{
    size_t n = 0;

    while (n < SET_PLACES && s->place[n]) {
        p[n] = unpack(s->place[n]);
        n++;
    }
    return n;
}

size_t disco_backmap_places(const struct disco_pmap *pm, const struct hold *h,
                            struct disco_purge *p)
{
    switch (meta_kind(h->meta)) {
    case MAP_NONE:
        return 0;
    case MAP_ONE:
        p[0] = unpack(the_one(h));
        return 1;
    case MAP_SET:
        return list_set(&pm->sets[set_number(h) - 1], p);
    case MAP_ALL:
        break;
    }
    p[0] = (struct disco_purge){.vcpu = DISCO_ALL_VCPUS, .vpn = {DISCO_ALL_PAGES}};
    return 1;
}

void disco_backmap_forget(struct disco_pmap *pm, struct hold *h)
{
    if (meta_kind(h->meta) == MAP_SET)
        give_set(pm, set_number(h));
    set_map(h, MAP_NONE, 0);
}
