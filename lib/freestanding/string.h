/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_FREESTANDING_STRING_H
#define DISCO_FREESTANDING_STRING_H

/*
 * The four functions that the libraries may call, for builds without a C library (the toolchain's own
 * <string.h> does not serve soft-float targets). Whoever links the monitor defines them; compilers
 * call them by themselves anyway.
 */

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *at, int byte, size_t n);
int memcmp(const void *a, const void *b, size_t n);

#endif
