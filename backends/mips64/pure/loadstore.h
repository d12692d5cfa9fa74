/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Loads and stores of general registers (MIPS64 Release 6): what a driver uses at a device.
 *
 * LL and SC, the FPU's and MSA's accesses, and those relative to pc are not among them. Pure; callable from anywhere.
 */
#ifndef MIPS64_PURE_LOADSTORE_H
#define MIPS64_PURE_LOADSTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "cp0.h"

/** A decoded load or store. */
struct mips_loadstore {
    uint8_t size; /**< bytes: 1, 2, 4, 8 */
    bool store;
    bool sign_extends; /**< a load: LB, LH, LW */
    uint8_t base;      /**< register; its value plus `offset` is the address */
    uint8_t reg;       /**< register that is loaded or stored */
    int16_t offset;
};

/** Decode @p word: LB, LBU, LH, LHU, LW, LWU, LD, SB, SH, SW, SD into *out. False: it is none of them. */
bool mips_decode_loadstore(uint32_t word, struct mips_loadstore *out);
/** The virtual address that @p i accesses. */
uint64_t mips_loadstore_address(const struct mips_loadstore *i, const struct mips_gpr *gpr);
/** What a store writes: the low `size` bytes of its register, zero-extended. */
uint64_t mips_store_value(const struct mips_loadstore *i, const struct mips_gpr *gpr);
/** What a load leaves in its register of @p value; bytes of it above `size` do not matter. */
uint64_t mips_load_result(const struct mips_loadstore *i, uint64_t value);

#endif
