/* SPDX-License-Identifier: BSD-2-Clause */
#include "pmap_model.h"

#include "mock_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VMS = 3, PPNS = 8, VCPUS = 3, NODES = 3, PAGES = 27, FIRST = 64,
    CHUNKS = 2, SETS = 2, TOKENS = 4, TLB = 24, VPNS = 24,
    OBJECTS = PAGES,
};

#define CHECK(x) ((x) ? (void)0 : wrong(#x, __LINE__))

/* A machine page as the model sees it; dead when it has neither users nor tokens. */
struct object {
    uint8_t data[DISCO_PAGE_SIZE];
    unsigned users, tokens;
    uint64_t mpn;
    unsigned node;
    uint64_t replica[NODES]; /* MPN, 0: none */
};

struct page {
    struct object *o; /* NULL: not touched */
    enum disco_pmap_reason reason;
};

struct translation {
    bool used, recorded;
    unsigned vm;
    uint32_t vcpu;
    disco_vpn pair;
    disco_ppn ppn[2];
    disco_tlbe e[2];
};

static struct {
    struct mock mock;
    struct disco_memmap *mm;
    void *mm_storage, *storage[VMS];
    struct disco_pmap pm[VMS];
    struct object object[OBJECTS];
    struct page page[VMS][PPNS];
    struct object *token[TOKENS];
    struct translation tlb[TLB];
    unsigned next_slot;
    const uint8_t *data;
    size_t left, steps;
    unsigned op;
} w;

static void wrong(const char *what, int line)
{
    fprintf(stderr, "pmap_model: step %zu, operation %u, line %d: not so: %s\n", w.steps, w.op,
            line, what);
    abort();
}

/* --- input --- */

static unsigned byte(unsigned n)
{
    if (!w.left)
        return 0;
    w.left--;
    return *w.data++ % n;
}

/* --- objects --- */

static bool alive(const struct object *o) { return o->users || o->tokens; }

static unsigned free_on(unsigned node)
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

/* The node that an allocation for @p node comes from, or -1. */
static int source(unsigned node)
{
    for (int d = 0; d < NODES; d++) {
        if ((int)node - d >= 0 && free_on(node - (unsigned)d))
            return (int)node - d;
        if (node + (unsigned)d < NODES && free_on(node + (unsigned)d))
            return (int)node + d;
    }
    return -1;
}

static unsigned chunks_used(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < OBJECTS; i++)
        n += w.object[i].users > 1 ? (w.object[i].users - 2) / 7 + 1 : 0;
    return n;
}

static struct object *fresh(const uint8_t *contents, unsigned node)
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

static void release(struct page *p)
{
    if (p->o)
        p->o->users--;
    p->o = NULL;
    p->reason = DISCO_PMAP_WRITABLE;
}

static void use(struct page *p, struct object *o, enum disco_pmap_reason reason)
{
    p->o = o;
    p->reason = reason;
    o->users++;
}

static uint64_t real_mpn(unsigned vm, uint64_t ppn, unsigned node)
{
    disco_mpn mpn = {0};

    CHECK(disco_pmap_translate(&w.pm[vm], (disco_ppn){ppn}, node, &mpn) == 0);
    return mpn.v;
}

/* A new object stands behind the page: learn where it really is, which must be nobody else's. */
static void learn(unsigned vm, uint64_t ppn)
{
    struct object *o = w.page[vm][ppn].o;
    uint64_t mpn = disco_memmap_master(w.mm, (disco_mpn){real_mpn(vm, ppn, o->node)}).v;

    for (unsigned i = 0; i < OBJECTS; i++)
        CHECK(&w.object[i] == o || !alive(&w.object[i]) || w.object[i].mpn != mpn);
    o->mpn = mpn;
    CHECK(disco_memmap_node(w.mm, (disco_mpn){mpn}) == o->node);
}

/* --- the model of each call: predicted result --- */

static int model_touch(unsigned vm, uint64_t ppn, unsigned node, bool *learned)
{
    struct page *p = &w.page[vm][ppn];
    int from = source(node);

    if (p->o)
        return 0;
    if (from < 0)
        return DISCO_ERR_NO_MEMORY;
    use(p, fresh(NULL, (unsigned)from), DISCO_PMAP_WRITABLE);
    *learned = true;
    return 0;
}

static bool sole(const struct object *o) { return o->users + o->tokens == 1; }

