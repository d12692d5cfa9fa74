/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MIPS64_INTERNAL_H
#define MIPS64_INTERNAL_H

/* What the files of this backend share and nobody else needs. */

#include "mips64.h"

/* What runs seldom is compiled to be small. */
#define COLD __attribute__((cold, noinline))
/* Stands by itself however the monitor is compiled: tests/bench tells exits apart by what they run through. */
#define TOLD __attribute__((noinline))
/* Stands by itself so that what most exits pass through is short. */
#define ASIDE __attribute__((noinline))

/*
 * What comes after an exit, for world.S: go on in the guest, go on with general registers that have changed, or return from
 * mips_world_enter().
 */
enum { MIPS_RESUME = 0, MIPS_RELOAD = 1, MIPS_LEAVE = 2 };

/* The real Cause. */
#define CAUSE_BD 0x80000000u
#define CAUSE_IP_TIMER 0x8000u
#define CAUSE_IP_IPI 0x1000u
#define CAUSE_IP_DEVICE 0x400u
#define CAUSE_CE(c) ((c) >> 28 & 3)
#define CAUSE_CODE(c) ((c) >> 2 & 31)

/* world.S, vectors.S */
void mips_world_enter(struct mips_vcpu *a);
void mips_fpu_load(const uint64_t fpr[32], uint32_t fcsr);
uint32_t mips_fpu_save(uint64_t fpr[32]);
extern char mips_vectors[], mips_vector_refill[], mips_vector_c_only[];
extern char mips_patch_global0[], mips_patch_global1[], mips_patch_global2[], mips_patch_global3[];

/* exit.c: called from world.S */
int mips_exit(struct mips_vcpu *a);
void mips_entry(struct mips_vcpu *a);
/* All time since the last look was the monitor's, for this virtual CPU. */
void mips_account_monitor(struct mips_vcpu *a);

/* raise.c */
/* Pass the exception of this exit on to the guest's kernel. */
int mips_reflect(struct mips_vcpu *a);
/* Raise exception `code` in the guest for the instruction of this exit. */
void mips_raise(struct mips_vcpu *a, unsigned code, bool refill, uint64_t badvaddr);
void mips_take_interrupt(struct mips_vcpu *a);

/* emulate.c */
int mips_emulate_run(struct mips_vcpu *a);
int mips_emulate_rdhwr(struct mips_vcpu *a);
/*
 * Where the guest goes on behind this exit's instruction; false: nowhere, for it is in no slot that it claims to be in. Of a
 * slot's branch the link register is written, again.
 */
bool mips_successor(struct mips_vcpu *a, uint64_t *next);
/* Give the real HWREna what the virtual one allows. */
void mips_hwrena_load(struct mips_vcpu *a);

/* device.c */
int mips_device_access(struct disco_vcpu *v, const struct disco_exit *x,
                       struct disco_device_access *d);
void mips_device_done(struct disco_vcpu *v, const struct disco_exit *x,
                      const struct disco_device_access *d);

/* guesttlb.c: the guest's own TLB, over the L2TLB */
void mips_guest_tlbp(struct mips_vcpu *a);
void mips_guest_tlbr(struct mips_vcpu *a);
void mips_guest_tlbwi(struct mips_vcpu *a);
void mips_guest_tlbwr(struct mips_vcpu *a);
void mips_guest_tlbinv(struct mips_vcpu *a, bool everything);
int mips_guest_lookup(struct disco_vcpu *v, disco_va va, struct disco_guest_map *m);

/* tlb.c: the real TLB */
disco_tlbe mips_tlbe_make(disco_mpn mpn, unsigned rights);
disco_tlbe mips_tlbe_merge(disco_tlbe guest, disco_tlbe monitor);
disco_mpn mips_tlbe_mpn(disco_tlbe e);
unsigned mips_tlbe_rights(disco_tlbe e);
void mips_tlb_load(struct disco_vcpu *v, disco_vpn pair, uint32_t asid, bool global,
                   const disco_tlbe e[2]);
void mips_tlb_forget(struct mips_vcpu *a, uint64_t va, uint64_t asid);
void mips_tlb_flush(const struct mips_vcpu *a);
/* The privileged-register page of the virtual CPU that comes in. */
void mips_tlb_wire(const struct mips_vcpu *a);
/* The guest's address space is now `asid`. */
void mips_set_asid(struct mips_vcpu *a, uint64_t asid);

/* tags.c: machine ASIDs */
static inline bool mips_is_tagged(void)
{
    return ((struct mips_machine *)mips_this_cpu()->backend)->tagged;
}
uint64_t mips_tag(struct mips_vcpu *a, uint64_t asid);
bool mips_tag_known(const struct mips_vcpu *a, uint64_t asid, uint64_t *tag);
/* Nothing that this virtual CPU entered on this processor matches any more. */
void mips_tags_drop(struct mips_vcpu *a);

/* smp.c: what processors ask of each other */
void mips_invalidate(struct disco_backend *b, const struct disco_holder *h, size_t nh,
                     const struct disco_purge *p, size_t n);
