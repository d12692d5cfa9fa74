/* SPDX-License-Identifier: BSD-2-Clause */
/* A round's moves, in pmap's words. */
#include "numa_private.h"

static enum disco_pmap_move_kind kind(enum disco_numa_action action)
{
    switch (action) {
    case DISCO_NUMA_DO_MIGRATE: return DISCO_PMAP_MIGRATE;
    case DISCO_NUMA_DO_REPLICATE: return DISCO_PMAP_REPLICATE;
    case DISCO_NUMA_DO_COLLAPSE: return DISCO_PMAP_COLLAPSE;
    default: return DISCO_PMAP_REMAP;
    }
}

void disco_numa_move(struct round *round)
{
    struct disco_pmap_move move[DISCO_PMAP_MANY];

    for (size_t i = 0; i < round->n; i++) {
        const struct target *t = &round->target[i];

        move[i] = (struct disco_pmap_move){t->ppn, t->node, kind(t->action), DISCO_OK};
    }
    disco_pmap_move_many(round->pm, move, round->n);
    for (size_t i = 0; i < round->n; i++)
        round->target[i].err = move[i].err;
}
