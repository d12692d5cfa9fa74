/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts until its clock says "ms=NUMBER": what it got done tells what its neighbours left it. */
#include "tree.h"
#include "vcpus.h"

int guest_main(void)
{
    uint64_t until = tree_number("ms", 500) * 1000000, n = 0;

    while (now() < until) {
        for (volatile unsigned i = 0; i < 2000; i++)
            ;
        n++;
    }
    print("share: ");
    print_hex(n);
    print("\n");
    return 0;
}
