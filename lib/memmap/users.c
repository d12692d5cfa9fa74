/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who uses a page (Disco, section 4.1.3). The first user sits in the page's entry, which is all
 * that most pages ever have. Further users fill chunks of one cache line from a pool: only a
 * page's first chunk may have holes, and a user that goes is replaced by the one entered last, so
 * that walking n users reads n / 7 + 2 lines and no hole.
 *
 * Users form a multiset: the same place may be entered twice (a page shared over itself), and
 * each entry is taken out once.
 *
 * A page with one user and no other reference is PRIVATE, with more of either it is SHARED; a
 * page that lost its users while something else still refers to it is the MONITOR's.
 */
#include "memmap_private.h"

#include <string.h>

static uint64_t pack(struct disco_page_user u)
{
    return USER_VALID | (uint64_t)u.pmap << USER_PMAP_SHIFT | u.ppn.v;
}

static struct disco_page_user unpack(uint64_t w)
{
    return (struct disco_page_user){
        .pmap = (uint32_t)((w & ~USER_VALID) >> USER_PMAP_SHIFT),
        .ppn = {w & USER_PPN_MASK},
    };
}

static bool user_ok(struct disco_page_user u)
{
    return u.pmap < DISCO_MAX_PMAPS && u.ppn.v <= USER_PPN_MASK;
}

/* --- the pool --- */

static uint32_t take_chunk(struct disco_memmap *mm, uint32_t next)
{
    uint32_t c;

    disco_lock(&mm->pool_lock, mm->backend);
    c = mm->free_chunk;
    if (c)
        mm->free_chunk = mm->chunk[c - 1].next;
    disco_unlock(&mm->pool_lock);
    if (c)
        mm->chunk[c - 1] = (struct chunk){.next = next};
    return c;
}

static void give_chunk(struct disco_memmap *mm, uint32_t c)
{
    disco_lock(&mm->pool_lock, mm->backend);
    mm->chunk[c - 1].next = mm->free_chunk;
    mm->free_chunk = c;
    disco_unlock(&mm->pool_lock);
}

/* --- one page's users; the page is locked --- */

/* MORE's low half, the chain of chunks, for a page that has one user already. */
static int add_to_chunk(struct disco_memmap *mm, uint32_t *chain, uint64_t user)
{
    struct chunk *c = *chain ? &mm->chunk[*chain - 1] : NULL;

    if (!c || c->used == CHUNK_USERS) {
        uint32_t fresh = take_chunk(mm, *chain);

        if (!fresh)
            return DISCO_ERR_NO_SPACE;
        *chain = fresh;
        c = &mm->chunk[fresh - 1];
    }
    c->user[c->used++] = user;
    return DISCO_OK;
}

/* Where @p user is written, or NULL. */
static uint64_t *find(struct disco_memmap *mm, struct disco_memmap_page *pg, uint64_t user)
{
    if (pg->word[USER] == user)
        return &pg->word[USER];
    for (uint32_t i = low_half(pg->word[MORE]); i; i = mm->chunk[i - 1].next) {
        struct chunk *c = &mm->chunk[i - 1];

        for (uint32_t k = 0; k < c->used; k++) {
            if (c->user[k] == user)
                return &c->user[k];
        }
    }
    return NULL;
}

/*
 * Put the user that was entered last in the place of the one at @p hole. The chunk that this may
 * empty is given back last of all: the hole may lie in it.
 */
static void fill_hole(struct disco_memmap *mm, uint64_t *hole, uint32_t *chain)
{
    uint32_t first = *chain;
    struct chunk *c;

    if (!first) {
        *hole = 0;
        return;
    }
    c = &mm->chunk[first - 1];
    *hole = c->user[--c->used];
    if (!c->used) {
        *chain = c->next;
        give_chunk(mm, first);
    }
}

static uint64_t shared_or_private(uint64_t head)
{
    return head_with_state(head, head_refs(head) > 1 ? DISCO_PAGE_SHARED : DISCO_PAGE_PRIVATE);
}

static int add_locked(struct disco_memmap *mm, struct disco_memmap_page *pg, uint64_t *head,
                      uint64_t user)
{
    uint32_t chain = low_half(pg->word[MORE]), users = high_half(pg->word[MORE]);
    int err;

    if (!in_use(*head) || head_state(*head) == DISCO_PAGE_REPLICA)
        return DISCO_ERR_STATE;
    if (head_refs(*head) == UINT32_MAX)
        return DISCO_ERR_NO_SPACE;
    if (!users) {
        pg->word[USER] = user;
    } else {
        err = add_to_chunk(mm, &chain, user);
        if (err)
            return err;
    }
    pg->word[MORE] = halves(users + 1, chain);
    *head = shared_or_private(*head + HEAD_REF);
    return DISCO_OK;
}

