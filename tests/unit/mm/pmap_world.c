/* SPDX-License-Identifier: BSD-2-Clause */
#include "pmap_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct world w;

_Noreturn void wrong(const char *what, const char *file, int line)
{
    fprintf(stderr, "pmap_model: step %zu, operation %u, %s:%d: not so: %s\n", w.steps, w.op, file,
            line, what);
    abort();
}

unsigned byte(unsigned n)
{
    if (!w.left)
        return 0;
    w.left--;
    return *w.data++ % n;
}

/* --- objects --- */

bool alive(const struct object *o) { return o->users || o->tokens; }

bool is_map(const struct object *o)
{
    for (unsigned v = 0; v < VMS; v++) {
        if (w.dead[v].o == o)
            return true;
    }
    return false;
}

bool sole(const struct object *o) { return o->users + o->tokens == 1; }

unsigned free_on(unsigned node)
{
    unsigned n = PAGES / NODES;

    for (unsigned i = 0; i < OBJECTS; i++) {
        if (!alive(&w.object[i]))
            continue;
        n -= w.object[i].node == node;
        n -= w.object[i].replica[node] != 0;
    }
    return n;
}

int source(unsigned node)
{
    for (int d = 0; d < NODES; d++) {
        if ((int)node - d >= 0 && free_on(node - (unsigned)d))
            return (int)node - d;
        if (node + (unsigned)d < NODES && free_on(node + (unsigned)d))
            return (int)node + d;
    }
    return -1;
}

unsigned chunks_used(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < OBJECTS; i++)
        n += w.object[i].users > 1 ? (w.object[i].users - 2) / 7 + 1 : 0;
    return n;
}

struct object *fresh(const uint8_t *contents, unsigned node)
{
    struct object *o = w.object;

    while (alive(o))
        o++;
    memset(o, 0, sizeof *o);
    if (contents)
        memcpy(o->data, contents, DISCO_PAGE_SIZE);
    o->node = node;
    return o;
}

void release(struct page *p)
{
    if (p->o)
        p->o->users--;
    p->o = NULL;
    p->reason = DISCO_PMAP_WRITABLE;
}

void use(struct page *p, struct object *o, enum disco_pmap_reason reason)
{
    p->o = o;
    p->reason = reason;
    o->users++;
}

uint64_t real_mpn(unsigned vm, uint64_t ppn, unsigned node)
{
    disco_mpn mpn = {0};

    CHECK(disco_pmap_translate(&w.pm[vm], (disco_ppn){ppn}, node, &mpn) == 0);
    return mpn.v;
}

void learn_object(struct object *o, uint64_t mpn)
{
    for (unsigned i = 0; i < OBJECTS; i++)
        CHECK(&w.object[i] == o || !alive(&w.object[i]) || w.object[i].mpn != mpn);
    o->mpn = mpn;
    CHECK(disco_memmap_node(w.mm, (disco_mpn){mpn}) == o->node);
}

void learn(unsigned vm, uint64_t ppn)
{
    struct object *o = w.page[vm][ppn].o;

    learn_object(o, disco_memmap_master(w.mm, (disco_mpn){real_mpn(vm, ppn, o->node)}).v);
}

/* --- translations: only a purge takes them away --- */

static void purge_page(unsigned vm, const struct disco_pmap_gone *gone, const struct disco_purge *p,
                       size_t n)
{
    disco_ppn ppn = gone->ppn;

    CHECK(disco_pmap_translate(&w.pm[vm], ppn, 0, &(disco_mpn){0}) == DISCO_ERR_NOT_FOUND);
    for (unsigned i = 0; i < TLB; i++) {
        struct translation *t = &w.tlb[i];

        if (!t->used || t->vm != vm)
            continue;
        for (unsigned h = 0; h < 2; h++) {
            if (!t->recorded && t->e[h] && t->ppn[h].v == ppn.v && (gone->vcpus >> t->vcpu & 1))
                t->used = false;
        }
        for (size_t k = 0; k < n; k++) {
            if ((p[k].vcpus >> t->vcpu & 1) &&
                (p[k].vpn.v == DISCO_ALL_PAGES || p[k].vpn.v >> 1 == t->pair.v >> 1))
                t->used = false;
        }
    }
}

uint64_t vcpus_on(void *ctx, unsigned node)
{
    uint64_t vcpus = 0;

    (void)ctx;
    for (unsigned i = node; i < VCPUS; i += NODES)
        vcpus |= UINT64_C(1) << i;
    return vcpus;
}

static void purge(void *ctx, const struct disco_pmap_gone *gone, size_t pages,
                  const struct disco_purge *p, size_t n)
{
    w.purges++;
    for (size_t i = 0; i < pages; i++)
        purge_page((unsigned)((struct disco_pmap *)ctx - w.pm), &gone[i], p, n);
}

static bool leads_to(const struct object *o, uint64_t mpn)
{
    bool found = o->mpn == mpn;

    for (unsigned n = 0; n < NODES; n++)
        found |= o->replica[n] && o->replica[n] == mpn;
    return found;
}

