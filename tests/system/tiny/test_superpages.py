# SPDX-License-Identifier: BSD-2-Clause
"""Superpages: a kernel's image is loaded by large translations until it is written to, and a guest cannot tell."""

import tempfile
import unittest
from pathlib import Path

from harness import in_one_order, last_sets, run

CPUS, ROUNDS = 4, 64
GUEST = ("--guest", "superpage", "--cpus", CPUS, "--append", f"rounds={ROUNDS}", "--thread", "multi")
RIGHT = b"superpage: all words are right\n"
# Of examples/guests/tiny/superpage.c: pairs of pages that each virtual CPU reads in each round, which are more than the
# TLB has; superpages in its table, but for the edges; and those that it writes to, in so many pages.
PAIRS, WHOLE, WRITTEN, PAGES_WRITTEN = 256, 3, 2, 4


class Superpages(unittest.TestCase):
    def counted(self, *words, vms=1):
        """The counters of each machine at the end. All said that all was right, and no page is lost."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "stats"
            done = run(*GUEST, "--vms", vms, "--timeout", 120, "--stats", path, *words)
            self.assertEqual(done.status, 0, done)
            self.assertEqual(done.out.count(RIGHT), vms, done)
            self.assertNotIn("lost", done.err, done)
            return list(last_sets(path)["vms"].values())

    def check(self, vm):
        """Only what was written to fell apart, and only pages that were written to were copied."""
        self.assertGreaterEqual(vm["superpages"], WHOLE, vm)
        self.assertEqual((vm["superpages_demoted"], vm["cow_copies"]), (WRITTEN, PAGES_WRITTEN), vm)

    def test_each_regime(self):
        """There are hardly any misses before the guest writes: fewer than half of what pages would cost one by one."""
        for tlb in ("flush", "tagged"):
            with self.subTest(tlb):
                vm, = self.counted("--tlb", tlb)
                self.check(vm)
                self.assertLess(vm["pmap_hits"], CPUS * ROUNDS * PAIRS / 2, vm)

    def test_without_assembly(self):
        """Nobody reads the marks then, but they are there."""
        vm, = self.counted("--monitor-append", "vectors=c")
        self.check(vm)

    def test_machines_that_share_a_kernel(self):
        both = self.counted("--tlb", "tagged", "--smp", 3, vms=2)
        self.assertEqual(len(both), 2)
        for vm in both:
            self.check(vm)

    @in_one_order
    def test_not_with_several_nodes(self):
        """Pages move one by one there. This is also what the guest costs without superpages."""
        vm, = self.counted("--nodes", 2)
        self.assertEqual((vm["superpages"], vm["superpages_demoted"]), (0, 0), vm)
        self.assertGreater(vm["pmap_hits"], CPUS * ROUNDS * PAIRS / 2, vm)


if __name__ == "__main__":
    unittest.main()
