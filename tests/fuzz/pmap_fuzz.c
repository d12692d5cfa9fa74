/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: bytes are steps of the pmap model, which aborts where pmap or memmap differ from
 * it. With libFuzzer (a build with clang) coverage guides the bytes; driver.c tries random ones.
 */
#include "pmap_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pmap_model_run(data, size < 4096 ? size : 4096);
    return 0;
}
