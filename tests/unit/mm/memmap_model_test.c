/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memmap against a model that cannot be wrong: for each page a plain list of users, a number of
 * other references, and a list of replicas. Random calls, wrong ones included; after each, result
 * and page must be the model's; now and then everything is compared.
 */
#include "mock_backend.h"
#include "suite.h"

#include <string.h>

#define NODES 4
#define PAGES 32
#define CHUNKS 6
#define MAX_USERS 64
#define STEPS 12000

struct page {
    enum disco_page_state state;
    unsigned held; /* references that are not users' */
    struct disco_page_user user[MAX_USERS];
    size_t users;
    int replica[NODES]; /* by node, -1: none */
    int master;         /* -1: not a replica */
};

static struct page model[PAGES];
static struct mock m;
static struct disco_memmap *mm;
static uint64_t seed;

static unsigned dice(unsigned n) { return (unsigned)(mock_random(&seed) % n); }
static unsigned node_of(int i) { return (unsigned)i / (PAGES / NODES); }
static disco_mpn mpn_of(int i) { return (disco_mpn){m.first + (uint64_t)i}; }

static bool in_use(const struct page *p)
{
    return p->held + p->users > 0 && p->state != DISCO_PAGE_REPLICA;
}

static size_t chunks_of(size_t users) { return users > 1 ? (users - 2) / 7 + 1 : 0; }

static size_t chunks_used(void)
{
    size_t n = 0;

    for (int i = 0; i < PAGES; i++)
        n += chunks_of(model[i].users);
    return n;
}

static void blank(struct page *p)
{
    memset(p, 0, sizeof *p);
    p->state = DISCO_PAGE_FREE;
    p->master = -1;
    for (unsigned n = 0; n < NODES; n++)
        p->replica[n] = -1;
}

static void drop_replicas(struct page *p)
{
    for (unsigned n = 0; n < NODES; n++) {
        if (p->replica[n] >= 0)
            blank(&model[p->replica[n]]);
        p->replica[n] = -1;
    }
}

static void settle(struct page *p)
{
    if (p->held + p->users == 0) {
        drop_replicas(p);
        blank(p);
    } else if (p->users) {
        p->state = p->users + p->held > 1 ? DISCO_PAGE_SHARED : DISCO_PAGE_PRIVATE;
    } else if (p->state == DISCO_PAGE_SHARED) {
        p->state = DISCO_PAGE_MONITOR;
    }
}

static void do_alloc(void)
{
    unsigned node = dice(NODES);
    enum disco_page_state s = dice(4) ? DISCO_PAGE_PRIVATE : DISCO_PAGE_MONITOR;
    unsigned best = NODES;
    disco_mpn mpn;
    int err = disco_memmap_alloc(mm, node, s, &mpn), i;

    for (int k = 0; k < PAGES; k++) {
        unsigned d = node > node_of(k) ? node - node_of(k) : node_of(k) - node;

        if (model[k].state == DISCO_PAGE_FREE && d < best)
            best = d;
    }
    ck_assert_int_eq(err, best == NODES ? DISCO_ERR_NO_MEMORY : 0);
    if (err)
        return;
    i = (int)(mpn.v - m.first);
    ck_assert_int_eq(model[i].state, DISCO_PAGE_FREE);
    ck_assert_int_eq(abs((int)node_of(i) - (int)node), (int)best);
    model[i].state = s;
    model[i].held = 1;
}

static bool is_row(int at, int n, unsigned node)
{
    for (int i = 0; i < n; i++) {
        if (model[at + i].state != DISCO_PAGE_FREE || node_of(at + i) != node)
            return false;
    }
    return mpn_of(at).v % (uint64_t)n == 0;
}

static void do_row(void)
{
    unsigned node = dice(NODES);
    int n = 1 << dice(3), at = PAGES - n;
    disco_mpn first;
    int err = disco_memmap_alloc_row(mm, node, DISCO_PAGE_PRIVATE, (unsigned)n, &first);

    while (at >= 0 && !is_row(at, n, node))
        at--;
    ck_assert_int_eq(err, at < 0 ? DISCO_ERR_NO_MEMORY : 0);
    for (int i = 0; at >= 0 && i < n; i++) {
        ck_assert_uint_eq(first.v, mpn_of(at).v);
        model[at + i].state = DISCO_PAGE_PRIVATE;
        model[at + i].held = 1;
    }
}

static struct disco_page_user any_user(void)
{
    return (struct disco_page_user){.pmap = dice(3), .ppn = {dice(8)}};
}

static void do_reference(struct page *p, disco_mpn mpn)
{
    if (dice(2)) {
        ck_assert_int_eq(disco_memmap_get(mm, mpn), in_use(p) ? 0 : DISCO_ERR_STATE);
        p->held += in_use(p);
    } else {
        bool ok = in_use(p) && p->held;

        ck_assert_int_eq(disco_memmap_put(mm, mpn), ok ? 0 : DISCO_ERR_STATE);
        p->held -= ok;
    }
    if (p->state != DISCO_PAGE_REPLICA && p->state != DISCO_PAGE_FREE)
        settle(p);
}

static void do_add_user(struct page *p, disco_mpn mpn)
{
    struct disco_page_user u = any_user();
    int want = in_use(p) ? 0 : DISCO_ERR_STATE;

    if (p->users == MAX_USERS)
        return;
    if (!want && chunks_of(p->users + 1) > chunks_of(p->users) && chunks_used() == CHUNKS)
        want = DISCO_ERR_NO_SPACE;
    ck_assert_int_eq(disco_memmap_add_user(mm, mpn, u), want);
    if (!want) {
        p->user[p->users++] = u;
        settle(p);
    }
}