void mips_kick(struct disco_backend *b, unsigned cpu);
void mips_relax(struct disco_backend *b);
void mips_idle(struct disco_backend *b);
/* Do what others ask before a guest runs. False: kicked, do not enter. */
bool mips_before_guest(struct mips_cpu *cpu);
void mips_after_guest(struct mips_cpu *cpu);
void mips_cpus_forget(struct disco_vcpu *v);
/* An interprocessor interrupt came. Whether the processor was kicked. */
bool mips_ipi(struct mips_cpu *cpu);

/* timer.c */
uint64_t mips_ticks(struct mips_cpu *cpu);
void mips_timer_program(struct mips_cpu *cpu);
void mips_timer_passed(struct mips_cpu *cpu);
/* Count is @p now, and the processor is about to leave the monitor, or to sleep: see mips_timer_passed(). */
static inline void mips_timer_look(struct mips_cpu *cpu, uint32_t now)
{
    if ((int32_t)(now - mips_get32(C0_COMPARE)) >= 0)
        mips_timer_passed(cpu);
}
/* Raise the timer line of every virtual CPU whose Compare has matched. */
void mips_timer_fire(struct mips_cpu *cpu);
/* A virtual CPU comes in: its Compare is watched here from now on. */
void mips_timer_adopt(struct mips_vcpu *a);
/* It goes away: no processor watches its Compare any more. */
void mips_timer_drop(const struct mips_vcpu *a);
void mips_compare_written(struct mips_vcpu *a);
uint32_t mips_guest_count(struct mips_vcpu *a);
void mips_guest_count_set(struct mips_vcpu *a, uint32_t value);
uint64_t mips_now(struct disco_backend *b);
void mips_timer(struct disco_backend *b, uint64_t ns);

/* fpu.c */
int mips_fpu_unusable(struct mips_vcpu *a);
void mips_fpu_release(struct mips_cpu *cpu);
bool mips_fpu_bit0(struct mips_vcpu *a, int reg);

/* vcpu.c */
extern const struct disco_backend_ops mips_ops;
void mips_lines(struct disco_vcpu *v, uint32_t lines);

static inline struct mips_machine *mips_machine_of(struct disco_backend *b)
{
    return (struct mips_machine *)b;
}

/* The whole virtual address behind an EntryHi of the guest, which has fewer address bits. */
static inline uint64_t mips_hi_to_va(uint64_t hi)
{
    uint64_t va = hi & MIPS_ENTRYHI_VPN2;

    return va >> 62 == 3 ? va | ~((UINT64_C(1) << MIPS_SEGBITS) - 1) : va;
}

/* Segments that guests believe unmapped; only supervisor mode reaches them. */
#define MIPS_DIRECT_MAP UINT64_C(0x4000000000000000)
#define MIPS_IMAGE_WINDOW UINT64_C(0xffffffffc0000000)

static inline bool mips_is_direct_map(disco_va va) { return va.v >> 60 == MIPS_DIRECT_MAP >> 60; }
static inline bool mips_is_image(disco_va va)
{
    return (int64_t)va.v >> 28 == (int64_t)MIPS_IMAGE_WINDOW >> 28;
}
/* The physical page behind an address, if a guest believes its segment to be unmapped. */
static inline bool mips_unmapped(disco_va va, disco_ppn *ppn)
{
    if (mips_is_direct_map(va))
        ppn->v = (va.v & ~(UINT64_C(15) << 60)) >> DISCO_PAGE_SHIFT;
    else if (mips_is_image(va))
        ppn->v = (va.v & 0x0fffffff) >> DISCO_PAGE_SHIFT;
    else
        return false;
    return true;
}

/*
 * Where the monitor finds what the guest has at @p va, in a segment that it believes unmapped: there the pmap gives the page
 * without any search. NULL if that cannot be had so. The page cannot go away while this processor counts as in its
 * guest, that is until the exit is settled or left: who revokes it waits for this processor (smp.c).
 */
static inline const void *mips_find(const struct mips_vcpu *a, disco_va va)
{
    disco_ppn ppn;
    disco_tlbe e;

    if (!mips_unmapped(va, &ppn) || ppn.v >= a->pairs * 2)
        return NULL;
    e = __atomic_load_n(&a->pmap[ppn.v].tlbe, __ATOMIC_ACQUIRE);
    if (!e)
        return NULL;
    return (const void *)(MIPS_XKPHYS + disco_mpn_base(mips_tlbe_mpn(e)).v +
                          (va.v & DISCO_PAGE_MASK));
}

static inline bool mips_is_unmapped(disco_va va)
{
    return mips_is_direct_map(va) || mips_is_image(va);
}

static inline bool mips_guest_is_kernel(const struct mips_vcpu *a)
{
    return mips_status_mode(mips_cp0_get(a->cp0, MIPS_CP0_STATUS)) == MIPS_MODE_KERNEL;
}

#endif
