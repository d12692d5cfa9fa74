/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_SIM_H
#define DISCO_SIM_H

/**
 * @file sim.h
 * @brief A small software machine: the backend for tests, fuzzing and teaching. Hosted code.
 *
 * N processors (threads of the host, or one thread that plays them all), nodes with memory, a
 * hardware TLB per processor with address space identifiers, global entries and page pairs, with or
 * without a tag that tells virtual CPUs apart. Guests
 * are arrays of ::sim_insn over 16 registers; each guest has a software-filled TLB of its own, as
 * on MIPS, and believes that two segments are unmapped (SIM_UNMAPPED, SIM_WINDOW).
 *
 * Time is counted, not measured: an operation of a guest takes SIM_OP_NS, and waiting moves the
 * clock on. With one thread everything is therefore repeatable.
 */

#include <disco/vcpu.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Time that one operation of a guest takes. */
#define SIM_OP_NS 100
/** General registers of a guest. */
#define SIM_REGS 16
#define SIM_GUEST_TLB 8 /**< pairs that a guest's own TLB holds */
/** Address spaces that a guest can tell apart. */
#define SIM_ASIDS 16
/** Machine pages are numbered from here, so that they look like no physical page. */
#define SIM_FIRST_PAGE 0x1000

/** The guest's whole physical memory, as it believes: this address + physical address. */
#define SIM_UNMAPPED (UINT64_C(1) << 62)
/** Its first SIM_WINDOW_SIZE bytes once more. */
#define SIM_WINDOW (UINT64_C(1) << 61)
/** Bytes of that window. */
#define SIM_WINDOW_SIZE (64 * DISCO_PAGE_SIZE)

/** What a guest can do. r[] are its registers; a, b, c the operands. */
enum sim_op {
    SIM_NOP,
    SIM_SET, /**< r[a] = c */
    SIM_ADD, /**< r[a] = r[b] + c */
    SIM_SUM, /**< r[a] = r[a] + r[b] */
    SIM_AND, /**< r[a] = r[b] & c */
    SIM_BEQ, /**< if r[a] == r[b], go to c */
    SIM_BNE, /**< if r[a] != r[b], go to c */
    SIM_LOAD, /**< r[a] = memory at r[b] + c, 8 bytes, address rounded down to a multiple of 8 (not at a
                      device, which has no such address) */
    SIM_STORE, /**< memory at r[b] + c = r[a] */
    SIM_FETCH, /**< an instruction fetch at r[b] + c */
    SIM_CALL,  /**< monitor call r[0] with arguments r[1]..r[6]; r[0] = result */
    SIM_WAIT,  /**< wait for an interrupt */
    /* From here on privileged: each traps. */
    SIM_TLB_RANDOM,  /**< enter r[a] (pair address | ASID), r[b], r[b + 1] (sim_lo()) anywhere */
    SIM_TLB_INDEXED, /**< the same at index c */
    SIM_TLB_PROBE,   /**< r[a] = index of the entry for address r[b], or -1 */
    SIM_TLB_FLUSH,   /**< empty the TLB */
    SIM_SET_ASID,    /**< current ASID = r[a] */
    SIM_ENABLE,      /**< let interrupts through on the lines in c */
    SIM_DISABLE,     /**< let none through */
    SIM_VECTOR,      /**< exception a (enum sim_vector) goes to c */
    SIM_ERET,        /**< return from an exception */
    SIM_READ,        /**< r[a] = special register c (enum sim_special) */
    SIM_HALT,        /**< a virtual CPU that stops so takes its VM with it */
    SIM_ILLEGAL,     /**< no such instruction */
    SIM_OPS
};

/** One instruction of a guest. */
struct sim_insn {
    uint8_t op, a, b;
    int64_t c;
};

/** Exceptions: those of enum disco_inject under their numbers, and interrupts. */
enum sim_vector { SIM_INTERRUPT = DISCO_INJECT_ILLEGAL + 1, SIM_VECTORS };
/** What SIM_READ can read. */
enum sim_special { SIM_CAUSE, SIM_BAD_VA, SIM_EPC, SIM_LINES, SIM_SPECIALS };

