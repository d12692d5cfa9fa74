/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells the seed for random numbers that it was given, then waits as long as "ms=NUMBER" says. */
#include "tree.h"
#include "vcpus.h"

/* Digit by digit, so that it reads the same in either byte order. */
static void print_bytes(const uint8_t *b, unsigned n)
{
    static const char digits[] = "0123456789abcdef";
    char two[3] = "";

    for (unsigned i = 0; i < n; i++) {
        two[0] = digits[b[i] >> 4];
        two[1] = digits[b[i] & 15];
        print(two);
    }
}

int guest_main(void)
{
    uint64_t until = now() + tree_number("ms", 0) * 1000000;
    const uint8_t *seed;
    unsigned n = tree_seed(&seed);

    print("seed: ");
    print_bytes(seed, n);
    print("\n");
    while (now() < until)
        ;
    return 0;
}
