/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_PVIO_H
#define DISCO_PVIO_H

/**
 * @file pvio.h
 * @brief Monitor calls, and the devices a guest sees through them.
 *
 * One trap carries all arguments of a command (Disco, section 4.3). A table maps the number of a
 * call to its handler and declares each argument; before a handler runs, values are range-checked
 * and guest addresses are checked against the VM's memory, so that a handler never sees a raw
 * guest address.
 *
 * Devices here know no hardware: a device is given functions for what it needs of the outside
 * (a byte sink, the time, an interrupt line).
 */

#include <disco/calls.h>
#include <disco/io.h>
#include <disco/lock.h>
#include <disco/pmap.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A guest buffer that has been checked: it lies inside the VM's memory. */
struct disco_buf {
    struct disco_pmap *pmap;
    disco_pa pa;
    uint64_t len;
    unsigned node;
    unsigned access; /**< what the handler may do: DISCO_READ, DISCO_WRITE */
};

/**
 * Copy @p len bytes at @p offset out of a buffer.
 * @return 0; DISCO_ERR_BAD_ARG if they are not all inside it, DISCO_ERR_READ_ONLY for a wrong way.
 */
int disco_buf_read(const struct disco_buf *b, uint64_t offset, void *to, uint64_t len);
/** The same into a buffer. */
int disco_buf_write(const struct disco_buf *b, uint64_t offset, const void *from, uint64_t len);

/** What a device takes of a scatter list. */
struct disco_segs_limits {
    uint32_t segs;  /**< segments at most */
    uint64_t bytes; /**< in all of them together at most */
    uint64_t unit;  /**< what each length is a multiple of, at least 1 */
    uint64_t flags; /**< bits of disco_io_seg.len that are flags, not length */
};
/**
 * Copy the scatter list of @p n segments that lies at @p offset of @p b into @p seg (the caller's, with room for
 * limits->segs), check it, and add the lengths up in *total. Every segment lies inside the VM's memory; it may be empty,
 * and may overlap others. Flags stay in `len`.
 * @return 0; DISCO_ERR_BAD_ARG (more than the limits, no multiple of the unit, the list is not all inside @p b);
 *         DISCO_ERR_OVERFLOW, DISCO_ERR_BAD_ADDRESS: a segment is not in the VM's memory. @p seg is then undefined.
 */
int disco_segs_read(const struct disco_buf *b, uint64_t offset, uint32_t n,
                    const struct disco_segs_limits *limits, struct disco_io_seg *seg,
                    uint64_t *total);

/** What an argument of a monitor call is. */
enum disco_arg_kind {
    DISCO_ARG_NONE,
    DISCO_ARG_VALUE,   /**< a number from min to max */
    DISCO_ARG_BUF_IN,  /**< physical address of bytes the handler reads; the next argument is their
                            length, at most max */
    DISCO_ARG_BUF_OUT, /**< the same, for bytes the handler writes */
};

/** Declares one argument. A BUF takes two argument registers, but is one argument. */
struct disco_arg_desc {
    enum disco_arg_kind kind;
    uint64_t min, max;
};

/** One checked argument. */
union disco_arg {
    uint64_t value;
    struct disco_buf buf;
};

/**
 * A handler: @p dev as given in the table, @p caller the virtual CPU or whatever the monitor passes.
 * @return >= 0 or an enum disco_err; the guest gets it as the call's result.
 */
typedef int64_t disco_call_fn(void *dev, void *caller, const union disco_arg *a);

/** A monitor call: its number, its handler and what the handler wants to be given. */
struct disco_call {
    uint32_t number;
    const char *name;
    disco_call_fn *fn;
    void *dev;
    struct disco_arg_desc arg[DISCO_CALL_ARGS];
};

