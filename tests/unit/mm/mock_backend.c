/* SPDX-License-Identifier: BSD-2-Clause */
#include "mock_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VALID 0x80u

_Thread_local unsigned mock_cpu;

static struct mock *mock_of(struct disco_backend *b) { return (struct mock *)(void *)b; }

disco_tlbe mock_tlbe(uint64_t mpn, unsigned rights) { return mpn << 8 | VALID | rights; }
uint64_t mock_mpn(disco_tlbe e) { return e >> 8; }
unsigned mock_rights(disco_tlbe e) { return e & DISCO_RWX; }
bool mock_is_marked(disco_tlbe e) { return e & DISCO_SUPERPAGE; }

uint8_t *mock_page(struct mock *m, uint64_t mpn)
{
    if (mpn < m->first || mpn - m->first >= m->pages) {
        fprintf(stderr, "mock: no machine page %llu\n", (unsigned long long)mpn);
        abort();
    }
    return m->memory + (mpn - m->first) * DISCO_PAGE_SIZE;
}

static disco_tlbe make(disco_mpn mpn, unsigned rights) { return mock_tlbe(mpn.v, rights); }
static disco_mpn mpn_of(disco_tlbe e) { return (disco_mpn){mock_mpn(e)}; }

static disco_tlbe merge(disco_tlbe guest, disco_tlbe monitor)
{
    return mock_tlbe(mock_mpn(monitor), mock_rights(guest) & mock_rights(monitor));
}

static void *page(struct disco_backend *b, disco_mpn mpn) { return mock_page(mock_of(b), mpn.v); }

static void page_zero(struct disco_backend *b, disco_mpn mpn)
{
    memset(mock_page(mock_of(b), mpn.v), 0, DISCO_PAGE_SIZE);
    __atomic_fetch_add(&mock_of(b)->zeroed, 1, __ATOMIC_RELAXED);
}

static void page_copy(struct disco_backend *b, disco_mpn to, disco_mpn from)
{
    memcpy(mock_page(mock_of(b), to.v), mock_page(mock_of(b), from.v), DISCO_PAGE_SIZE);
    __atomic_fetch_add(&mock_of(b)->copied, 1, __ATOMIC_RELAXED);
}

static unsigned cpu(struct disco_backend *b)
{
    (void)b;
    return mock_cpu;
}

static void relax(struct disco_backend *b)
{
    struct mock *m = mock_of(b);

    __atomic_fetch_add(&m->relaxed, 1, __ATOMIC_RELAXED);
    if (m->relax)
        m->relax(m->relax_ctx);
}

static const struct disco_backend_ops ops = {
    .name = "mock",
    .tlbe_make = make,
    .tlbe_merge = merge,
    .tlbe_mpn = mpn_of,
    .tlbe_rights = mock_rights,
    .page = page,
    .page_zero = page_zero,
    .page_copy = page_copy,
    .cpu = cpu,
    .relax = relax,
};

void *mock_storage(size_t size)
{
    void *p = aligned_alloc(DISCO_CACHE_LINE,
                            (size + DISCO_CACHE_LINE - 1) / DISCO_CACHE_LINE * DISCO_CACHE_LINE);

    if (!p)
        abort();
    memset(p, 0xee, size);
    return p;
}

void mock_init(struct mock *m, unsigned nodes, uint64_t first, uint64_t pages)
{
    memset(m, 0, sizeof *m);
    m->b.ops = &ops;
    m->b.cpus = MOCK_CPUS;
    m->b.nodes = nodes;
    m->b.va_mask = UINT64_C(0xc0000000ffffe000);
    m->b.asids = 256;
    for (unsigned i = 0; i < MOCK_CPUS; i++)
        m->b.node_of_cpu[i] = (uint8_t)(i % nodes);
    m->first = first;
    m->pages = pages;
    m->memory = mock_storage(pages * DISCO_PAGE_SIZE);
}

void mock_fini(struct mock *m)
{
    free(m->memory);
    m->memory = NULL;
}

struct disco_memmap *mock_memmap(struct mock *m, uint64_t user_chunks, uint64_t low_water,
                                 void **storage)
{
    struct disco_memmap_config c = {
        .backend = &m->b,
        .first = {m->first},
        .pages = m->pages,
        .nodes = m->b.nodes,
        .user_chunks = user_chunks,
        .low_water = low_water,
    };
    uint64_t each = m->pages / m->b.nodes;
    struct disco_memmap *mm;

    *storage = mock_storage(disco_memmap_size(&c));
    if (disco_memmap_init(&mm, *storage, disco_memmap_size(&c), &c))
        abort();
    for (unsigned n = 0; n < m->b.nodes; n++) {
        if (disco_memmap_add(mm, (disco_mpn){m->first + n * each}, each, n, false))
            abort();
    }
    return mm;
}

uint64_t mock_free_pages(const struct mock *m, const struct disco_memmap *mm)
{
    struct disco_memmap_node_stats s;
    uint64_t sum = 0;

    for (unsigned n = 0; n < m->b.nodes; n++) {
        if (disco_memmap_node_stats(mm, n, &s))
            abort();
        sum += s.free;
    }
    return sum;
}
