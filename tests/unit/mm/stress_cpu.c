/* SPDX-License-Identifier: BSD-2-Clause */
#include "stress_cpu.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

struct mock m;
struct disco_memmap *mm;
struct disco_pmap pm[VMS];
struct cpu cpus[CPUS];
uint64_t begun[VMS][PPNS], ended[VMS][PPNS];
_Thread_local struct cpu *self;

_Noreturn void broken(const char *what, int line)
{
    fprintf(stderr, "mm_stress: processor %u, line %d: not so: %s\n", self ? self->id : 99, line,
            what);
    abort();
}

unsigned dice(unsigned n) { return (unsigned)(mock_random(&self->seed) % n); }
unsigned here(void) { return self->id % NODES; }

/* --- TLBs and their purging --- */

static bool named(const struct translation *t, const struct request *r)
{
    const struct disco_purge *p = r->p;

    for (size_t i = 0; i < r->pages; i++) {
        if (r->gone[i].vcpus >> self->id & 1 &&
            t->pair.v == (UNMAPPED_VPN | (r->gone[i].ppn.v & ~UINT64_C(1))))
            return true;
    }
    for (size_t i = 0; i < r->n; i++) {
        if ((p[i].vcpus >> self->id & 1) &&
            (p[i].vpn.v == DISCO_ALL_PAGES || p[i].vpn.v >> 1 == t->pair.v >> 1))
            return true;
    }
    return false;
}

static void purge_tlb(const struct request *r)
{
    for (unsigned i = 0; i < TLB; i++) {
        struct translation *t = &self->tlb[i];

        if (t->used && t->vm == r->vm && named(t, r))
            t->used = false;
    }
}

void serve(void *ctx)
{
    (void)ctx;
    for (unsigned i = 0; i < CPUS; i++) {
        struct request *r = &self->ask[i];

        if (disco_load_acquire(&r->pending)) {
            purge_tlb(r);
            disco_store_release(&r->pending, 0);
        }
    }
    sched_yield();
}

static void purge_l2(const struct request *r)
{
    const struct disco_purge *p = r->p;

    for (size_t i = 0; i < r->pages; i++) {
        for (unsigned c = 0; c < CPUS; c++) {
            if (r->gone[i].vcpus >> c & 1)
                disco_l2tlb_forget_vpn(&cpus[c].l2[r->vm],
                                       (disco_vpn){UNMAPPED_VPN | r->gone[i].ppn.v});
        }
    }
    for (size_t i = 0; i < r->n; i++) {
        for (unsigned c = 0; c < CPUS; c++) {
            if (!(p[i].vcpus >> c & 1))
                continue;
            if (p[i].vpn.v == DISCO_ALL_PAGES)
                disco_l2tlb_wipe(&cpus[c].l2[r->vm]);
            else
                disco_l2tlb_forget_vpn(&cpus[c].l2[r->vm], p[i].vpn);
        }
    }
}

uint64_t vcpus_on(void *ctx, unsigned node)
{
    uint64_t vcpus = 0;

    (void)ctx;
    for (unsigned c = node; c < CPUS; c += NODES)
        vcpus |= UINT64_C(1) << c;
    return vcpus;
}

void purge(void *ctx, const struct disco_pmap_gone *gone, size_t pages, const struct disco_purge *p,
           size_t n)
{
    const struct request what = {1, (unsigned)((struct disco_pmap *)ctx - pm), gone, pages, p, n};

    purge_l2(&what);
    if (!self)
        return;
    for (unsigned c = 0; c < CPUS; c++) {
        struct request *r = &cpus[c].ask[self->id];

        if (c == self->id)
            continue;
        r->vm = what.vm, r->gone = gone, r->pages = pages, r->p = p, r->n = n;
        disco_store_release(&r->pending, 1);
    }
    purge_tlb(&what);
    for (unsigned c = 0; c < CPUS; c++) {
        while (c != self->id && disco_load_acquire(&cpus[c].ask[self->id].pending))
            serve(NULL);
    }
}

static void load_tlb(unsigned vm, disco_vpn pair, uint32_t asid, const disco_tlbe e[2],
                     const uint64_t ppn[2])
{
    self->tlb[dice(TLB)] = (struct translation){
        true, vm, pair, asid, {ppn[0], ppn[1]}, {e[0], e[1]},
    };
}

/* --- the guests' page tables: where a pair of virtual pages leads, the same for ever --- */

static void guest_map(unsigned vm, uint64_t pair, uint32_t asid, bool unmapped,
                      struct disco_guest_map *g)
{
    uint64_t x = pair * 7 + asid * 3 + vm;

    g->asid = asid;
    g->pair.v = unmapped ? UNMAPPED_VPN | (x % PPNS & ~UINT64_C(1)) : pair * 2;
    g->ppn[0].v = unmapped ? x % PPNS & ~UINT64_C(1) : x % PPNS;
    g->ppn[1].v = unmapped ? g->ppn[0].v + 1 : (x * 5 + 2) % PPNS;
    g->want[0] = g->want[1] = mock_tlbe(0, DISCO_RWX);
    g->global = unmapped || pair % 5 == 0;
    if (g->global && !unmapped) {
        g->ppn[0].v = (pair * 3 + vm) % PPNS;
        g->ppn[1].v = (pair * 11 + 1) % PPNS;
    }
}

