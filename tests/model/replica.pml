/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Replicas: copies of a page come and go while its users look for the nearest one, load from it and write, and while
 * pages that were replicas are used for something else. 2 entries, which share page 1 at first; what both become after
 * a write is replicated, too. Virtual CPU 0, of entry 0, runs on processor 0 and node 1, virtual CPU 1, of entry 1, on 1
 * and node 2. The entries are of two pmaps; in a batch, of one. Processor 2 moves pages, of either, and both in a batch.
 * Where nobody may write to a page and it stays, only virtual CPUs on the node of the copy lose their translations: with
 * one to an entry that is everyone or nobody. In REGIME_VCPUS_MOVE virtual CPU 1 changes nodes.
 * A page that was a replica is soon used again, as a private page or as a replica of another; that such a page is met
 * only by who looks without holding an entry, and what it then sees, is REGIME_LOOKED_UP_WITHOUT_LOCK.
 * 4 machine pages: 1 on node 0, 2 and 4 on node 1, 3 on node 2.
 *
 * Of what a page holds only this is modelled: whether it is what was last stored through an entry.
 *
 * Properties: what a translation leads to is not free, and holds what was last stored through its entry; a writable
 * page is nobody else's, and has no copies; who finds a replica in the list, lock or not, finds one of this master at
 * that moment; nobody waits for ever.
 *
 *   v1..v8  lib/pmap/move.c, others.c  taken, held, revoked, copied, found in the list or detached, the new word,
 *                                      the other users look anew, the detached ones are free
 *   r1 r2   lib/memmap/replica.c       disco_memmap_nearest(): the master's link; each replica's, which names it
 *   c1 c2   lib/memmap/replica.c       chain_up(), under the master's lock: the copy's link, then the master's
 *   n1..n3, f1..f3                     as in pmap_entry.pml
 *
 * A purge is one request to forget, to the one processor that runs the virtual CPU: pmap_entry.pml has more, and
 * numa_move.pml an entry of two of them.
 */
#define PAGE(x) ((x) & 7)            /* a word or translation: machine page, and */
#define W 8                          /* the right to store */
#define BIT(x) (1 << (x))
#define NODE(p) ((p) == 1 -> 0 : ((p) == 3 -> 2 : 1))
#ifdef REGIME_VCPUS_MOVE
#define ON(c) at[c]                  /* node of a virtual CPU */
byte at[2] = { 1, 2 };
#else
#define ON(c) ((c) + 1)
#endif
#define HERE 2                       /* node of processor 2 */

/* A regime has a little less else, or there are too many states. */
#if defined(REGIME_LOOKED_UP_WITHOUT_LOCK) || defined(BUG_NAME_NOT_LOOKED_AT)
#define LOOKS                        /* somebody does */
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
#ifdef REGIME_VCPUS_MOVE
    :: c == 1 -> at[c] = 3 - at[c]
#endif
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
    :: m -> walk(ON(c))
    :: !m -> goto guest
    fi;
    hold(c);
#else
    hold(c);                                                                   /* n1 */
    m = PAGE(word[c]);
    if
    :: word[c] & W -> near = word[c]
    :: !(word[c] & W) -> walk(ON(c))
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
    :: atomic { !(word[c] & W) && refs[m] > 1 -> take(new, ON(c)) }
    fi;
    if
    :: !new -> goto resolved                                                   /* no memory */
    :: atomic { new -> word[c] = 0; tlb[c] = 0 }                               /* f2 */
    fi;
    walk(ON(c));
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

/* What becomes of an entry in a batch. */
#define NOTHING 0
#define REMAP 1
#define REPLICATE 2
#define COLLAPSE 3
#define COPIES (does[0] == REPLICATE || does[1] == REPLICATE)

/* Who has to forget: everyone, or who is on the node, if nobody may write to the page and it stays. */
#ifdef BUG_WRITABLE_PARTIALLY
#define STAYS(e) (does[e] == REMAP || does[e] == REPLICATE)
#else
#define STAYS(e) (does[e] == REMAP || (does[e] == REPLICATE && !(word[e] & W)))
#endif
#define FORGETS(e) (!STAYS(e) || ON(e) == node)

inline has_copy(p, on) {           /* or is it */
    x = next[p];
    do
    :: x && NODE(x) != on -> x = next[x]
    :: else -> break
    od
}

/* Is there nothing to do for one of them? Then nothing is done for the other: that is a batch of its own. */
inline judge(e) {
    if
    :: does[e] == REPLICATE ->
       has_copy(PAGE(word[e]), node); nothing = nothing || x || NODE(PAGE(word[e])) == node; x = 0
    :: does[e] == COLLAPSE -> nothing = nothing || !next[PAGE(word[e])]
    :: else
    fi
}

/* p2: the page is hidden from everyone, and taken away from who has to forget it. */
inline take_away(e) {
    if
    :: does[e] -> asked[e] = FORGETS(e); told = told | (asked[e] -> BIT(e) : 0);
       was[e] = word[e]; word[e] = 0
    :: else
    fi
}

inline unlock() { locked[0] = locked[0] && !does[0]; locked[1] = locked[1] && !does[1] }

