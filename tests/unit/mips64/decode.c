/* SPDX-License-Identifier: BSD-2-Clause */
/* For gas_oracle.py: reads lines "pc word" (hexadecimal), prints how each word decodes and
 * branches, all registers being 0. Fields: kind rs rt rd sel imm, then branch delay
 * forbidden link target. */
#include <inttypes.h>
#include <stdio.h>

#include "pure/insn.h"
#include "pure/nextpc.h"

int main(void)
{
    const struct mips_gpr gpr = {0};
    uint64_t pc;
    uint32_t word;

    while (scanf("%" SCNx64 " %" SCNx32, &pc, &word) == 2) {
        struct mips_insn i = mips_decode(word);
        struct mips_branch b = mips_next_pc(word, pc, &gpr, false);

        printf("%d %d %d %d %d %d ", i.kind, i.rs, i.rt, i.rd, i.sel, i.imm);
        printf("%d %d %d %d %" PRIx64 "\n", b.is_branch, b.has_delay_slot, b.has_forbidden_slot,
               b.links ? b.link_reg : 0, b.target);
    }
    return 0;
}
