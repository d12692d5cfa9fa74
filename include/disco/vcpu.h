/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_VCPU_H
#define DISCO_VCPU_H

/**
 * @file vcpu.h
 * @brief Virtual CPUs: life cycle, interrupts, time sharing, and what happens when a guest runs
 *        into something.
 *
 * A virtual CPU is the saved registers (the backend's, opaque here), an L2TLB, level-held
 * interrupt lines and a place in a run queue (Disco, section 4.1.1). disco_vcpu_handle() is the
 * order in which the mechanisms answer a guest: one readable page that works on every backend.
 * A backend's assembly may only shorten it.
 *
 * Life of a virtual CPU:
 *
 *     STOPPED --start--> READY <--> RUNNING --wait--> BLOCKED --interrupt--> READY
 *                any but STOPPED --pause--> PAUSED --resume, no reason left--> READY
 *                any --stop itself, or its VM ends--> STOPPED
 *
 * One that is started while its VM is paused is PAUSED first. A VM ends (`ended` is called) when
 * somebody ends it or its last virtual CPU stops.
 *
 * Locking: a virtual CPU has a home, the run queue of processor `cpu`; its state changes only under
 * the lock of that queue (lock.h), and may be read without. Thieves, who move the home, hold both
 * queues' locks. Interrupt lines change without a lock: lib/vcpu/lines.c has the argument why no
 * wake-up is lost. Every function may be called from any processor with interrupts off, holding
 * no lock below the run queues, unless it says "own processor".
 */

#include <disco/l2tlb.h>
#include <disco/lock.h>
#include <disco/pmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where a virtual CPU stands between start and stop. */
enum disco_vcpu_state {
    DISCO_VCPU_STOPPED,
    DISCO_VCPU_READY,   /**< in a run queue */
    DISCO_VCPU_RUNNING, /**< on processor `cpu` */
    DISCO_VCPU_BLOCKED, /**< waits for an interrupt */
    DISCO_VCPU_PAUSED,  /**< kept off processors by disco_vcpu_pause() or disco_vm_pause() */
};

/** Reasons to keep a virtual CPU, or a VM, off processors: bits. A monitor may have others. */
enum disco_pause {
    DISCO_PAUSE_PERSON = 1, /**< somebody wants it so */
    DISCO_PAUSE_MEMORY = 2, /**< it waits for machine memory */
};

/** What follows an exit. */
enum disco_next {
    DISCO_NEXT_RESUME, /**< enter the guest again */
    DISCO_NEXT_YIELD,  /**< give the processor to the next in the queue */
    DISCO_NEXT_BLOCK,  /**< wait for an interrupt */
    DISCO_NEXT_STOP,   /**< this virtual CPU ends; the VM's `cause` says why */
};

/** Why a VM ended. */
enum disco_cause {
    DISCO_CAUSE_NONE,
    DISCO_CAUSE_POWEROFF, /**< the guest asked for it; `code` is its exit code */
    DISCO_CAUSE_RESET,    /**< the guest asked for a restart */
    DISCO_CAUSE_PANIC,    /**< the guest reported that it died */
    DISCO_CAUSE_FAULT,    /**< it did something that no machine could continue from */
    DISCO_CAUSE_KILLED,   /**< a person, or the monitor, ended it */
};

/** Sets of a virtual CPU's `near`: 512 pairs of pages, 16 KB. */
#define DISCO_NEAR_SETS 256

/** Always-on counters of one virtual CPU; written by its own processor only. */
struct disco_vcpu_stats {
    uint64_t exits[DISCO_EXIT_FATAL + 1];
    uint64_t miss_l2tlb, miss_pmap, miss_guest; /**< who answered a miss that reached C */
    uint64_t write_monitor, write_guest;        /**< whose reason a write fault was */
    uint64_t bus_errors;
    uint64_t device_accesses; /**< completed by the `mapped` hook */
    uint64_t switches;        /**< times it came onto a processor */
    uint64_t migrations;      /**< of these, another one than before */
    uint64_t run_ns;          /**< time on a processor, guest and monitor */
};

struct disco_vm;
struct disco_sched;

