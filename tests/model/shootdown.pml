/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shootdown: a page is revoked while processors look it up, load it, use it, and while virtual CPUs
 * move between processors. 3 processors, 2 virtual CPUs of one VM, one physical page. Two machine pages,
 * 1 and 2, take turns behind it: a page that was revoked is somebody else's until it comes back.
 *
 * Property: once a page is somebody else's, no guest runs that could use a translation to it.
 *
 *   p1..p7  lib/pmap/entry.c, lib/vcpu/purge.c    the revocation
 *   m1..m3  lib/vcpu/sched.c come_in()            a virtual CPU comes onto a processor
 *   a1..a4  backends/mips64/smp.c                 who asks a processor to flush
 *   e1..e5  backends/mips64/smp.c                 a processor that enters a guest, and leaves it
 *
 * `where` is written through a store buffer, so that the fence at e2 is a real one. Every other
 * access is sequentially consistent in the code too. TLBs are tagged: entries of a virtual CPU
 * stay when another comes in, and match again when it comes back. Flushing at each switch only removes more.
 */
#define CPUS 3
#define NONE 3
#define REVOCATIONS 1            /* more find nothing new, but the counters would grow */
#define TLB(v) tlb[c * 2 + (v)]  /* entry of virtual CPU v in our own TLB: a machine page, or 0 */

bool held;                       /* lock of the pmap entry */
byte word = 1;                   /* its first word: the machine page, or 0 */
byte l2tlb[2];                   /* by virtual CPU */
byte seen[2] = NONE;
byte tlb[6];
byte flush_want[CPUS], flush_done[CPUS];
bool in_guest[CPUS];             /* where == GUEST, as others see it */
bool stored[CPUS];               /* and as the processor itself has stored it */
bool interrupt[CPUS];
bool busy[2];                    /* virtual CPU is on a processor */
byte revocations;
/* Only the property looks at these: */
byte runs[CPUS] = NONE;          /* whose instructions the processor executes */
bool gone[3];                    /* machine page is somebody else's */

inline usable(page) { assert(!gone[page]) }
inline flush_own() { TLB(0) = 0; TLB(1) = 0 }

inline serve() {
    w = flush_want[c];
    if
    :: w != flush_done[c] -> atomic { flush_own(); flush_done[c] = w }
    :: else
    fi
}

inline come_in(u) {                                                            /* m1: switch_in */
    v = u; busy[v] = true;
#ifndef BUG_KEEP_ALWAYS
    if
    :: seen[v] != c -> TLB(v) = 0
    :: else                                                                    /* keep */
    fi
#endif
}

inline revoke_l2tlbs() { l2tlb[0] = 0; l2tlb[1] = 0 }                          /* p3 */

inline invalidate(t) {                                                         /* p5 */
    if
    :: t == NONE
    :: t == c -> atomic { flush_own() }
    :: else ->
       d_step { flush_want[t]++; w = flush_want[t] };                          /* a1, a2 */
       if
       :: in_guest[t] -> interrupt[t] = true                                   /* a3 */
       :: else
       fi;
       (flush_done[t] >= w || !in_guest[t])                                    /* a4 */
    fi
}

inline revoke_hardware() {
    n = 0;
    do
    :: n < 2 ->
#ifdef BUG_SEEN_BEFORE_L2TLB
       t = early[n];
#else
       t = seen[n];                                                            /* p4 */
#endif
       invalidate(t); n++
    :: else -> break
    od;
    n = 0
}

active [CPUS] proctype Processor()
{
    byte c = _pid, v = NONE, e, n, t, w;
#ifdef BUG_SEEN_BEFORE_L2TLB
    byte early[2];
#endif

end_monitor:
    if
    :: atomic { v == NONE && !busy[0] -> come_in(0) } goto seen_here
    :: atomic { v == NONE && !busy[1] -> come_in(1) } goto seen_here
    :: d_step { v != NONE -> busy[v] = false; v = NONE }
    :: d_step { v != NONE && l2tlb[v] -> TLB(v) = l2tlb[v] }  /* miss() in C: loaded before e3 */
    :: d_step { v != NONE && !held -> l2tlb[v] = word; TLB(v) = word }  /* enter_pair(): entry held */
    :: v != NONE -> goto enter_guest
    :: atomic { !held && revocations < REVOCATIONS -> held = true; revocations++ } goto revoke  /* p1 */
    fi;
    goto end_monitor;

seen_here:
    seen[v] = c;                                                               /* m2 */
    goto end_monitor;                                                          /* m3: look-ups */

revoke:
    e = word; word = 0;                                                        /* p2 */
#ifdef BUG_SEEN_BEFORE_L2TLB
    early[0] = seen[0]; early[1] = seen[1];
#endif
#ifdef BUG_HARDWARE_BEFORE_L2TLB
    revoke_hardware(); revoke_l2tlbs();
#else
    revoke_l2tlbs(); revoke_hardware();
#endif
    d_step {                                                                   /* p6 */
        gone[e] = true; gone[3 - e] = false;
        assert(runs[0] == NONE || tlb[0 + runs[0]] != e);
        assert(runs[1] == NONE || tlb[2 + runs[1]] != e);
        assert(runs[2] == NONE || tlb[4 + runs[2]] != e)
    };
    word = 3 - e;                                                              /* p7 */
    d_step { held = false; e = 0; t = 0; w = 0 };
    goto end_monitor;

enter_guest:
    stored[c] = true;                                                          /* e1 */
#ifndef BUG_NO_FENCE
    in_guest[c] == stored[c];                                                  /* e2 */
#endif
#ifndef BUG_NO_CHECK_AT_ENTRY
    serve();                                                                   /* e3 */
#endif
    d_step { w = 0; runs[c] = v; usable(TLB(v)) };                             /* e4 */
guest:
    if
    :: l2tlb[v] -> e = l2tlb[v]; d_step { TLB(v) = e; usable(e); e = 0 }       /* refill vector: the L2TLB, */
    :: word -> e = word; d_step { TLB(v) = e; usable(e); e = 0 }               /* or the pmap's word */
    :: interrupt[c] -> goto ipi
    :: goto leave_guest
    :: goto computes
    fi;
    goto guest;
computes:                              /* on and on: whoever waits for us needs an interrupt */
end_computes:
    interrupt[c];
ipi:
    interrupt[c] = false; serve(); w = 0;                                      /* lowered before the look */
    goto guest;
leave_guest:
#ifdef BUG_LEFT_TOO_EARLY
    stored[c] = false; runs[c] = NONE;
#else
    runs[c] = NONE; stored[c] = false;                                         /* e5, a release */
#endif
    goto end_monitor
}

active proctype StoreBuffers()
{
end:
    do
    :: in_guest[0] != stored[0] -> in_guest[0] = stored[0]
    :: in_guest[1] != stored[1] -> in_guest[1] = stored[1]
    :: in_guest[2] != stored[2] -> in_guest[2] = stored[2]
    od
}
