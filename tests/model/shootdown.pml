/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shootdown: a page is revoked while processors look it up, load it, use it, and while virtual CPUs
 * move between processors. 3 processors, 2 virtual CPUs of one VM, one physical page. What is modelled of
 * a translation is only whether it leads to the machine page that is taken away.
 *
 * Property: once the revocation is over, no guest runs that could use such a translation; and whoever waits
 * for a processor is answered.
 *
 *   p1..p7  lib/pmap/entry.c, lib/vcpu/purge.c    the revocation
 *   m1..m3  lib/vcpu/sched.c come_in()            a virtual CPU comes onto a processor
 *   a1..a4  backends/mips64/smp.c                 who asks a processor to flush
 *   e1..e5  backends/mips64/smp.c                 a processor that enters a guest, and leaves it
 *
 * Processors are alike, so it is processor 0 that revokes. `where` is written through a store buffer, so
 * that the fence at e2 is a real one; other accesses are sequentially consistent in the code too. TLBs are
 * tagged: entries of a virtual CPU stay when another comes in, and match when it comes back. To flush at
 * each switch only removes more.
 */
#define CPUS 3
#define NONE 3
#define TLB(v) tlb[c * 2 + (v)]  /* does our TLB's entry of virtual CPU v lead to the page? */

bool held;                       /* lock of the pmap entry */
bool word = true;                /* its first word leads to the page */
bool l2tlb[2];                   /* by virtual CPU */
byte seen[2] = NONE;
bool tlb[6];
byte flush_want[CPUS], flush_done[CPUS];
bool in_guest[CPUS];             /* where == GUEST, as others see it */
bool buffered[CPUS];             /* where = GUEST is in the processor's store buffer */
bool interrupt[CPUS];
bool busy[2];                    /* virtual CPU is on a processor */
/* Only the property looks at these: */
byte runs[CPUS] = NONE;          /* whose instructions the processor executes */
bool gone;                       /* the page is somebody else's */

inline can_use(c, yes) { yes = (runs[c] != NONE && tlb[c * 2 + runs[c]]) }

inline flush_own() { TLB(0) = false; TLB(1) = false }

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
    :: seen[v] != c -> TLB(v) = false
    :: else                                                                    /* keep */
    fi
#endif
}

inline forget_in_l2tlbs() { l2tlb[0] = false; l2tlb[1] = false }               /* p3 */

inline invalidate(t) {                                                         /* p5 */
    if
    :: t == NONE
    :: t == c -> atomic { flush_own() }
    :: else ->
       atomic { flush_want[t]++; w = flush_want[t] };                          /* a1, a2 */
       if
       :: in_guest[t] -> interrupt[t] = true                                   /* a3 */
       :: else
       fi;
       (flush_done[t] >= w || !in_guest[t])                                    /* a4 */
    fi
}

#ifdef BUG_SEEN_BEFORE_L2TLB
#define SEEN(v) early[v]
#else
#define SEEN(v) seen[v]
#endif

inline forget_in_hardware() {
    t = SEEN(0); invalidate(t);                                                /* p4 */
    t = SEEN(1); invalidate(t)
}

active [CPUS] proctype Processor()
{
    byte c = _pid, v = NONE, t, w;
    bool e;
#ifdef BUG_SEEN_BEFORE_L2TLB
    byte early[2];
#endif

end_monitor:
    if
    :: atomic { v == NONE && !busy[0] -> come_in(0) } goto seen_here
    :: atomic { v == NONE && !busy[1] -> come_in(1) } goto seen_here
    :: d_step { v != NONE -> busy[v] = false; v = NONE }
    :: d_step { v != NONE && l2tlb[v] -> TLB(v) = true }      /* miss() in C: loaded before e3 */
    :: d_step { v != NONE && !held -> l2tlb[v] = word; TLB(v) = word }  /* enter_pair(): entry held */
    :: v != NONE -> goto enter_guest
    :: atomic { c == 0 && word && !held -> held = true } goto revoke           /* p1 */
    fi;
    goto end_monitor;

seen_here:
    seen[v] = c;                                                               /* m2 */
    goto end_monitor;                                                          /* m3: look-ups */

revoke:
    word = false;                                                              /* p2 */
#ifdef BUG_SEEN_BEFORE_L2TLB
    early[0] = seen[0]; early[1] = seen[1];
#endif
#ifdef BUG_HARDWARE_BEFORE_L2TLB
    forget_in_hardware(); forget_in_l2tlbs();
#else
    forget_in_l2tlbs(); forget_in_hardware();
#endif
    atomic {
        gone = true;                                                           /* p6 */
        can_use(0, e); assert(!e);
        can_use(1, e); assert(!e);
        can_use(2, e); assert(!e);
        held = false; t = 0; w = 0                                             /* p7 */
    };
    goto end_monitor;

enter_guest:
    buffered[c] = true;                                                        /* e1 */
#ifndef BUG_NO_FENCE
    !buffered[c];                                                              /* e2 */
#endif
#ifndef BUG_NO_CHECK_AT_ENTRY
    serve();                                                                   /* e3 */
#endif
    atomic { w = 0; runs[c] = v; can_use(c, e); assert(!(gone && e)) };        /* e4 */
guest:
    atomic { e = false };
    if
    :: l2tlb[v] -> e = true; goto loads                        /* refill vector: from the L2TLB, */
    :: word -> e = true; goto loads                            /* or from the pmap's word */
    :: interrupt[c] -> goto ipi
    :: goto leave_guest
    :: goto computes
    fi;
loads:                                 /* interrupts are off since the look-up */
    atomic { TLB(v) = e; assert(!gone) };
    goto guest;
computes:                              /* on and on: whoever waits for us needs an interrupt */
end_computes:
    interrupt[c];
ipi:
#ifdef BUG_LOWERED_AFTER_LOOK
    serve(); interrupt[c] = false;
#else
    interrupt[c] = false; serve();                             /* lowered before the look */
#endif
    w = 0;
    goto guest;
leave_guest:
#ifdef BUG_LEFT_TOO_EARLY
    in_guest[c] = false; runs[c] = NONE;
#else
    runs[c] = NONE; in_guest[c] = false;                       /* e5, a release: the guest's accesses first */
#endif
    buffered[c] = false;
    goto end_monitor
}

active proctype StoreBuffers()
{
end:
    do
    :: atomic { buffered[0] -> in_guest[0] = true; buffered[0] = false }
    :: atomic { buffered[1] -> in_guest[1] = true; buffered[1] = false }
    :: atomic { buffered[2] -> in_guest[2] = true; buffered[2] = false }
    od
}