/**
 * A virtual CPU. The storage is the caller's; fields are read-only for users. By lines: what its own processor and
 * those that revoke its translations read; what others write, too; what its own processor writes at every exit.
 */
struct disco_vcpu {
    DISCO_OWN_LINE struct disco_vm *vm;
    void *arch; /**< the backend's part: registers, guest TLB */
    struct disco_l2tlb *l2tlb;
    struct disco_l2tlb *
        near; /**< by guest physical address (disco_near_va()), all as ASID 0: pages with replicas, as
                                   segments that the guest believes unmapped have them; DISCO_NEAR_SETS sets */
    struct disco_sched *sched;
    uint32_t id;   /**< within its VM */
    uint32_t node; /**< where its storage is: preferred */

    DISCO_OWN_LINE uint32_t state; /**< enum disco_vcpu_state; accessed atomically */
    uint32_t lines;                /**< interrupt lines that are up; accessed atomically */
    uint32_t paused_by;            /**< enum disco_pause, bits; accessed atomically */
    uint32_t cpu;      /**< processor it runs on, ran on last or waits for; atomically */
    disco_cpuset seen; /**< processors whose TLB may hold usable entries of it: the one it ran
                                on last, for switch_in forgets older ones; accessed atomically */
    bool yielded;      /**< gave its processor up, and nobody had a turn since; home's lock */
    uint64_t served;   /**< time on processors (ns, wraps), lifted when it wakes up: who has
                                least comes next. Home's lock */

    DISCO_OWN_LINE uint64_t slice_end; /**< ns */
    uint32_t lines_shown;              /**< lines the backend was last told of; own processor */
    struct disco_vcpu_stats stats;
};

/** Where `near` keeps the pair of @p ppn. */
static inline disco_va disco_near_va(disco_ppn ppn)
{
    disco_va va = {disco_ppn_base(ppn).v};

    return va;
}

/** What a monitor adds to a VM. Called on the processor of the virtual CPU. */
struct disco_vm_hooks {
    /**
     * A monitor call. Sets *result; returns what follows. See pvio.h for a table of calls. With
     * DISCO_NEXT_STOP the guest gets no result.
     */
    enum disco_next (*call)(struct disco_vcpu *v, const struct disco_exit *x, int64_t *result);
    /**
     * The VM has ended, all its virtual CPUs are STOPPED, and the scheduler has forgotten them: its
     * storage may be used again. May be NULL.
     */
    void (*ended)(struct disco_vm *vm);
    /**
     * The guest did what only a broken or hostile one does (static text), about @p where (an
     * address, a call, a value). It has been dealt with; this is for a log. May be NULL. May be
     * called often: limit what you print.
     */
    void (*report)(struct disco_vcpu *v, const char *what, uint64_t where);
    /**
     * Machine memory ran out for @p v; NULL: the VM ends with DISCO_CAUSE_FAULT. The instruction
     * that needed it has not been completed: @p v meets the same fault when it runs again. To wait
     * for memory, call disco_vm_pause(v->vm, DISCO_PAUSE_MEMORY) here, return DISCO_NEXT_YIELD, and
     * have somebody call disco_vm_resume() with that reason when pages have come back. If they are
     * gone again by then, the hook is called again.
     */
    enum disco_next (*no_memory)(struct disco_vcpu *v);
    /**
     * The guest loads from or, if @p write, stores to @p pa, where the VM has no memory: @p size bytes
     * (1, 2, 4, 8), naturally aligned, *value a number. 0: a device has done it. An error: nothing is
     * there, and the guest gets a bus error. NULL: nothing is anywhere. No lock is held. The scheduler
     * does not poll after it: a device that wants it kicks this processor. mmio.h has a table of
     * devices.
     */
    int (*mapped)(struct disco_vcpu *v, disco_pa pa, unsigned size, bool write, uint64_t *value);
};

