/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Superpages: a run of pages that one large translation can name is taken apart, because pages of it are taken away.
 * 4 pages, two pairs. Processors 0 and 1 take pages away, each one page at a time; processor 2 lends pages, which were
 * read-only before: their word is stored anew, and nothing else happens to them. Processor 3 runs a guest. A word
 * leads to the old page, marked as one of the run or not, to a new page, or is 0.
 *
 * Property: once the old page of an entry may be changed (p6), no translation on processor 3, small or large, leads to
 * it; and whoever waits for that processor is answered.
 *
 *   s1, s2  lib/pmap/super.c            demotion: the first word is looked at; marks go, from the last to the first
 *   p1..p7  lib/pmap/entry.c            the revocation; shootdown.pml has p3 to p5, here one request to forget
 *   l3      lib/pmap/share.c            what was read-only before is lent: the same word again, without a mark
 *   r1..r3  backends/mips64/vectors.S   a refill reads the words of a pair, and loads the pair, or all if one is marked
 *
 * The two words of a refill are read in either order. It is allowed also where there is a translation already, and none
 * takes another's place: during a demotion a processor may have a page in a small and in the large one.
 */
#define PAGES 4
#define MARKED 1                     /* leads to the old page, and so do all words of the run */
#define OLD 2
#define NEW 3

byte word[PAGES] = MARKED;
bool held[PAGES];
bool small[PAGES], large;            /* processor 3's TLB: the old page of p; all old pages */
byte asked[2];                       /* by asker: the page, */
bool owed[2];                        /* and processor 3 has not answered yet */
bool gone[PAGES];                    /* only the property and the choice of a page look at it */

inline unmark(p) {
    if
#ifdef BUG_PLAIN_STORE
    :: word[p] == MARKED -> word[p] = OLD
#else
    :: atomic { word[p] == MARKED -> word[p] = OLD }           /* compare-exchange */
#endif
    :: else
    fi
}

#ifdef BUG_OWN_MARK
#define FIRST x
#else
#define FIRST 0
#endif

inline demote() {
    if
    :: word[FIRST] == MARKED ->                                                /* s1 */
#ifdef BUG_FIRST_TO_LAST
       unmark(0); unmark(1); unmark(2); unmark(3)
#else
       unmark(3); unmark(2); unmark(1); unmark(0)                              /* s2 */
#endif
    :: else
    fi
}

inline purge() {                                                               /* p3, p4, p5 */
    atomic { asked[c] = x; owed[c] = true };
    atomic { !owed[c] -> asked[c] = 0 }
}

active [2] proctype Revoker()
{
    byte c = _pid, x;

end_monitor:
    if
    :: atomic { !held[0] && !gone[0] -> held[0] = true; x = 0 }                /* p1 */
    :: atomic { !held[1] && !gone[1] -> held[1] = true; x = 1 }
    :: atomic { !held[2] && !gone[2] -> held[2] = true; x = 2 }
    :: atomic { !held[3] && !gone[3] -> held[3] = true; x = 3 }
    fi;
#ifndef BUG_DEMOTED_AFTER_PURGE
    demote();
#endif
    word[x] = 0;                                                               /* p2 */
#ifndef BUG_NO_PURGE
    purge();
#endif
#ifdef BUG_DEMOTED_AFTER_PURGE
    demote();
#endif
    gone[x] = true;                                                            /* p6 */
    word[x] = NEW;                                                             /* p7 */
    atomic { held[x] = false; x = 0 };
    goto end_monitor
}

active proctype Lender()
{
    byte x;

end_monitor:
    if
    :: atomic { !held[0] && !gone[0] -> held[0] = true; x = 0 }
    :: atomic { !held[1] && !gone[1] -> held[1] = true; x = 1 }
    :: atomic { !held[2] && !gone[2] -> held[2] = true; x = 2 }
    :: atomic { !held[3] && !gone[3] -> held[3] = true; x = 3 }
    fi;
#ifndef BUG_STORED_UNDEMOTED
    demote();
#endif
    word[x] = OLD;                                                             /* l3 */
    atomic { held[x] = false; x = 0 };
    goto end_monitor
}

inline forget(p) {
    small[p] = false;
#ifndef BUG_LARGE_ONE_STAYS
    large = false
#endif
}

inline answer(r) {
    if
    :: owed[r] -> forget(asked[r]); owed[r] = false
    :: else
    fi
}

inline add_small(p, w) {
    if
    :: w == OLD -> small[p] = true
    :: else
    fi
}

active proctype Guest()
{
    byte p, even, odd;

end_guest:
    if
    :: atomic { owed[0] || owed[1] -> answer(0); answer(1) } goto end_guest
    :: p = 0
    :: p = 2
    fi;
    if                                                         /* interrupts are off since the look-up */
    :: even = word[p]; odd = word[p + 1]                                       /* r1 */
    :: odd = word[p + 1]; even = word[p]
    fi;
    atomic {
        if
        :: even == MARKED || odd == MARKED ->                                  /* r2: all, as the even word says */
           assert(even != NEW); large = large || even
        :: else -> add_small(p, even); add_small(p + 1, odd)                   /* r3 */
        fi;
        p = 0; even = 0; odd = 0
    };
    goto end_guest
}

#define FINE(p) (!gone[p] || (!small[p] && !large))
#define ALL_FINE (FINE(0) && FINE(1) && FINE(2) && FINE(3))

active proctype Watch()
{
end:
    !ALL_FINE -> assert(ALL_FINE)
}
