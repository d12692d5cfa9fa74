# SPDX-License-Identifier: BSD-2-Clause
"""Tiny guests on the monitor: each does one thing, most of them something a guest must not do.

A guest can harm itself and nobody else: the monitor survives, says which VM did what, and ends in an orderly way.
"""

import re
import unittest
from dataclasses import dataclass

from harness import ENDIAN, Terminal, run
from launcher import guests
from launcher.say import GUEST_DIED


@dataclass
class Expect:
    status: int = 0
    console: str = ""     # what the guest prints: a pattern for its whole output
    log: str = ""         # a pattern for a line of the monitor's log
    cause: str = "poweroff"


DIED = GUEST_DIED

# One row for each guest in examples/guests; a guest without a row fails the test.
GUESTS = {
    "hello": Expect(console=r"(?i)hello.*"),
    "status": Expect(status=42),
    # What the virtual CPU answers as the manual says; the guest checks and powers off with 0.
    "reserved": Expect(console=r"(?s).*ok\s*"),
    "badcall": Expect(console=r"(?s).*ok\s*"),
    "badargs": Expect(console=r"(?s).*ok\s*"),
    "badstatus": Expect(console=r"(?s).*ok\s*"),
    # What nobody can answer: the VM is stopped and named.
    "badjump": Expect(status=DIED, cause="fault", log=r"vm vm0.*fault"),
    "badtlb": Expect(status=DIED, cause="fault", log=r"vm vm0"),
}
# Guests that never end by themselves.
ENDLESS = {"spin"}


class TinyGuests(unittest.TestCase):
    def test_every_guest_is_expected(self):
        self.assertEqual(set(guests.tiny_guests(ENDIAN)), set(GUESTS) | ENDLESS)

    def test_each(self):
        for name, expect in GUESTS.items():
            with self.subTest(name):
                done = run("--guest", name, "--timeout", "60", "--verbose")
                self.assertEqual(done.status, expect.status, done)
                self.assertRegex(done.err, f"disco: vm vm0 ended: {expect.cause} code", done)
                self.assertRegex(done.out.decode(errors="replace"), rf"\A{expect.console}\Z" if expect.console else "")
                if expect.log:
                    self.assertRegex(done.err, f"(?m)^disco: .*{expect.log}", done)

    def test_the_key_works_whatever_the_guest_does(self):
        """A guest that loops with interrupts off cannot keep Ctrl-A x from the monitor."""
        with Terminal("run", "--endian", ENDIAN, "--guest", "spin") as terminal:
            terminal.expect(re.compile(rb"spinning"), 60)
            terminal.type(b"\x01x")
            self.assertEqual(terminal.wait(20), 0, terminal.text)
            self.assertNotIn(b"did not react", terminal.text)

    def test_counters(self):
        import os
        import tempfile
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "stats")
            done = run("--guest", "hello", "--stats", path, "--timeout", "60")
            self.assertEqual(done.status, 0, done)
            with open(path, encoding="utf-8") as lines:
                rows = [line.split() for line in lines]
        self.assertTrue(rows)
        for row in rows:
            self.assertRegex(row[-1], r"\A\d+\Z", row)


if __name__ == "__main__":
    unittest.main()
