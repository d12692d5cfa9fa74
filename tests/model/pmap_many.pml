/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several pmap entries at once: shared or dropped with one revocation for all, in whatever order they are named, while
 * others do the same, enter pairs, and refill from a word without its lock. 3 entries; 3 processors, each with a
 * virtual CPU: two share and drop, two enter, one of them refills. pmap_entry.pml has what becomes of the pages;
 * here a page is there or not.
 *
 * Properties: when the pages of a revocation are given up no translation leads to any of them; nobody waits for ever,
 * for a lock or for a purge.
 *
 *   m1..m4  lib/pmap/share.c    many: all held, in ascending order; revoked together; given up; the new ones appear
 *   n1..n3  lib/pmap/enter.c    a pair is entered: both held, the lower first; noted and loaded; let go
 *   p2..p5  lib/pmap/entry.c    the revocation: words of all, then one purge for all; or in REGIME_ROUNDS p2 to p5 of each
 */
#define ENTRIES 3
#define CPUS 3
#define BIT(x) (1 << (x))

bool locked[ENTRIES], word[ENTRIES];
byte backmap[ENTRIES];               /* virtual CPUs through which it was entered, as bits */
byte tlb[CPUS];                      /* entries to which the virtual CPU has a translation, as bits */
byte alias[CPUS];                    /* the same for its unmapped segment: not in backmaps */
byte asked[CPUS], owed[CPUS];        /* by asker: entries, and who has not answered yet, as bits */

#define OWES ((owed[0] | owed[1] | owed[2]) & BIT(c))
#define FROM(x, e) ((x) & BIT(e) && backmap[e] & BIT(c) -> BIT(e) : 0)
#define NAMED(x) (FROM(x, 0) | FROM(x, 1) | FROM(x, 2))

/* A translation goes if a backmap told of it, an alias in any case. */
inline forget(which) {
    tlb[c] = tlb[c] & ~NAMED(which);
    alias[c] = alias[c] & ~(which)
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

inline purge(which) {                                                          /* p3, p4, p5 */
    atomic {
        asked[c] = which; owed[c] = 7 & ~BIT(c);
        forget(which)
    };
    do
    :: atomic { !owed[c] -> asked[c] = 0 } break
#ifndef BUG_WAITER_DOES_NOT_SERVE
    :: serve()
#endif
    od
}

/* Any two entries, in any order. */
inline name_two() {
    if
    :: a = 0; b = 1
    :: a = 1; b = 2
    :: a = 0; b = 2
    :: a = 1; b = 0
    :: a = 2; b = 1
    :: a = 2; b = 0
    fi
}

/* One entry: then the second is the same. */
inline name_one() {
    if
    :: a = 0; b = 0
    :: a = 2; b = 2
    fi
}

inline ascending() {
    if
    :: a > b -> a = a + b; b = a - b; a = a - b
    :: else
    fi
}

#define LED_TO(e) ((tlb[0] | tlb[1] | tlb[2] | alias[0] | alias[1] | alias[2]) & BIT(e))

active [CPUS] proctype Processor()
{
    byte c = _pid, a, b;

processor:
    if
    :: serve(); goto processor
    :: atomic { c < 2 -> name_two() } goto many
    :: atomic { c < 2 -> name_one() } goto many
    :: atomic { c != 1 -> name_two(); ascending() } goto enter
    :: atomic { c == 2 && word[1] -> a = 1 } goto refill       /* interrupts are off between look and load */
    :: goto rests
    fi;
rests:
end_rests:
    do
    :: serve()
    od;

refill:
    atomic { alias[c] = alias[c] | BIT(a); a = 0 };
    goto processor;

enter:
    hold(a);                                                                   /* n1: the lower first */
    hold(b);
    atomic {
        word[a] = true; word[b] = true;
        backmap[a] = backmap[a] | BIT(c); backmap[b] = backmap[b] | BIT(c)     /* n2 */
    };
    tlb[c] = tlb[c] | BIT(a) | BIT(b);
    goto leave;                                                                /* n3 */

many:
#ifndef BUG_ORDER_AS_NAMED
    atomic { ascending() };
#endif
    hold(a);                                                                   /* m1 */
    if
    :: b != a -> hold(b)
    :: b == a
    fi;
#if defined(REGIME_ROUNDS) || defined(BUG_LET_GO_AFTER_ITS_ROUND)
    if
    :: b != a ->
        word[a] = false;                                                       /* p2 to p5 of the first round */
        purge(BIT(a));
#ifdef BUG_LET_GO_AFTER_ITS_ROUND
        locked[a] = false;
#endif
        word[b] = false;
        purge(BIT(b));
        goto given_up
    :: b == a
    fi;
#endif
#ifdef BUG_SECOND_WORD_LATE
    word[a] = false;
#else
    atomic { word[a] = false; word[b] = false };                               /* m2: p2 */
#endif
#ifdef BUG_LET_GO_BEFORE_PURGE
    locked[a] = false;
#endif
#ifdef BUG_PURGE_OF_THE_FIRST
    purge(BIT(a));
#else
    purge(BIT(a) | BIT(b));
#endif
given_up:
    atomic {
        backmap[a] = 0; backmap[b] = 0; word[b] = false;
        assert(!LED_TO(a) && !LED_TO(b));                                      /* m3: given up */
        if
        :: word[a] = true; word[b] = true                                      /* m4: shared, not dropped */
        :: true
        fi
    };
leave:
    atomic { locked[a] = false; locked[b] = false; a = 0; b = 0 };
    goto processor
}
