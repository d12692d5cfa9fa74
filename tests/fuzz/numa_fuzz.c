/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: bytes are steps of the model of numa's engine, which aborts where pages, their contents or counters
 * are not what it says.
 */
#include "model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    numa_model_run(data, size < 4096 ? size : 4096);
    return 0;
}