/* --- the calls --- */

int disco_memmap_add_user(struct disco_memmap *mm, disco_mpn mpn, struct disco_page_user u)
{
    struct disco_memmap_page *pg = page_at(mm, mpn);
    uint64_t head;
    int err;

    if (!pg || !user_ok(u))
        return DISCO_ERR_BAD_ARG;
    head = page_lock(mm, pg);
    err = add_locked(mm, pg, &head, pack(u));
    page_unlock(pg, head);
    return err;
}

int disco_memmap_adopt(struct disco_memmap *mm, disco_mpn mpn, struct disco_page_user u)
{
    struct disco_memmap_page *pg = page_at(mm, mpn);
    uint64_t head;
    int err = DISCO_ERR_STATE;

    if (!pg || !user_ok(u))
        return DISCO_ERR_BAD_ARG;
    head = page_lock(mm, pg);
    if (in_use(head) && head_refs(head) == 1 && !pg->word[MORE]) {
        err = add_locked(mm, pg, &head, pack(u));
        if (!err)
            head = shared_or_private(head - HEAD_REF);
    }
    page_unlock(pg, head);
    return err;
}

int disco_memmap_del_user(struct disco_memmap *mm, disco_mpn mpn, struct disco_page_user u)
{
    struct disco_memmap_page *pg = page_at(mm, mpn);
    uint32_t chain, users;
    uint64_t head, *at;

    if (!pg || !user_ok(u))
        return DISCO_ERR_BAD_ARG;
    head = page_lock(mm, pg);
    at = find(mm, pg, pack(u));
    if (!at) {
        page_unlock(pg, head);
        return DISCO_ERR_NOT_FOUND;
    }
    chain = low_half(pg->word[MORE]);
    users = high_half(pg->word[MORE]) - 1;
    fill_hole(mm, at, &chain);
    pg->word[MORE] = halves(users, chain);
    if (!users)
        head = head_with_state(head, DISCO_PAGE_MONITOR);
    else if (head_refs(head) == 2)
        head = head_with_state(head, DISCO_PAGE_PRIVATE);
    disco_page_release(mm, pg, head);
    return DISCO_OK;
}

/* Users as a caller wants them, packed ones to be unpacked. */
struct list {
    struct disco_page_user *users;
    size_t max, n;
    uint64_t after; /* 0: before all */
};

static void each_user(const struct disco_memmap *mm, const struct disco_memmap_page *pg,
                      void (*fn)(struct list *, uint64_t), struct list *l)
{
    if (pg->word[USER])
        fn(l, pg->word[USER]);
    for (uint32_t i = low_half(pg->word[MORE]); i; i = mm->chunk[i - 1].next) {
        for (uint32_t k = 0; k < mm->chunk[i - 1].used; k++)
            fn(l, mm->chunk[i - 1].user[k]);
    }
}

/* Write at most one user more; n counts all. */
static void note(struct list *l, uint64_t user)
{
    if (l->n < l->max)
        l->users[l->n] = unpack(user);
    l->n++;
}

/* Packed users are in the order that disco_memmap_users_after() promises. */
static void note_in_order(struct list *l, uint64_t user)
{
    size_t at = l->n;

    if (user <= l->after)
        return;
    while (at && pack(l->users[at - 1]) > user)
        at--;
    if (at == l->max || (at && pack(l->users[at - 1]) == user))
        return;
    l->n += l->n < l->max;
    memmove(&l->users[at + 1], &l->users[at], (l->n - 1 - at) * sizeof l->users[0]);
    l->users[at] = unpack(user);
}

int disco_memmap_users(struct disco_memmap *mm, disco_mpn mpn, struct disco_page_user *users,
                       size_t max, size_t *n)
{
    struct disco_memmap_page *pg = page_at(mm, mpn);
    struct list l = {users, max, 0, 0};
    uint64_t head;

    if (!pg)
        return DISCO_ERR_BAD_ARG;
    head = page_lock(mm, pg);
    each_user(mm, pg, note, &l);
    page_unlock(pg, head);
    *n = l.n;
    return DISCO_OK;
}

int disco_memmap_users_after(struct disco_memmap *mm, disco_mpn mpn,
                             const struct disco_page_user *after, struct disco_page_user *users,
                             size_t max, size_t *n)
{
    struct disco_memmap_page *pg = page_at(mm, mpn);
    struct list l = {users, max, *n, after ? pack(*after) : 0};
    uint64_t head;

    if (!pg || *n > max)
        return DISCO_ERR_BAD_ARG;
    head = page_lock(mm, pg);
    each_user(mm, pg, note_in_order, &l);
    page_unlock(pg, head);
    *n = l.n;
    return DISCO_OK;
}
