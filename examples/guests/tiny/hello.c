/* SPDX-License-Identifier: BSD-2-Clause */
/* The smallest guest: it says so and powers off. */
#include "tiny.h"

int guest_main(void)
{
    print("Hello from a guest.\n");
    return 0;
}
