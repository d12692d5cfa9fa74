/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TREE_H
#define TREE_H

/* What the device tree tells a guest about its virtual machine. */

#include <stdint.h>

/* How many virtual CPUs there are. */
unsigned tree_vcpus(void);
/* Bytes of memory. */
uint64_t tree_memory(void);
/* NUMBER of the word "KEY=NUMBER" on the command line (decimal); `otherwise` if there is none. */
uint64_t tree_number(const char *key, uint64_t otherwise);

#endif
