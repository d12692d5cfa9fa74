/* SPDX-License-Identifier: BSD-2-Clause */
#include "pmap_model.h"

#include "pmap_world.h"
#include "pmap_model_move.h"

#include <string.h>

/* --- the model of each call: predicted result --- */

static bool marked(unsigned vm, uint64_t ppn)
{
    const struct deadmap *d = &w.dead[vm];

    return d->on && ppn < d->bytes && d->o->data[ppn];
}

static void has_contents(unsigned vm, uint64_t ppn)
{
    if (marked(vm, ppn))
        w.dead[vm].o->data[ppn] = 0;
}

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

static int model_own(unsigned vm, uint64_t ppn, unsigned node, bool *learned)
{
    struct page *p = &w.page[vm][ppn];
    int err = model_touch(vm, ppn, node, learned), from = source(node);
    struct object *o;

    if (err || p->reason == DISCO_PMAP_WRITABLE)
        return err;
    if (sole(p->o)) {
        w.moved[vm].collapses += p->reason == DISCO_PMAP_REPLICA;
        memset(p->o->replica, 0, sizeof p->o->replica);
        p->reason = DISCO_PMAP_WRITABLE;
        return 0;
    }
    if (from < 0)
        return DISCO_ERR_NO_MEMORY;
    o = fresh(marked(vm, ppn) ? NULL : p->o->data, (unsigned)from);
    w.dead[vm].copies += marked(vm, ppn);
    release(p);
    use(p, o, DISCO_PMAP_WRITABLE);
    *learned = true;
    return 0;
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

        want[i] = !m.want[i]           ? 0
                  : m.ppn[i].v >= PPNS ? DISCO_ERR_BAD_ADDRESS
                                       : model_touch(vm, m.ppn[i].v, node, &learned[i]);
    }
    disco_pmap_enter(&w.pm[vm], &p);
    for (unsigned i = 0; i < 2; i++) {
        CHECK(p.err[i] == want[i]);
        if (learned[i])
            learn(vm, m.ppn[i].v);
    }
    *t = (struct translation){
        true, p.record, vm, p.vcpu, m.pair, {m.ppn[0], m.ppn[1]}, {p.e[0], p.e[1]}};
    disco_pmap_leave(&w.pm[vm], &p);
    expect_half(t, &m, 0, node, want[0]);
    expect_half(t, &m, 1, node, want[1]);
}

