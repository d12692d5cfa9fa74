/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wake-up: interrupt lines rise while virtual CPUs go to sleep, wait in queues, are stolen, run; while
 * processors go idle. 3 processors, 2 virtual CPUs, a line each.
 *
 * Properties: when nothing can happen any more but that guests compute and processors sleep, every line that
 * is up has been shown to its virtual CPU, and nobody waits in a queue, or sleeps with its line up. A
 * virtual CPU is in one queue or on one processor, never in or on two.
 *
 *   s1 s2, w1 w2, t1 t2   lib/vcpu/lines.c, life.c      sleeper, waker, processor that takes and enters
 *   i1 i2 i3, o1 o2 o3    lib/vcpu/offer.c, sched.c     idler, offerer
 *   a1 a3, e1 e3 e5       backends/mips64/smp.c         who kicks, and who is kicked
 *
 * What is done under a queue's lock, and seen from outside by one write only, is one step here; of locks
 * there remains the sleeper's, between s1 and s2. That two queues are locked in order is not modelled, nor is
 * preemption. Whom a processor takes from which queue is open: any policy of lib/vcpu/steal.c is covered.
 * The fence a2 is there in that `kicked` is seen before `away` is loaded; without it the load comes first.
 */
#define CPUS 3
#define NONE 3
#ifndef RAISES
#define RAISES 2                     /* times that lines rise: two wakers at once; and fewer, see Watch */
#endif
mtype = { READY, RUNNING, BLOCKED };

mtype state[2] = READY;
byte home[2];                        /* v->cpu */
bool line[2], shown[2];
byte queue[CPUS] = { 3, 0, 0 };      /* virtual CPUs in it, as bits */
bool locked[CPUS];
bool idle[CPUS];                     /* bits of s->idle */
bool away[CPUS];                     /* where != MONITOR: in a guest, or asleep */
bool kicked[CPUS], interrupt[CPUS];
byte raises;
byte on[2] = NONE;                   /* only the property looks at it: the processor it is on */

inline push(q, u) {                                                            /* o1 */
    state[u] = READY;
    assert(on[u] == NONE && !((queue[0] | queue[1] | queue[2]) & (1 << u)));
    queue[q] = queue[q] | (1 << u)
}

inline take(from) {                  /* steal.c, both queues locked */
    if
    :: queue[from] & 1 -> v = 0
    :: queue[from] & 2 -> v = 1
    fi;
    queue[from] = queue[from] & ~(1 << v);
    assert(on[v] == NONE && state[v] == READY);
    on[v] = c; home[v] = c; state[v] = RUNNING                                 /* t1 */
}

/* e5. An interrupt that comes only now would make the processor look once more than it must: left out. */
inline comes_back() { away[c] = false; interrupt[c] = false }

inline rise(l) { line[l] = true; u = l; raises++ }                             /* w1 */

