/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Wake-up: interrupt lines rise while virtual CPUs go to sleep, wait in queues, are stolen, run; while
 * processors go idle. 3 processors, 2 virtual CPUs, a line each.
 *
 * Properties: when nothing can happen any more but that guests compute and processors sleep, every line that
 * is up has been shown to its virtual CPU, and nobody waits in a queue or sleeps with its line up. A
 * virtual CPU is in one queue or on one processor, never in or on two.
 *
 *   s1 s2, w1 w2, t1 t2   lib/vcpu/lines.c, life.c      sleeper, waker, processor that takes and enters
 *   i1 i2 i3, o1 o2 o3    lib/vcpu/offer.c, sched.c     idler, offerer
 *   a1 a2 a3, e1 e3 e5    backends/mips64/smp.c         who kicks, and who is kicked
 *
 * `kicked` is written through a store buffer, so that the fence at a2 is a real one. Whom a processor takes
 * from which queue is left open: any policy of lib/vcpu/steal.c is covered.
 */
#define CPUS 3
#define NONE 3
#ifndef RAISES
#define RAISES 2
#endif
mtype = { READY, RUNNING, BLOCKED };

mtype state[2] = READY;
byte home[2];                        /* v->cpu */
bool line[2], shown[2];
byte raises;
byte queue[CPUS] = { 3, 0, 0 };       /* virtual CPUs in it, as bits */
bool locked[CPUS];
bool idle[CPUS];                     /* bits of s->idle */
bool away[CPUS];                     /* where != MONITOR: in a guest, or asleep */
bool kicked[CPUS], interrupt[CPUS];
byte buffer[CPUS] = NONE;            /* whose `kicked` the processor has stored, nobody has seen */
byte on[2] = NONE;                   /* only the property looks at it: processor it is on */

inline lock(q) { atomic { !locked[q] -> locked[q] = true } }
inline unlock(q) { locked[q] = false }

inline kick(t) {                     /* nothing for our own processor: it is in the monitor, and looks */
    if
    :: t == c
    :: else ->
#ifndef BUG_KICK_NOT_STICKY
       atomic { buffer[c] == NONE -> buffer[c] = t };                          /* a1 */
#ifndef BUG_NO_FENCE
       buffer[c] == NONE;                                                      /* a2 */
#endif
#endif
       if
       :: away[t] -> interrupt[t] = true                                       /* a3 */
       :: else
       fi
    fi
}

inline clear() { atomic { t = 0; h = 0 } }     /* dead values would make states differ */

inline push(q, u) {                                                            /* o1 */
    atomic {
        state[u] = READY;
        assert(on[u] == NONE && !((queue[0] | queue[1] | queue[2]) & (1 << u)));
        queue[q] = queue[q] | (1 << u)
    }
}

inline offer(q) {
    do
    :: v == NONE && q == c && (queue[q] == 1 || queue[q] == 2) -> break        /* takes it next */
    :: !(idle[0] || idle[1] || idle[2]) -> break                               /* o2 */
    :: atomic { idle[q] -> idle[q] = false; t = q } kick(t); break             /* o3 */
    :: atomic { !idle[q] && idle[0] -> idle[0] = false; t = 0 } kick(t); break
    :: atomic { !idle[q] && idle[1] -> idle[1] = false; t = 1 } kick(t); break
    :: atomic { !idle[q] && idle[2] -> idle[2] = false; t = 2 } kick(t); break
    od
}

inline wake(u) {
    do
    :: h = home[u]; lock(h);
#ifndef BUG_HOME_NOT_LOOKED_AT_AGAIN
       if
       :: home[u] != h -> unlock(h)
       :: else -> break
       fi
#else
       break
#endif
    od;
    if
    :: state[u] == BLOCKED -> push(h, u); unlock(h); offer(h)
    :: else -> unlock(h)
    fi
}

inline raise_line(u) {
    if
    :: atomic { line[u] || raises == RAISES -> skip }
    :: atomic { !line[u] && raises < RAISES -> raises++; line[u] = true };                                  /* w1 */
       if
       :: state[u] == BLOCKED -> wake(u)                                       /* w2 */
       :: state[u] == RUNNING -> h = home[u]; kick(h)
       :: state[u] == READY                                                    /* t2 will see it */
       fi
    fi
}

