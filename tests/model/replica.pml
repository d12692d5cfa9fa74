/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replicas: copies of a page come and go while its users look for the nearest one, load from it and write, and while
 * pages that were replicas are used for something else. 2 pmaps with an entry each, which share page 1 at first; what
 * both become after a write is replicated, too. Virtual CPU 0, of the first, runs on processor 0 and node 1, virtual
 * CPU 1, of the second, on 1 and node 2. Processor 2 moves pages, of either. A page that was a
 * replica is soon used again, as a private page or as a replica of another; that such a page is met only by who looks
 * without holding an entry, and what it then sees, is REGIME_LOOKED_UP_WITHOUT_LOCK.
 * 4 machine pages: 1 on node 0, 2 and 4 on node 1, 3 on node 2.
 *
 * Of what a page holds only this is modelled: whether it is what was last stored through an entry.
 *
 * Properties: what a translation leads to is not free, and holds what was last stored through its entry; a writable
 * page is nobody else's; who finds a replica in the list, lock or not, finds one of this master at that moment; nobody
 * waits for ever.
 *
 *   v1..v8  lib/pmap/move.c, others.c  taken, held, revoked, copied, found in the list or detached, the new word,
 *                                      the other users look anew, the detached ones are free
 *   r1 r2   lib/memmap/replica.c       disco_memmap_nearest(): the master's link; each replica's, which names it
 *   c1 c2   lib/memmap/replica.c       chain_up(), under the master's lock: the copy's link, then the master's
 *   n1..n3, f1..f3                     as in pmap_entry.pml
 *
 * A purge is one request to forget, to the one processor that runs the pmap's virtual CPU: pmap_entry.pml has more.
 */
#define PAGE(x) ((x) & 7)            /* a word or translation: machine page, and */
#define W 8                          /* the right to store */
#define BIT(x) (1 << (x))
#define NODE(p) ((p) == 1 -> 0 : ((p) == 3 -> 2 : 1))

#if defined(REGIME_LOOKED_UP_WITHOUT_LOCK) || defined(BUG_NAME_NOT_LOOKED_AT)
#define LOOKS                        /* somebody does; a little less else, or there are too many states */
#endif

bool locked[2];                      /* entries */
byte word[2] = 1;
bool replica[2];                     /* the reason is REPLICA, not COW */
bool page_locked[5];                 /* of a master, while its list changes */
byte next[5], master[5];             /* LINK: low half, high half */
bool free[5];
byte refs[5];                        /* users */
byte holds[5];                       /* of which entries it holds the last store, as bits */
byte tlb[2];                         /* by virtual CPU: its translation */
bool asked[2];                       /* processor 2 asks it to forget */

inline serve() { atomic { asked[c] -> tlb[c] = 0; asked[c] = false } }

inline hold(e) {
    do
    :: atomic { !locked[e] -> locked[e] = true } break
#ifndef BUG_SPINNER_DOES_NOT_SERVE
    :: atomic { c < 2 && asked[c % 2] -> tlb[c % 2] = 0; asked[c % 2] = false }
#endif
    od
}

inline take(p, on) {               /* 0: none on this node */
    if
    :: on == 0 && free[1] -> p = 1
    :: on == 1 && free[2] -> p = 2
    :: on == 1 && !free[2] && free[4] -> p = 4
    :: on == 2 && free[3] -> p = 3
    :: else -> p = 0
    fi;
    if
    :: p -> free[p] = false; next[p] = 0; holds[p] = 0
    :: else
    fi
}

/* On its node's list: the link is the list's from now on. */
inline give(p) {
    next[p] = (p == 2 && free[4] -> 4 : (p == 4 && free[2] -> 2 : 0));
    master[p] = 0; holds[p] = 0; free[p] = true
}

inline free_chain(p) {
    do
    :: atomic { p -> x = next[p]; give(p); p = x; x = 0 }
    :: !p -> break
    od
}

