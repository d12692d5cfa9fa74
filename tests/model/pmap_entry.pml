/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pmap entry: entering, write faults, lending and sharing, dropping, and a refill that reads the word
 * without the lock. 2 entries, which the guest maps as a pair; virtual CPU 0 runs on processor 0, 1 on 1, and
 * processor 2 works for devices. 3 machine pages; which one is free may be taken.
 *
 * Properties: translations of an entry lead to one machine page at a time; a page that a translation leads to
 * is not free; a page that others have is not writable; nobody waits for ever, for a lock or a purge.
 *
 *   n1..n3  lib/pmap/enter.c    a pair is entered: both held, the lower first; noted and loaded; let go
 *   p1..p7  lib/pmap/entry.c    the revocation; shootdown.pml has p3 to p5, here one request to forget
 *   f1..f3  lib/pmap/fault.c    a write fault: last user or a copy; revoked; the old page given up
 *   l1..l3  lib/pmap/share.c    a page is lent: referred to, revoked, read-only from then on
 *
 * Purging follows the general contract of arch.h: every processor answers for itself, so who waits must
 * serve. (mips64 asks less: who is in the monitor is not waited for.)
 */
#define PAGE(x) ((x) & 3)            /* a word or translation: machine page, and */
#define W 4                          /* the right to store */

bool locked[2];
byte word[2];
byte backmap[2];                     /* virtual CPUs through which it was entered, as bits */
byte refs[4];                        /* by machine page; 0: free */
byte tlb[4];                         /* tlb[v * 2 + e]: what virtual CPU v has entered for entry e */
byte alias[2];                       /* what v has of entry 0 in its unmapped segment: not in the backmap */
byte asked[3], owed[3];              /* by asker: the entry, and who has not answered yet, as bits */
byte lent;                           /* page that processor 2 has been lent */

#define OWES ((owed[0] | owed[1] | owed[2]) & (1 << c))

inline forget(vcpu, e) {
    if
    :: backmap[e] & (1 << vcpu) -> tlb[vcpu * 2 + e] = 0
    :: else
    fi;
    if
    :: e == 0 -> alias[vcpu] = 0
    :: else
    fi
}

inline answer(r) {
    if
    :: owed[r] & (1 << c) -> forget(c, asked[r]); owed[r] = owed[r] & ~(1 << c)
    :: else
    fi
}

inline serve() { atomic { OWES -> answer(0); answer(1); answer(2) } }

inline hold(e) {                                                               /* p1 */
    do
    :: atomic { !locked[e] -> locked[e] = true } break
#ifndef BUG_SPINNER_DOES_NOT_SERVE
    :: serve()
#endif
    od
}

inline let_go(e) { locked[e] = false }

inline allocate(p) {                 /* 0: out of memory */
    if
    :: !refs[1] -> p = 1
    :: refs[1] && !refs[2] -> p = 2
    :: refs[1] && refs[2] && !refs[3] -> p = 3
    :: else -> p = 0
    fi;
    refs[p] = (p -> 1 : 0)
}

inline touch(e) {
    if
    :: atomic { !word[e] -> allocate(new); word[e] = (new -> new | W : 0); new = 0 }
    :: word[e]
    fi
}

inline purge(e) {                                                              /* p3, p4, p5 */
    atomic {
        asked[c] = e; owed[c] = 3 & ~(1 << c);
        if
        :: c < 2 -> forget(c, e)
        :: else
        fi
    };
    do
    :: atomic { !owed[c] -> asked[c] = 0; backmap[e] = 0 } break
    :: serve()
    od
}

inline put(p) { refs[p] = refs[p] - 1 }