inline take(from) {                  /* steal.c: two locks, lower number first */
    if
    :: c <= from -> atomic { h = c; t = from }
    :: c > from -> atomic { h = from; t = c }
    fi;
    lock(h);
    if
    :: t != h -> lock(t)
    :: else
    fi;
    if
    :: queue[from] ->
       atomic {
           if
           :: queue[from] & 1 -> v = 0
           :: queue[from] & 2 -> v = 1
           fi;
           queue[from] = queue[from] & ~(1 << v);
           assert(on[v] == NONE && state[v] == READY);
           on[v] = c; home[v] = c
       };
       state[v] = RUNNING                                                      /* t1 */
    :: else
    fi;
    atomic { unlock(h); unlock(t) }
}

active [CPUS] proctype Processor()
{
    byte c = _pid, v = NONE, t, h;

turn:
    if                               /* a device's timer has come */
    :: raise_line(0)
    :: skip
    fi;
    clear();
    if
    :: queue[0] -> take(0)
    :: queue[1] -> take(1)
    :: queue[2] -> take(2)
    :: !queue[0] && !queue[1] && !queue[2] -> goto idles
    fi;
    clear();
    if
    :: v == NONE -> goto turn
    :: else
    fi;

step:
    shown[v] = line[v];                                                        /* t2 */
    away[c] = true;                                                            /* e1, e2 */
    if
    :: atomic { kicked[c] -> kicked[c] = false; away[c] = false } goto step    /* e3 */
    :: else
    fi;
    if
    :: interrupt[c] -> goto interrupted
    :: shown[v] -> atomic { away[c] = false; line[v] = false } goto step                 /* the guest serves its device */
    :: atomic { v == 1 -> away[c] = false } raise_line(0); clear(); goto step  /* or interrupts the other */
    :: atomic { v == 0 -> away[c] = false } raise_line(1); clear(); goto step
    :: away[c] = false; goto waits
    :: away[c] = false; goto yields
    :: goto computes
    fi;
computes:
end_computes:
    interrupt[c];
interrupted:
    atomic { interrupt[c] = false; kicked[c] = false; away[c] = false } goto step;       /* lowered before the look */

yields:
    lock(c); goto ready;
waits:
    atomic { shown[v] = line[v] };
    if
    :: shown[v] -> goto step                                                   /* irq_ready */
    :: else
    fi;
    lock(c);
    state[v] = BLOCKED;                                                        /* s1 */
    if
#ifndef BUG_NO_LOOK_AFTER_BLOCKED
    :: line[v] && !shown[v] -> goto ready                                      /* s2 */
#endif
    :: else -> goto left
    fi;
ready:
    atomic { on[v] = NONE };
    push(c, v);
left:
    atomic { on[v] = (on[v] == c -> NONE : on[v]); unlock(c); v = NONE };
    goto turn;

idles:
    idle[c] = true;                                                            /* i1 */
#ifndef BUG_NO_SECOND_LOOK
    if
    :: queue[0] || queue[1] || queue[2] -> goto awake                          /* i2 */
    :: else
    fi;
#endif
    away[c] = true;                                                            /* i3: e1, e2 */
    if
    :: kicked[c] -> goto risen                                                 /* e3 */
    :: else
    fi;
    if
    :: skip                          /* its timer comes */
    :: goto sleeps                   /* or never does */
    fi;
    goto risen;
sleeps:
end_sleeps:
    interrupt[c];
risen:
    atomic { away[c] = false; interrupt[c] = false; kicked[c] = false };
awake:
    idle[c] = false;
    goto turn
}

active proctype StoreBuffers()
{
end:
    do
    :: atomic { buffer[0] != NONE -> kicked[buffer[0]] = true; buffer[0] = NONE }
    :: atomic { buffer[1] != NONE -> kicked[buffer[1]] = true; buffer[1] = NONE }
    :: atomic { buffer[2] != NONE -> kicked[buffer[2]] = true; buffer[2] = NONE }
    od
}

#define FINE(v) (state[v] != READY && (!line[v] || shown[v]) && !(state[v] == BLOCKED && line[v]))

active proctype Watch()
{
end:
    timeout -> assert(FINE(0) && FINE(1))
}
