/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Where a MIPS64 Release 6 program continues: all branches and jumps, delay and forbidden slots.
 *
 * A privileged instruction in a delay slot traps with Cause.BD set and EPC at the branch; to go on
 * after having emulated it, the monitor has to evaluate the branch. Pure; callable from anywhere.
 */
#ifndef MIPS64_PURE_NEXTPC_H
#define MIPS64_PURE_NEXTPC_H

#include <stdbool.h>
#include <stdint.h>

#include "cp0.h"

/** What one instruction does to the flow of control. */
struct mips_branch {
    bool is_branch; /**< false: only `next` is meaningful, it is pc + 4 */
    bool taken;
    bool has_delay_slot;     /**< the next word executes whether taken or not */
    bool is_compact;         /**< no delay slot */
    bool has_forbidden_slot; /**< compact and conditional: the next word may not be a branch */
    bool links;              /**< `link` goes to `link_reg`, taken or not */
    uint8_t link_reg;        /**< 1..31 when `links` */
    uint64_t target;         /**< where it goes when taken */
    uint64_t next;           /**< pc after the branch and its delay slot */
    uint64_t link;           /**< return address: pc + 8 with a delay slot, else pc + 4 */
};

/** FPU register that @p word tests (BC1EQZ, BC1NEZ), or -1 when it tests none. */
int mips_branch_fpr(uint32_t word);

/**
 * Evaluate @p word at @p pc with the registers as they are *before* it executes.
 *
 * @p fpr_bit0 is bit 0 of the FPU register named by mips_branch_fpr(), ignored otherwise.
 * `gpr` is only read: a JALR whose source is its link register takes the old value as its target.
 */
struct mips_branch mips_next_pc(uint32_t word, uint64_t pc, const struct mips_gpr *gpr,
                                bool fpr_bit0);

/**
 * Find where to go on after an emulated instruction, and write the branch's link register.
 *
 * Call it before the emulated instruction commits its result: the branch has read its operands
 * first, and a result that goes to the link register overrides the link.
 *
 * @param cause_bd  Cause.BD of the trap; if clear, the result is @p epc + 4
 * @param epc       EPC of the trap, that is the branch if @p cause_bd
 * @param branch    the word at @p epc (BadInstrP); ignored unless @p cause_bd
 * @param gpr       registers as the trap left them; `pc` is not touched
 * @param fpr_bit0  as for mips_next_pc()
 * @param[out] next where to go on; written only on success
 * @return false if @p branch is no instruction with a slot, so that BD cannot have been set by it
 *
 * A forbidden slot is executed only after a branch not taken, so its successor is always
 * @p epc + 8. The link register of the branch has its value already when a slot traps; JALR with
 * equal source and link register is therefore UNPREDICTABLE by the architecture and resumes at
 * the link.
 */
bool mips_resume_pc(bool cause_bd, uint64_t epc, uint32_t branch, struct mips_gpr *gpr,
                    bool fpr_bit0, uint64_t *next);

#endif
