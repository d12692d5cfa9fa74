/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FUZZ_DAMAGE_H
#define FUZZ_DAMAGE_H

/* Damage to a valid input: random bytes alone hardly get past a parser's first check. */

#include <stddef.h>
#include <stdint.h>

/*
 * Change some places of `file` (`size` bytes), as `data` says: a byte, or a field of 2, 4 or 8
 * bytes that gets a value near a limit. Returns its new size, at most `size`.
 */
size_t damage(uint8_t *file, size_t size, const uint8_t *data, size_t len);

/* Ends the program, as fuzzers expect of a target that found a bug, unless `good`. */
void demand(int good, const char *what);

#endif
