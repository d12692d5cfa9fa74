/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_ARCH_H
#define DISCO_ARCH_H

/**
 * @file arch.h
 * @brief The backend interface: what the libraries ask of a machine. For those who write a backend.
 *
 * A backend is a table of *operations*, not of exit reasons. The libraries never look inside a
 * ::disco_tlbe nor inside a virtual CPU's registers; they only move them about. Two backends
 * live in the tree, backends/sim (a software machine, for tests and teaching) and
 * backends/mips64; docs/porting.md walks through a minimal one.
 *
 * Context rules. Every operation may be called from any processor, with interrupts off. None may
 * block, except ::disco_backend_ops.invalidate and .enter, which say so.
 */

#include <disco/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One page's translation in the form the hardware wants, made once and loaded many times
 * (the paper's "precomputed TLB entry", section 4.1.2). Opaque to the libraries but for one
 * rule: 0 means "no translation", and loading it makes the page fault.
 */
typedef uint64_t disco_tlbe;

/** What an access was, when it could not be completed. */
enum disco_access { DISCO_ACCESS_LOAD, DISCO_ACCESS_STORE, DISCO_ACCESS_FETCH };

/** A set of processors: bit i stands for processor i. */
typedef uint64_t disco_cpuset;

/** Names every virtual CPU of a VM in a purge. */
#define DISCO_ALL_VCPUS UINT64_MAX
/** Names every virtual page in a purge. */
#define DISCO_ALL_PAGES UINT64_MAX

/** Segments that a guest may believe unmapped. */
#define DISCO_MAX_ALIASES 4

/**
 * One translation to forget, of some virtual CPUs. @c vpn may be DISCO_ALL_PAGES: everything of theirs.
 * The even and the odd page of a pair live in one entry; forgetting one forgets the pair.
 */
struct disco_purge {
    /** Virtual CPUs through which it was entered, bit i for that with id i; or DISCO_ALL_VCPUS */
    uint64_t vcpus;
    disco_vpn vpn; /**< where it was entered */
};

struct disco_vcpu;

/** Who is to forget translations, and where: the processors that may hold some of @c v. */
struct disco_holder {
    struct disco_vcpu *v;
    disco_cpuset cpus;
};

/** Why `enter` came back. Everything a backend can settle alone it settles without coming back. */
enum disco_exit_kind {
    DISCO_EXIT_MISS,       /**< no usable translation for @c va: see access */
    DISCO_EXIT_WRITE,      /**< store to a page whose entry is read-only */
    DISCO_EXIT_CALL,       /**< monitor call: number and arguments in @c call */
    DISCO_EXIT_PRIVILEGED, /**< an instruction the guest may not execute; `emulate` knows it */
    DISCO_EXIT_WAIT,       /**< the guest has nothing to do until an interrupt */
    DISCO_EXIT_HOST,       /**< something for the monitor: kick, timer, device */
    DISCO_EXIT_FATAL,      /**< the virtual CPU cannot go on; @c why says it */
};

/** Number of argument registers of a monitor call. */
#define DISCO_CALL_ARGS 6

/** Filled by `enter`. Which fields count depends on @c kind. */
struct disco_exit {
    enum disco_exit_kind kind;
    enum disco_access access;
    disco_va va;                   /**< address of the access, or of the instruction */
    uint64_t call;                 /**< number of a monitor call */
    uint64_t arg[DISCO_CALL_ARGS]; /**< its arguments, raw: nothing is checked yet */
    const char *why;               /**< for DISCO_EXIT_FATAL: static text */
};

/** What `guest_lookup` found in the guest's own view of its TLB. */
struct disco_guest_map {
    disco_vpn pair; /**< even page of the pair */
    uint32_t asid;
    bool global;        /**< matches every ASID */
    disco_ppn ppn[2];   /**< where the guest wants the even and the odd page */
    disco_tlbe want[2]; /**< the guest's wishes (rights, cache attribute), or 0: not valid */
    uint64_t note;      /**< the backend's own, kept with the pair in the L2TLB (63 bits) */
};

/** A load or store at a device, as `device_access` takes it apart. */
struct disco_device_access {
    unsigned size;  /**< bytes: 1, 2, 4 or 8 */
    uint64_t value; /**< what is stored, the bytes above @c size zero; for a load, what was read */
    uint64_t note;  /**< the backend's own */
};

/** Exceptions that the libraries raise in a guest. The backend knows their hardware form. */
enum disco_inject {
    DISCO_INJECT_MISS,      /**< no entry: the guest's refill handler */
    DISCO_INJECT_INVALID,   /**< an entry that is not valid */
    DISCO_INJECT_FORBIDDEN, /**< a load or fetch that a valid entry does not allow */
    DISCO_INJECT_WRITE,     /**< store to a page the guest itself made read-only */
    DISCO_INJECT_BUS_ERROR, /**< a physical address behind which there is nothing */
    DISCO_INJECT_ILLEGAL,   /**< an instruction that this CPU does not have */
};

struct disco_backend;

/** The operations. All are mandatory: disco_backend_check(). */
struct disco_backend_ops {
    const char *name;

    /* --- translations: pure, no locks --- */

    /**
     * The monitor's own entry for @p mpn with @p rights (enum disco_rights, and enum disco_tlbe_kind beside). Never 0. A
     * backend that does not read pmap words from assembly may ignore the kind.
     */
    disco_tlbe (*tlbe_make)(disco_mpn mpn, unsigned rights);
    /** @p guest's wishes on the machine page of @p monitor; rights are the intersection of both. */
    disco_tlbe (*tlbe_merge)(disco_tlbe guest, disco_tlbe monitor);
    /** The machine page that a nonzero entry leads to. */
    disco_mpn (*tlbe_mpn)(disco_tlbe e);
    /** The rights that an entry gives; none for 0. */
    unsigned (*tlbe_rights)(disco_tlbe e);

    /* --- hardware TLBs --- */

    /** Load a pair for virtual CPU @p v, which runs on this processor. */
    void (*tlb_load)(struct disco_vcpu *v, disco_vpn pair, uint32_t asid, bool global,
                     const disco_tlbe e[2]);
    /**
     * Make the processors of each of @p nh holders, virtual CPUs of one VM, forget those of @p n
     * translations that are its own. Asks all of them before it waits for any, and returns after the last
     * has forgotten. Serves requests of others meanwhile, so that two processors may invalidate
     * each other's entries at once.
     */
    void (*invalidate)(struct disco_backend *b, const struct disco_holder *h, size_t nh,
                       const struct disco_purge *p, size_t n);

    /* --- machine memory --- */

    /** Address at which the monitor reaches a machine page. Never fails for a page of memmap. */
    void *(*page)(struct disco_backend *b, disco_mpn mpn);
    void (*page_zero)(struct disco_backend *b, disco_mpn mpn);
    void (*page_copy)(struct disco_backend *b, disco_mpn to, disco_mpn from);

    /* --- processors and time --- */

    /** The processor that executes this call: below @c cpus of the backend. */
    unsigned (*cpu)(struct disco_backend *b);
    /** Make @p cpu leave its guest, or its idle wait, soon. */
    void (*kick)(struct disco_backend *b, unsigned cpu);
    /** Called in every spin loop; serves what other processors ask of this one (invalidate). */
    void (*relax)(struct disco_backend *b);
    /** Nanoseconds since the machine started; the same on every processor; never goes back. */
    uint64_t (*now)(struct disco_backend *b);
    /** Make this processor leave its guest or idle wait at @p ns; UINT64_MAX: no more. */
    void (*timer)(struct disco_backend *b, uint64_t ns);
    /** Wait until an interrupt, a kick or the timer comes; returns at once if one is pending. */
    void (*idle)(struct disco_backend *b);

    /* --- virtual CPUs --- */

    /** Bytes of private storage (registers, guest TLB) that a virtual CPU needs. */
    size_t (*vcpu_size)(void);
    /** Put the virtual CPU in its reset state. Its `arch` storage is zeroed before. */
    int (*vcpu_reset)(struct disco_vcpu *v);
    /** Run the guest on this processor until something needs the libraries. */
    void (*enter)(struct disco_vcpu *v, struct disco_exit *x);
    /**
     * @p v comes onto this processor. @p keep: it has not run elsewhere since it left this processor,
     * so entries it left here are still true, if the backend can tell them from others'; a backend
     * that cannot forgets everything. Without @p keep nothing that @p v ever entered here may match.
     */
    void (*switch_in)(struct disco_vcpu *v, bool keep);
    /**
     * @p v leaves this processor and may run on another next: whatever the processor still holds of its
     * state (registers of an FPU, say) goes to memory.
     */
    void (*switch_out)(struct disco_vcpu *v);
    /** Raise @p what in the guest, for the exit @p x. */
    void (*inject)(struct disco_vcpu *v, enum disco_inject what, const struct disco_exit *x);
    /** Interrupt lines changed (level): bit i = line i. Called by the vCPU's own processor. */
    void (*lines)(struct disco_vcpu *v, uint32_t lines);
    /** Would an enabled interrupt be taken now? A `wait` must not block then. */
    bool (*irq_ready)(const struct disco_vcpu *v);
    /** Emulate the privileged instruction of exit @p x; 0, or an error: then it is illegal. */
    int (*emulate)(struct disco_vcpu *v, const struct disco_exit *x);
    /** Finish a monitor call: @p result goes to the guest, which goes on behind the call. */
    void (*call_return)(struct disco_vcpu *v, int64_t result);
    /**
     * Take the load or store of exit @p x (access LOAD or STORE) apart: size, and what is stored. Nothing
     * changes. DISCO_ERR_UNSUPPORTED if it is another kind of instruction: then it is a bus error.
     */
    int (*device_access)(struct disco_vcpu *v, const struct disco_exit *x,
                         struct disco_device_access *a);
    /** Complete it: a load's result is @c value, and the guest goes on behind the instruction. */
    void (*device_done)(struct disco_vcpu *v, const struct disco_exit *x,
                        const struct disco_device_access *a);
    /**
     * Does @p va lie in a segment that the guest believes to be unmapped (the relocated kernel
     * segment of section 4.2.2)? If so, the page it stands for.
     */
    bool (*unmapped)(const struct disco_vcpu *v, disco_va va, disco_ppn *ppn);
    /** Every virtual page at which such segments show @p ppn; how many (<= DISCO_MAX_ALIASES). */
    size_t (*aliases)(disco_ppn ppn, disco_vpn out[DISCO_MAX_ALIASES]);
    /** Look @p va up in the guest's own TLB: 0, or DISCO_ERR_NOT_FOUND. */
    int (*guest_lookup)(struct disco_vcpu *v, disco_va va, struct disco_guest_map *m);
    /** The guest's current address space identifier. */
    uint32_t (*asid)(const struct disco_vcpu *v);
};

/** A backend: the operations, and how many processors and nodes it has. Embed it in your own. */
struct disco_backend {
    const struct disco_backend_ops *ops;
    unsigned cpus;
    unsigned nodes;
    uint64_t va_mask; /**< bits of a virtual address that a TLB compares */
    unsigned asids;   /**< number of address space identifiers a guest has */
    uint8_t node_of_cpu[DISCO_MAX_CPUS];
    /**
     * Pages of a superpage, a power of two; 0: there are none. They are for a backend that reads pmap words itself. Where
     * the word of a page is made as DISCO_SUPERPAGE, and the first of its superpage is, too, it may load one translation
     * for all pages of the superpage, contiguous in machine memory, in the segments that a guest believes
     * unmapped. Forgetting the address of one page must forget that translation, and `tlbe_merge` leave the mark out.
     */
    unsigned superpage;
};

/** DISCO_ERR_MISSING_OP if a mandatory operation is absent, DISCO_ERR_BAD_ARG for bad limits. */
int disco_backend_check(const struct disco_backend *b);

#ifdef __cplusplus
}
#endif
#endif