inline store(p, u) {                 /* no other page holds the last one any more */
    holds[1] = holds[1] & ~BIT(u); holds[2] = holds[2] & ~BIT(u);
    holds[3] = holds[3] & ~BIT(u); holds[4] = holds[4] & ~BIT(u);
    holds[p] = BIT(u)
}

#ifdef BUG_NAME_NOT_LOOKED_AT
#define NAMES(r, m) true
#else
#define NAMES(r, m) (master[r] == (m))
#endif

/* From `m` the one for node @on: `near`. */
inline walk(on) {
    near = 0;
    x = next[m];                                                               /* r1 */
    do
    :: !x -> near = m; break
    :: atomic { x && !NAMES(x, m) -> near = m } break
    :: atomic { x && NAMES(x, m) && NODE(x) == on ->                         /* r2 */
       assert(!free[x] && master[x] == m); near = x } break
    :: atomic { x && NAMES(x, m) && NODE(x) != on -> x = next[x] }
    od;
    x = 0
}

active [2] proctype Guest()
{
    byte c = _pid, m, near, new, x;

guest:
    if
    :: serve()
    :: goto enter
    :: atomic { tlb[c] & W -> store(PAGE(tlb[c]), c) }
    :: atomic { tlb[c] && !(tlb[c] & W) } goto fault
    :: goto computes
    fi;
    goto guest;
computes:
end_computes:
    do
    :: serve()
    od;

enter:
#ifdef BUG_LOOKED_BEFORE_HELD
    m = PAGE(word[c]);
    if
    :: m -> walk(c + 1)
    :: !m -> goto guest
    fi;
    hold(c);
#else
    hold(c);                                                                   /* n1 */
    m = PAGE(word[c]);
    if
    :: word[c] & W -> near = word[c]
    :: !(word[c] & W) -> walk(c + 1)
    fi;
#endif
    atomic { tlb[c] = near; near = 0; m = 0; locked[c] = false };              /* n2, n3 */
    goto guest;

fault:
    hold(c);
    m = PAGE(word[c]);
    if
    :: word[c] & W -> goto resolved
    :: atomic { !(word[c] & W) && refs[m] == 1 -> word[c] = 0; tlb[c] = 0 } goto take_over      /* f1, f2 */
    :: atomic { !(word[c] & W) && refs[m] > 1 -> take(new, c + 1) }
    fi;
    if
    :: !new -> goto resolved                                                   /* no memory */
    :: atomic { new -> word[c] = 0; tlb[c] = 0 }                               /* f2 */
    fi;
    walk(c + 1);
    atomic {                                                                   /* f3 */
        holds[new] = holds[near] & BIT(c); near = 0; refs[new] = 1; refs[m] = refs[m] - 1;
        if
        :: !refs[m] -> x = next[m]; next[m] = 0; give(m)
        :: else
        fi
    };
    atomic { near = x; x = 0 };
    free_chain(near);
    atomic { word[c] = new | W; replica[c] = false; new = 0 };
    goto resolved;
take_over:                           /* the last user: collapse */
#ifndef BUG_NOT_COLLAPSED_ON_WRITE
    atomic { !page_locked[m] -> near = next[m]; next[m] = 0 };
    free_chain(near);
#endif
    atomic { word[c] = m | W; replica[c] = false };
resolved:
    atomic { locked[c] = false; m = 0 };
    goto guest
}

/* The holder of entry e takes the page away from its virtual CPU. */
inline revoke(e) {
    atomic { was = word[e]; word[e] = 0; asked[e] = true };
    !asked[e]
}

inline has_copy(p, on) {           /* or is it */
    x = next[p];
    do
    :: x && NODE(x) != on -> x = next[x]
    :: else -> break
    od
}

