/* SPDX-License-Identifier: BSD-2-Clause */
/* pmap against its model, on random steps. */
#include "mock_backend.h"
#include "pmap_model.h"
#include "suite.h"

#define BYTES 10000
#define WORLDS 3 /* each begins anew, with maps of dead pages still to be set */

START_TEST(random_steps)
{
    uint64_t seed = 0x9000 + (uint64_t)_i;
    static uint8_t data[BYTES];

    for (unsigned k = 0; k < WORLDS; k++) {
        for (size_t i = 0; i < BYTES; i++)
            data[i] = (uint8_t)mock_random(&seed);
        ck_assert_uint_gt(pmap_model_run(data, BYTES), BYTES / 10);
    }
}
END_TEST

int main(void) { return SUITE_LOOP("pmap_model", random_steps, 8); }
