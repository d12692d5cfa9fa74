# SPDX-License-Identifier: BSD-2-Clause
"""The instruction counter for QEMU (tools/icount) finds the numbers that the guest `count` executes."""

import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "tests" / "bench"))

import counts  # noqa: E402  (the path above makes these findable)
import exits  # noqa: E402
import machine  # noqa: E402
from launcher import build, suites  # noqa: E402
from launcher.qemu import PROGRAM  # noqa: E402

# Of count.c: what the guest's comments say, between the marks of each piece.
SUPERVISOR = [3002, 2001, 502]
CALLS = 100


def tiny_with(*qemu):
    def runner(name, extra):
        return machine.tiny(name, [*qemu, *extra])
    return runner


class Icount(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with build.lock():
            host = build.host("host", suites.HOST_OPTIONS)
        counts.PLUGIN = host / "tools" / "icount" / "libicount.so"
        cls.monitor = exits.Monitor()

    def count(self, *qemu):
        outcome, counted = counts.counted(tiny_with(*qemu), "count", options=self.monitor.options(profile=True))
        self.assertEqual(outcome.status, 0, outcome)
        return counted

    def check(self, counted):
        pieces = [counted.between(skip=number) for number in range(len(SUPERVISOR))]
        self.assertEqual([piece["supervisor"] for piece in pieces], SUPERVISOR)
        self.assertEqual([piece["user"] for piece in pieces], [0] * len(SUPERVISOR))
        calls = [kind for kind in self.monitor.kinds(counted.data) if kind.name == "monitor call"]
        self.assertEqual([kind.count for kind in calls], [CALLS])
        self.assertEqual(sum(calls[0].histogram.values()), CALLS)
        self.assertGreaterEqual(pieces[2]["kernel"], calls[0].total)
        self.assertLessEqual(calls[0].least * CALLS, calls[0].total)

    def test_counts_added_by_translated_code(self):
        self.check(self.count())

    def test_counts_added_by_calls(self):
        """So it is done on a machine with several processors."""
        counted = self.count("-smp", "2")
        self.assertEqual(len(counted.data["cpus"]), 2)
        self.check(counted)

    def test_profile_has_every_instruction_of_the_monitor(self):
        counted = self.count()
        profiled = sum(executed for _, executed in counted.data["profile"])
        boot_rom = counted.total["kernel"] - profiled
        self.assertTrue(0 < boot_rom < 1000, boot_rom)
        self.assertIn("mips_exit", dict(counted.by_function(self.monitor.symbols)))

    def test_options_that_mean_nothing_are_refused(self):
        for option in ("entry=nowhere", "profile=5:4", "colour=blue"):
            with self.subTest(option):
                done = subprocess.run([PROGRAM[machine.ENDIAN == "little"], "-M", "malta", "-cpu", "I6400",
                                       "-nodefaults", "-display", "none", "-plugin", f"{counts.PLUGIN},{option}"],
                                      capture_output=True, text=True, timeout=60, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(f'what does "{option}" mean?', done.stderr)
