/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pmaps over a memmap, by number: a page's entry says which pmaps use it, and who takes the page away from all must
 * reach them. They are few, and asked for only where a page has several users: a list will do. A pmap that is held
 * stays; who ends one waits for that.
 */
#include "memmap_private.h"

static struct disco_memmap_pmap *find(const struct disco_memmap *mm, uint32_t id)
{
    struct disco_memmap_pmap *p = mm->pmaps;

    while (p && p->id != id)
        p = p->next;
    return p;
}

int disco_memmap_enroll(struct disco_memmap *mm, struct disco_memmap_pmap *p)
{
    bool ok;

    if (p->id >= DISCO_MAX_PMAPS)
        return DISCO_ERR_BAD_ARG;
    p->held = 0;
    disco_lock(&mm->pmaps_lock, mm->backend);
    ok = !find(mm, p->id);
    if (ok) {
        p->next = mm->pmaps;
        mm->pmaps = p;
    }
    disco_unlock(&mm->pmaps_lock);
    return ok ? DISCO_OK : DISCO_ERR_BAD_ARG;
}

static void take_out(struct disco_memmap *mm, const struct disco_memmap_pmap *p)
{
    struct disco_memmap_pmap **at = &mm->pmaps;

    while (*at && *at != p)
        at = &(*at)->next;
    if (*at)
        *at = p->next;
}

void disco_memmap_withdraw(struct disco_memmap *mm, struct disco_memmap_pmap *p)
{
    disco_lock(&mm->pmaps_lock, mm->backend);
    take_out(mm, p);
    disco_unlock(&mm->pmaps_lock);
    while (__atomic_load_n(&p->held, __ATOMIC_ACQUIRE)) {
        if (mm->backend)
            mm->backend->ops->relax(mm->backend);
    }
}

struct disco_memmap_pmap *disco_memmap_hold_pmap(struct disco_memmap *mm, uint32_t id)
{
    struct disco_memmap_pmap *p;

    disco_lock(&mm->pmaps_lock, mm->backend);
    p = find(mm, id);
    if (p)
        __atomic_fetch_add(&p->held, 1, __ATOMIC_RELAXED);
    disco_unlock(&mm->pmaps_lock);
    return p;
}

/* Release: what the holder did to the pmap, before the end of it. */
void disco_memmap_let_go_pmap(struct disco_memmap_pmap *p)
{
    __atomic_fetch_sub(&p->held, 1, __ATOMIC_RELEASE);
}
