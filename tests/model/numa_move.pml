/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages move between nodes, in batches, while guests load from and store to them, enter them, refill from a word
 * without its lock and copy on a write; while a device writes them, shares them, drops them; and while another
 * processor moves them too. 2 entries of one pmap. Virtual CPU 0, on processor 0, enters both; 1, on 1, refills entry 0
 * from its word and moves it alone; processor 2 works for devices and for the policy. Where a page is only to be looked
 * at anew, one of the two virtual CPUs, which is on the node, loses its translation, and the other keeps what it has.
 * 3 machine pages, so that memory may end in the middle of a batch.
 *
 * Of what a page holds only this is modelled: whether it is what was last stored through an entry. A copy is two
 * steps, a load and a store.
 *
 * Properties: what a translation leads to is in use, and holds what was last stored through its entry: no store is
 * lost, nobody sees what others store; a page that others have is not writable; nobody waits for ever.
 *
 *   v1..v6  lib/pmap/move.c     taken, held and judged, revoked, copied, the old page given up, the new word
 *   p2..p5  lib/pmap/entry.c    the revocation: words of all, then one purge; here one request to forget
 *   d1 d2   lib/pmap/access.c   a device: the entry is held, made its own, and worked on
 *   n1..n3, f1..f3, l1..l3      as in pmap_entry.pml; n1 holds one entry only
 *
 * Which node a page lies on does not matter here, for any page may be the one to move to: replica.pml has what is
 * seen from which node.
 */
#define PAGE(x) ((x) & 3)            /* a word or translation: machine page, and */
#define W 4                          /* the right to store */
#define BIT(x) (1 << (x))
#define OF(v, e) BIT(2 * (v) + (e))  /* what virtual CPU v has of entry e */
#define EVERYONES(e) (OF(0, e) | OF(1, e))

bool locked[2];
byte word[2];
bool noted[2];                       /* backmap: virtual CPU 0 entered it */
byte refs[4];                        /* by machine page; 0: free */
byte holds[4];                       /* of which entries it holds the last store, as bits */
byte tlb[2];                         /* what virtual CPU 0 has entered, by entry */
byte alias;                          /* what virtual CPU 1 has of entry 0 in its unmapped segment: not in the backmap */
byte asked[3], owed[3];              /* by asker: what is to be forgotten, and who has not answered yet, as bits */
byte lent;                           /* page that processor 2 has been lent */

#define OWES ((owed[0] | owed[1] | owed[2]) & BIT(c))

inline forget(which) {
    if
    :: c == 0 ->
       tlb[0] = ((which & OF(0, 0)) && noted[0] -> 0 : tlb[0]);
       tlb[1] = ((which & OF(0, 1)) && noted[1] -> 0 : tlb[1])
    :: c == 1 -> alias = (which & OF(1, 0) -> 0 : alias)
    :: c == 2
    fi
}

inline answer(r) {
    if
    :: owed[r] & BIT(c) -> forget(asked[r]); owed[r] = owed[r] & ~BIT(c)
    :: else
    fi
}

inline serve() { atomic { OWES -> answer(0); answer(1); answer(2) } }

inline hold(e) {
    do
    :: atomic { !locked[e] -> locked[e] = true } break
#ifndef BUG_SPINNER_DOES_NOT_SERVE
    :: serve()
#endif
    od
}

inline allocate(p) {                 /* 0: out of memory */
    if
    :: !refs[1] -> p = 1
    :: refs[1] && !refs[2] -> p = 2
    :: refs[1] && refs[2] && !refs[3] -> p = 3
    :: else -> p = 0
    fi;
    refs[p] = (p -> 1 : 0)
}

inline put(p) {
    refs[p] = refs[p] - 1;
    holds[p] = (refs[p] -> holds[p] : 0)
}

inline store(p, e) {                 /* through entry e: no other page holds the last one any more */
    holds[1] = holds[1] & ~BIT(e); holds[2] = holds[2] & ~BIT(e); holds[3] = holds[3] & ~BIT(e);
    holds[p] = BIT(e)
}

inline touch(e) {                    /* zeroed on first touch */
    if
    :: !word[e] ->
       allocate(new);
       if
       :: new -> store(new, e); word[e] = new | W; new = 0
       :: else
       fi
    :: else
    fi
}

/* Touched as soon as it is held: who reads the word without the lock may as well have read it before. */
inline hold_touched(e) {
    do
    :: atomic { !locked[e] -> locked[e] = true; touch(e) } break
#ifndef BUG_SPINNER_DOES_NOT_SERVE
    :: serve()
#endif
    od
}

/* Processors whose virtual CPU has something to forget. The backmap keeps the places of who keeps the page. */
#define WHO(which) (((which) & 3 -> 1 : 0) | ((which) & 12 -> 2 : 0))
#ifdef BUG_BACKMAP_FORGOTTEN_PARTIALLY
#define FORGOTTEN(e, which) ((which) & EVERYONES(e))
#else
#define FORGOTTEN(e, which) (((which) & EVERYONES(e)) == EVERYONES(e))
#endif

