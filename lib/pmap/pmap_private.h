/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_PMAP_PRIVATE_H
#define DISCO_PMAP_PRIVATE_H

/*
 * The second word of an entry, `meta`:
 *
 *   bit 0        lock
 *   bits 1..2    enum disco_pmap_reason
 *   bits 3..4    what the backmap is: enum backmap
 *   MAP_ONE:     bits 5..10 virtual CPU, bits 11..62 virtual page (the pair's even one)
 *   MAP_SET:     bits 32..63 number of the set, from 1
 *
 * Who holds an entry works on a copy of meta (struct hold), lock bit clear, and writes it back when
 * it lets go. The first word is written at once: it is what other processors read without a lock.
 *
 * Pairs of accesses that order memory:
 *   publish() (release)  - disco_pmap_translate() (acquire): contents of a page before its address
 *   hold() / let_go()    - acquire and release of the lock bit
 *   revoke(): word zeroed, full fence, purge - a processor that starts to run the VM: announces
 *     itself, full fence, reads the word. One of the two sees the other; `purge` relies on it to
 *     skip processors that have not announced themselves.
 */

#include <disco/lock.h>
#include <disco/pmap.h>

#define META_LOCK UINT64_C(1)
#define META_REASON_SHIFT 1
#define META_REASON_MASK (UINT64_C(3) << META_REASON_SHIFT)
#define META_MAP_SHIFT 3
#define META_MAP_MASK (~UINT64_C(0) << META_MAP_SHIFT)
#define META_KIND_MASK (UINT64_C(3) << META_MAP_SHIFT)
#define META_VCPU_SHIFT 5
#define META_VPN_SHIFT 11
#define META_VPN_BITS (64 - DISCO_PAGE_SHIFT)
#define META_VPN_MASK ((UINT64_C(1) << META_VPN_BITS) - 1)
#define META_SET_SHIFT 32

enum backmap { MAP_NONE, MAP_ONE, MAP_SET, MAP_ALL };
/* The backmap of a page that is everywhere. */
#define META_MAP_ALL ((uint64_t)MAP_ALL << META_MAP_SHIFT)

/* Virtual pages that a set holds; a page entered through more is "everywhere". */
#define SET_PLACES 8

/* Places in use come first, the others are 0. A free set's first virtual page is a link. */
struct disco_pmap_set {
    struct disco_purge place[SET_PLACES];
};

/* What several processors write. */
struct disco_pmap_common {
    DISCO_OWN_LINE struct disco_memmap_pmap self; /* first: how other pmaps find this one */
    struct disco_pmap *pm;
    struct disco_lock pool_lock;
    uint32_t free_set; /* number of the first, from 1; under the pool's lock */
};

/* What one processor counts, in a line of its own. */
struct disco_pmap_counters {
    DISCO_OWN_LINE struct disco_pmap_stats n;
};
_Static_assert(sizeof(struct disco_pmap_common) == DISCO_CACHE_LINE, "a line");
_Static_assert(sizeof(struct disco_pmap_counters) == DISCO_CACHE_LINE, "a line a processor");

_Static_assert(sizeof(struct disco_pmap_entry) == 16, "pmap: 16 bytes a page");
_Static_assert(sizeof(struct disco_pmap_set) == 128, "disco_pmap_size() says so");
_Static_assert(offsetof(struct disco_pmap_entry, tlbe) == 0, "assembly relies on it");
_Static_assert(DISCO_MAX_VCPUS <= 1 << (META_VPN_SHIFT - META_VCPU_SHIFT), "vCPU fits in meta");
_Static_assert(META_VPN_SHIFT + META_VPN_BITS <= 64, "virtual page fits in meta");

/* The monitor's rights to a page that only one guest page uses, and to any other. */
#define RIGHTS_OWN DISCO_RWX
#define RIGHTS_SHARED (DISCO_READ | DISCO_EXEC)

/* An entry that this processor holds. */
struct hold {
    struct disco_pmap_entry *e;
    disco_ppn ppn;
    uint64_t meta;
    /* Who forgets it if it is revoked; all, if its page is to change or to be somebody else's */
    uint64_t vcpus;
};

