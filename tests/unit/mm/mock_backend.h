/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MOCK_BACKEND_H
#define MOCK_BACKEND_H

/*
 * The least machine that memmap and pmap can stand on: an array for memory, entries that are
 * readable in a debugger (MPN << 8 | 0x80 | rights and kinds), and hooks where a test wants to look in.
 * Its processors are numbers that threads give themselves, and there are no TLBs; tests that need those bring them
 * along.
 */

#include <disco/memmap.h>
#include <disco/pmap.h>

#define MOCK_CPUS 8
/* Which of them this thread is; no two threads are the same at once */
extern _Thread_local unsigned mock_cpu;

struct mock {
    struct disco_backend b; /* first: the libraries hand this back */
    uint8_t *memory;
    uint64_t first, pages; /* machine pages first .. first + pages - 1 */
    void (*relax)(void *ctx);
    void *relax_ctx;
    uint64_t zeroed, copied, relaxed;
};

/* Memory is filled with rubbish, so that a page that should have been zeroed shows. */
void mock_init(struct mock *m, unsigned nodes, uint64_t first, uint64_t pages);
void mock_fini(struct mock *m);

disco_tlbe mock_tlbe(uint64_t mpn, unsigned rights);
uint64_t mock_mpn(disco_tlbe e);
unsigned mock_rights(disco_tlbe e);
bool mock_is_marked(
    disco_tlbe
        e); /* made as DISCO_SUPERPAGE; the mock has none until a test says how large they are */
uint8_t *mock_page(struct mock *m, uint64_t mpn);

/* A memmap over all of the mock's memory, split evenly over its nodes. */
struct disco_memmap *mock_memmap(struct mock *m, uint64_t user_chunks, uint64_t low_water,
                                 void **storage);
/* Pages that are free, on all nodes together. */
uint64_t mock_free_pages(const struct mock *m, const struct disco_memmap *mm);
/* Storage as the libraries want it; the caller frees it. Never NULL. */
void *mock_storage(size_t size);

static inline struct disco_pmap_stats mock_stats(const struct disco_pmap *pm)
{
    struct disco_pmap_stats s;

    disco_pmap_stats(pm, &s);
    return s;
}

/* A small generator of random numbers (xorshift64*), the same sequence on every machine. */
static inline uint64_t mock_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d) >> 16;
}

#endif