static int model_own(unsigned vm, uint64_t ppn, unsigned node, bool *learned)
{
    struct page *p = &w.page[vm][ppn];
    int err = model_touch(vm, ppn, node, learned), from = source(node);
    struct object *o;

    if (err || p->reason == DISCO_PMAP_WRITABLE)
        return err;
    if (sole(p->o)) {
        memset(p->o->replica, 0, sizeof p->o->replica);
        p->reason = DISCO_PMAP_WRITABLE;
        return 0;
    }
    if (from < 0)
        return DISCO_ERR_NO_MEMORY;
    o = fresh(p->o->data, (unsigned)from);
    release(p);
    use(p, o, DISCO_PMAP_WRITABLE);
    *learned = true;
    return 0;
}

/* --- translations --- */

static void purge(void *ctx, disco_ppn ppn, const struct disco_purge *p, size_t n)
{
    unsigned vm = (unsigned)((struct disco_pmap *)ctx - w.pm);

    CHECK(disco_pmap_translate(&w.pm[vm], ppn, 0, &(disco_mpn){0}) == DISCO_ERR_NOT_FOUND);
    for (unsigned i = 0; i < TLB; i++) {
        struct translation *t = &w.tlb[i];

        if (!t->used || t->vm != vm)
            continue;
        if (!t->recorded && ((t->e[0] && t->ppn[0].v == ppn.v) || (t->e[1] && t->ppn[1].v == ppn.v)))
            t->used = false;
        for (size_t k = 0; k < n; k++) {
            if ((p[k].vcpu == DISCO_ALL_VCPUS || p[k].vcpu == t->vcpu) &&
                (p[k].vpn.v == DISCO_ALL_PAGES || p[k].vpn.v >> 1 == t->pair.v >> 1))
                t->used = false;
        }
    }
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
    uint64_t present = 0, shared = 0;

    for (unsigned i = 0; i < PPNS; i++) {
        enum disco_pmap_reason r = w.page[vm][i].reason;

        present += w.page[vm][i].o != NULL;
        shared += r == DISCO_PMAP_COW || r == DISCO_PMAP_NET;
    }
    CHECK(w.pm[vm].stats.present == present);
    CHECK(w.pm[vm].stats.shared == shared);
}

static void check_all(void)
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

/* --- steps --- */

static void touch(void)
{
    unsigned vm = byte(VMS), node = byte(NODES);
    uint64_t ppn = byte(PPNS + 1);
    bool learned = false;
    int want = ppn < PPNS ? model_touch(vm, ppn, node, &learned) : DISCO_ERR_BAD_ADDRESS;

    CHECK(disco_pmap_touch(&w.pm[vm], (disco_ppn){ppn}, node) == want);
    if (learned)
        learn(vm, ppn);
}

static void expect_half(struct translation *t, const struct disco_guest_map *m, unsigned half,
                        unsigned node, int err)
{
    const struct page *p = &w.page[t->vm][m->ppn[half].v % PPNS];
    unsigned rights = mock_rights(m->want[half]);
    uint64_t mpn;

    if (err || !m->want[half]) {
        CHECK(t->e[half] == 0);
        return;
    }
    mpn = p->o->replica[node] ? p->o->replica[node] : p->o->mpn;
    if (p->reason != DISCO_PMAP_WRITABLE)
        rights &= ~(unsigned)DISCO_WRITE;
    CHECK(t->e[half] == mock_tlbe(mpn, rights));
}

static void enter(void)
{
    struct disco_guest_map m = {0};
    unsigned vm = byte(VMS), node = byte(NODES), shape = byte(32);
    struct disco_pmap_pair p = {.m = &m, .vcpu = byte(VCPUS), .node = node, .record = shape & 4};
    struct translation *t = &w.tlb[w.next_slot++ % TLB];
    bool learned[2] = {false, false};
    unsigned first;
    int want[2];

    m.pair.v = byte(VPNS) * 2;
    for (unsigned i = 0; i < 2; i++) {
        m.ppn[i].v = byte(PPNS + 1);
        m.want[i] = shape >> i & 1 ? mock_tlbe(0, shape & 8 ? DISCO_RWX : DISCO_READ) : 0;
    }
    if (shape & 16)
        m.ppn[1] = m.ppn[0];
    first = m.ppn[0].v <= m.ppn[1].v ? 0 : 1;
    for (unsigned k = 0; k < 2; k++) {
        unsigned i = k ? 1 - first : first;

        want[i] = !m.want[i] ? 0 : m.ppn[i].v >= PPNS ? DISCO_ERR_BAD_ADDRESS
                  : model_touch(vm, m.ppn[i].v, node, &learned[i]);
    }
    disco_pmap_enter(&w.pm[vm], &p);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(p.err[i] == want[i]);
        if (learned[i])
            learn(vm, m.ppn[i].v);
    }
    *t = (struct translation){true, p.record, vm, p.vcpu, m.pair, {m.ppn[0], m.ppn[1]},
                              {p.e[0], p.e[1]}};
    disco_pmap_leave(&w.pm[vm], &p);
    expect_half(t, &m, 0, node, want[0]);
    expect_half(t, &m, 1, node, want[1]);
}