active [CPUS] proctype Processor()
{
    byte c = _pid, v = NONE, u, h;

turn:
    if
    :: atomic { queue[0] && !locked[0] && !locked[c] -> take(0) } goto step
    :: atomic { queue[1] && !locked[1] && !locked[c] -> take(1) } goto step
    :: atomic { queue[2] && !locked[2] && !locked[c] -> take(2) } goto step
    :: !queue[0] && !queue[1] && !queue[2] -> goto idles
    fi;

step:
    shown[v] = line[v];                                                        /* t2 */
    away[c] = true;                                                            /* e1, e2 */
    if
    :: atomic { kicked[c] -> kicked[c] = false; comes_back() } goto step    /* e3 */
    :: atomic { !kicked[c] && shown[v] -> comes_back(); line[v] = false } goto step  /* the guest serves it */
    :: atomic { !kicked[c] && raises < RAISES && !line[0] -> comes_back(); rise(0) } goto raised
    :: atomic { !kicked[c] && raises < RAISES && !line[1] -> comes_back(); rise(1) } goto raised
    :: atomic { !kicked[c] -> comes_back(); shown[v] = line[v] } goto waits
    :: atomic { !kicked[c] && v == 1 -> comes_back() } goto yields          /* its slice ends: one is enough */
    :: atomic { !kicked[c] } goto computes
    fi;
computes:                            /* on and on */
end_computes:
    if
    :: atomic { interrupt[c] -> comes_back(); kicked[c] = false } goto step    /* lowered before the look */
    :: atomic { queue[c] -> comes_back() } goto yields                         /* its slice ends */
    fi;

yields:
    atomic { !locked[c] -> on[v] = NONE; push(c, v); v = NONE } goto turn;
waits:
    if
    :: shown[v] -> goto step                                                   /* irq_ready */
    :: atomic { !shown[v] && !locked[c] -> locked[c] = true; state[v] = BLOCKED }  /* s1 */
    fi;
    atomic {
        on[v] = NONE;
        if
#ifndef BUG_NO_LOOK_AFTER_BLOCKED
        :: line[v] -> push(c, v)                                               /* s2 */
        :: !line[v]
#else
        :: true
#endif
        fi;
        locked[c] = false; v = NONE
    }
    goto turn;

raised:
    if
    :: state[u] == BLOCKED -> goto wake                                        /* w2 */
    :: state[u] == RUNNING -> atomic { h = home[u]; u = 0 } goto kick
    :: state[u] == READY -> goto goes_on                                       /* t2 will see it */
    fi;
wake:
    h = home[u];
#ifdef BUG_HOME_NOT_LOOKED_AT_AGAIN
    if
    :: atomic { !locked[h] && state[u] == BLOCKED -> push(h, u); u = 0 }
    :: !locked[h] && state[u] != BLOCKED -> goto goes_on
    fi;
#else
    if
    :: !locked[h] && home[u] != h -> goto wake
    :: atomic { !locked[h] && home[u] == h && state[u] == BLOCKED -> push(h, u); u = 0 }
    :: !locked[h] && home[u] == h && state[u] != BLOCKED -> goto goes_on
    fi;
#endif
    if
    :: v == NONE && h == c && (queue[c] == 1 || queue[c] == 2) -> goto goes_on /* takes it next */
    :: !idle[0] && !idle[1] && !idle[2] -> goto goes_on                        /* o2 */
#ifdef BUG_FREE_THOUGH_ASLEEP
    :: on[0] != h && on[1] != h -> goto goes_on
#else
    :: atomic { !idle[h] && on[0] != h && on[1] != h -> goto goes_on }         /* its own looks before it sleeps */
#endif
    :: atomic { idle[h] -> idle[h] = false }                                   /* o3 */
    :: atomic { !idle[h] && idle[0] -> idle[0] = false; h = 0 }
    :: atomic { !idle[h] && idle[1] -> idle[1] = false; h = 1 }
    :: atomic { !idle[h] && idle[2] -> idle[2] = false; h = 2 }
    fi;
kick:                                /* our own processor is in the monitor, and looks */
#ifdef BUG_NO_FENCE
    if
    :: h == c -> goto goes_on
    :: h != c && away[h] -> kicked[h] = true; interrupt[h] = true
    :: h != c && !away[h] -> skip; kicked[h] = true
    fi;
#else
#ifndef BUG_KICK_NOT_STICKY
    if
    :: h == c -> goto goes_on
    :: h != c -> kicked[h] = true                                              /* a1, a2 */
    fi;
#endif
    if
    :: away[h] -> interrupt[h] = true                                          /* a3 */
    :: !away[h]
    fi;
#endif
goes_on:
    atomic {
        u = 0; h = 0;
        if
        :: v == NONE -> goto awake
        :: v != NONE -> goto step
        fi
    }

idles:
    idle[c] = true;                                                            /* i1 */
#ifndef BUG_NO_SECOND_LOOK
    if
    :: queue[0] || queue[1] || queue[2] -> goto awake                          /* i2 */
    :: !queue[0] && !queue[1] && !queue[2]
    fi;
#endif
    away[c] = true;                                                            /* i3: e1, e2 */
    if
    :: kicked[c] -> goto risen                                                 /* e3 */
    :: !kicked[c]
    fi;
end_sleeps:
    if
    :: interrupt[c] -> goto risen
    :: atomic { raises < RAISES && !line[0] -> comes_back(); kicked[c] = false; rise(0) }
       goto raised                                                             /* a device's timer */
    fi;
risen:
    atomic { comes_back(); kicked[c] = false };
awake:
    idle[c] = false;
    goto turn
}

#define FINE(v) (state[v] != READY && (!line[v] || shown[v]) && !(state[v] == BLOCKED && line[v]))

active proctype Watch()
{
    do
    :: raises < RAISES -> raises = RAISES          /* there may be fewer */
    :: timeout -> assert(FINE(0) && FINE(1)); break
    od
}
