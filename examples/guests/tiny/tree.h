/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TREE_H
#define TREE_H

/* What the device tree tells a guest about its virtual machine. */

#include <stdint.h>

/* How many virtual CPUs there are. */
unsigned tree_vcpus(void);
/* Bytes of memory. */
uint64_t tree_memory(void);
/* Where it ends: the monitor puts it behind the image, and what follows is the guest's. */
const void *tree_end(void);
/* A seed for random numbers. Returns how many bytes it has; 0 if there is none. */
unsigned tree_seed(const uint8_t **seed);
/* NUMBER of the word "KEY=NUMBER" on the command line (decimal); `otherwise` if there is none. */
uint64_t tree_number(const char *key, uint64_t otherwise);
/*
 * TEXT of the word "KEY=TEXT" there, if it is shorter than `size` bytes. Returns its length; 0 if
 * there is none, or it is too long.
 */
unsigned tree_text(const char *key, char *text, unsigned size);

#endif
