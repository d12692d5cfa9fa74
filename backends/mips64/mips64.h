/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MIPS64_H
#define MIPS64_H

/**
 * @file mips64.h
 * @brief The MIPS64 Release 6 backend: what a monitor that uses it sees, and its inner structures.
 *
 * The monitor runs in kernel mode, in unmapped segments only: no address of its own can miss in
 * the TLB. A guest kernel runs in supervisor mode, its user programs in user mode; the real Status
 * never holds a value that a guest chose (mips_hw_status()). Interrupts are taken only while a
 * guest runs; the monitor itself polls.
 *
 * Lines: IP7 the timer, IP4 the interprocessor interrupt, IP2 the board's devices. While IP2 is up every `enter` on
 * that processor comes back at once with DISCO_EXIT_HOST, and `idle` does not wait: the monitor has it go to one
 * processor alone, keeps it masked at the board where it wants none, and lowers it at the devices when it polls.
 */

#include <disco/vcpu.h>

#include "abi.h"
#include "pure/count.h"
#include "pure/cp0.h"
#include "pure/except.h"
#include "pure/insn.h"
#include "pure/nextpc.h"
#include "pure/vtlb.h"
#include "pure/walk.h"
#include "regs.h"

struct mips_cpu;

/** Exits that the backend settled by itself, by kind; see docs/manual.md. */
struct mips_stats {
    uint64_t pmap_hits;  /**< misses in the relocated segment answered in assembly */
    uint64_t exits;      /**< times the C part of the backend was entered */
    uint64_t code[32];   /**< of these, by ExcCode */
    uint64_t insn[64];   /**< privileged instructions emulated, by enum mips_insn_kind */
    uint64_t runs;       /**< of these, without a trap of their own: they followed another */
    uint64_t walks;      /**< misses for which the guest's page tables were walked */
    uint64_t reflected;  /**< exceptions passed on to the guest's kernel */
    uint64_t interrupts; /**< interrupts given to the guest */
    uint64_t fpu_loads;
    uint64_t user_ticks, kernel_ticks; /**< time in the guest, by its mode */
    uint64_t monitor_ticks;            /**< time in the monitor on its behalf, on a processor */
};

/**
 * A virtual CPU's part in this backend (disco_vcpu.arch). The first fields are reached from
 * assembly through generated offsets (offsets.c).
 */
struct mips_vcpu {
    struct mips_gpr g; /**< registers; g.pc is where the guest goes on */
    uint64_t host_sp;  /**< the monitor's stack while the guest runs */
    /**
     * This exit came through the refill vector; until it is left, the registers that C keeps are
     * not in `g`: world.S
     */
    uint64_t refill;
    struct disco_pmap_entry *pmap;
    uint64_t pairs;           /**< pairs of pages in it */
    struct disco_l2tlb *near; /**< the virtual CPU's */
    struct mips_stats stats;

    struct mips_cp0 *cp0; /**< the privileged-register page, as the monitor reaches it */
    disco_mpn page;       /**< the same, as the guest's wired entry names it */
    struct disco_vcpu *vcpu;
    uint64_t asid;        /**< the guest's ASID */
    uint64_t tag;         /**< ASID that the real EntryHi holds for it: tags.c */
    bool user_globals;    /**< it has entered global pages outside its kernel's segments */
    uint64_t missed;      /**< pair that the hardware has no entry for, | 1; 0: none known */
    uint32_t random;      /**< state of the virtual Random */
    uint32_t cause;       /**< real Cause of this exit */
    uint32_t hw_status;   /**< real Status when it was last resumed; 0: not known */
    uint64_t status_seen; /**< virtual Status that hw_status was made for */
    uint32_t lines_seen;  /**< interrupt lines as the virtual Cause shows them */
    struct disco_lock compare_lock; /**< of compare_at and the timer line; a device's level */
    uint64_t compare_at; /**< real tick at which the virtual Compare matches; UINT64_MAX: never */
    bool outside;        /**< it is off processors */
    bool retimed;        /**< its Count was set back while it was off processors */
    uint64_t left_at;    /**< tick at which it left a processor last */
    uint32_t since;      /**< Count when it came into the guest, or left it last */
    struct mips_count count;
    struct mips_vtlb vtlb;
    /** The guest's page tables, as its registers said when they were walked last */
    struct mips_tables tables;
    uint64_t fpr[32];
    uint32_t fcsr;
    bool fpu_live;                        /**< the real FPU registers are this virtual CPU's */
    struct disco_exit *exit;              /**< where `enter` reports */
    uint64_t tags[MIPS_ENTRYHI_ASID + 1]; /**< machine ASID of each guest ASID: tags.c */
};

/** Virtual CPUs whose timers one processor can watch. */
#define MIPS_MAX_ARMED 256

