/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * References. A page lives as long as somebody refers to it: its users (pmap entries, see users.c)
 * and holders that are none (a disk cache, a log, a caller between two steps). Each user owns one
 * reference, which get and put cannot touch.
 */
#include "memmap_private.h"

/*
 * Replicas go with their master. The page leaves the lock order downwards: its own lock is held
 * while it is pushed, and no other page's.
 */
void disco_page_release(struct disco_memmap *mm, struct disco_memmap_page *pg, uint64_t head)
{
    uint32_t replicas = 0;

    head -= HEAD_REF;
    if (!head_refs(head)) {
        head = head_with_state(head, DISCO_PAGE_FREE);
        if (!high_half(disco_load(&pg->word[LINK])))
            replicas = low_half(disco_load(&pg->word[LINK]));
        disco_freelist_push(mm, pg, head_node(head));
    }
    page_unlock(pg, head);
    disco_replica_free_chain(mm, replicas);
}

int disco_memmap_get(struct disco_memmap *mm, disco_mpn mpn)
{
    struct disco_memmap_page *pg = page_at(mm, mpn);
    uint64_t head;
    int err = DISCO_OK;

    if (!pg)
        return DISCO_ERR_BAD_ARG;
    head = page_lock(mm, pg);
    if (!in_use(head) || head_state(head) == DISCO_PAGE_REPLICA)
        err = DISCO_ERR_STATE;
    else if (head_refs(head) == UINT32_MAX)
        err = DISCO_ERR_NO_SPACE;
    else
        head += HEAD_REF;
    if (!err && head_state(head) == DISCO_PAGE_PRIVATE && high_half(disco_load(&pg->word[MORE])))
        head = head_with_state(head, DISCO_PAGE_SHARED);
    page_unlock(pg, head);
    return err;
}

int disco_memmap_put(struct disco_memmap *mm, disco_mpn mpn)
{
    struct disco_memmap_page *pg = page_at(mm, mpn);
    uint32_t users;
    uint64_t head;

    if (!pg)
        return DISCO_ERR_BAD_ARG;
    head = page_lock(mm, pg);
    users = high_half(disco_load(&pg->word[MORE]));
    if (!in_use(head) || head_state(head) == DISCO_PAGE_REPLICA || head_refs(head) == users) {
        page_unlock(pg, head);
        return DISCO_ERR_STATE;
    }
    if (users == 1 && head_refs(head) == 2)
        head = head_with_state(head, DISCO_PAGE_PRIVATE);
    disco_page_release(mm, pg, head);
    return DISCO_OK;
}

/* The three readers are snapshots; acquire pairs with page_unlock() of whoever wrote last. */
static uint64_t peek(const struct disco_memmap *mm, disco_mpn mpn)
{
    const struct disco_memmap_page *pg = page_at(mm, mpn);

    return pg ? disco_load_acquire(&pg->word[HEAD]) : 0;
}

enum disco_page_state disco_memmap_state(const struct disco_memmap *mm, disco_mpn mpn)
{
    return head_state(peek(mm, mpn));
}

unsigned disco_memmap_node(const struct disco_memmap *mm, disco_mpn mpn)
{
    return head_node(peek(mm, mpn));
}

uint32_t disco_memmap_refs(const struct disco_memmap *mm, disco_mpn mpn)
{
    return head_refs(peek(mm, mpn));
}
