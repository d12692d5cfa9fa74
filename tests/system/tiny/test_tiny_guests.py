# SPDX-License-Identifier: BSD-2-Clause
"""Tiny guests on the monitor: each does one thing, most of them something a guest must not do.

A guest can harm itself and nobody else: the monitor survives, says which VM did what, and ends in an orderly way.
"""

import json
import os
import re
import tempfile
import time
import unittest
from dataclasses import dataclass

from harness import ENDIAN, Terminal, run
from launcher import guests
from launcher.say import GUEST_DIED
from test_many import HOSTILE, KEPT


@dataclass
class Expect:
    status: int = 0
    console: str = ""     # a pattern for all that the guest prints
    log: str = ""         # a pattern for a line of the monitor's log
    cause: str = "poweroff"
    words: tuple = ()     # further options


# One row for each guest in examples/guests/tiny that does something alone (what several virtual CPUs or machines do
# together, test_many.py has; bench_*, tests/bench), and for the thin OS's program; a guest without a row fails the test.
GUESTS = {
    "hello": Expect(console="Hello from a guest\\.\n"),
    "badcall": Expect(console="badcall: every bad call was refused\n"),
    "badstatus": Expect(console="badstatus: no value opened anything\n"),
    "badtlb": Expect(console="badtlb: foreign pages are bus errors, own pages work\n"),
    "wild": Expect(console="wild: every access was stopped\n"),
    "tlbops": Expect(console="tlbops: as the architecture says\n"),
    "clock": Expect(console="clock: every alarm came, none early\n"),
    "cpu": Expect(console="cpu: as the architecture says\n"),
    "count": Expect(),
    "measure": Expect(console="(piece [^\n]*\n)+"),
    "keeper": Expect(console=f"{KEPT}\n"),
    "share": Expect(console="share: [0-9a-f]{16}\n"),
    "readers": Expect(console="readers: all sums are right\n"),
    "superpage": Expect(console="superpage: all words are right\n"),
    "walker": Expect(console="walker: as the tables say\n"),
    "uart": Expect(console="uart: printed by loads and stores, then from user mode\nuart: as a 16550 behaves\n",
                   log="used physical memory it does not have", words=("--uart",)),
    "radix": Expect(console="radix: 262144 keys, threads 1, bits 8\n( +[a-z]+ +[0-9]+\n){6}radix: sorted, .*\n"),
    "seed": Expect(console="seed: [0-9a-f]{64}\n"),
    "panic": Expect(status=GUEST_DIED, cause="panic", log="vm vm0 panicked: out of coffee"),
}
# Guests that never end by themselves, and what they print before.
ENDLESS = {"spin": b"spin: interrupts are off", "lost": b"lost: jumping away", "irqsoff": b"irqsoff: looping"}


class TinyGuests(unittest.TestCase):
    def test_every_guest_is_expected(self):
        known = {name for name in guests.tiny_guests(ENDIAN) if not name.startswith("bench_")}
        self.assertEqual(known, {*GUESTS, *ENDLESS, *HOSTILE})

    def test_each(self):
        for name, expect in GUESTS.items():
            with self.subTest(name):
                done = run("--guest", name, "--timeout", "60", "--verbose", *expect.words)
                self.assertEqual(done.status, expect.status, done)
                self.assertRegex(done.err, f"disco: vm vm0 ended: {expect.cause} code", done)
                self.assertRegex(done.out.decode(errors="replace"), rf"\A{expect.console}\Z")
                if expect.log:
                    self.assertRegex(done.err, f"(?m)^disco: .*{expect.log}", done)

    def test_without_assembly(self):
        """With vectors=c every TLB miss is answered in C, and a guest cannot tell."""
        for name in ("tlbops", "badtlb", "wild", "cpu", "uart"):
            with self.subTest(name):
                done = run("--guest", name, "--timeout", "60", "--monitor-append", "vectors=c", *GUESTS[name].words)
                self.assertEqual(done.status, 0, done)
                self.assertRegex(done.out.decode(errors="replace"), rf"\A{GUESTS[name].console}\Z")

    def test_the_key_works_whatever_the_guest_does(self):
        """A guest that loops with interrupts off, or drowns in exceptions, cannot keep Ctrl-A x from the monitor."""
        for name, words in ENDLESS.items():
            with self.subTest(name), Terminal("run", "--endian", ENDIAN, "--guest", name) as terminal:
                terminal.expect(re.compile(re.escape(words)), 60)
                time.sleep(1)
                terminal.type(b"\x01x")
                self.assertEqual(terminal.wait(20), 0, terminal.text)
                self.assertNotIn(b"did not react", terminal.text)

    def test_counters(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "stats")
            done = run("--guest", "hello", "--stats", path, "--timeout", "60")
            self.assertEqual(done.status, 0, done)
            with open(path, encoding="utf-8") as lines:
                last = [json.loads(line) for line in lines][-1]
        self.assertGreater(last["time_ns"], 0)
        self.assertGreater(last["machine"]["pages_free"], 0)
        self.assertGreater(last["vms"]["vm0"]["exits"], 0)


if __name__ == "__main__":
    unittest.main()
