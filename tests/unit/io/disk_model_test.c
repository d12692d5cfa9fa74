/* SPDX-License-Identifier: BSD-2-Clause */
#include "disk_model.h"
#include "suite.h"

/* Many short runs rather than few long ones: the kind of disk, and what is scarce, is chosen at the beginning of each. */
START_TEST(as_the_model)
{
    struct model_counts c = {0};

    for (uint64_t i = 0; i < 40; i++)
        disk_model_run((uint64_t)_i * 1000 + i, 500, &c);
    /* It would be no test if these did not happen. */
    ck_assert_uint_gt(c.done_now, 500);
    ck_assert_uint_gt(c.done_later, 500);
    ck_assert_uint_gt(c.failed, 50);
    ck_assert_uint_gt(c.refused, 20);
    ck_assert_uint_gt(c.stored, 500);
    ck_assert_uint_gt(c.reopened, 20);
    ck_assert_uint_gt(c.evicted, 50);
}
END_TEST

int main(void) { return SUITE_LOOP("disks against a model", as_the_model, 8); }