/** A guest's TLB entry: what it asked for. */
struct sim_entry {
    uint64_t hi;    /**< pair address | ASID */
    uint64_t lo[2]; /**< sim_lo(); an entry with neither half valid is no entry */
};

#define SIM_LO_VALID 1   /**< bit: the half translates */
#define SIM_LO_RIGHTS 1  /**< shift of the enum disco_rights */
#define SIM_LO_GLOBAL 16 /**< bit: every ASID */

/** One half of a guest's TLB entry. */
static inline int64_t sim_lo(uint64_t ppn, unsigned rights, bool global)
{
    return (int64_t)(ppn << DISCO_PAGE_SHIFT | (uint64_t)rights << SIM_LO_RIGHTS | SIM_LO_VALID |
                     (global ? SIM_LO_GLOBAL : 0));
}

/** A guest's registers: the `arch` part of a virtual CPU. Look at it only while it does not run. */
struct sim_guest {
    uint64_t r[SIM_REGS];
    const struct sim_insn *program; /**< the caller's */
    uint32_t length;
    uint32_t pc, epc;
    uint32_t vector[SIM_VECTORS];
    uint32_t cause;
    uint64_t bad_va;
    uint32_t lines, mask;
    bool enabled;   /**< interrupts are let through */
    bool exception; /**< one is being handled: no interrupts, EPC is kept */
    uint32_t asid;
    uint32_t random;
    struct sim_entry tlb[SIM_GUEST_TLB];
    uint64_t ops;                /**< operations completed */
    uint64_t taken[SIM_VECTORS]; /**< exceptions, by kind */
};

/** The registers of virtual CPU @p v. */
static inline struct sim_guest *sim_guest(const struct disco_vcpu *v)
{
    return (struct sim_guest *)v->arch;
}

/** The machine that sim_create() makes. */
struct sim_config {
    unsigned cpus, nodes;
    uint64_t pages_per_node;
    unsigned tlb_pairs; /**< pairs that a processor's TLB holds; 0: 16 */
    bool tagged;        /**< TLBs tell virtual CPUs apart; else a switch empties them */
    unsigned hidden;    /**< replaced pairs that go on translating, as QEMU's do */
    uint32_t seed;      /**< of everything random */
};

/** Counters of one processor. */
struct sim_cpu_stats {
    uint64_t loads;    /**< pairs loaded into its TLB */
    uint64_t misses;   /**< accesses that its TLB could not serve */
    uint64_t requests; /**< requests of other processors it served */
    uint64_t kicks;
};

struct sim_machine;

/** @return a machine whose processor 0 is the calling thread; NULL: @p c is bad, or no memory. */
struct sim_machine *sim_create(const struct sim_config *c);
/** NULL: nothing. */
void sim_destroy(struct sim_machine *m);
/** What the libraries are given; lives as long as the machine. */
struct disco_backend *sim_backend(struct sim_machine *m);
/** First machine page of @p node; each has pages_per_node. */
disco_mpn sim_node_first(const struct sim_machine *m, unsigned node);
/** From now on the calling thread plays processor @p cpu. For tests with one thread. */
void sim_become(struct sim_machine *m, unsigned cpu);
/** Run @p fn on every processor at once, one thread each; returns when all have returned. */
void sim_run(struct sim_machine *m, void (*fn)(void *ctx, unsigned cpu), void *ctx);
/** Let time pass. */
void sim_advance(struct sim_machine *m, uint64_t ns);
/** Give the guest its program. The virtual CPU does not run. */
void sim_load(struct disco_vcpu *v, const struct sim_insn *program, uint32_t length);
/**
 * Does @p cpu's TLB, hidden entries included, lead to @p mpn, through entries of @p v (NULL: of
 * anybody)? Own processor, or none runs.
 */
bool sim_reaches(const struct sim_machine *m, unsigned cpu, const struct disco_vcpu *v,
                 disco_mpn mpn);
/** Counters of processor @p cpu into *out; none of the processors runs. */
void sim_cpu_stats(const struct sim_machine *m, unsigned cpu, struct sim_cpu_stats *out);

#ifdef __cplusplus
}
#endif
#endif
