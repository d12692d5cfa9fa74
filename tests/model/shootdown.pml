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
 * tagged: entries of a virtual CPU stay when another comes in, and match when it comes back; with
 * -DREGIME_FLUSH they go at each switch, and processors where another came in last are not asked.
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
byte last[4] = NONE;             /* who came in last; for NONE, nobody's */
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
#if defined(REGIME_FLUSH)
    if
    :: seen[v] != c || last[c] != v -> last[c] = v; flush_own()
    :: else
    fi
#elif !defined(BUG_KEEP_ALWAYS)
    if
    :: seen[v] != c -> TLB(v) = false
    :: else                                                                    /* keep */
    fi
#endif
}

inline forget_in_l2tlbs() { l2tlb[0] = false; l2tlb[1] = false }               /* p3 */

inline find_holders() { asks[0] = seen[0]; asks[1] = seen[1] }                 /* p4 */

#ifdef REGIME_FLUSH
#define MAY_HOLD(u) (last[asks[u]] == u)
#else
#define MAY_HOLD(u) true
#endif

inline ask(u) {
    if
    :: asks[u] != NONE && asks[u] != c && MAY_HOLD(u) ->
       atomic { flush_want[asks[u]]++; wants[u] = flush_want[asks[u]] };       /* a1, a2 */
       if
       :: in_guest[asks[u]] -> interrupt[asks[u]] = true                       /* a3 */
       :: else
       fi
    :: asks[u] == c && MAY_HOLD(u) -> atomic { flush_own(); asks[u] = NONE }
    :: asks[u] == NONE || !MAY_HOLD(u) -> asks[u] = NONE
    fi
}

inline wait_for(u) {
    if
    :: asks[u] == NONE
    :: asks[u] != NONE && (flush_done[asks[u]] >= wants[u] || !in_guest[asks[u]]) -> asks[u] = NONE  /* a4 */
    fi
}

inline forget_in_hardware() { ask(0); ask(1); wait_for(0); wait_for(1) }       /* p5: all are asked first */

active [CPUS] proctype Processor()
{
    byte c = _pid, v = NONE, w, asks[2], wants[2];
    bool e;

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
#if defined(BUG_SEEN_BEFORE_L2TLB)
    find_holders(); forget_in_l2tlbs(); forget_in_hardware();
#elif defined(BUG_HARDWARE_BEFORE_L2TLB)
    find_holders(); forget_in_hardware(); forget_in_l2tlbs();
#else
    forget_in_l2tlbs(); find_holders(); forget_in_hardware();
#endif
    atomic {
        gone = true;                                                           /* p6 */
        can_use(0, e); assert(!e);
        can_use(1, e); assert(!e);
        can_use(2, e); assert(!e);
        asks[0] = 0; asks[1] = 0; wants[0] = 0; wants[1] = 0;
        held = false                                             /* p7 */
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
