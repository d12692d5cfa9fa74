/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icount: counts what a MIPS64 machine under QEMU executes, by processor and by segment of the
 * instruction's address, which tells who ran: a user program, a guest kernel, or the monitor (a
 * kernel on the bare machine runs where the monitor does).
 *
 * Options (QEMU: -plugin libicount.so,KEY=VALUE,...; numbers as strtoull() takes them):
 *   out=FILE             where the JSON goes at exit
 *   entry=NAME:ADDRESS   trace: from the instruction at ADDRESS to the next eret of the monitor
 *   tag=NAME:ADDRESS     traces that execute the instruction at ADDRESS are told apart by it
 *   profile=START:END    instructions executed in this range, by the word where a run of them began
 *
 * In the JSON: "cpus", executed instructions by segment; "marks", the same counts of the processor
 * that came to the mark, those of the whole "machine", and the traces that had ended on that processor
 * by then; "traces", by kind (way in, way out, cause, tags) the number of traces and of instructions
 * in them; "profile", pairs of address and instructions.
 *
 * A mark is `ori $0, $0, 0xd150 + n`, n = 0..15, which no compiler emits: counts are noted down.
 */
#ifndef ICOUNT_H
#define ICOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mips64.h"

#define MAX_CPUS 64
#define MAX_ENTRIES 8
#define MAX_TAGS 24
#define MAX_PROFILES 4
#define MAX_MARKS 65536
#define MAX_TRACES 4096 /* a power of two */
#define HISTOGRAM 4096  /* longer traces share one bucket */

#define ERET_WORD 0x42000018u

struct place {
    const char *name;
    uint64_t addr;
};

struct profile {
    uint64_t start, end;
    uint64_t *word; /* executed in runs that began there */
};

struct mark {
    unsigned cpu, number;
    uint64_t traces; /* that have ended by then */
    uint64_t executed[MODES];
    uint64_t machine[MODES]; /* all processors; where they run in parallel, roughly then */
};

/* Traces with the same way in, way out, cause and tags are of one kind. */
struct trace_key {
    uint64_t end;   /* address of the eret */
    uint32_t cause; /* what trapped: an instruction word without register numbers, 0 = unknown */
    uint32_t tags;
    uint32_t entry;
};

struct trace {
    struct trace_key key;
    uint64_t count, total, min, max;
    uint64_t *histogram; /* [HISTOGRAM + 1] by number of instructions; NULL = free slot */
};

/* Written by its own processor, in a thread that may be its own too; in cache lines of its own. */
struct cpu {
    _Alignas(128) uint64_t executed[MODES]; /* others read it: atomically */
    bool tracing;
    uint64_t traces;
    uint64_t start;       /* executed[MODE_KERNEL] when the trace began */
    uint32_t trapped;     /* the last instruction that cannot but trap */
    struct trace_key key; /* as far as it is known */
};

struct icount {
    const char *target, *out;
    bool big_endian;
    unsigned cpus;
    struct cpu cpu[MAX_CPUS];
    struct place entry[MAX_ENTRIES], tag[MAX_TAGS];
    unsigned entries, tags;
    struct profile profile[MAX_PROFILES];
    unsigned profiles;
    struct mark *mark;
    unsigned marks;
    uint64_t marks_lost, traces_lost;
    struct trace trace[MAX_TRACES];
};

/* decode.c */
/* Whether an instruction goes on to the next word, or to a delay slot, whatever happens. */
bool decode_plain(uint32_t word);
/* What is told apart of an instruction that traps when a guest executes it; 0 = may not trap. */
uint32_t decode_trap(uint32_t word, enum mode mode);

/* trace.c */
void trace_begin(struct cpu *cpu, unsigned entry);
/* Returns whether there was room for it. */
bool trace_end(struct trace table[MAX_TRACES], struct cpu *cpu, uint64_t end);

/* report.c */
void report(const struct icount *all, FILE *out);

#endif