/* The guest stores through a translation it has, as hardware would. */
static void store(void)
{
    struct translation *t = &w.tlb[byte(TLB)];
    unsigned half = byte(2), at = byte(2) ? byte(256) * 16 : byte(PPNS), node = byte(NODES);
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

/* The map of dead pages is not lent: a copy is. */
static int model_lend(const struct page *p, unsigned node, struct object **lent)
{
    int from = source(node);

    *lent = p->o;
    if (is_map(p->o))
        *lent = from < 0 ? NULL : fresh(p->o->data, (unsigned)from);
    return *lent ? 0 : DISCO_ERR_NO_MEMORY;
}

static void lend(void)
{
    unsigned vm = byte(VMS), node = byte(NODES), k = byte(TOKENS);
    uint64_t ppn = byte(PPNS + 1);
    enum disco_pmap_reason reason = byte(2) ? DISCO_PMAP_COW : DISCO_PMAP_NET;
    struct page *p = &w.page[vm][ppn % PPNS];
    struct object *o = NULL;
    disco_mpn mpn = {0};
    bool learned = false;
    int want = ppn < PPNS ? 0 : DISCO_ERR_BAD_ADDRESS, err;

    if (w.token[k])
        return;
    want = want ? want : model_touch(vm, ppn, node, &learned);
    err = disco_pmap_lend(&w.pm[vm], (disco_ppn){ppn}, node, reason, &mpn);
    if (learned)
        learn(vm, ppn);
    want = want ? want : model_lend(p, node, &o);
    CHECK(err == want);
    if (want)
        return;
    if (o == p->o) {
        p->reason = reason;
        has_contents(vm, ppn);
        CHECK(mpn.v == o->mpn);
    } else {
        learn_object(o, mpn.v);
    }
    o->tokens++;
    w.token[k] = o;
}

struct lending {
    int want;
    bool learned;
    struct object *o, **token;
};

/*
 * In the order of the PPNs, the first of equal ones first: what comes of it is the others' result, too.
 * @return whether something is taken from the guest.
 */
static bool model_lend_many(unsigned vm, const struct disco_pmap_place *p, struct lending *l,
                            unsigned n, unsigned node)
{
    bool revokes = false;

    for (uint64_t ppn = 0; ppn <= PPNS; ppn++) {
        const struct lending *before = NULL;

        for (unsigned i = 0; i < n; i++) {
            struct page *page = &w.page[vm][ppn % PPNS];

            if (p[i].ppn.v != ppn)
                continue;
            if (before) {
                l[i].want = before->want;
                l[i].o = before->o;
            } else {
                l[i].want =
                    ppn == PPNS ? DISCO_ERR_BAD_ADDRESS : model_touch(vm, ppn, node, &l[i].learned);
                if (!l[i].want)
                    l[i].want = model_lend(page, node, &l[i].o);
            }
            before = &l[i];
            if (l[i].want)
                continue;
            l[i].o->tokens++;
            if (l[i].o == page->o && page->reason == DISCO_PMAP_WRITABLE)
                revokes = true; /* and counts as lent when all have been revoked */
            else if (l[i].o == page->o)
                has_contents(vm, ppn);
        }
    }
    return revokes;
}

static void lent(unsigned vm, const struct disco_pmap_place *p, struct lending *l,
                 enum disco_pmap_reason reason)
{
    struct page *page = &w.page[vm][p->ppn.v % PPNS];

    CHECK(p->err == l->want);
    if (l->learned)
        learn(vm, p->ppn.v);
    if (l->want)
        return;
    *l->token = l->o;
    if (l->o != page->o) {
        learn_object(l->o, p->mpn.v);
        return;
    }
    CHECK(p->mpn.v == l->o->mpn);
    page->reason = reason;
    has_contents(vm, p->ppn.v);
}

static void lend_many(void)
{
    unsigned vm = byte(VMS), node = byte(NODES), free_tokens = 0;
    enum disco_pmap_reason reason = byte(2) ? DISCO_PMAP_COW : DISCO_PMAP_NET;
    struct disco_pmap_place p[TOKENS];
    struct lending l[TOKENS] = {0};
    bool revokes;

    for (unsigned k = 0; k < TOKENS; k++) {
        if (w.token[k])
            continue;
        l[free_tokens].token = &w.token[k];
        p[free_tokens++] = (struct disco_pmap_place){{byte(PPNS + 1)}, {0}, 1};
    }
    revokes = model_lend_many(vm, p, l, free_tokens, node);
    disco_pmap_lend_many(&w.pm[vm], p, free_tokens, node, reason);
    CHECK(w.purges == revokes);
    for (unsigned i = 0; i < free_tokens; i++)
        lent(vm, &p[i], &l[i], reason);
}

/* One more use of @p o, if there is room to note it. */
static int model_add_user(struct object *o)
{
    if (o->users && (o->users - 1) % 7 == 0 && chunks_used() == CHUNKS)
        return DISCO_ERR_NO_SPACE;
    o->users++;
    return 0;
}

/* @p o, whose use is counted already, stands behind the page from now on. */
static void model_replace(unsigned vm, uint64_t ppn, struct object *o,
                          enum disco_pmap_reason reason)
{
    release(&w.page[vm][ppn]);
    use(&w.page[vm][ppn], o, reason);
    o->users--;
    has_contents(vm, ppn);
}

static void share(void)
{
    unsigned vm = byte(VMS);
    uint64_t ppn = byte(PPNS + 1);
    struct object *o = w.token[byte(TOKENS)];
    enum disco_pmap_reason reason = byte(2) ? DISCO_PMAP_COW : DISCO_PMAP_NET;
    int want;

    if (!o)
        return;
    want = ppn < PPNS ? model_add_user(o) : DISCO_ERR_BAD_ADDRESS;
    CHECK(disco_pmap_share(&w.pm[vm], (disco_ppn){ppn}, (disco_mpn){o->mpn}, reason) == want);
    if (!want)
        model_replace(vm, ppn, o, reason);
}

/* In the order of the PPNs, the first of equal ones first. */
static void model_share_many(unsigned vm, const struct disco_pmap_place *p, struct object *const *o,
                             unsigned n, enum disco_pmap_reason reason)
{
    int want[DISCO_PMAP_MANY];

    for (uint64_t ppn = 0; ppn <= PPNS; ppn++) {
        bool again = false;

        for (unsigned i = 0; i < n; i++) {
            if (p[i].ppn.v != ppn)
                continue;
            want[i] = again         ? DISCO_ERR_BAD_ARG
                      : ppn == PPNS ? DISCO_ERR_BAD_ADDRESS
                                    : model_add_user(o[i]);
            again = true;
        }
    }
    for (unsigned i = 0; i < n; i++) {
        CHECK(p[i].err == want[i]);
        if (!want[i])
            model_replace(vm, p[i].ppn.v, o[i], reason);
    }
}

static void share_many(void)
{
    unsigned vm = byte(VMS), n = byte(PPNS + 3), named = 0;
    enum disco_pmap_reason reason = byte(2) ? DISCO_PMAP_COW : DISCO_PMAP_NET;
    struct disco_pmap_place p[DISCO_PMAP_MANY];
    struct object *o[DISCO_PMAP_MANY];

    for (unsigned i = 0; i < n; i++) {
        o[named] = w.token[byte(TOKENS)];
        p[named].ppn.v = byte(PPNS + 1);
        p[named].err = 1;
        if (o[named]) {
            p[named].mpn.v = o[named]->mpn;
            named++;
        }
    }
    disco_pmap_share_many(&w.pm[vm], p, named, reason);
    CHECK(w.purges <= 1);
    model_share_many(vm, p, o, named, reason);
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

    CHECK(disco_pmap_drop(&w.pm[vm], (disco_ppn){ppn}) == (ppn < PPNS ? 0 : DISCO_ERR_BAD_ADDRESS));
    if (ppn < PPNS)
        release(&w.page[vm][ppn]);
}

static void drop_many(void)
{
    unsigned vm = byte(VMS);
    uint64_t first = byte(PPNS + 1), n = byte(PPNS + 2), had = 99, want = 0;
    bool inside = first < PPNS && n <= PPNS - first;

    CHECK(disco_pmap_drop_many(&w.pm[vm], (disco_ppn){first}, n, &had) ==
          (inside ? 0 : DISCO_ERR_BAD_ADDRESS));
    for (uint64_t i = 0; inside && i < n; i++) {
        want += w.page[vm][first + i].o != NULL;
        release(&w.page[vm][first + i]);
    }
    CHECK(had == (inside ? want : 99));
    CHECK(w.purges == (inside && want));
}

static int model_set_dead(unsigned vm, uint64_t ppn, uint64_t bytes, unsigned node, bool *learned)
{
    struct deadmap *d = &w.dead[vm];
    int err;

    if (!bytes) {
        d->tried = true;
        d->on = false;
        return 0;
    }
    if (ppn >= PPNS)
        return DISCO_ERR_BAD_ADDRESS;
    if (bytes > PPNS)
        return DISCO_ERR_BAD_ARG;
    if (d->tried)
        return DISCO_ERR_STATE;
    d->tried = true;
    err = model_own(vm, ppn, node, learned);
    if (err)
        return err;
    d->o = w.page[vm][ppn].o;
    d->o->tokens++;
    d->on = true;
    d->bytes = bytes;
    return 0;
}

static void set_dead(void)
{
    unsigned vm = byte(VMS), node = byte(NODES), what = byte(256);
    uint64_t ppn = byte(PPNS + 1), bytes = what ? PPNS + 1 - what % 32 % PPNS : 0;
    bool learned = false;
    int want = model_set_dead(vm, ppn, bytes, node, &learned);

    CHECK(disco_pmap_set_dead(&w.pm[vm], disco_ppn_base((disco_ppn){ppn}), bytes, node) == want);
    if (learned)
        learn(vm, ppn);
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
    CHECK(disco_pmap_share(pm, (disco_ppn){0}, (disco_mpn){FIRST + PAGES + over}, DISCO_PMAP_COW) ==
          DISCO_ERR_BAD_ARG);
    CHECK(disco_pmap_lend(pm, (disco_ppn){0}, 0, DISCO_PMAP_REPLICA, &mpn) == DISCO_ERR_BAD_ARG);
    CHECK(disco_pmap_translate(pm, (disco_ppn){PPNS + over}, 0, &mpn) == DISCO_ERR_BAD_ADDRESS);
}

/* A store into the map, as if the guest had it still. */
static void mark(void)
{
    struct object *o = w.dead[byte(VMS)].o;
    uint64_t ppn = byte(PPNS);
    uint8_t value = (uint8_t)byte(4);

    if (!o)
        return;
    mock_page(&w.mock, o->mpn)[ppn] = value;
    o->data[ppn] = value;
}

static void (*const step[])(void) = {
    touch,      enter, enter,     enter,     store,     store,     store,     lend,     share,
    share_many, drop,  put_token, migrate,   replicate, replicate, buffer,    lend,     nonsense,
    set_dead,   mark,  drop_many, lend_many, move_many, move_many, move_many, move_one,
};

size_t pmap_model_run(const uint8_t *data, size_t size)
{
    world_start();
    w.data = data;
    w.left = size;
    while (w.left) {
        w.purges = 0;
        mock_cpu = (unsigned)(w.steps % MOCK_CPUS); /* counters are each one's own */
        w.op = byte(sizeof step / sizeof step[0]);
        step[w.op]();
        world_check();
        w.steps++;
    }
    world_stop();
    return w.steps;
}
