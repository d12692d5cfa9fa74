/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps a secret in its memory, as long as "ms=NUMBER" says, and looks whether it changes. The others
 * know the secret (keeper.h), so that they recognise it where they should not find it.
 */
#include "keeper.h"
#include "tree.h"
#include "vcpus.h"

#define SAFE ((volatile uint64_t *)UINT64_C(0x4000000000800000))
#define WORDS (2 << 20 >> 3)
#define MS UINT64_C(1000000)

static int changed(void)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < WORDS; i++)
        n += SAFE[i] != (SECRET | i);
    return n != 0;
}

int guest_main(void)
{
    uint64_t until = tree_number("ms", 300) * MS;
    int bad = 0;

    for (uint64_t i = 0; i < WORDS; i++)
        SAFE[i] = SECRET | i;
    do {
        bad |= changed();
    } while (!bad && now() < until);
    print(bad ? "keeper: FAILED, somebody was here\n" : "keeper: nobody was here\n");
    return bad;
}
