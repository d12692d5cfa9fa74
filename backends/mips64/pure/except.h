/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Exception entry and return of the virtual CPU: the architecture's rules in one place.
 *
 * Pure; @p cp0 is untrusted as described in cp0.h. All functions leave the virtual Cause and Status
 * sign-extended.
 */
#ifndef MIPS64_PURE_EXCEPT_H
#define MIPS64_PURE_EXCEPT_H

#include <stdbool.h>
#include <stdint.h>

#include "cp0.h"

enum mips_exc_code {
    MIPS_EXC_INT = 0,
    MIPS_EXC_MOD = 1,
    MIPS_EXC_TLBL = 2,
    MIPS_EXC_TLBS = 3,
    MIPS_EXC_ADEL = 4,
    MIPS_EXC_ADES = 5,
    MIPS_EXC_IBE = 6,
    MIPS_EXC_DBE = 7,
    MIPS_EXC_SYS = 8,
    MIPS_EXC_BP = 9,
    MIPS_EXC_RI = 10,
    MIPS_EXC_CPU = 11,
    MIPS_EXC_OV = 12,
    MIPS_EXC_TR = 13,
    MIPS_EXC_MSAFPE = 14,
    MIPS_EXC_FPE = 15,
    MIPS_EXC_TLBRI = 19,
    MIPS_EXC_TLBXI = 20,
    MIPS_EXC_MSADIS = 21,
    MIPS_EXC_WATCH = 23,
    MIPS_EXC_MCHECK = 24,
};

/** One exception to be taken by the guest. */
struct mips_exc {
    uint8_t code;        /**< enum mips_exc_code, taken modulo 32 */
    uint8_t ce;          /**< coprocessor of MIPS_EXC_CPU, else ignored */
    bool bd;             /**< the instruction stands in a slot and `epc` is its branch */
    bool refill;         /**< TLBL, TLBS: no entry matched, as opposed to an invalid one */
    bool badinstr_valid; /**< `badinstr` is the instruction; false for failed fetches */
    uint32_t badinstr;
    uint32_t badinstrp; /**< the branch, used if `bd` and `badinstr_valid` */
    uint64_t epc;
    uint64_t badvaddr; /**< for TLB exceptions and address errors */
};

/**
 * Take @p exc: update the privileged registers, set EXL.
 * @return pc at which the guest continues
 *
 * EPC, BD, BadInstr and BadInstrP change only if EXL was clear; only then do a refill and an
 * interrupt with Cause.IV have vectors of their own. Address errors change EntryHi, Context and
 * XContext as TLB exceptions do.
 */
uint64_t mips_exception(struct mips_cp0 *cp0, const struct mips_exc *exc);

/** ERET and ERETNC: leave the error level first, else the exception level. @return the new pc;
 * breaking the link of LL, which ERETNC does not do, is the caller's. */
uint64_t mips_eret(struct mips_cp0 *cp0);

/** Interrupts to be taken now: Cause.IP & Status.IM (bit n is IP n) if IE is set and neither EXL
 * nor ERL is, else 0. */
uint8_t mips_interrupt_pending(const struct mips_cp0 *cp0);

/** Interrupts that end WAIT: as mips_interrupt_pending() but whatever IE, EXL and ERL are. */
uint8_t mips_interrupt_wakes(const struct mips_cp0 *cp0);

/** DI, EI: change Status.IE. @return the former Status, which goes to rt */
uint64_t mips_set_ie(struct mips_cp0 *cp0, bool enable);

#endif
