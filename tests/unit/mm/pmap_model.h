/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PMAP_MODEL_H
#define PMAP_MODEL_H

/*
 * pmap and memmap against a naive model, driven by bytes: from a random generator in the unit test,
 * from a fuzzer in tests/fuzz. Several VMs on a machine with so little memory, so few user chunks
 * and backmap sets that each runs out all the time.
 *
 * The model knows, for each physical page, which object (a page's contents, who uses it, where it
 * and its replicas lie) it stands for, and predicts every result, NO_MEMORY included. A list of
 * translations plays L2TLBs and hardware TLBs at once; only `purge` takes anything out of it. After
 * each step
 *   - every page has the contents, the node, the users and the number of references it should have;
 *   - every translation in the list still leads to the right page, with no right too many;
 *   - no machine page is lost.
 * A difference prints what and where, and aborts.
 */

#include <stddef.h>
#include <stdint.h>

/* Run the steps that @p data encodes, then tear everything down. @return steps done. */
size_t pmap_model_run(const uint8_t *data, size_t size);

#endif
