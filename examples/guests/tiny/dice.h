/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DICE_H
#define DICE_H

#include <stdint.h>

/* Xorshift numbers: the same seed (not 0) throws the same again. */
static inline uint64_t dice(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * UINT64_C(0x2545f4914f6cdd1d) >> 11;
}

#endif
