/* SPDX-License-Identifier: BSD-2-Clause */
/* The engine against its model, on random steps. */
#include "model.h"
#include "suite.h"

#define BYTES 20000

START_TEST(random_steps)
{
    uint64_t seed = 0x4e554d41 + (uint64_t)_i;
    static uint8_t data[BYTES];

    for (size_t i = 0; i < BYTES; i++)
        data[i] = (uint8_t)mock_random(&seed);
    ck_assert_uint_gt(numa_model_run(data, BYTES), BYTES / 100);
}
END_TEST

int main(void) { return SUITE_LOOP("numa model", random_steps, 16); }