inline purge(which) {                                                          /* p3, p4, p5 */
    atomic { asked[c] = which; owed[c] = WHO(which) & ~BIT(c); forget(which) };
    do
    :: atomic { !owed[c] -> asked[c] = 0;
       noted[0] = noted[0] && !FORGOTTEN(0, which); noted[1] = noted[1] && !FORGOTTEN(1, which) } break
    :: serve()
    od
}

inline copy(to, from) { x = holds[from]; atomic { holds[to] = x; x = 0 } }     /* v4 */

/* The entry is held, there is a page: it is the only user's, and writable, after this; or there is no memory. */
inline own(e) {
    atomic {
        old = word[e]; new = 0;
        if
        :: old & W
        :: !(old & W) && refs[PAGE(old)] == 1 -> new = PAGE(old)               /* f1: the last user takes it, */
        :: !(old & W) && refs[PAGE(old)] > 1 -> allocate(new)                  /* or it is copied */
        fi
    };
    if
    :: new -> word[e] = 0; purge(EVERYONES(e));                                /* f2 */
       atomic {
           if
           :: new != PAGE(old) -> holds[new] = holds[PAGE(old)] & BIT(e); put(PAGE(old))  /* f3 */
           :: new == PAGE(old)
           fi;
           word[e] = new | W
       }
    :: !new
    fi
}

active proctype Enters()
{
    byte c = _pid, n, old, new, x;

guest:
    if
    :: serve()
    :: n = 0; goto enter
    :: n = 1; goto enter
    :: atomic { tlb[0] & W -> store(PAGE(tlb[0]), 0) }
    :: atomic { tlb[1] & W -> store(PAGE(tlb[1]), 1) }
    :: atomic { tlb[0] && !(tlb[0] & W) -> n = 0 } goto fault
    :: atomic { tlb[1] && !(tlb[1] & W) -> n = 1 } goto fault
    :: goto computes
    fi;
    goto guest;
computes:
end_computes:
    do
    :: serve()
    od;

enter:
    hold_touched(n);                                                           /* n1 */
    atomic { noted[n] = true; tlb[n] = word[n] };                              /* n2 */
    goto let_go;                                                               /* n3 */

fault:
    hold_touched(n);
    if
    :: word[n] -> own(n)
    :: !word[n]
    fi;
let_go:
    atomic { locked[n] = false; n = 0; old = 0; new = 0 };
    goto guest
}

active proctype Moves()
{
    byte c = _pid, old, new, x;

guest:
    if
    :: serve()
    :: atomic { word[0] -> old = word[0] } goto refill         /* refill vector, without the lock: */
    :: atomic { alias & W -> store(PAGE(alias), 0) }
    :: goto move
    :: goto computes
    fi;
    goto guest;
refill:                                                        /* interrupts are off since the look */
    atomic { alias = old; old = 0 };
    goto guest;
computes:
end_computes:
    do
    :: serve()
    od;

move:                                                          /* a batch of one */
    atomic { allocate(new) };                                                  /* v1 */
    hold(0);
    old = word[0];                                                             /* v2 */
    if
    :: new && old && refs[PAGE(old)] == 1 ->
       word[0] = 0; purge(EVERYONES(0));                                        /* v3 */
       copy(new, PAGE(old));                                                   /* v4 */
       atomic { put(PAGE(old)); word[0] = new | W; new = 0 }                   /* v5, v6 */
    :: else
    fi;
    atomic {
        locked[0] = false; old = 0;
        if
        :: new -> put(new); new = 0                                            /* not used */
        :: else
        fi
    };
    goto guest
}

/* What becomes of an entry in a batch. */
#define NOTHING 0
#define REMAP 1
#define MIGRATE 2

/* Whose translations go: a page that is only looked at anew keeps those of who is not on the node. */
#define GONE(e) (does[e] == REMAP -> OF(near, e) : (does[e] -> EVERYONES(e) : 0))

/* v2; a peek without the lock says nothing for sure. */
inline judge(e) {
    if
    :: !word[e] -> does[e] = NOTHING                                           /* NOT_FOUND */
    :: word[e] && does[e] == MIGRATE && refs[PAGE(word[e])] != 1 -> does[e] = NOTHING  /* BUSY */
    :: word[e] && does[e] == MIGRATE && !fresh[e] -> does[e] = NOTHING         /* NO_MEMORY */
    :: else
    fi;
    was[e] = (does[e] -> word[e] : 0)
}

inline copy_entry(e) {
    if
    :: does[e] == MIGRATE -> copy(fresh[e], PAGE(was[e]))
    :: else
    fi
}

inline give_up(e) {
    if
    :: does[e] == MIGRATE -> put(PAGE(was[e]))
    :: else
    fi
}

inline publish(e) {
    if
    :: does[e] == MIGRATE -> word[e] = fresh[e] | W; fresh[e] = 0
#ifdef BUG_REMAP_IS_WRITABLE
    :: does[e] == REMAP -> word[e] = was[e] | W
#else
    :: does[e] == REMAP -> word[e] = was[e]
#endif
    :: else
    fi
}

inline take(e) {
    if
    :: does[e] == MIGRATE -> allocate(fresh[e])
    :: else
    fi
}

