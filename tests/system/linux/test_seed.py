# SPDX-License-Identifier: BSD-2-Clause
"""Nobody in a guest waits for random numbers: the kernel's generator is ready before the first process is, by the seed in
the device tree, which nobody can read there afterwards."""

import re
import unittest

from harness import has_bare, native, run

# What the kernel said of the generator and of the first process, in this order; and what is left of the seed.
LOOK = "dmesg | grep -o -e 'crng init done' -e 'Run /[a-z]* as init'; "
TREE = "cd /proc/device-tree/chosen && echo ?*"


class Seed(unittest.TestCase):
    def check(self, done, tree):
        self.assertEqual(done.status, 0, done)
        self.assertRegex(done.out, re.compile(rb"\Acrng init done\nRun /init as init\n" + tree + rb"\Z"), done)

    def test_on_the_monitor(self):
        self.check(run("--exec", LOOK + TREE), rb"bootargs [a-z, -]*name\n")

    @has_bare
    def test_native(self):
        """QEMU gives the bare machine's kernel what the monitor has its own seed from."""
        self.check(native("--exec", LOOK), b"")


if __name__ == "__main__":
    unittest.main()