static inline enum disco_pmap_reason meta_reason(uint64_t meta)
{
    return (enum disco_pmap_reason)((meta & META_REASON_MASK) >> META_REASON_SHIFT);
}

static inline enum backmap meta_kind(uint64_t meta)
{
    return (enum backmap)((meta & META_KIND_MASK) >> META_MAP_SHIFT);
}

/* The backmap of a page that was entered at one place: the pair of @p vpn by @p vcpu. */
static inline uint64_t map_one(uint32_t vcpu, disco_vpn vpn)
{
    uint64_t pair = vpn.v & META_VPN_MASK & ~UINT64_C(1);

    return (uint64_t)MAP_ONE << META_MAP_SHIFT | (uint64_t)vcpu << META_VCPU_SHIFT |
           pair << META_VPN_SHIFT;
}

static inline struct disco_page_user user_of(const struct disco_pmap *pm, disco_ppn ppn)
{
    return (struct disco_page_user){.pmap = pm->id, .ppn = ppn};
}

/* The entry's first word; who holds the entry may rely on it. 0: no page. */
static inline disco_tlbe word_of(const struct hold *h) { return disco_load(&h->e->tlbe); }

static inline disco_mpn page_of(const struct disco_pmap *pm, const struct hold *h)
{
    return pm->backend->ops->tlbe_mpn(word_of(h));
}

/*
 * Where this processor counts, by disco_count_own(). That it adds without an atomic read-modify-write is right because
 * nobody else writes these counters and interrupts are off: nothing comes between its load and its store. A page that
 * comes on one processor and goes on another makes `present` negative here: only sums mean anything.
 */
static inline struct disco_pmap_stats *stats_here(const struct disco_pmap *pm)
{
    return &pm->counters[pm->backend->ops->cpu(pm->backend)].n;
}

/* --- entry.c --- */

struct hold disco_entry_hold(struct disco_pmap *pm, disco_ppn ppn);
/* The same for an entry that this processor holds already. */
static inline struct hold disco_entry_held(struct disco_pmap_entry *e, disco_ppn ppn)
{
    return (struct hold){.e = e,
                         .ppn = ppn,
                         .meta = disco_load(&e->meta) & ~META_LOCK,
                         .vcpus = DISCO_ALL_VCPUS};
}
void disco_entry_let_go(struct hold *h);
/* Make @p mpn the page of @p h, with the monitor's rights for @p reason. Was revoked before. */
void disco_entry_publish(struct disco_pmap *pm, struct hold *h, disco_mpn mpn,
                         enum disco_pmap_reason reason);
/* Take the page away from everyone, or from `vcpus`: 0 in the first word, then purge. If from all, the backmap is empty. */
void disco_entry_revoke(struct disco_pmap *pm, struct hold *h);
/* The same for @p n pages, at most DISCO_PMAP_MANY, together; those without a page stay as they are. */
void disco_entry_revoke_many(struct disco_pmap *pm, struct hold *h, size_t n);
/* A page for @p ppn, contents undefined, adopted: pmap's only use of it is @p ppn. */
int disco_entry_new_page(struct disco_pmap *pm, disco_ppn ppn, unsigned node, disco_mpn *out);
/* A page on @p node and no other, not yet anyone's. */
int disco_entry_page_on(struct disco_pmap *pm, unsigned node, disco_mpn *out);
/* Virtual CPUs of @p pm that gain by a copy on @p node. */
uint64_t disco_entry_vcpus_on(const struct disco_pmap *pm, unsigned node);
/* A zeroed page for an entry that has none. */
int disco_entry_make(struct disco_pmap *pm, struct hold *h, unsigned node);
/* The page exists after this, zeroed on first touch. */
static inline int disco_entry_touch(struct disco_pmap *pm, struct hold *h, unsigned node)
{
    return word_of(h) ? DISCO_OK : disco_entry_make(pm, h, node);
}
/* The page exists and is writable after this (fault.c). */
int disco_entry_own(struct disco_pmap *pm, struct hold *h, unsigned node);

