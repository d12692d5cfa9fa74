/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets for the assembler: compiled to text, from which offsets.sh takes the "->" lines. */
#include "mips64.h"

#define OFFSET(name, type, field)                                                                  \
    __asm__ volatile("\n->" #name " %0" : : "i"(offsetof(struct type, field)))
#define VALUE(name, value) __asm__ volatile("\n->" #name " %0" : : "i"(value))

void mips_offsets(void);
void mips_offsets(void)
{
    OFFSET(VCPU_GPR, mips_vcpu, g.r);
    OFFSET(VCPU_PC, mips_vcpu, g.pc);
    OFFSET(VCPU_HOST_SP, mips_vcpu, host_sp);
    OFFSET(VCPU_REFILL, mips_vcpu, refill);
    OFFSET(VCPU_PMAP, mips_vcpu, pmap);
    OFFSET(VCPU_PAIRS, mips_vcpu, pairs);
    OFFSET(VCPU_NEAR, mips_vcpu, near);
    OFFSET(VCPU_PMAP_HITS, mips_vcpu, stats.pmap_hits);
    OFFSET(L2TLB_FLIP, disco_l2tlb, flip);
    OFFSET(L2TLB_HITS, disco_l2tlb, hits);
    OFFSET(L2TLB_SETPTR, disco_l2tlb, sets);
    OFFSET(ENTRY_KEY, disco_l2tlb_entry, key);
    OFFSET(ENTRY_EVEN, disco_l2tlb_entry, e[0]);
    OFFSET(ENTRY_ODD, disco_l2tlb_entry, e[1]);
    VALUE(ENTRY_SIZE, sizeof(struct disco_l2tlb_entry));
    OFFSET(PMAP_TLBE, disco_pmap_entry, tlbe);
    VALUE(PMAP_ENTRY_SIZE, sizeof(struct disco_pmap_entry));
}
