# SPDX-License-Identifier: BSD-2-Clause
"""The emulated 16550 under Linux's own driver, unchanged: found, written, read, by interrupts."""

import re
import unittest

from harness import ENDIAN, Terminal, run

PROMPT = re.compile(rb"[#$] $")
LINES = 300
FOUND = rb"1f000900\.serial: ttyS0 at MMIO 0x1f000900 \(irq = [1-9]\d*, base_baud = 115200\) is a 16550A"


class Uart(unittest.TestCase):
    def check(self, *words):
        """The driver finds it, takes its interrupt, and nothing of much output is lost or turned about."""
        done = run("--uart", *words, "--exec", f"dmesg | grep ttyS; seq {LINES} >/dev/ttyS0; "
                   "exec 3>/dev/ttyS0; grep ttyS0 /proc/interrupts; cat /proc/tty/driver/serial")
        self.assertEqual(done.status, 0, done)
        self.assertRegex(done.out, FOUND)
        self.assertIn(b"".join(b"%d\r\n" % number for number in range(1, LINES + 1)), done.out)
        self.assertRegex(done.out, rb"(?m)^ *\d+: .*ttyS0")
        sent = sum(len(str(number)) + 2 for number in range(1, LINES + 1))
        self.assertRegex(done.out, rb"0: uart:16550A mmio:0x1F000900 irq:[1-9]\d* tx:%d rx:0" % sent)

    def test_on_one_processor(self):
        self.check()

    def test_on_two_processors(self):
        self.check("--cpus", "2")

    def test_without(self):
        done = run("--exec", "dmesg | grep 'ttyS0 at'; cat /proc/tty/driver/serial; echo lost >/dev/ttyS0")
        self.assertEqual(done.status, 1, done)
        self.assertEqual(done.out.splitlines()[1:2], [b"0: uart:unknown port:00000000 irq:0"], done)
        self.assertNotIn(b"lost", done.out)

    def test_input(self):
        """What is typed goes to the port while it is open, and to the other console else."""
        with Terminal("run", "--endian", ENDIAN, "--uart") as terminal:
            terminal.expect(PROMPT)
            terminal.type(b"exec 3</dev/ttyS0; echo port $((1 + 1)); read word <&3; exec 3<&-; echo got $word\r")
            terminal.expect(re.compile(rb"\nport 2"), 60)
            terminal.type(b"through the port\r")
            terminal.expect(re.compile(rb"\ngot through the port"), 60)
            terminal.expect(PROMPT, 60)
            terminal.type(b"echo back $((6 * 7))\r")
            terminal.expect(re.compile(rb"\nback 42"), 60)
            terminal.type(b"\x01x")
            self.assertEqual(terminal.wait(20), 0)


if __name__ == "__main__":
    unittest.main()
