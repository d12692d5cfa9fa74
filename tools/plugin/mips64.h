/* SPDX-License-Identifier: BSD-2-Clause */
/* What plugins know of the machine: who executes, and the marks that a program sets. */
#ifndef PLUGIN_MIPS64_H
#define PLUGIN_MIPS64_H

#include <stdbool.h>
#include <stdint.h>

/* Who executes, by the segment of an instruction's address. A native kernel is where a monitor is. */
enum mode { MODE_USER, MODE_SUPERVISOR, MODE_KERNEL, MODES };

static inline enum mode mode_of(uint64_t va)
{
    if (va >> 62 == 0)
        return MODE_USER;
    if (va >> 62 == 1 || va >> 29 == UINT64_C(0x7fffffffe))
        return MODE_SUPERVISOR; /* XSSEG, CSSEG */
    return MODE_KERNEL;
}

/* ori $0, $0, 0xd150 + n sets mark n. */
#define MARK_MASK 0xfffffff0u
static inline bool is_mark(uint32_t word) { return (word & MARK_MASK) == 0x3400d150u; }

#endif