/** A virtual machine: physical memory and virtual CPUs. The storage is the caller's. */
struct disco_vm {
    const char *name;
    struct disco_backend *backend;
    struct disco_pmap *pmap;
    struct disco_vcpu *vcpu[DISCO_MAX_VCPUS];
    uint32_t vcpus;
    uint32_t ending;        /**< 0; 1 being ended, 2 all told, 3 `ended` called; atomically */
    uint32_t alive;         /**< virtual CPUs that are not STOPPED, and calls that start or end it;
                                 accessed atomically */
    uint32_t paused_by;     /**< enum disco_pause, bits, for all of them; accessed atomically */
    uint32_t nearer;        /**< something was kept in a virtual CPU's `near`; atomically */
    enum disco_cause cause; /**< set once */
    int code;               /**< exit code of a power-off */
    const char *why;        /**< static text, or NULL */
    struct disco_vm_hooks hooks;
    void *owner; /**< the monitor's */
};

/**
 * @p vm is filled by the caller (name, backend, pmap, hooks, owner) and has no virtual CPU yet. The
 * storage of a VM whose `ended` was called may be used again, its virtual CPUs' and pmap's too,
 * while processors run others; nobody may raise lines, pause, resume, start or end at that moment.
 */
int disco_vm_init(struct disco_vm *vm);
/**
 * The `purge` of the VM's pmap (pass the VM as ctx): forgets translations in the L2TLBs of the
 * virtual CPUs that are named, then in the hardware TLBs of every processor that may hold theirs.
 */
void disco_vm_purge(void *vm, const struct disco_pmap_gone *gone, size_t pages,
                    const struct disco_purge *p, size_t n);
/**
 * The `vcpus_on` of the VM's pmap (pass the VM as ctx): virtual CPUs whose `cpu` lies in @p node, bit i for that with
 * id i; one that was never started is on none. A snapshot. Any processor, no locks.
 */
uint64_t disco_vm_vcpus_on(void *vm, unsigned node);
/** Is @p p a translation of @p v? For backends. */
static inline bool disco_purge_is_of(const struct disco_purge *p, const struct disco_vcpu *v)
{
    return p->vcpus >> v->id & 1;
}
/** Tell the monitor's `report` hook, if there is one. Own processor. */
void disco_vcpu_report(struct disco_vcpu *v, const char *what, uint64_t where);
/**
 * End the VM: every virtual CPU stops at its next exit, at once if it does not run; then `ended` is
 * called. Nothing happens if it is being ended already. A VM whose last virtual CPU stops by itself
 * ends, too, with DISCO_CAUSE_FAULT.
 */
void disco_vm_end(struct disco_vm *vm, enum disco_cause cause, int code, const char *why);
/**
 * disco_vcpu_pause() for the whole VM. Virtual CPUs that are started later are PAUSED too, until
 * the VM's last reason is gone. A hook may call it for its own VM. A paused VM can be ended.
 */
void disco_vm_pause(struct disco_vm *vm, uint32_t who);
/** Take reasons of the VM back; those of single virtual CPUs stay. Harmless if there are none. */
void disco_vm_resume(struct disco_vm *vm, uint32_t who);

/** Bytes of storage for one virtual CPU of @p b: the backend's part, an L2TLB of @p sets, and `near`. */
size_t disco_vcpu_size(const struct disco_backend *b, size_t l2tlb_sets);
/**
 * Make a STOPPED virtual CPU in reset state and add it to @p vm. @p storage: the caller's, 64-byte aligned, in @p node,
 * where the virtual CPU will run if it can. @return 0, DISCO_ERR_BAD_ARG (no such node, too), DISCO_ERR_NO_SPACE
 * (@p size; or as many virtual CPUs as a VM may have), or what the backend's reset says.
 */
int disco_vcpu_init(struct disco_vcpu *v, void *storage, size_t size, unsigned node,
                    struct disco_vm *vm, size_t l2tlb_sets);
/**
 * Make a STOPPED virtual CPU READY on @p s: in the queue of the processor that has the least to do, of its own node if
 * there is a choice. @return 0; DISCO_ERR_BAD_ARG (another backend, or
 * another scheduler's), DISCO_ERR_STATE (not stopped, or its VM is ending), DISCO_ERR_NO_SPACE (as
 * many are started as a queue can hold).
 */
int disco_vcpu_start(struct disco_vcpu *v, struct disco_sched *s);
/**
 * Keep it off processors for the reasons @p who (enum disco_pause, bits); returns at once, takes
 * effect at its next exit. It is PAUSED as long as any reason is left, its VM's included.
 * @return 0 or DISCO_ERR_STATE (it is stopped; a start forgets its reasons).
 */
