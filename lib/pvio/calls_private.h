/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_CALLS_PRIVATE_H
#define DISCO_CALLS_PRIVATE_H

#include <disco/atomic.h>
#include <disco/pvio.h>

/*
 * Where this processor counts, by disco_count_own(): nobody else writes there, and interrupts are off, so nothing comes
 * between its load and its store.
 */
static inline struct disco_calls_stats *calls_here(const struct disco_calls *t)
{
    return &t->counters[t->backend ? t->backend->ops->cpu(t->backend) : 0].n;
}

#endif
