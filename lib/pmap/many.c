/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several entries of one pmap at once: held in ascending order (lock.h), revoked together, because asking processors
 * costs more than what is asked, and let go. What is done to each in between is the caller's business: share.c shares,
 * lends and drops, move.c moves, others.c makes the other users of a page look anew.
 */
#include "pmap_private.h"

static disco_ppn ppn_at(const disco_ppn *first, size_t stride, size_t i)
{
    return *(const disco_ppn *)(const void *)((const char *)first + i * stride);
}

void disco_many_order(const disco_ppn *first, size_t stride, size_t n, uint8_t *order)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = i;

        for (; at && ppn_at(first, stride, order[at - 1]).v > ppn_at(first, stride, i).v; at--)
            order[at] = order[at - 1];
        order[at] = (uint8_t)i;
    }
}

struct hold *disco_many_hold(struct disco_pmap *pm, struct many *m, disco_ppn ppn, size_t of)
{
    m->h[m->n] = disco_entry_hold(pm, ppn);
    m->of[m->n] = (uint8_t)of;
    return &m->h[m->n++];
}

void disco_many_let_last_go(struct many *m) { disco_entry_let_go(&m->h[--m->n]); }

void disco_many_revoke(struct disco_pmap *pm, struct many *m)
{
    for (size_t i = 0; i < m->n; i++) {
        m->old[i] = word_of(&m->h[i]) ? page_of(pm, &m->h[i]) : (disco_mpn){NO_PAGE};
        m->was[i] = (uint8_t)meta_reason(m->h[i].meta);
    }
    disco_entry_revoke_many(pm, m->h, m->n);
}

void disco_many_put_back(struct disco_pmap *pm, struct many *m, size_t i)
{
    disco_entry_publish(pm, &m->h[i], m->old[i], (enum disco_pmap_reason)m->was[i]);
}

void disco_many_let_go(struct many *m)
{
    for (size_t i = 0; i < m->n; i++)
        disco_entry_let_go(&m->h[i]);
}