active [2] proctype Guest()
{
    byte c = _pid, n, old, new;

guest:
    if
    :: serve()
    :: word[0] -> old = word[0]; goto refill                   /* refill vector, without the lock */
    :: goto enter
    :: atomic { tlb[c * 2] && !(tlb[c * 2] & W) -> n = 0 } goto fault
    :: atomic { alias[c] && !(alias[c] & W) -> n = 0 } goto fault
    :: atomic { tlb[c * 2 + 1] && !(tlb[c * 2 + 1] & W) -> n = 1 } goto fault
    :: goto computes
    fi;
    goto guest;
refill:                                                        /* interrupts are off since the look */
    atomic { alias[c] = old; old = 0 };
    goto guest;
computes:
end_computes:
    do
    :: serve()
    od;

enter:
#ifdef BUG_OPPOSITE_ORDER
    n = c;
#endif
    hold(n); hold(1 - n);                                                      /* n1: the lower first */
    touch(n); touch(1 - n);
#ifndef BUG_NOT_RECORDED
    atomic { backmap[0] = backmap[0] | (1 << c); backmap[1] = backmap[1] | (1 << c) };  /* n2 */
#endif
    tlb[c * 2] = word[0];
    tlb[c * 2 + 1] = word[1];
    let_go(0); let_go(1);                                                      /* n3 */
    n = 0;
    goto guest;

fault:
    hold(n); touch(n);
    atomic { old = word[n]; new = 0 };
    if
    :: !old || (old & W) -> goto resolved                      /* somebody else was here first */
    :: atomic { old && !(old & W) && refs[PAGE(old)] == 1 -> new = old }       /* f1: the last user takes it, */
    :: atomic { old && !(old & W) && refs[PAGE(old)] > 1 -> allocate(new) }    /* or it is copied */
    fi;
    if
    :: !new -> goto resolved
    :: new
    fi;
#ifdef BUG_WORD_BEFORE_PURGE
    word[n] = new | W; purge(n);
#else
    word[n] = 0;                                                               /* f2: p2 */
#ifdef BUG_GIVEN_UP_BEFORE_PURGE
    put(old); purge(n); refs[old] = refs[old] + 1;
#else
    purge(n);
#endif
#endif
    if
    :: new != old -> put(old)                                                  /* f3 */
    :: new == old
    fi;
    word[n] = new | W;                                                         /* p7 */
resolved:
    atomic { let_go(n); n = 0; old = 0; new = 0 };
    goto guest
}

active proctype Device()
{
    byte c = _pid, n, old, new;

device:
    if
    :: n = 0; goto drop
    :: n = 1; goto drop
    :: goto lend
    :: goto rests
    fi;
rests:
end_rests:
    false;

drop:
    hold(n);
    atomic { old = PAGE(word[n]); word[n] = 0 };                               /* p2 */
    if
    :: old -> purge(n); put(old)                                               /* p6 */
    :: !old
    fi;
    atomic { let_go(n); n = 0; old = 0 };
    goto device;

lend:                                /* entry 0's page, to be shared by entry 1 */
    hold(0); touch(0);
    old = word[0];
    if
    :: !old -> let_go(0); goto device
    :: old -> refs[PAGE(old)] = refs[PAGE(old)] + 1                            /* l1 */
    fi;
#ifndef BUG_LENT_WRITABLE
    if
    :: old & W -> word[0] = 0; purge(0)                                        /* l2: p2 */
    :: !(old & W)
    fi;
#endif
    atomic { word[0] = PAGE(old); lent = PAGE(old); old = 0 };                 /* l3: p7 */
    let_go(0);
share:
    hold(1);
    atomic { refs[lent] = refs[lent] + 1; old = PAGE(word[1]); word[1] = 0 };
    if
    :: old -> purge(1); put(old)
    :: !old
    fi;
    atomic { word[1] = lent; old = 0 };                                        /* p7 */
    let_go(1);
    atomic { put(lent); lent = 0 };
    goto device
}

#define AGREE(x, y) (!(x) || !(y) || PAGE(x) == PAGE(y))
#define ONE_PAGE (AGREE(tlb[0], tlb[2]) && AGREE(tlb[1], tlb[3]) && AGREE(alias[0], alias[1]) && \
                  AGREE(tlb[0], alias[0]) && AGREE(tlb[0], alias[1]) && \
                  AGREE(tlb[2], alias[0]) && AGREE(tlb[2], alias[1]))
#define IN_USE(x) (!(x) || refs[PAGE(x)])
#define OWN(x, other) (!((x) & W) || (PAGE(x) != PAGE(word[other]) && PAGE(x) != lent))
#define FINE(x, other) (IN_USE(x) && OWN(x, other))

#define ALL_FINE (ONE_PAGE && FINE(tlb[0], 1) && FINE(tlb[2], 1) && FINE(tlb[1], 0) && FINE(tlb[3], 0) && \
                  FINE(alias[0], 1) && FINE(alias[1], 1))

active proctype Watch()
{
end:
    !ALL_FINE -> assert(ALL_FINE)
}
