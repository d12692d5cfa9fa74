# SPDX-License-Identifier: BSD-2-Clause
"""The model of memory (tools/flash) around programs whose instructions and misses are known."""

import subprocess
import sys
import time
import unittest
from pathlib import Path

from harness import ENDIAN
from launcher import build, qemu, suites

ROOT = Path(__file__).resolve().parents[3]
sys.path.append(str(ROOT / "tests" / "bench"))

import machine  # noqa: E402  (the path above makes these findable)
import modelled  # noqa: E402

MIB = 1 << 20
PATIENCE = 240.0
RESULTS = ["nodes", "not hot", "hot", "stores", "reset", "hot again", "remapped"]

# Of tests/system/bare/flash.c, by piece: lines that are missed on in memory of the own node, and of the other.
MISSES = [(32768, 0), (0, 32768), (128, 0)]
LINE_NS, REMOTE_NS = 300, 900
SLACK = 32      # lines of the program itself

# Of count.c: what the guest's comments say, between the marks of each piece.
SUPERVISOR = [3002, 2001, 502]


class Flash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with build.lock():
            modelled.PLUGIN = build.host("host", suites.HOST_OPTIONS) / "tools" / "flash" / "libflash.so"
            cls.program = (build.cross(ENDIAN) / "tests" / "system" / "bare" / "flash.elf").read_bytes()

    def bare(self, cpus=1, thread="", extra=()):
        """What the program on the bare machine says."""
        log, until = b"", time.monotonic() + PATIENCE
        with qemu.Machine(ENDIAN, 128 * MIB, self.program, b"", "", cpus, thread, extra) as running:
            for source, data in running.events():
                log += data if source in (qemu.LOG, qemu.ERRORS) else b""
                self.assertLess(time.monotonic(), until, log.decode(errors="replace"))
        return qemu.complaints(log).splitlines()

    def modelled(self, *options, **machine_options):
        said, figures = modelled.modelled(lambda extra: self.bare(extra=extra, **machine_options),
                                        options=["ram=128M", "area=48M", *options])
        self.assertEqual(said, [f"disco: flash {name}: ok" for name in RESULTS])
        return figures

    def check(self, figures):
        for number, (local, remote) in enumerate(MISSES):
            piece = figures.between(skip=number)
            self.assertTrue(local <= piece["local"]["all"] <= local + SLACK, piece)
            self.assertEqual(piece["remote"]["all"], remote, piece)
            self.assertEqual(piece["ns"]["stall_local"], piece["local"]["all"] * LINE_NS)
            self.assertEqual(piece["ns"]["stall_remote"], remote * REMOTE_NS)
        self.assertEqual((figures.data["hot"], figures.data["overflows"]), (4, 0))

    def test_misses_and_records(self):
        self.check(self.modelled("nodes=2"))

    def test_processors_in_threads(self):
        figures = self.modelled("nodes=2", cpus=4, thread="multi")
        self.check(figures)
        self.assertEqual([cpu["node"] for cpu in figures.data["cpus"]], [0, 0, 1, 1])
        piece = figures.between()
        self.assertAlmostEqual(piece["ns"]["idle"], 3 * figures.elapsed(piece), delta=4)     # rounded each

    def test_the_same_each_time(self):
        one, other = (self.modelled("nodes=2") for _ in range(2))
        self.assertEqual(one.data["marks"], other.data["marks"])

    def test_instructions(self):
        """As tools/icount counts them."""
        def runner(name, extra):
            return machine.tiny(name, extra)
        _, figures = modelled.modelled(runner, "count", options=["ram=2G", "nodes=4"])
        pieces = [figures.between(skip=number)["executed"] for number in range(len(SUPERVISOR))]
        self.assertEqual([piece["supervisor"] for piece in pieces], SUPERVISOR)
        self.assertEqual([piece["user"] for piece in pieces], [0] * len(SUPERVISOR))

    def test_uma(self):
        """All is near, and nothing is hot."""
        said, figures = modelled.modelled(lambda extra: self.bare(extra=extra),
                                        options=["ram=128M", "area=48M", "nodes=2", "uma=on"])
        self.assertIn("disco: flash hot: WRONG", said)
        self.assertEqual(figures.total()["remote"]["all"], 0)
        self.assertEqual(figures.data["hot"], 0)

    def test_what_cannot_be_is_refused(self):
        for options, complaint in (("colour=blue", 'what does "colour=blue" mean?'), ("nodes=2", "ram is at least"),
                                   ("ram=128M,area=128M", "the area begins with a page, and lies in RAM"),
                                   ("ram=128M,nodes=65", "from 1 to 64 nodes"), ("ram=128M,l2ways=3", "power of two")):
            with self.subTest(options):
                done = subprocess.run([qemu.PROGRAM[ENDIAN == "little"], "-M", "malta", "-cpu", "I6400", "-nodefaults",
                                       "-display", "none", "-plugin", f"{modelled.PLUGIN},{options}"],
                                      capture_output=True, text=True, timeout=60, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(complaint, done.stderr)
