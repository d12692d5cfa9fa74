/* SPDX-License-Identifier: BSD-2-Clause */
#include "icount.h"

#define BIT(n) (UINT64_C(1) << (n))
#define RANGE(from, to) ((BIT(to) << 1) - BIT(from)) /* modulo 2^64: `to` may be 63 */

enum { OP_SPECIAL, OP_REGIMM, OP_COP0 = 0x10, OP_SPECIAL3 = 0x1f };

/*
 * Functions of SPECIAL that compute or jump; the others trap, call the system, or (add, sub, dadd,
 * dsub) may overflow.
 */
static const uint64_t special_plain = BIT(0x00) | RANGE(0x02, 0x09) | RANGE(0x10, 0x1f) |
                                      BIT(0x21) | RANGE(0x23, 0x27) | RANGE(0x2a, 0x2b) |
                                      BIT(0x2d) | BIT(0x2f) | BIT(0x35) | BIT(0x37) | BIT(0x38) |
                                      RANGE(0x3a, 0x3c) | RANGE(0x3e, 0x3f);

/* j, jal, beq, bne; the immediate forms of add, compare, logic; lui, daddiu, daui. */
static const uint64_t op_plain = RANGE(0x02, 0x05) | RANGE(0x09, 0x0f) | BIT(0x19) | BIT(0x1d);

/* ext and ins in their eight forms, byte and bit swaps. */
static const uint64_t special3_plain = RANGE(0x00, 0x07) | BIT(0x20) | BIT(0x24);

bool decode_plain(uint32_t word)
{
    unsigned op = word >> 26, function = word & 63, rt = word >> 16 & 31;

    switch (op) {
    case OP_SPECIAL: return special_plain >> function & 1;
    case OP_SPECIAL3: return special3_plain >> function & 1;
    case OP_REGIMM: return rt < 2 || rt == 0x11; /* bltz, bgez, bal */
    default: return op_plain >> op & 1;
    }
}

#define COP0_CO 0x02000000u
#define FUNCTION_SYSCALL 0x0c
#define RT_FIELD (31u << 16)

uint32_t decode_trap(uint32_t word, enum mode mode)
{
    if (mode == MODE_USER && word >> 26 == OP_SPECIAL && (word & 63) == FUNCTION_SYSCALL)
        return FUNCTION_SYSCALL;
    if (mode != MODE_SUPERVISOR || word >> 26 != OP_COP0)
        return 0;
    return word & COP0_CO ? word & 0xfe00003f : word & ~RT_FIELD;
}
