/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two TLB regimes.
 *
 * flush (the paper's, section 4.1.2): the TLB is flushed whenever another virtual CPU comes in, so
 * a guest's ASIDs stand in the hardware as they are.
 *
 * tagged: a processor gives a machine ASID to each pair of virtual CPU and guest ASID that it runs. Entries of
 * several virtual CPUs live side by side, and none is global but the wired one: a guest's global page
 * is entered once for each of its ASIDs. When a processor has given all its ASIDs away it flushes and
 * begins a new generation; a tag of another generation, or of another processor, is none.
 *
 * a->tags[asid] = generation << ASID_BITS | machine ASID. Only the processor that runs `a` reads or
 * writes it.
 */
#include <string.h>

#include "internal.h"

#define ASID_BITS 10
#define GENERATION_STEP DISCO_MAX_CPUS /* a generation is one processor's: its number modulo this */

bool mips_tag_known(const struct mips_vcpu *a, uint64_t asid, uint64_t *tag)
{
    uint64_t t = a->tags[asid & MIPS_ENTRYHI_ASID];

    *tag = mips_is_tagged() ? t & MIPS_ENTRYHI_ASID : asid;
    return !mips_is_tagged() || t >> ASID_BITS == mips_this_cpu()->generation;
}

/* All ASIDs are given away: whatever has one loses it, the current virtual CPU's address space too. */
COLD static void new_generation(struct mips_cpu *cpu, struct mips_vcpu *a)
{
    cpu->generation += GENERATION_STEP;
    cpu->next_tag = 1;
    mips_tlb_flush(a);
    mips_set_asid(a, a->asid);
}

uint64_t mips_tag(struct mips_vcpu *a, uint64_t asid)
{
    struct mips_cpu *cpu = mips_this_cpu();
    uint64_t tag;

    if (mips_tag_known(a, asid, &tag))
        return tag;
    if (cpu->next_tag > MIPS_ENTRYHI_ASID)
        new_generation(cpu, a);
    if (mips_tag_known(a, asid, &tag)) /* the new generation began with it */
        return tag;
    tag = cpu->next_tag++;
    a->tags[asid & MIPS_ENTRYHI_ASID] = cpu->generation << ASID_BITS | tag;
    return tag;
}

void mips_tags_drop(struct mips_vcpu *a) { memset(a->tags, 0, sizeof a->tags); }