static void check_half(const struct translation *t, unsigned half)
{
    const struct page *p = &w.page[t->vm][t->ppn[half].v];

    if (!t->e[half])
        return;
    CHECK(p->o && leads_to(p->o, mock_mpn(t->e[half])));
    CHECK(p->reason == DISCO_PMAP_WRITABLE || !(mock_rights(t->e[half]) & DISCO_WRITE));
}

/* --- the whole state --- */

static void check_object(struct object *o)
{
    disco_mpn m = {o->mpn};
    struct disco_page_user u[VMS * PPNS + 1];
    size_t n = 0;

    CHECK(disco_memmap_refs(w.mm, m) == o->users + o->tokens);
    CHECK(disco_memmap_users(w.mm, m, u, VMS * PPNS + 1, &n) == 0 && n == o->users);
    for (size_t i = 0; i < n; i++)
        CHECK(u[i].pmap < VMS && u[i].ppn.v < PPNS && w.page[u[i].pmap][u[i].ppn.v].o == o);
    CHECK(!memcmp(mock_page(&w.mock, o->mpn), o->data, DISCO_PAGE_SIZE));
    for (unsigned k = 0; k < NODES; k++) {
        disco_mpn near = disco_memmap_nearest(w.mm, m, k);

        CHECK(near.v == (o->replica[k] ? o->replica[k] : o->mpn));
        CHECK(!memcmp(mock_page(&w.mock, near.v), o->data, DISCO_PAGE_SIZE));
    }
}

static void check_page(unsigned vm, uint64_t ppn)
{
    struct page *p = &w.page[vm][ppn];
    disco_mpn mpn;

    CHECK(disco_pmap_reason(&w.pm[vm], (disco_ppn){ppn}) == p->reason);
    for (unsigned n = 0; n < NODES; n++) {
        int err = disco_pmap_translate(&w.pm[vm], (disco_ppn){ppn}, n, &mpn);

        CHECK(err == (p->o ? 0 : DISCO_ERR_NOT_FOUND));
        if (!err)
            CHECK(mpn.v == (p->o->replica[n] ? p->o->replica[n] : p->o->mpn));
    }
}

static void check_stats(unsigned vm)
{
    const struct disco_pmap_stats s = mock_stats(&w.pm[vm]);
    uint64_t present = 0, shared = 0;

    for (unsigned i = 0; i < PPNS; i++) {
        enum disco_pmap_reason r = w.page[vm][i].reason;

        present += w.page[vm][i].o != NULL;
        shared += r == DISCO_PMAP_COW || r == DISCO_PMAP_NET;
    }
    CHECK(s.present == present);
    CHECK(s.shared == shared);
    CHECK(s.dead == w.dead[vm].copies);
    CHECK(s.migrations == w.moved[vm].migrations);
    CHECK(s.replications == w.moved[vm].replications);
    CHECK(s.collapses == w.moved[vm].collapses);
}

void world_check(void)
{
    uint64_t free_pages = 0;

    for (unsigned i = 0; i < OBJECTS; i++) {
        if (alive(&w.object[i]))
            check_object(&w.object[i]);
    }
    for (unsigned i = 0; i < VMS * PPNS; i++)
        check_page(i / PPNS, i % PPNS);
    for (unsigned i = 0; i < VMS; i++)
        check_stats(i);
    for (unsigned i = 0; i < TLB; i++) {
        if (w.tlb[i].used) {
            check_half(&w.tlb[i], 0);
            check_half(&w.tlb[i], 1);
        }
    }
    for (unsigned n = 0; n < NODES; n++)
        free_pages += free_on(n);
    CHECK(mock_free_pages(&w.mock, w.mm) == free_pages);
}

/* --- the world --- */

void world_start(void)
{
    memset(&w, 0, sizeof w);
    mock_init(&w.mock, NODES, FIRST, PAGES);
    w.mm = mock_memmap(&w.mock, CHUNKS, 0, &w.mm_storage);
    for (unsigned v = 0; v < VMS; v++) {
        struct disco_pmap_config c = {
            .id = v,
            .pages = PPNS,
            .sets = SETS,
            .mm = w.mm,
            .backend = &w.mock.b,
            .purge = purge,
            .vcpus_on = vcpus_on,
            .purge_ctx = &w.pm[v],
        };

        w.storage[v] = mock_storage(disco_pmap_size(&c));
        CHECK(disco_pmap_init(&w.pm[v], w.storage[v], disco_pmap_size(&c), &c) == 0);
    }
}

void world_stop(void)
{
    for (unsigned v = 0; v < VMS; v++) {
        disco_pmap_fini(&w.pm[v]);
        free(w.storage[v]);
    }
    for (unsigned k = 0; k < TOKENS; k++) {
        if (w.token[k])
            CHECK(disco_memmap_put(w.mm, (disco_mpn){w.token[k]->mpn}) == 0);
    }
    CHECK(mock_free_pages(&w.mock, w.mm) == PAGES);
    free(w.mm_storage);
    mock_fini(&w.mock);
}
