# SPDX-License-Identifier: BSD-2-Clause
"""A guest with four processors: futexes, locks, membarrier, moving threads, clocks and TLB shootdowns do what they
do on the bare machine, whether its processors have real ones of their own or take turns on fewer."""

import os
import unittest

from harness import BOOT, ENDIAN, native, run

# (processors, TLB regime, QEMU's threads): a choice, and with a long soak all.
SOME = [(4, "flush", "single"), (4, "tagged", "multi"), (2, "flush", "multi"), (1, "tagged", "single")]
ALL = SOME + [(4, "flush", "multi"), (4, "tagged", "single"), (2, "tagged", "single"), (1, "flush", "multi")]
RUNS = ALL if "DISCO_SOAK" in os.environ else SOME if ENDIAN == "little" else SOME[1:2]
TEST = "nproc; smptest 2>/dev/null || echo status $?"


class SmpGuest(unittest.TestCase):
    def test_same_as_native(self):
        bare = native("--cpus", "4", "--thread", "multi", "--exec", TEST, timeout=2 * BOOT)
        self.assertEqual(bare.status, 0, bare)
        self.assertRegex(bare.out, rb"\A4\n(?s:.*)clock: never back\nmprotect: ", bare)
        for smp, tlb, thread in RUNS:
            with self.subTest(processors=smp, tlb=tlb, thread=thread):
                done = run("--cpus", "4", "--smp", smp, "--tlb", tlb, "--thread", thread, "--exec", TEST, timeout=2 * BOOT)
                self.assertEqual(done.status, 0, done)
                self.assertEqual(done.out, bare.out)


if __name__ == "__main__":
    unittest.main()
