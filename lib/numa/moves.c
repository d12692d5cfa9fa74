/* SPDX-License-Identifier: BSD-2-Clause */
/* A round's moves, in pmap's words. */
#include "numa_private.h"

/* Only the replicas of a page with one user: the others' translations of a replica are not this pmap's to revoke. */
static int collapse(struct disco_pmap *pm, const struct target *t)
{
    if (disco_pmap_reason(pm, t->ppn) != DISCO_PMAP_REPLICA)
        return DISCO_ERR_BUSY;
    return disco_pmap_write_fault(pm, t->ppn, t->node);
}

static int move(struct disco_pmap *pm, const struct target *t)
{
    switch (t->action) {
    case DISCO_NUMA_DO_MIGRATE: return disco_pmap_migrate(pm, t->ppn, t->node);
    case DISCO_NUMA_DO_REPLICATE: return disco_pmap_replicate(pm, t->ppn, t->node);
    case DISCO_NUMA_DO_COLLAPSE: return collapse(pm, t);
    default: return DISCO_ERR_UNSUPPORTED;
    }
}

void disco_numa_move(struct round *round)
{
    for (size_t i = 0; i < round->n; i++)
        round->target[i].err = move(round->pm, &round->target[i]);
}
