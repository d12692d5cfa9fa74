/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pmap entry: entering, write faults, lending and sharing, dropping, and a refill that reads the word
 * without the lock. 2 entries that a guest maps as a pair; virtual CPU 0 runs on processor 0, 1 on 1, and
 * processor 2 works for devices. 3 machine pages.
 *
 * Properties: a guest uses the one machine page that is behind the entry, and no other is used through the
 * entry at that time; a page is not freed while a translation leads to it; nobody stores to a page that
 * others have; no two who hold entries, or wait for a purge, wait for ever.
 *
 *   n1..n3  lib/pmap/enter.c                 a pair is entered: lower page first, loaded, let go
 *   p1..p7  lib/pmap/entry.c                 the revocation; p3 to p5 (shootdown.pml) are the request to forget
 *   f1..f3  lib/pmap/fault.c                 a write fault: a new page, the old one revoked, given up
 *   l1 l2   lib/pmap/share.c                 a page is lent, and shared
 *
 * Purging is the general contract of arch.h, which asks more of the spinners than mips64 does: every
 * processor answers for itself, so who waits must serve. What a step does to memory that only the holder
 * of the entry touches is one step with it.
 */