/* The guest stores through a translation it has, as hardware would. */
static void store(void)
{
    struct translation *t = &w.tlb[byte(TLB)];
    unsigned half = byte(2), at = byte(256) * 16, node = byte(NODES);
    uint8_t value = (uint8_t)byte(256);
    bool learned = false;
    struct page *p;

    if (!t->used || !t->e[half])
        return;
    p = &w.page[t->vm][t->ppn[half].v];
    if (mock_rights(t->e[half]) & DISCO_WRITE) {
        mock_page(&w.mock, mock_mpn(t->e[half]))[at] = value;
        p->o->data[at] = value;
    } else {
        uint64_t ppn = t->ppn[half].v;
        unsigned vm = t->vm;
        int want = model_own(vm, ppn, node, &learned);

        CHECK(disco_pmap_write_fault(&w.pm[vm], (disco_ppn){ppn}, node) == want);
        if (learned)
            learn(vm, ppn);
    }
}

static void lend(void)
{
    unsigned vm = byte(VMS), node = byte(NODES), k = byte(TOKENS);
    uint64_t ppn = byte(PPNS + 1);
    enum disco_pmap_reason reason = byte(2) ? DISCO_PMAP_COW : DISCO_PMAP_NET;
    struct page *p = &w.page[vm][ppn % PPNS];
    disco_mpn mpn = {0};
    bool learned = false;
    int want = ppn < PPNS ? 0 : DISCO_ERR_BAD_ADDRESS;

    if (w.token[k])
        return;
    want = want ? want : model_touch(vm, ppn, node, &learned);
    CHECK(disco_pmap_lend(&w.pm[vm], (disco_ppn){ppn}, node, reason, &mpn) == want);
    if (learned)
        learn(vm, ppn);
    if (want)
        return;
    p->reason = reason;
    p->o->tokens++;
    w.token[k] = p->o;
    CHECK(mpn.v == p->o->mpn);
}

static void share(void)
{
    unsigned vm = byte(VMS);
    uint64_t ppn = byte(PPNS + 1);
    struct object *o = w.token[byte(TOKENS)];
    enum disco_pmap_reason reason = byte(2) ? DISCO_PMAP_COW : DISCO_PMAP_NET;
    int want = ppn < PPNS ? 0 : DISCO_ERR_BAD_ADDRESS;

    if (!o)
        return;
    if (!want && o->users && (o->users - 1) % 7 == 0 && chunks_used() == CHUNKS)
        want = DISCO_ERR_NO_SPACE;
    CHECK(disco_pmap_share(&w.pm[vm], (disco_ppn){ppn}, (disco_mpn){o->mpn}, reason) == want);
    if (!want) {
        release(&w.page[vm][ppn]);
        use(&w.page[vm][ppn], o, reason);
    }
}

static void put_token(void)
{
    struct object **o = &w.token[byte(TOKENS)];

    if (!*o)
        return;
    CHECK(disco_memmap_put(w.mm, (disco_mpn){(*o)->mpn}) == 0);
    (*o)->tokens--;
    *o = NULL;
}

static void drop(void)
{
    unsigned vm = byte(VMS);
    uint64_t ppn = byte(PPNS + 1);

    CHECK(disco_pmap_drop(&w.pm[vm], (disco_ppn){ppn}) ==
          (ppn < PPNS ? 0 : DISCO_ERR_BAD_ADDRESS));
    if (ppn < PPNS)
        release(&w.page[vm][ppn]);
}

static void migrate(void)
{
    unsigned vm = byte(VMS), node = byte(NODES);
    uint64_t ppn = byte(PPNS);
    struct page *p = &w.page[vm][ppn];
    bool move = p->o && p->o->node != node;
    int want = !p->o ? DISCO_ERR_NOT_FOUND : !move ? 0 : !sole(p->o) ? DISCO_ERR_BUSY
               : !free_on(node) ? DISCO_ERR_NO_MEMORY : 0;

    CHECK(disco_pmap_migrate(&w.pm[vm], (disco_ppn){ppn}, node) == want);
    if (move && !want) {
        struct object *o = fresh(p->o->data, node);

        release(p);
        use(p, o, DISCO_PMAP_WRITABLE);
        learn(vm, ppn);
    }
}

