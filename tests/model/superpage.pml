/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Superpages: a run of pages that one large translation can name is taken apart, because pages of it are taken away.
 * 4 pages, two pairs. Processors 0 and 1 take pages away, each one page at a time; processor 2 lends pages, which were
 * read-only before: their word is stored anew, and nothing else happens to them. Processor 3 runs a guest. A word
 * leads to the old page, marked as one of the run or not, to a new page, or is 0.
 *
 * Properties: once the old page of an entry may be changed (p6), no translation on processor 3, small or large, leads to
 * it; no page is in its TLB twice; and whoever waits for that processor is answered.
 *
 *   s1, s2  lib/pmap/super.c            demotion: the first word loses its mark; then the others theirs
 *   p1..p7  lib/pmap/entry.c            the revocation; shootdown.pml has p3 to p5, here one request to forget
 *   l3      lib/pmap/share.c            what was read-only before is lent: the same word again, without a mark
 *   r1..r4  backends/mips64/vectors.S   a refill reads the words of a pair; if one is marked, the first word, and loads all
 *                                       if that is marked; else the pair
 *
 * The two words of a refill are read in either order. A guest refills only what it has no translation for.
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

#ifdef BUG_OWN_MARK_ONLY
inline demote() { unmark(x) }
#elif defined(BUG_LAST_TO_FIRST)
inline demote() { unmark(3); unmark(2); unmark(1); unmark(0) }
#else
inline demote() { unmark(0); unmark(1); unmark(2); unmark(3) }                 /* s1, s2 */
#endif

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

/* What a marked word says: look at the first. */
#ifdef BUG_FIRST_NOT_LOOKED_AT
#define LOOK_AT_FIRST true
#else
#define LOOK_AT_FIRST (word[0] == MARKED)
#endif

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
    :: w == OLD || w == MARKED -> small[p] = true
    :: else
    fi
}

active proctype Guest()
{
    byte p, even, odd;
    bool all;

end_guest:
    if
    :: atomic { owed[0] || owed[1] -> answer(0); answer(1) } goto end_guest
    :: !large && !small[0] && !small[1] -> p = 0
    :: !large && !small[2] && !small[3] -> p = 2
    fi;
    if                                                         /* interrupts are off since the look-up */
    :: even = word[p]; odd = word[p + 1]                                       /* r1 */
    :: odd = word[p + 1]; even = word[p]
    fi;
    if
    :: even == MARKED || odd == MARKED -> all = LOOK_AT_FIRST                  /* r2 */
    :: else -> all = false
    fi;
    atomic {
        if
        :: all -> large = true                                                 /* r3 */
        :: else -> add_small(p, even); add_small(p + 1, odd)                   /* r4: by way of C, if one is marked */
        fi;
        assert(!large || !(small[0] || small[1] || small[2] || small[3]));
        p = 0; even = 0; odd = 0; all = false
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
