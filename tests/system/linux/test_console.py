# SPDX-License-Identifier: BSD-2-Clause
"""The console at a terminal: typing, the escape key, the terminal's state, and nothing left running."""

import os
import re
import signal
import termios
import time
import unittest
from pathlib import Path

from harness import ENDIAN, Terminal, descendants, gone, has_bare

PROMPT = re.compile(rb"[#$] $")
LINE = b"Ctrl-A x leaves"


def is_qemu(pid):
    return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").startswith("qemu")


class Console(unittest.TestCase):
    def at_prompt(self, command):
        terminal = Terminal(command, "--endian", ENDIAN)
        self.addCleanup(terminal.__exit__)
        before = termios.tcgetattr(terminal.slave)
        terminal.expect(re.compile(re.escape(LINE)))
        terminal.expect(PROMPT)
        self.assertNotEqual(termios.tcgetattr(terminal.slave), before, "the terminal is not in raw mode")
        return terminal, before

    def session(self, command):
        """Type a little, leave by the key. Every promise of an interactive session in one boot."""
        terminal, before = self.at_prompt(command)
        below = descendants(terminal.process.pid)
        self.assertTrue(any(is_qemu(pid) for pid in below), "no QEMU runs")
        terminal.type(b"echo $((6 * 7)) is the answer\r")
        terminal.expect(re.compile(rb"\n42 is the answer"), 30)
        terminal.expect(PROMPT, 30)
        # Ctrl-C belongs to the guest's shell, not to the launcher.
        terminal.type(b"sleep 1000\r")
        time.sleep(1)
        terminal.type(b"\x03")
        terminal.expect(PROMPT, 30)
        # Ctrl-A twice is one Ctrl-A for the guest, where it moves to the start of the line.
        terminal.type(b"cho typed before\x01\x01e\r")
        terminal.expect(re.compile(rb"\ntyped before"), 30)
        terminal.type(b"\x01h")
        terminal.expect(re.compile(rb"(?i)ctrl-a"), 30)
        terminal.type(b"\x01x")
        self.assertEqual(terminal.wait(20), 0)
        self.assertEqual(termios.tcgetattr(terminal.slave), before)
        self.assertTrue(gone(below), "something was left running")

    def test_on_the_monitor(self):
        self.session("run")

    @has_bare
    def test_native(self):
        self.session("native")

    def test_launcher_that_is_ended(self):
        """SIGTERM in mid-session: QEMU ends, the terminal is as it was."""
        terminal, before = self.at_prompt("run")
        below = descendants(terminal.process.pid)
        os.kill(terminal.process.pid, signal.SIGTERM)
        self.assertEqual(terminal.wait(20), 128 + signal.SIGTERM)
        self.assertEqual(termios.tcgetattr(terminal.slave), before)
        self.assertTrue(gone(below), "something was left running")

    def test_launcher_that_is_killed(self):
        """SIGKILL leaves no time to clean up; QEMU ends all the same."""
        terminal, _ = self.at_prompt("run")
        below = descendants(terminal.process.pid)
        self.assertTrue(below)
        os.kill(terminal.process.pid, signal.SIGKILL)
        self.assertTrue(gone(below), "QEMU outlived the launcher")

    def test_typed_while_it_boots(self):
        """What comes before anybody can take it waits, and keeps nothing from coming up."""
        terminal = Terminal("run", "--endian", ENDIAN)
        self.addCleanup(terminal.__exit__)
        terminal.expect(re.compile(re.escape(LINE)))
        for _ in range(20):
            terminal.type(b"echo $((6 * 7)) early\r")
            time.sleep(0.1)
        terminal.expect(re.compile(rb"\n42 early"))
        terminal.type(b"poweroff -f\r")
        self.assertEqual(terminal.wait(60), 0)

    def test_power_off_from_the_shell(self):
        terminal, before = self.at_prompt("run")
        terminal.type(b"poweroff -f\r")
        self.assertEqual(terminal.wait(60), 0)
        self.assertEqual(termios.tcgetattr(terminal.slave), before)


if __name__ == "__main__":
    unittest.main()
