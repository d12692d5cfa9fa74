/* SPDX-License-Identifier: BSD-2-Clause */
#include "topology.h"

int flash_divide(struct disco_backend *b, unsigned nodes, uint64_t pages)
{
    if (!nodes || nodes > DISCO_MAX_NODES || nodes > pages || !b->cpus)
        return DISCO_ERR_BAD_ARG;
    b->nodes = nodes;
    for (unsigned i = 0; i < b->cpus; i++)
        b->node_of_cpu[i] = (uint8_t)flash_node_of_cpu(i, nodes, b->cpus);
    return DISCO_OK;
}