/** What a processor does, for others who want something of it: smp.c. */
enum mips_where { MIPS_IN_MONITOR, MIPS_IN_GUEST, MIPS_IDLE };

/** One processor. Written by itself, but for what others ask of it. */
struct mips_cpu {
    struct disco_backend *backend;
    unsigned id;
    struct mips_vcpu *fpu_owner; /**< whose registers the FPU holds; NULL: nobody's */
    uint64_t ticks;              /**< Count, extended to 64 bits, when last read */
    uint64_t timer_at;           /**< tick at which the monitor wants the processor back */
    uint64_t renewed;            /**< times that Count had passed Compare without an interrupt */
    uint64_t user_ticks, kernel_ticks; /**< time in guests, by their mode */
    uint64_t generation;               /**< of its machine ASIDs: tags.c */
    uint32_t next_tag;                 /**< the first that nobody has in this generation */
    /** Of the list below; a device's level, outside the compare_lock */
    struct disco_lock armed_lock;
    /** Virtual CPUs whose Compare is watched here; one may stand here after it moved away. */
    struct mips_vcpu *armed[MIPS_MAX_ARMED];
    unsigned narmed;

    DISCO_OWN_LINE uint32_t where; /**< enum mips_where; accessed atomically, as all below */
    uint32_t kicked;               /**< somebody wants it to leave its guest, or to stop idling */
    uint32_t flush_want;           /**< flushes of its TLB that others asked for, counted */
    uint32_t flush_done;           /**< how many of them it has done */
    struct disco_vcpu *last;       /**< virtual CPU that came in last */
    uint64_t flushes, ipis;        /**< statistics: flushes done for others, IPIs taken */
};

/** The machine as this backend sees it. Embed one in the monitor; call mips64_init() first. */
struct mips_machine {
    struct disco_backend backend; /**< first: operations cast back */
    /** Zeroed storage of the caller's, each in its processor's node */
    struct mips_cpu *cpu[DISCO_MAX_CPUS];
    struct disco_memmap *mm; /**< privileged-register pages come from here */
    bool c_only;             /**< answer every TLB miss in C: to compare, and to debug */
    bool tagged;             /**< tell virtual CPUs apart by ASIDs instead of flushing: tags.c */
    /** The board's interprocessor interrupt, line IP4: raise it on a processor; lower one's own. */
    void (*ipi_raise)(unsigned cpu);
    void (*ipi_lower)(unsigned cpu);
};

/** Bits of the unmapped window through which machine memory is reached (XKPHYS, cached). */
#define MIPS_XKPHYS UINT64_C(0x9800000000000000)

/**
 * Prepare this backend and the processor that calls (vectors, TLB, timer). The caller has filled in what it
 * wants to be otherwise than zero: c_only, tagged, backend.cpus, .nodes and .node_of_cpu (flash/topology.h), with more than
 * one processor ipi_raise and ipi_lower; and cpu[] for all processors.
 */
int mips64_init(struct mips_machine *m, struct disco_memmap *mm);
/**
 * Prepare another processor, on itself, within 20 s of the first. Its Count must agree with the
 * first one's to about a microsecond by now: the machine's time is made of it.
 */
void mips64_cpu_init(struct mips_machine *m, unsigned id);
/** Free what disco_vcpu_init() made the backend allocate. */
void mips64_vcpu_fini(struct disco_vcpu *v);
/** The processor that executes this. */
static inline struct mips_cpu *mips_this_cpu(void)
{
    return (struct mips_cpu *)(uintptr_t)mips_get(KS_CPU);
}
/** Set the registers a virtual CPU starts with; after disco_vcpu_init(). */
void mips64_vcpu_boot(struct disco_vcpu *v, uint64_t pc, uint64_t sp, uint64_t gp,
                      const uint64_t args[4]);
/**
 * The VM was paused since @p since_ns and goes on now: the virtual Counts stood still meanwhile. All its
 * virtual CPUs are still off processors; if one is not yet, the VM never stood still, and nothing happens.
 */
void mips64_stood_still(struct disco_vm *vm, uint64_t since_ns);
/** Nanoseconds of one tick of Count on the machine. */
#define MIPS_NS_PER_TICK 6

/** The monitor's last words: called with EXL set when the monitor itself takes an exception. */
void mips64_monitor_fault(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t ra)
    __attribute__((noreturn));

static inline struct mips_vcpu *mips_of(const struct disco_vcpu *v)
{
    return (struct mips_vcpu *)v->arch;
}

/** A virtual CPU that is started by @p by, of the same VM, has the same time; after its reset. */
static inline void mips64_vcpu_same_time(struct disco_vcpu *v, const struct disco_vcpu *by)
{
    mips_of(v)->count = mips_of(by)->count;
}
#endif