inline give_back(e) {
    if
    :: fresh[e] -> put(fresh[e]); fresh[e] = 0
    :: else
    fi
}

active proctype Monitor()
{
    byte c = _pid, old, new, does[2], fresh[2], was[2], near, x;   /* near: virtual CPU on the node */

monitor:
    if
    :: atomic { does[0] = MIGRATE; does[1] = MIGRATE } goto batch
    :: atomic { does[0] = REMAP; near = 0; does[1] = MIGRATE } goto batch
    :: atomic { does[0] = REMAP; near = 1; does[1] = MIGRATE } goto batch
    :: goto device
    :: goto drop
    :: goto lend
    :: goto rests
    fi;
rests:
end_rests:
    false;

batch:
    atomic { take(0); take(1) };                                               /* v1 */
#ifdef BUG_JUDGED_BEFORE_HELD
    atomic { judge(0); judge(1) };
    hold(0); hold(1);
#else
    hold(0); hold(1);
    atomic { judge(0); judge(1) };                                             /* v2 */
#endif
#ifdef BUG_COPIED_BEFORE_REVOKED
    copy_entry(0); copy_entry(1);
#endif
#ifdef BUG_GIVEN_UP_BEFORE_PURGE
    atomic { give_up(0); give_up(1) };
#endif
    if
    :: does[0] || does[1] ->
#ifdef BUG_WORD_BEFORE_PURGE
       atomic { publish(0); publish(1) };
#else
       atomic { word[0] = (does[0] -> 0 : word[0]); word[1] = (does[1] -> 0 : word[1]) };  /* v3: p2 */
#endif
#ifdef BUG_PURGE_OF_THE_FIRST
       new = (does[0] -> GONE(0) : GONE(1));
#else
       new = GONE(0) | GONE(1);
#endif
       purge(new);
       new = 0
    :: else
    fi;
#ifndef BUG_COPIED_BEFORE_REVOKED
    copy_entry(0); copy_entry(1);                                              /* v4 */
#endif
#ifndef BUG_GIVEN_UP_BEFORE_PURGE
    atomic { give_up(0); give_up(1) };                                         /* v5 */
#endif
#ifndef BUG_WORD_BEFORE_PURGE
    atomic { publish(0); publish(1) };                                         /* v6 */
#endif
    atomic {
        locked[0] = false; locked[1] = false; give_back(0); give_back(1);
        does[0] = 0; does[1] = 0; was[0] = 0; was[1] = 0; near = 0
    };
    goto monitor;

device:                              /* by the physical address, as a DMA request has it: a store */
#ifdef BUG_DEVICE_WITHOUT_ENTRY
    old = word[0];
    if
    :: old & W -> atomic { store(PAGE(old), 0) }
    :: else
    fi;
    old = 0;
#else
    hold_touched(0);                                                           /* d1 */
    if
    :: word[0] -> own(0)
    :: !word[0]
    fi;
    if
    :: word[0] & W -> atomic { store(PAGE(word[0]), 0) }                       /* d2 */
    :: else
    fi;
    atomic { locked[0] = false; old = 0; new = 0 };
#endif
    goto monitor;

drop:
    hold(0);
    atomic { old = PAGE(word[0]); word[0] = 0 };
    if
    :: old -> purge(EVERYONES(0))
    :: !old
    fi;
    atomic {
        if
        :: old -> put(old); old = 0
        :: else
        fi;
        locked[0] = false
    };
    goto monitor;

lend:                                /* entry 0's page, to be shared by entry 1 */
    hold_touched(0);
    if
    :: atomic { !word[0] -> locked[0] = false } goto monitor
    :: atomic { word[0] -> old = word[0]; refs[PAGE(old)] = refs[PAGE(old)] + 1 }       /* l1 */
    fi;
    if
    :: old & W -> word[0] = 0; purge(EVERYONES(0))                             /* l2 */
    :: !(old & W)
    fi;
    atomic { word[0] = PAGE(old); lent = PAGE(old); old = 0; locked[0] = false };       /* l3 */
    hold(1);
    atomic { refs[lent] = refs[lent] + 1; old = PAGE(word[1]); word[1] = 0 };
    if
    :: old -> purge(EVERYONES(1))
    :: !old
    fi;
    atomic {
        if
        :: old -> put(old)
        :: else
        fi;
        x = holds[lent]; store(lent, 1); holds[lent] = x | 2;  /* what entry 1 had is no more */
        word[1] = lent; locked[1] = false; put(lent); lent = 0; old = 0; x = 0
    };
    goto monitor
}

#define HOLDS(t, e) (!(t) || (refs[PAGE(t)] && (holds[PAGE(t)] & BIT(e))))
#define OWN(t, e) (!((t) & W) || (PAGE(t) != PAGE(word[1 - (e)]) && PAGE(t) != lent))
#define FINE(t, e) (HOLDS(t, e) && OWN(t, e))

#define ALL_FINE (FINE(tlb[0], 0) && FINE(tlb[1], 1) && FINE(alias, 0))

active proctype Watch()
{
end:
    !ALL_FINE -> assert(ALL_FINE)
}
