/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef IO_DISK_MODEL_H
#define IO_DISK_MODEL_H

/*
 * VMs that use a disk of any kind in every way at random, against arrays of bytes: what each has in memory, and what
 * each must find on the disk. Aborts where they differ, or where a page is missing at the end.
 */

#include "disk_world.h"

struct model_counts {
    uint64_t done_now, done_later, failed, refused, stored, reopened, evicted;
};

/* One run: kind of disk and all chances follow from @p seed; what happened is added to @p counts. */
void disk_model_run(uint64_t seed, unsigned steps, struct model_counts *counts);

#endif
