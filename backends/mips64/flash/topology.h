/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MIPS64_FLASH_TOPOLOGY_H
#define MIPS64_FLASH_TOPOLOGY_H

/**
 * @file topology.h
 * @brief Which node has what, on a machine like FLASH (Disco, section 5.1): processors and memory are divided evenly.
 *
 * The same rule as that of the node controllers' model (include/disco/flash.h): pure functions, and the libraries
 * learn the outcome through struct disco_backend and disco_memmap_add().
 */

#include <disco/arch.h>

/** First of @p pages pages that lies on @p node; @p pages for @p node == @p nodes. The last node has what is left over. */
static inline uint64_t flash_node_begin(uint64_t pages, unsigned nodes, unsigned node)
{
    return node < nodes ? pages / nodes * node : pages;
}

/** The node of processor @p cpu of @p cpus. With more nodes than processors some have memory only. */
static inline unsigned flash_node_of_cpu(unsigned cpu, unsigned nodes, unsigned cpus)
{
    return cpu * nodes / cpus;
}

/**
 * Set nodes and node_of_cpu of @p b, whose cpus are set.
 * @return 0, DISCO_ERR_BAD_ARG (0 nodes, or more than DISCO_MAX_NODES, or than @p pages).
 */
int flash_divide(struct disco_backend *b, unsigned nodes, uint64_t pages);

#endif