/* --- super.c --- */

/* If @p ppn is in a superpage, that is none any more. Its entry is held, and about to be hidden or stored anew. */
void disco_super_demote(struct disco_pmap *pm, disco_ppn ppn);

/* --- many.c --- */

#define NO_PAGE UINT64_MAX

/* Several entries, held in ascending order, with what they were. */
struct many {
    struct hold h[DISCO_PMAP_MANY];
    disco_mpn old[DISCO_PMAP_MANY]; /* NO_PAGE: there was none */
    uint8_t was[DISCO_PMAP_MANY];   /* enum disco_pmap_reason */
    uint8_t of[DISCO_PMAP_MANY];    /* which of those named by the caller it is for */
    size_t n;
};
_Static_assert(DISCO_PMAP_MANY <= UINT8_MAX, "a number fits in `of`");

/* The numbers 0 .. n - 1 in the order of PPNs that lie @p stride bytes apart; equal ones as they were named. */
void disco_many_order(const disco_ppn *first, size_t stride, size_t n, uint8_t *order);
/* One more; its PPN is higher than the others'. */
struct hold *disco_many_hold(struct disco_pmap *pm, struct many *m, disco_ppn ppn, size_t of);
/* One less: the last one stays as it is. */
void disco_many_let_last_go(struct many *m);
/* Note what they were, and take the pages away, each from its `vcpus`, together. */
void disco_many_revoke(struct disco_pmap *pm, struct many *m);
/* Entry @p i leads to old[i] for the reason was[i] (again). */
void disco_many_put_back(struct disco_pmap *pm, struct many *m, size_t i);
void disco_many_let_go(struct many *m);

/* --- others.c --- */

/* Pages that others than those that were done already use. */
struct others {
    struct disco_pmap *pm;
    disco_mpn page[DISCO_PMAP_MANY];
    unsigned node[DISCO_PMAP_MANY]; /* where it has a copy now; DISCO_MAX_NODES: nowhere any more */
    disco_ppn ppn[DISCO_PMAP_MANY]; /* done: of @c pm, */
    uint64_t vcpus[DISCO_PMAP_MANY]; /* for these virtual CPUs */
    size_t pages, done;
};

/* They lose their translations, and find the nearest copies next. Nothing is held. */
void disco_others_look_anew(const struct others *o);

static inline struct disco_pmap *pmap_of(struct disco_memmap_pmap *p)
{
    return ((struct disco_pmap_common *)(void *)p)->pm;
}

/* --- dead.c --- */

/* Has the guest marked @p ppn as dead? */
bool disco_dead_marked(const struct disco_pmap *pm, disco_ppn ppn);
/* @p ppn gets contents that matter. */
void disco_dead_clear(struct disco_pmap *pm, disco_ppn ppn);
/* Is the page that @p h has at this moment one of the map's own? */
bool disco_dead_is_map(const struct disco_pmap *pm, const struct hold *h);
/* The map's pages are only the guest's again, if anybody's. */
void disco_dead_give_back(struct disco_pmap *pm);
/* Words of storage that the map's machine pages need. */
static inline uint64_t disco_dead_words(uint64_t pages)
{
    return (pages + DISCO_PAGE_MASK) >> DISCO_PAGE_SHIFT;
}

/* --- backmap.c --- */

void disco_backmap_fill_pool(struct disco_pmap *pm);
/* Note that the page was entered by @p vcpu at the pair of @p vpn. Twice the same: once. */
void disco_backmap_record(struct disco_pmap *pm, struct hold *h, uint32_t vcpu, disco_vpn vpn);
/* The places as a purge wants them, at most SET_PLACES; their number is returned. */
size_t disco_backmap_places(const struct disco_pmap *pm, const struct hold *h,
                            struct disco_purge *p);
/* Empty the backmap. */
void disco_backmap_forget(struct disco_pmap *pm, struct hold *h);

#endif
