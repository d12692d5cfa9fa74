# SPDX-License-Identifier: BSD-2-Clause
"""Seeds for random numbers: each start of each virtual machine finds its own in the device tree, made from one that the
machine's firmware has for the monitor."""

import unittest

from harness import run
from vms import Vm, Vms


class Seeds(unittest.TestCase):
    def check_all_differ(self, seeds):
        for seed in seeds:
            self.assertRegex(seed, r"\Aseed: [0-9a-f]{64}\Z")
        self.assertEqual(len(set(seeds)), len(seeds), seeds)

    def test_each_start_has_its_own(self):
        with Vms([Vm(name, "seed", append="ms=1000000") for name in "ab"], "--monitor-append", "stay") as running:
            self.wait_for(running, a=1, b=1)
            running.ask("vm reset a")
            self.wait_for(running, a=2, b=1)
            running.ask("vm stop a")
            running.until(lambda: len(running.log().ends("a")) == 2)
            running.ask("vm start a")
            self.wait_for(running, a=3, b=1)
            running.ask("quit")
            running.done()
            log = running.log()
        self.check_all_differ(log.said("a") + log.said("b"))

    @staticmethod
    def wait_for(running, **counts):
        running.until(lambda: all(len(running.log().said(name)) == count for name, count in counts.items()))

    @staticmethod
    def seed(*words):
        """What a guest finds that is alone."""
        return run("--guest", "seed", "--timeout", "60", *words).out.decode().strip()

    def test_each_machine_has_its_own(self):
        """QEMU's option -seed is for those who want the same again."""
        fixed = [("--qemu-arg=-seed", f"--qemu-arg={number}") for number in (7, 8)]
        self.check_all_differ([self.seed(), self.seed(), *(self.seed(*words) for words in fixed)])
        self.assertEqual(self.seed(*fixed[0]), self.seed(*fixed[0]))

    def test_runs_that_repeat(self):
        self.check_all_differ([self.seed("--icount")])
        self.assertEqual(self.seed("--icount"), self.seed("--icount"))


if __name__ == "__main__":
    unittest.main()