/** Calls that a table holds. */
#define DISCO_CALLS_MAX 64
/** Counters of one VM's calls: each processor counts on its own, disco_calls_stats() sums. */
struct disco_calls_stats {
    uint64_t made[DISCO_CALLS_MAX]; /**< by number: how often the handler ran */
    uint64_t bad;                   /**< calls refused before a handler ran */
    uint64_t ipis;                  /**< lines raised by IPI */
    uint64_t pages_freed;           /**< by PAGES_FREE, of those that had memory */
    uint64_t pages_zeroed;          /**< by PAGE_ZERO */
    uint64_t remapped;              /**< pairs of pages, by REMAP and REMAP_MANY */
    uint64_t remaps_failed;         /**< pairs that ended such a call */
};
/** What one processor counts, in lines of its own. Private. */
struct disco_calls_counters {
    DISCO_OWN_LINE struct disco_calls_stats n;
};
/** Calls of one VM, by number. Written before the VM runs, and only read afterwards. */
struct disco_calls {
    struct disco_call call[DISCO_CALLS_MAX];
    struct disco_backend *backend;
    struct disco_calls_counters *counters; /**< of each processor */
    uint32_t cpus;                         /**< how many */
};

/**
 * An empty table. @p counters: the caller's for as long as @p t, one for each processor of @p b; what they hold does not
 * matter. Of the backend only its number of processors and `cpu` are used. NULL: one processor makes all calls.
 * @return 0 or DISCO_ERR_BAD_ARG.
 */
int disco_calls_init(struct disco_calls *t, struct disco_calls_counters *counters,
                     struct disco_backend *b);
/** Add @p c. DISCO_ERR_BAD_ARG (bad declaration, a table that is none), DISCO_ERR_BUSY (number taken). */
int disco_calls_add(struct disco_calls *t, const struct disco_call *c);
/** Add those of @p c, @p n of them, until one cannot be added. @return as above; those before it stay. */
int disco_calls_add_all(struct disco_calls *t, const struct disco_call *c, size_t n);
/**
 * Check the @p raw arguments of call @p number and run its handler, on the caller's processor with interrupts off.
 * @return the handler's result; DISCO_ERR_BAD_CALL, DISCO_ERR_BAD_ARG, DISCO_ERR_BAD_ADDRESS,
 *         DISCO_ERR_OVERFLOW without running it.
 */
int64_t disco_calls_run(struct disco_calls *t, uint64_t number, const uint64_t raw[DISCO_CALL_ARGS],
                        struct disco_pmap *pmap, unsigned node, void *caller);
/**
 * Counters into *out, summed over processors: each is read atomically, not all of them together. Lock-free, any
 * processor. Of a zeroed table zeros.
 */
void disco_calls_stats(const struct disco_calls *t, struct disco_calls_stats *out);

/** An interrupt line of a device: level. */
struct disco_line {
    void (*set)(void *ctx, bool up);
    void *ctx;
};

/* --- console --- */

/** Bytes of input that wait for the guest at most. */
#define DISCO_CONSOLE_INPUT 1024

/**
 * A console: output goes to a byte sink at once, input waits in a ring until the guest reads it, and holds the line
 * up meanwhile: from the first CONSOLE_READ on. A guest that has not come to its console yet has nobody to lower the
 * line, which is that of other devices, too. Locks itself.
 */
struct disco_console {
    struct disco_lock lock;
    uint32_t head, tail;
    bool asked; /**< the guest has read */
    uint8_t input[DISCO_CONSOLE_INPUT];
    void (*put)(void *ctx, const uint8_t *bytes, size_t n); /**< never blocks for long */
    void *put_ctx;
    struct disco_line line;
    struct disco_backend *backend;
    uint64_t in, out, dropped; /**< bytes; dropped: input that found the ring full */
};

/** @p put takes the output. @return 0 or DISCO_ERR_BAD_ARG. */
int disco_console_init(struct disco_console *c, struct disco_backend *backend,
                       void (*put)(void *, const uint8_t *, size_t), void *put_ctx,
                       struct disco_line line);
/** Bytes from the person at the console. @return how many were taken. */
size_t disco_console_input(struct disco_console *c, const uint8_t *bytes, size_t n);
/** Add CONSOLE_WRITE, CONSOLE_READ and CONSOLE_PUTC to @p t. */
int disco_console_calls(struct disco_console *c, struct disco_calls *t);

