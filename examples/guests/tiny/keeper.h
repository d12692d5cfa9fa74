/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KEEPER_H
#define KEEPER_H

/* The secret is this, and in its lower half the number of the word. */
#define SECRET UINT64_C(0x5ec2e75e00000000)
#define IS_SECRET(value) ((value) >> 32 == SECRET >> 32)

#endif