/* v4, v5, v6 */
inline perform(e) {
    if
    :: does[e] == REPLICATE ->
#ifndef BUG_COPIED_FROM_DETACHED
       m = PAGE(was[e]); walk(HERE);
#endif
       m = PAGE(was[e]);
       atomic {
           !page_locked[m] -> page_locked[m] = true;                           /* v5 */
#ifndef BUG_CHAINED_BEFORE_COPIED
           holds[new] = holds[near];                                           /* v4: nobody sees it yet */
#endif
           master[new] = m; next[new] = next[m]                                /* c1: nor this */
       };
       atomic { next[m] = new; page_locked[m] = false };                       /* c2 */
#ifdef BUG_CHAINED_BEFORE_COPIED
       holds[new] = holds[near];
#endif
       atomic {                                                                /* v6 */
           replica[e] = replica[e] || (was[e] & W); word[e] = m; was[e] = m; new = 0; near = 0; m = 0
       }
    :: does[e] == COLLAPSE ->
#ifndef BUG_OTHERS_BEFORE_DETACHED
       m = PAGE(was[e]);
       atomic { !page_locked[m] -> gone = next[m]; next[m] = 0; m = 0 };       /* v5 */
#endif
       atomic { word[e] = (replica[e] -> was[e] | W : was[e]); replica[e] = false }    /* v6 */
    :: atomic { does[e] == REMAP -> word[e] = was[e] }
    :: does[e] == NOTHING
    fi
}

/* v7: entry e, whose page may be the other's, of which copies came or went. */
#ifdef BUG_PARTIAL_COUNTS_AS_DONE
#define DONE(e) does[e]
#else
#define DONE(e) (told & BIT(e))
#endif
#ifdef BUG_COLLAPSE_ON_ONE_NODE
#define CONCERNED(e) (ON(e) == node)
#else
#define CONCERNED(e) (does[1 - (e)] == COLLAPSE || ON(e) == node)
#endif

inline others(e) {
    if
    :: does[1 - e] > REMAP && !DONE(e) ->
       hold(e);
       if
       :: atomic { PAGE(word[e]) == PAGE(was[1 - e]) && CONCERNED(e) ->
          m = word[e]; word[e] = 0; asked[e] = true };
          atomic { !asked[e] -> word[e] = m; m = 0 }
       :: else
       fi;
       locked[e] = false
    :: else
    fi
}

active proctype Monitor()
{
    byte c = _pid, does[2], node, m, near, new, was[2], told, x, gone;
    bool nothing;

monitor:
    if
    :: atomic { does[1] = REPLICATE; node = 1 }
    :: atomic { does[1] = REPLICATE; node = 2 }
    :: does[1] = COLLAPSE
#ifdef REGIME_VCPUS_MOVE
    :: atomic { does[0] = COLLAPSE; does[1] = REPLICATE; node = 1 }
#elif !defined(LOOKS)
    :: atomic { does[0] = REPLICATE; node = 1 }
    :: atomic { does[0] = REPLICATE; node = 2 }
    :: does[0] = COLLAPSE
    :: atomic { does[0] = REPLICATE; does[1] = COLLAPSE; node = 2 }
    :: atomic { does[0] = COLLAPSE; does[1] = REPLICATE; node = 1 }
    :: atomic { does[0] = REMAP; does[1] = COLLAPSE; node = 2 }
#endif
    :: goto rests
    fi;
#ifdef BUG_COPIED_FROM_DETACHED
    m = PAGE(word[does[1] == REPLICATE]);
    if
    :: m -> walk(HERE)
    :: !m
    fi;
#endif
    if
    :: atomic { COPIES -> take(new, node) }                                    /* v1 */
    :: !COPIES
    fi;
    if
    :: COPIES && !new -> goto done
    :: else
    fi;
    if
    :: does[0] -> hold(0)                                                      /* v2 */
    :: !does[0]
    fi;
    if
    :: does[1] -> hold(1)
    :: !does[1]
    fi;
    atomic { judge(0); judge(1) };
    if
    :: atomic { nothing -> nothing = false; unlock() } goto done
    :: !nothing
    fi;
#ifdef BUG_WRITABLE_NOT_REVOKED
    atomic { was[0] = word[0]; was[1] = word[1] };
#else
    atomic { take_away(0); take_away(1) };                                     /* v3 */
    !asked[0] && !asked[1];
#endif
    perform(0); perform(1);
    atomic { unlock() };
#ifdef BUG_FREED_BEFORE_OTHERS
    free_chain(gone);
#endif
    others(0); others(1);                                                      /* v7 */
#ifdef BUG_OTHERS_BEFORE_DETACHED
    if
    :: does[0] == COLLAPSE || does[1] == COLLAPSE ->
       m = PAGE(was[does[1] == COLLAPSE]);
       atomic { !page_locked[m] -> gone = next[m]; next[m] = 0 }
    :: else
    fi;
#endif
    free_chain(gone);                                                          /* v8 */

done:
    atomic {
        if
        :: new -> give(new); new = 0
        :: else
        fi;
        does[0] = 0; does[1] = 0; was[0] = 0; was[1] = 0; node = 0; m = 0; near = 0; told = 0
    };
    goto monitor;

rests:
end_rests:
    false
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

#define OWN(p, u) (p != PAGE(word[1 - (u)]) && !master[p] && !next[p])
#define FINE(u) (!tlb[u] || (!free[PAGE(tlb[u])] && (holds[PAGE(tlb[u])] & BIT(u)) && \
                 (!(tlb[u] & W) || OWN(PAGE(tlb[u]), u))))

init
{
    atomic { free[2] = true; free[3] = true; free[4] = true; next[2] = 4; refs[1] = 2; holds[1] = 3 };
end:
    !(FINE(0) && FINE(1)) -> assert(FINE(0) && FINE(1))
}
