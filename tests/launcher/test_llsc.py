# SPDX-License-Identifier: BSD-2-Clause
"""The check that the guest kernel's build makes of LL/SC windows must find what is seeded, and nothing else."""

import subprocess
import unittest

from launcher.guests import LINUX

GOOD = """
0000000000000000 <atomic_add>:
   0:\tll\tv0,0(a0)
   4:\taddu\tv0,v0,a1
   8:\tsc\tv0,0(a0)
   c:\tbeqz\tv0,0 <atomic_add>
  10:\tmfc0\tv0,c0_status
"""


def seeded(*lines):
    return GOOD.replace("   4:\taddu\tv0,v0,a1\n", "".join(f"   4:\t{line}\n" for line in lines))


class LlSc(unittest.TestCase):
    def check(self, text):
        return subprocess.run([LINUX / "check-llsc.py"], input=text, capture_output=True, text=True, timeout=60,
                              check=False)

    def test_a_good_window(self):
        done = self.check(GOOD)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_an_instruction_that_traps(self):
        for trap in ("tlbp", "mfc0\tv1,c0_status", "dmtc0\tzero,c0_entryhi", "hypcall", "c0\t0x28", "di", "ei\tv0", "eret",
                     "wait", "tlbinvf", "cache\t0x15,0(a0)", "rdhwr\tv1,hwr_cc", "break", "jal\t1000 <f>",
                     "balc\t1000 <f>"):
            done = self.check(seeded("nop", trap, "nop"))
            self.assertEqual(done.returncode, 1, trap)
            self.assertEqual(done.stdout, f"4 <atomic_add>: {trap.split(chr(9))[0]} between LL and SC\n")

    def test_harmless_instructions(self):
        for harmless in ("ld\tv1,8(a0)", "sd\tv1,8(a0)", "sync", "bne\tv0,a2,14 <atomic_add+0x14>", "dins\tv0,a1,0x0,0x8"):
            self.assertEqual(self.check(seeded(harmless)).returncode, 0, harmless)

    def test_a_label_inside_does_not_end_the_window(self):
        done = self.check(seeded("nop").replace("   4:", "0000000000000004 <.L1>:\n   4:"))
        self.assertEqual(done.returncode, 0)
        done = self.check(GOOD.replace("   4:", "0000000000000004 <.L1>:\n   4:\ttlbp\n   4:"))
        self.assertEqual(done.stdout, "4 <atomic_add>: tlbp between LL and SC\n")

    def test_a_window_that_never_ends(self):
        done = self.check("0000000000000000 <f>:\n   0:\tll\tv0,0(a0)\n0000000000000004 <g>:\n   4:\tnop\n")
        self.assertEqual((done.returncode, done.stdout), (1, "0 <f>: LL without SC\n"))

    def test_no_disassembly_at_all(self):
        self.assertEqual(self.check("").returncode, 1)
