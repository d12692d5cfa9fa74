/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters, each processor's own, summed for who asks. */
#include "pmap_private.h"

#include <string.h>

_Static_assert(sizeof(struct disco_pmap_stats) % sizeof(uint64_t) == 0, "counters, nothing else");

/* A page may be seen to go from one processor before it is seen to have come on another. */
static uint64_t at_least_none(uint64_t n) { return (int64_t)n < 0 ? 0 : n; }

void disco_pmap_stats(const struct disco_pmap *pm, struct disco_pmap_stats *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t cpu = 0; cpu < pm->cpus; cpu++)
        disco_counters_add(out, &pm->counters[cpu].n, sizeof *out);
    out->present = at_least_none(out->present);
    out->shared = at_least_none(out->shared);
}