/* v7 */
inline others() {
    hold(1 - u);
    if
    :: PAGE(word[1 - u]) == m -> revoke(1 - u); word[1 - u] = was
    :: else
    fi;
    atomic { locked[1 - u] = false; was = 0 }
}

active proctype Monitor()
{
    byte c = _pid, u, node, m, new, was, x, gone;

monitor:
    if
    :: atomic { u = 1; node = 1 } goto replicate
    :: atomic { u = 1; node = 2 } goto replicate
    :: u = 1; goto collapse
#ifndef LOOKS
    :: atomic { u = 0; node = 1 } goto replicate
    :: atomic { u = 0; node = 2 } goto replicate
    :: u = 0; goto collapse
#endif
    :: goto rests
    fi;
rests:
end_rests:
    false;

replicate:
    atomic { take(new, node) };                                                /* v1 */
    if
    :: !new -> goto done
    :: new
    fi;
    hold(u);                                                                   /* v2 */
    atomic { m = PAGE(word[u]); has_copy(m, node) };
    if
    :: atomic { x || NODE(m) == node -> x = 0; give(new); new = 0; locked[u] = false } goto done
    :: !x && NODE(m) != node
    fi;
#ifdef BUG_WRITABLE_NOT_REVOKED
    was = word[u];
#else
    revoke(u);                                                                 /* v3 */
#endif
    atomic {
        !page_locked[m] -> page_locked[m] = true;                              /* v5 */
#ifndef BUG_CHAINED_BEFORE_COPIED
        holds[new] = holds[m];                                                 /* v4: nobody sees it yet */
#endif
        master[new] = m; next[new] = next[m]                                   /* c1: nor this */
    };
    atomic { next[m] = new; page_locked[m] = false };                          /* c2 */
#ifdef BUG_CHAINED_BEFORE_COPIED
    holds[new] = holds[m];
#endif
    atomic {                                                                   /* v6 */
        replica[u] = replica[u] || (was & W); word[u] = PAGE(was); was = 0; new = 0;
        locked[u] = false
    };
    others();                                                                  /* v7 */
    goto done;

collapse:
    hold(u);                                                                   /* v2 */
    m = PAGE(word[u]);
    if
    :: atomic { !next[m] -> locked[u] = false } goto done
    :: next[m]
    fi;
    revoke(u);                                                                 /* v3 */
#ifndef BUG_OTHERS_BEFORE_DETACHED
    atomic { !page_locked[m] -> gone = next[m]; next[m] = 0 };                 /* v5 */
#endif
    atomic {                                                                   /* v6 */
        word[u] = (replica[u] -> m | W : was); replica[u] = false; was = 0; locked[u] = false
    };
#ifdef BUG_FREED_BEFORE_OTHERS
    free_chain(gone);
#endif
    others();                                                                  /* v7 */
#ifdef BUG_OTHERS_BEFORE_DETACHED
    atomic { !page_locked[m] -> gone = next[m]; next[m] = 0 };
#endif
    free_chain(gone);                                                          /* v8 */

done:
    atomic { u = 0; node = 0; m = 0 };
    goto monitor
}

#ifdef LOOKS
/* disco_pmap_translate(): what it finds was right a moment ago. */
active proctype Looks()
{
    byte m, near, x;

end_looks:
    do
    :: atomic { word[0] && !(word[0] & W) -> m = word[0] } walk(1); atomic { m = 0; near = 0 }
    od
}
#endif

#define FINE(u) (!tlb[u] || (!free[PAGE(tlb[u])] && (holds[PAGE(tlb[u])] & BIT(u)) && \
                 (!(tlb[u] & W) || (PAGE(tlb[u]) != PAGE(word[1 - (u)]) && !master[PAGE(tlb[u])]))))

init
{
    atomic { free[2] = true; free[3] = true; free[4] = true; next[2] = 4; refs[1] = 2; holds[1] = 3 };
end:
    !(FINE(0) && FINE(1)) -> assert(FINE(0) && FINE(1))
}