static void replicate(void)
{
    unsigned vm = byte(VMS), node = byte(NODES);
    uint64_t ppn = byte(PPNS);
    struct page *p = &w.page[vm][ppn];
    bool make = p->o && p->o->node != node && !p->o->replica[node];
    int want = !p->o ? DISCO_ERR_NOT_FOUND : make && !free_on(node) ? DISCO_ERR_NO_MEMORY : 0;

    CHECK(disco_pmap_replicate(&w.pm[vm], (disco_ppn){ppn}, node) == want);
    if (make && !want) {
        if (p->reason == DISCO_PMAP_WRITABLE)
            p->reason = DISCO_PMAP_REPLICA;
        p->o->replica[node] = real_mpn(vm, ppn, node);
        CHECK(p->o->replica[node] != p->o->mpn);
        CHECK(disco_memmap_node(w.mm, (disco_mpn){p->o->replica[node]}) == node);
    }
}

/* A buffer of the guest's, somewhere, perhaps over a page boundary or out of its memory. */
static void buffer(void)
{
    unsigned vm = byte(VMS), node = byte(NODES), writes = byte(2);
    uint64_t ppn = byte(PPNS), at = byte(256) * 16, len = byte(256) * 20;
    disco_pa pa = {ppn * DISCO_PAGE_SIZE + at};
    uint8_t mine[256 * 20];
    int want = pa.v + len <= PPNS * DISCO_PAGE_SIZE ? 0 : DISCO_ERR_BAD_ADDRESS, err;

    memset(mine, (int)byte(256), sizeof mine);
    err = writes ? disco_pmap_write(&w.pm[vm], pa, mine, len, node)
                 : disco_pmap_read(&w.pm[vm], pa, mine, len, node);
    for (uint64_t done = 0, now; !want && done < len; done += now) {
        bool learned = false;

        now = DISCO_PAGE_SIZE - at < len - done ? DISCO_PAGE_SIZE - at : len - done;
        want = writes ? model_own(vm, ppn, node, &learned) : model_touch(vm, ppn, node, &learned);
        if (learned)
            learn(vm, ppn);
        if (!want && writes)
            memcpy(w.page[vm][ppn].o->data + at, mine + done, now);
        else if (!want)
            CHECK(!memcmp(w.page[vm][ppn].o->data + at, mine + done, now));
        ppn++;
        at = 0;
    }
    CHECK(err == want);
}

static void nonsense(void)
{
    struct disco_pmap *pm = &w.pm[byte(VMS)];
    uint64_t size = PPNS * DISCO_PAGE_SIZE, over = byte(256);
    disco_mpn mpn;

    CHECK(disco_pmap_check(pm, (disco_pa){UINT64_MAX - over}, over + 1) == DISCO_ERR_OVERFLOW);
    CHECK(disco_pmap_check(pm, (disco_pa){size - over}, over + 1) == DISCO_ERR_BAD_ADDRESS);
    CHECK(disco_pmap_check(pm, (disco_pa){size - over}, over) == 0);
    CHECK(disco_pmap_share(pm, (disco_ppn){0}, (disco_mpn){FIRST + PAGES + over},
                           DISCO_PMAP_COW) == DISCO_ERR_BAD_ARG);
    CHECK(disco_pmap_lend(pm, (disco_ppn){0}, 0, DISCO_PMAP_REPLICA, &mpn) == DISCO_ERR_BAD_ARG);
    CHECK(disco_pmap_translate(pm, (disco_ppn){PPNS + over}, 0, &mpn) == DISCO_ERR_BAD_ADDRESS);
}

static void (*const step[])(void) = {
    touch, enter, enter, enter, store, store, lend, share, share, put_token, drop, migrate,
    replicate, replicate, buffer, nonsense,
};

/* --- the world --- */

static void start(void)
{
    memset(&w, 0, sizeof w);
    mock_init(&w.mock, NODES, FIRST, PAGES);
    w.mm = mock_memmap(&w.mock, CHUNKS, 0, &w.mm_storage);
    for (unsigned v = 0; v < VMS; v++) {
        struct disco_pmap_config c = {
            .id = v, .pages = PPNS, .sets = SETS, .mm = w.mm, .backend = &w.mock.b,
            .purge = purge, .purge_ctx = &w.pm[v],
        };

        w.storage[v] = mock_storage(disco_pmap_size(&c));
        CHECK(disco_pmap_init(&w.pm[v], w.storage[v], disco_pmap_size(&c), &c) == 0);
    }
}

static void stop(void)
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

size_t pmap_model_run(const uint8_t *data, size_t size)
{
    start();
    w.data = data;
    w.left = size;
    while (w.left) {
        w.op = byte(sizeof step / sizeof step[0]);
        step[w.op]();
        check_all();
        w.steps++;
    }
    stop();
    return w.steps;
}