int disco_vcpu_pause(struct disco_vcpu *v, uint32_t who);
/** Take the reasons @p who back. @return 0 or DISCO_ERR_STATE (it is stopped: nothing happens). */
int disco_vcpu_resume(struct disco_vcpu *v, uint32_t who);
/** Set the level of interrupt line @p line; a rising line wakes a BLOCKED virtual CPU. */
void disco_vcpu_line(struct disco_vcpu *v, unsigned line, bool up);

/**
 * What the guest ran into, answered: the order of the paper. A miss: the pmap for a segment the guest
 * believes unmapped, else the L2TLB, then the guest's own TLB, then the guest. A write fault:
 * the guest's reason first, else the monitor's. An access allowed so far to physical memory that
 * the VM does not have: the `mapped` hook, else a bus error. Own processor.
 */
enum disco_next disco_vcpu_handle(struct disco_vcpu *v, const struct disco_exit *x);
/**
 * For a backend, from within `enter`: do what disco_vcpu_handle() would do for the miss @p x, whose `access` and `va`
 * count, if that takes nothing but this virtual CPU: the guest's own TLB answers, or the guest is to hear of it. Calls no
 * hook, and `inject` alone of what changes registers. Own processor. @return whether it has been done, and the guest goes on;
 * if not, nothing has happened.
 */
bool disco_vcpu_settle_miss(struct disco_vcpu *v, const struct disco_exit *x);
/** The same for a write fault, whose `va` counts (`access` is a store's): done if the guest is to hear of it. */
bool disco_vcpu_settle_write(struct disco_vcpu *v, const struct disco_exit *x);
/**
 * Put the pair that the guest maps at @p m into L2TLB and hardware TLB (pmap entries held
 * meanwhile). @p va: the address that is needed now. Own processor.
 * @return 0; DISCO_ERR_BAD_ADDRESS (the page of @p va is outside the VM), DISCO_ERR_NO_MEMORY.
 */
int disco_vcpu_enter_pair(struct disco_vcpu *v, disco_va va, const struct disco_guest_map *m);

/* --- time sharing --- */

/** What disco_sched_init() makes. */
struct disco_sched_config {
    struct disco_backend *backend;
    uint64_t slice_ns;  /**< 0: 10 ms */
    unsigned queue_len; /**< virtual CPUs a queue can hold; more cannot be started */
};

/** Always-on counters of one processor's scheduler. */
struct disco_sched_stats {
    uint64_t idle_ns;  /**< time in the backend's idle() */
    uint64_t turns;    /**< calls of disco_sched_turn() */
    uint64_t switches; /**< times another virtual CPU than before came onto the processor */
    uint64_t steals;   /**< virtual CPUs taken from other processors' queues */
    uint64_t kicks;    /**< sent to other processors, for whatever reason */
};

/** Bytes of storage for @p c. 0 if the configuration is bad. */
size_t disco_sched_size(const struct disco_sched_config *c);
/** *out lies in @p storage (aligned to DISCO_CACHE_LINE). */
int disco_sched_init(struct disco_sched **out, void *storage, size_t size,
                     const struct disco_sched_config *c);
/**
 * One turn of this processor's loop: take the virtual CPU that has been served least (of the own
 * queue; of another, if this is empty or falls behind), run it until it yields, blocks, ends, its
 * slice is over or another needs its place; or idle if there is none. @p poll is called, if not
 * NULL, at the start and after every exit that was not a TLB miss or a write fault (a monitor call
 * may have set a timer): keep it cheap. It returns the time (ns) at which it wants to be called
 * again at the latest. Own processor.
 */
void disco_sched_turn(struct disco_sched *s, uint64_t (*poll)(void *), void *ctx);
/** Counters of @p cpu, up to now, into *out. Any processor. @return 0 or DISCO_ERR_BAD_ARG. */
int disco_sched_stats(struct disco_sched *s, unsigned cpu, struct disco_sched_stats *out);
/** Virtual CPUs that wait in @p cpu's queue. */
unsigned disco_sched_load(const struct disco_sched *s, unsigned cpu);

#ifdef __cplusplus
}
#endif
#endif
