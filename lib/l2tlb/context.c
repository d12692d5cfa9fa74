/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts. An entry's key does not hold the guest's ASID but a context, a number that stands for
 * the ASID until its translations are dropped. To drop them, forget the number: the next one
 * handed out is fresh, and no entry in the table has it. That costs O(1), where searching the
 * table for an ASID would cost its size, and guests recycle ASIDs all the time.
 *
 * There are 2^13 - 1 contexts (0 would make an empty key). When they have run out the table is
 * wiped, once, and counting starts again; that is the only time when entries are searched.
 */
#include "l2tlb_private.h"

#include <string.h>

/* The word from which assembly makes the key of the current address space. */
static void set_flip(struct disco_l2tlb *t)
{
    t->flip = t->hw_asid ^ t->context_of[t->current_asid];
}

static void start_again(struct disco_l2tlb *t)
{
    disco_l2tlb_wipe(t);
    memset(t->context_of, 0, t->asids * sizeof t->context_of[0]);
    t->global_context = 1;
    t->context_of[t->current_asid] = 2;
    t->next_context = 3;
}

__attribute__((noinline)) void disco_context_new(struct disco_l2tlb *t, uint32_t asid)
{
    if (t->next_context > CONTEXT_MASK)
        start_again(t);
    if (!t->context_of[asid])
        t->context_of[asid] = (uint16_t)t->next_context++;
    set_flip(t);
}

void disco_context_drop(struct disco_l2tlb *t, uint32_t asid)
{
    t->context_of[asid] = 0;
    disco_context_ensure(t, t->current_asid);
}

void disco_context_drop_all(struct disco_l2tlb *t)
{
    memset(t->context_of, 0, t->asids * sizeof t->context_of[0]);
    if (t->next_context > CONTEXT_MASK)
        start_again(t);
    else
        t->global_context = t->next_context++;
    disco_context_ensure(t, t->current_asid);
    set_flip(t);
}

int disco_l2tlb_set_asid(struct disco_l2tlb *t, uint32_t asid, uint64_t hw_asid)
{
    if (asid >= t->asids || hw_asid > CONTEXT_MASK)
        return DISCO_ERR_BAD_ARG;
    t->current_asid = asid;
    t->hw_asid = hw_asid;
    disco_context_ensure(t, asid);
    set_flip(t);
    return DISCO_OK;
}
