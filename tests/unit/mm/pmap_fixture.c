/* SPDX-License-Identifier: BSD-2-Clause */
#include "pmap_fixture.h"

#include <string.h>

struct mock m;
struct disco_memmap *mm;
static void *mm_storage, *storage[2];
static uint64_t ppns, sets;
static disco_pmap_vcpus_on_fn *whom;
struct disco_pmap pm, other;

struct purged purged;

static void purge(void *ctx, const struct disco_pmap_gone *gone, size_t pages,
                  const struct disco_purge *p, size_t n)
{
    struct disco_pmap *of = ctx;

    purged.calls++;
    purged.of[of->id]++;
    purged.ppn = gone[0].ppn;
    memcpy(purged.gone, gone, pages * sizeof *gone);
    purged.pages = pages;
    purged.n = n;
    purged.word = 0;
    purged.was = disco_memmap_state(mm, purged.watched);
    for (size_t i = 0; i < pages; i++)
        purged.word |= of->entry[gone[i].ppn.v].tlbe;
    for (uint64_t i = 0; i < of->pages; i++)
        purged.marked += mock_is_marked(of->entry[i].tlbe);
    memcpy(purged.p, p, n * sizeof *p);
    if (purged.last_store)
        *purged.last_store = '!';
}

struct disco_pmap_config config(struct disco_pmap *of, uint32_t id)
{
    return (struct disco_pmap_config){
        .id = id,
        .pages = ppns,
        .sets = sets,
        .mm = mm,
        .backend = &m.b,
        .purge = purge,
        .vcpus_on = whom,
        .purge_ctx = of,
    };
}

static void *make(struct disco_pmap *of, uint32_t id)
{
    struct disco_pmap_config c = config(of, id);
    void *s = mock_storage(disco_pmap_size(&c));

    ck_assert_int_eq(disco_pmap_init(of, s, disco_pmap_size(&c), &c), 0);
    return s;
}

static void start(unsigned nodes, uint64_t pages, uint64_t chunks)
{
    memset(&purged, 0, sizeof purged);
    mock_init(&m, nodes, 32, pages);
    mm = mock_memmap(&m, chunks, 0, &mm_storage);
    storage[0] = make(&pm, 1);
    storage[1] = make(&other, 2);
}

void setup_of(uint64_t pages, uint64_t of_ppns, uint64_t of_sets, uint64_t chunks)
{
    ppns = of_ppns;
    sets = of_sets;
    whom = NULL;
    start(NODES, pages, chunks);
}

void setup_nodes(unsigned nodes, disco_pmap_vcpus_on_fn *vcpus_on, uint64_t pages, uint64_t of_ppns)
{
    ppns = of_ppns;
    sets = of_ppns;
    whom = vcpus_on;
    start(nodes, pages, 8);
}

void setup(void) { setup_of(PAGES, PPNS, SETS, 1); }

void teardown(void)
{
    disco_pmap_fini(&pm);
    disco_pmap_fini(&other);
    ck_assert_uint_eq(mock_free_pages(&m, mm), m.pages);
    free(storage[0]);
    free(storage[1]);
    free(mm_storage);
    mock_fini(&m);
}

disco_ppn ppn(uint64_t v) { return (disco_ppn){v}; }

uint64_t mpn_at(struct disco_pmap *of, uint64_t p, unsigned node)
{
    disco_mpn mpn = {0};

    ck_assert_int_eq(disco_pmap_translate(of, ppn(p), node, &mpn), 0);
    return mpn.v;
}

struct disco_pmap_pair enter(uint64_t vpn, uint32_t vcpu, uint64_t even, uint64_t odd)
{
    static struct disco_guest_map g;
    struct disco_pmap_pair p = {.m = &g, .vcpu = vcpu, .record = true};

    g = (struct disco_guest_map){
        .pair = {vpn},
        .ppn = {{even}, {odd}},
        .want = {mock_tlbe(0, 7), mock_tlbe(0, 7)},
    };
    disco_pmap_enter(&pm, &p);
    disco_pmap_leave(&pm, &p);
    return p;
}

void fill_memory(void)
{
    disco_mpn mpn;

    while (!disco_memmap_alloc(mm, 0, DISCO_PAGE_MONITOR, &mpn))
        ;
}

void empty_memory(void)
{
    for (uint64_t i = 32; i < 32 + m.pages; i++) {
        if (disco_memmap_state(mm, (disco_mpn){i}) == DISCO_PAGE_MONITOR)
            ck_assert_int_eq(disco_memmap_put(mm, (disco_mpn){i}), 0);
    }
}