/* --- interval timer and clock --- */

/**
 * A one-shot timer in VM time, and the VM's clock: nanoseconds since the VM started, standing
 * still while it is paused. The line is up from expiry until the timer is set again.
 */
struct disco_timer {
    struct disco_lock lock;
    struct disco_backend *backend;
    struct disco_line line;
    uint64_t origin;    /**< machine time at which VM time was 0, pauses taken out */
    uint64_t paused_at; /**< VM time, while paused */
    bool paused, fired;
    uint64_t deadline; /**< VM time; UINT64_MAX = off */
};

/** VM time starts now, at 0; the timer is off. @return 0 or DISCO_ERR_BAD_ARG. */
int disco_timer_init(struct disco_timer *t, struct disco_backend *backend, struct disco_line line);
/** VM time in ns. */
uint64_t disco_timer_now(struct disco_timer *t);
/** VM time stands still. */
void disco_timer_pause(struct disco_timer *t);
/** VM time goes on where it stood. */
void disco_timer_resume(struct disco_timer *t);
/**
 * Raise the line if the deadline has passed. @return machine time at which to call again, or
 * UINT64_MAX.
 */
uint64_t disco_timer_poll(struct disco_timer *t);
/** Add TIME and TIMER_SET to @p t. */
int disco_timer_calls(struct disco_timer *t, struct disco_calls *c);

/* --- power --- */

/** What the monitor does when a guest asks for POWEROFF(code), RESET(), PANIC(text). */
struct disco_power {
    void (*poweroff)(void *ctx, void *caller, int code);
    void (*reset)(void *ctx, void *caller);
    void (*panic)(void *ctx, void *caller, const char *text); /**< printable ASCII, terminated */
    void *ctx;
};
/** Add POWEROFF, RESET, PANIC and NOP; @p p stays the caller's and must outlive @p t. */
int disco_power_calls(struct disco_power *p, struct disco_calls *t);

/* --- memory --- */

/** Pages that one PAGES_FREE may name: what bounds the time of the call. */
#define DISCO_MEMORY_FREE_MAX 1024

/** What a guest knows of its memory and tells (Disco, section 4.2.2). Needs no init. */
struct disco_memory {
    struct disco_pmap *pmap;
    struct disco_calls *calls; /**< private: where it counts */
};
/** Add PAGES_FREE and PAGE_ZERO to @p t; @p m stays the caller's and must outlive @p t. */
int disco_memory_calls(struct disco_memory *m, struct disco_calls *t);

/* --- virtual processors --- */

/**
 * How the virtual processors of a VM start, stop and interrupt each other. The functions are called
 * on the processor of @p caller; `start` under the device's lock, so that of two who start
 * the same virtual CPU one comes second.
 */
struct disco_smp {
    struct disco_lock lock;
    struct disco_backend *backend;
    /** Make virtual CPU @p id run at @p pc. DISCO_ERR_STATE if it runs already. */
    int (*start)(void *ctx, unsigned id, uint64_t pc, uint64_t sp, uint64_t gp);
    /** @p caller is to stop once the call is over. */
    void (*stop)(void *ctx, void *caller);
    /** Raise the IPI line of virtual CPU @p id. */
    void (*raise)(void *ctx, unsigned id);
    /** Lower the IPI line of @p caller. */
    void (*lower)(void *ctx, void *caller);
    void *ctx;
    struct disco_calls *calls; /**< private: where it counts */
};
/**
 * Add VCPU_START, VCPU_STOP, IPI and IPI_ACK for @p vcpus virtual CPUs to @p t. Bad numbers and bits
 * of others are refused with DISCO_ERR_BAD_ARG. @p s is filled in by the caller and outlives @p t.
 */
int disco_smp_calls(struct disco_smp *s, unsigned vcpus, struct disco_calls *t);

#ifdef __cplusplus
}
#endif
#endif
