/* SPDX-License-Identifier: BSD-2-Clause */
#include "loadstore.h"

enum { NOTHING, UNSIGNED, SIGNED, STORE };

/* By the opcode, bits 31..26. */
static const struct {
    uint8_t kind, size;
} table[64] = {
    [0x20] = {SIGNED, 1},   /* LB */
    [0x21] = {SIGNED, 2},   /* LH */
    [0x23] = {SIGNED, 4},   /* LW */
    [0x24] = {UNSIGNED, 1}, /* LBU */
    [0x25] = {UNSIGNED, 2}, /* LHU */
    [0x27] = {UNSIGNED, 4}, /* LWU */
    [0x28] = {STORE, 1},    /* SB */
    [0x29] = {STORE, 2},    /* SH */
    [0x2b] = {STORE, 4},    /* SW */
    [0x37] = {UNSIGNED, 8}, /* LD */
    [0x3f] = {STORE, 8},    /* SD */
};

bool mips_decode_loadstore(uint32_t word, struct mips_loadstore *out)
{
    unsigned op = word >> 26;

    if (table[op].kind == NOTHING) {
        return false;
    }
    *out = (struct mips_loadstore){
        .size = table[op].size,
        .store = table[op].kind == STORE,
        .sign_extends = table[op].kind == SIGNED,
        .base = (word >> 21) & 31,
        .reg = (word >> 16) & 31,
        .offset = (int16_t)(word & 0xffff),
    };
    return true;
}

uint64_t mips_loadstore_address(const struct mips_loadstore *i, const struct mips_gpr *gpr)
{
    return mips_gpr_get(gpr, i->base) + (uint64_t)(int64_t)i->offset;
}

static uint64_t low_bytes(const struct mips_loadstore *i, uint64_t value)
{
    return value & UINT64_MAX >> (64 - 8 * i->size);
}

uint64_t mips_store_value(const struct mips_loadstore *i, const struct mips_gpr *gpr)
{
    return low_bytes(i, mips_gpr_get(gpr, i->reg));
}

uint64_t mips_load_result(const struct mips_loadstore *i, uint64_t value)
{
    uint64_t sign = UINT64_C(1) << (8 * i->size - 1);

    value = low_bytes(i, value);
    return i->sign_extends ? (value ^ sign) - sign : value;
}
