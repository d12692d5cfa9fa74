/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_TEST_FENCE_H
#define MONITOR_TEST_FENCE_H

/*
 * Memory that ends at a page nobody may touch: whoever goes one byte too far is killed, in every
 * build. There is one such place; each call takes it over from the one before.
 */

#include "monitor/archive.h"

#define FENCE_MAX 65536

/* `len` bytes right before the fence. */
void *fence(size_t len);
/* A copy of `data` there. */
struct bytes fenced(const void *data, size_t len);

#endif