static void do_adopt(struct page *p, disco_mpn mpn)
{
    struct disco_page_user u = any_user();
    bool ok = in_use(p) && p->held == 1 && !p->users;

    ck_assert_int_eq(disco_memmap_adopt(mm, mpn, u), ok ? 0 : DISCO_ERR_STATE);
    if (ok) {
        p->held = 0;
        p->user[p->users++] = u;
        settle(p);
    }
}

static void do_del_user(struct page *p, disco_mpn mpn)
{
    struct disco_page_user u = any_user();
    size_t k = 0;

    if (p->users && dice(4))
        u = p->user[dice((unsigned)p->users)];
    while (k < p->users && (p->user[k].pmap != u.pmap || p->user[k].ppn.v != u.ppn.v))
        k++;
    ck_assert_int_eq(disco_memmap_del_user(mm, mpn, u), k < p->users ? 0 : DISCO_ERR_NOT_FOUND);
    if (k < p->users) {
        p->user[k] = p->user[--p->users];
        if (!p->users)
            p->state = DISCO_PAGE_SHARED; /* for settle(): users were there */
        settle(p);
    }
}

static void do_replica(int master, int copy)
{
    struct page *p = &model[master], *c = &model[copy];
    int want = 0;

    if (master == copy)
        want = DISCO_ERR_BAD_ARG;
    else if (c->state != DISCO_PAGE_PRIVATE || c->held != 1 || c->users || !in_use(p))
        want = DISCO_ERR_STATE;
    else if (node_of(master) == node_of(copy) || p->replica[node_of(copy)] >= 0)
        want = DISCO_ERR_BUSY;
    for (unsigned n = 0; n < NODES; n++) {
        if (c->replica[n] >= 0 && master != copy)
            want = DISCO_ERR_STATE;
    }
    ck_assert_int_eq(disco_memmap_add_replica(mm, mpn_of(master), mpn_of(copy)), want);
    if (!want) {
        p->replica[node_of(copy)] = copy;
        c->state = DISCO_PAGE_REPLICA;
        c->master = master;
    }
}

static void do_drop(struct page *p, disco_mpn mpn)
{
    ck_assert_int_eq(disco_memmap_drop_replicas(mm, mpn), in_use(p) ? 0 : DISCO_ERR_STATE);
    if (in_use(p))
        drop_replicas(p);
}

static bool same_users(const struct page *p, struct disco_page_user *got, size_t n)
{
    if (n != p->users)
        return false;
    for (size_t i = 0; i < p->users; i++) {
        size_t k = 0;

        while (k < n && (got[k].pmap != p->user[i].pmap || got[k].ppn.v != p->user[i].ppn.v))
            k++;
        if (k == n)
            return false;
        got[k] = got[--n];
    }
    return true;
}

static void compare(int i)
{
    struct page *p = &model[i];
    struct disco_page_user got[MAX_USERS];
    size_t n;

    ck_assert_int_eq(disco_memmap_state(mm, mpn_of(i)), p->state);
    ck_assert_uint_eq(disco_memmap_node(mm, mpn_of(i)), node_of(i));
    ck_assert_uint_eq(disco_memmap_refs(mm, mpn_of(i)), p->held + p->users);
    ck_assert_int_eq(disco_memmap_users(mm, mpn_of(i), got, MAX_USERS, &n), 0);
    ck_assert(same_users(p, got, n));
    for (unsigned k = 0; k < NODES; k++) {
        int want = p->replica[k] >= 0 ? p->replica[k] : i;

        ck_assert_uint_eq(disco_memmap_nearest(mm, mpn_of(i), k).v, mpn_of(want).v);
    }
    ck_assert_uint_eq(disco_memmap_master(mm, mpn_of(i)).v,
                      mpn_of(p->master >= 0 ? p->master : i).v);
}

static void compare_all(void)
{
    uint64_t free_pages = 0;

    for (int i = 0; i < PAGES; i++) {
        compare(i);
        free_pages += model[i].state == DISCO_PAGE_FREE;
    }
    ck_assert_uint_eq(mock_free_pages(&m, mm), free_pages);
}

static void step(void)
{
    int i = (int)dice(PAGES);
    struct page *p = &model[i];

    switch (dice(12)) {
    case 0: do_row(); break;
    case 1: do_alloc(); break;
    case 2:
    case 3: do_reference(p, mpn_of(i)); break;
    case 4:
    case 5: do_add_user(p, mpn_of(i)); break;
    case 6: do_adopt(p, mpn_of(i)); break;
    case 7:
    case 8: do_del_user(p, mpn_of(i)); break;
    case 9:
    case 10: do_replica(i, (int)dice(PAGES)); break;
    default:
        if (!dice(4))
            do_drop(p, mpn_of(i));
        break;
    }
    compare(i);
}

START_TEST(random_calls)
{
    void *storage;

    seed = 0x1000 + (uint64_t)_i;
    mock_init(&m, NODES, 5, PAGES);
    mm = mock_memmap(&m, CHUNKS, 0, &storage);
    for (int i = 0; i < PAGES; i++)
        blank(&model[i]);
    for (unsigned s = 0; s < STEPS; s++) {
        step();
        if (s % 64 == 0)
            compare_all();
    }
    compare_all();
    free(storage);
    mock_fini(&m);
}
END_TEST

int main(void) { return SUITE_LOOP("memmap_model", random_calls, 4); }