/* A miss, as the monitor answers it: the L2TLB, then the pmap. */
static void miss(unsigned vm, const struct disco_guest_map *g, bool record)
{
    disco_va va = {g->pair.v << DISCO_PAGE_SHIFT};
    const struct disco_l2tlb_entry *l2 = disco_l2tlb_lookup(&self->l2[vm], va, g->asid);
    struct disco_pmap_pair p = {.m = g, .vcpu = self->id, .node = here(), .record = record};
    uint64_t ppn[2] = {g->ppn[0].v, g->ppn[1].v};

    if (l2) {
        MUST((l2->note & 0xffff) == (ppn[0] << 8 | ppn[1]));
        load_tlb(vm, g->pair, g->asid, l2->e, ppn);
        return;
    }
    disco_pmap_enter(&pm[vm], &p);
    disco_l2tlb_insert(&self->l2[vm], va, g->asid, g->global, p.e, ppn[0] << 8 | ppn[1]);
    load_tlb(vm, g->pair, g->asid, p.e, ppn);
    disco_pmap_leave(&pm[vm], &p);
}

/* As assembly does for the segment the guest believes unmapped: the precomputed words, no lock. */
static void miss_like_assembly(unsigned vm, const struct disco_guest_map *g)
{
    uint64_t ppn[2] = {g->ppn[0].v, g->ppn[1].v};
    disco_tlbe e[2] = {
        disco_load_acquire(&pm[vm].entry[ppn[0]].tlbe),
        disco_load_acquire(&pm[vm].entry[ppn[1]].tlbe),
    };

    load_tlb(vm, g->pair, g->asid, e, ppn);
}

static struct translation *find(unsigned vm, const struct disco_guest_map *g)
{
    for (unsigned i = 0; i < TLB; i++) {
        struct translation *t = &self->tlb[i];

        if (t->used && t->vm == vm && t->pair.v == g->pair.v && (g->global || t->asid == g->asid))
            return t;
    }
    return NULL;
}

/* --- loads and stores --- */

uint64_t *word(disco_tlbe e, unsigned k)
{
    return (uint64_t *)(void *)mock_page(&m, mock_mpn(e)) + k;
}

static uint64_t value_of(unsigned vm, uint64_t ppn)
{
    return (uint64_t)(vm + 1) << 60 | ppn << 48 | (uint64_t)self->id << 40 | ++self->stores;
}

static void not_stale(const struct translation *t, unsigned half)
{
    disco_tlbe now = disco_load_acquire(&pm[t->vm].entry[t->ppn[half]].tlbe);
    uint64_t mpn = mock_mpn(t->e[half]);

    if (!now)
        return;
    MUST(mock_mpn(now) == mpn || disco_memmap_master(mm, (disco_mpn){mpn}).v == mock_mpn(now));
    MUST(!(mock_rights(t->e[half]) & DISCO_WRITE) || mock_rights(now) & DISCO_WRITE);
}

static void load(const struct translation *t, unsigned half)
{
    uint64_t ppn = t->ppn[half], before, v;
    struct memory *mem = &self->memory[t->vm][ppn];
    unsigned k = dice(CPUS);

    not_stale(t, half);
    before = __atomic_load_n(&begun[t->vm][ppn], __ATOMIC_SEQ_CST);
    v = disco_load(word(t->e[half], k));
    if (ppn < PRIVATE && v)
        MUST(v >> 48 == ((uint64_t)(t->vm + 1) << 12 | ppn) && (v >> 40 & 0xff) == k);
    if (k == self->id && ppn < MORTAL && mem->value && mem->begun == before)
        MUST(v == mem->value || before != __atomic_load_n(&begun[t->vm][ppn], __ATOMIC_SEQ_CST));
    self->done[0]++;
}

static void store(struct translation *t, unsigned half)
{
    uint64_t ppn = t->ppn[half], before = __atomic_load_n(&begun[t->vm][ppn], __ATOMIC_SEQ_CST), v;
    struct memory *mem = &self->memory[t->vm][ppn];
    unsigned vm = t->vm;

    if (!(mock_rights(t->e[half]) & DISCO_WRITE)) {
        self->done[1] += !disco_pmap_write_fault(&pm[vm], (disco_ppn){ppn}, here());
        return;
    }
    not_stale(t, half);
    v = value_of(vm, ppn);
    mem->value = 0;
    if (before == __atomic_load_n(&ended[vm][ppn], __ATOMIC_SEQ_CST)) {
        disco_store(word(t->e[half], self->id), v);
        if (before == __atomic_load_n(&begun[vm][ppn], __ATOMIC_SEQ_CST))
            *mem = (struct memory){before, v};
    } else {
        disco_store(word(t->e[half], self->id), v);
    }
    self->done[2]++;
}

void guest_step(void)
{
    struct disco_guest_map g = {0};
    unsigned vm = dice(VMS), half = dice(2);
    bool unmapped = dice(4) == 0;
    struct translation *t;

    guest_map(vm, dice(PAIRS), self->asid, unmapped, &g);
    t = find(vm, &g);
    if (!t) {
        if (unmapped && dice(2))
            miss_like_assembly(vm, &g);
        else
            miss(vm, &g, !unmapped);
        t = find(vm, &g);
    }
    if (!t || !t->e[half])
        return;
    if (dice(3))
        load(t, half);
    else
        store(t, half);
}
