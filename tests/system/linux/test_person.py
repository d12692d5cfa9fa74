# SPDX-License-Identifier: BSD-2-Clause
"""What a person sees and does with several virtual machines: one terminal, keys, the prompt, other terminals, files."""

import json
import os
import re
import tempfile
import unittest
from pathlib import Path

from harness import BOOT, ENDIAN, Running, Terminal, disco, run
from launcher.say import GUEST_DIED

SHELL = re.compile(rb"[#$] $")
PROMPT = re.compile(rb"disco> $")
ONE = "[one]\ncpus = 2\nmemory = 96M\nkernel = linux\nappend = first\n"
TINY = "\n# A comment, and another kind of guest.\n[tiny]\nmemory = 4M\nkernel = hello\n"


def plain(pattern):
    return re.compile(re.escape(pattern))


class Keys(unittest.TestCase):
    def setUp(self):
        self.terminal = Terminal("run", "--endian", ENDIAN, "--vms", 3, "--mem", "64M", "--smp", 2)
        self.addCleanup(self.terminal.__exit__)
        self.terminal.expect(SHELL)

    def say(self, what, *patterns, timeout=60):
        self.terminal.type(what)
        for pattern in patterns:
            self.terminal.expect(pattern if isinstance(pattern, re.Pattern) else plain(pattern), timeout)

    def test_session(self):
        """One session, one boot of three: switching, listing, the prompt, and leaving."""
        # What is typed goes to the one that is shown, and each keeps its own.
        self.say(b"me=first\r", SHELL)
        self.say(b"\x012", b"[vm1]", SHELL, timeout=BOOT)
        self.say(b"me=second; echo I am $me\r", b"\nI am second", SHELL)
        self.say(b"\x01n", b"[vm2]", SHELL, timeout=BOOT)
        self.say(b"echo I am ${me:-nobody}\r", b"\nI am nobody", SHELL)
        self.say(b"\x01p\x01p", b"[vm1]", b"[vm0]")
        self.say(b"echo I am $me\r", b"\nI am first", SHELL)
        # What a hidden one prints is there when it is shown.
        self.say(b"(sleep 2; echo done in $me) &\r", SHELL)
        self.say(b"\x013\x01l", b"[vm2]", re.compile(rb"1 vm0: running, cpus 1, memory 64 MiB[^\n]*\n"), b"3 vm2: running")
        self.terminal.read(3)
        self.say(b"\x011", b"done in first")
        self.prompt()
        self.say(b"\x01x")
        self.assertEqual(self.terminal.wait(30), 0)

    def prompt(self):
        self.say(b"\x01:", PROMPT)
        self.say(b"vm pause 2\r", b"ok", PROMPT)
        self.say(b"vm list\r", b"1 vm0: running", b"2 vm1: paused", b"ok", PROMPT)
        self.say(b"vm pause vm1\r", b"error: vm1 is paused", PROMPT)
        self.say(b"vm pause vm7\r", b"error: no virtual machine 'vm7'", PROMPT)
        self.say(b"nonsense\r", b"error: unknown command 'nonsense'", PROMPT)
        self.say(b"help\r", b"vm list", b"quit", PROMPT)
        self.say(b"stop vm2\r", b"ok", PROMPT)
        self.say(b"vm list\r", b"3 vm2: off", PROMPT)
        # Who was paused goes on where it was; who was stopped begins anew.
        self.say(b"vm resume 2\r", b"ok", PROMPT)
        self.say(b"focus 2\r", b"[vm1]")
        self.say(b"\recho still $me\r", b"\nstill second", SHELL)
        self.say(b"\x01:", PROMPT)
        self.say(b"vm start vm2\r", b"ok", PROMPT)
        self.say(b"focus vm2\r", b"[vm2]")
        self.say(b"", SHELL, timeout=BOOT)


class OtherTerminal(unittest.TestCase):
    """./disco vm, stats and top of a machine that runs elsewhere."""

    def ask(self, *words):
        return disco(*words, "--of", self.running.process.pid, timeout=60)

    def listed(self):
        done = self.ask("vm", "list")
        self.assertEqual(done.status, 0, done)
        return re.findall(r"(?m)^\d (\S+): ([^,]+),", done.out.decode())

    def test_steering(self):
        with Running("--vms", 2, "--mem", "64M", "--smp", 2, "--monitor-append", "stay") as self.running:
            self.running.until(lambda: len(self.running.ask("vm list")) == 2, what="monitor")
            self.assertEqual(self.listed(), [("vm0", "running"), ("vm1", "running")])
            self.steer()
            self.look()
            self.assertEqual(self.ask("vm", "stop", "vm0").status, 0)
            self.assertEqual(self.ask("vm", "stop", "1").status, 125)
            self.running.ask("quit")
            self.running.done(30)

    def steer(self):
        self.assertEqual(self.ask("vm", "pause", "1").status, 0)
        self.assertEqual(self.listed()[0], ("vm0", "paused"))
        done = self.ask("vm", "pause", "vm0")
        self.assertNotEqual(done.status, 0)
        self.assertEqual(done.err, "disco: vm0 is paused\n")
        self.assertEqual(self.ask("vm", "resume", "vm0").status, 0)
        self.assertEqual(self.ask("vm", "reset", "vm1").status, 0)
        self.running.until(lambda: ("vm1", "running") in self.listed(), 30, "restart")

    def look(self):
        done = self.ask("stats")
        self.assertEqual(done.status, 0, done)
        counters = json.loads(done.out)
        self.assertEqual((sorted(counters["vms"]), sorted(counters["cpus"])), (["vm0", "vm1"], ["0", "1"]))
        done = self.ask("top", "--once")
        self.assertEqual(done.status, 0, done)
        table = done.out.decode()
        for row in (r"cpu0 .*\d", r"cpu1 .*\d", r"vm0 .*\d", r"vm1 .*\d"):
            self.assertRegex(table, rf"(?m)^{row}")


class Lines(unittest.TestCase):
    def test_prefixes_and_counters(self):
        """Four at once: each line behind its machine's name, the first bad status, and --stats as lines of JSON."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "stats")
            done = run("--vms", 4, "--mem", "64M", "--smp", 2, "--stats", path, "--exec",
                       "for n in 1 2 3; do echo line $n; sleep 1; done; printf 'no end'; exit 3", timeout=2 * BOOT)
            sets = [json.loads(line) for line in Path(path).read_text().splitlines()]
        self.assertEqual(done.status, 3, done)
        lines = done.out.decode().splitlines()
        for number in range(4):
            self.assertEqual([line for line in lines if line.startswith(f"vm{number}: ")],
                             [f"vm{number}: {text}" for text in ("line 1", "line 2", "line 3", "no end")], done)
        self.assertEqual(len(lines), 16, done)
        # One a second while it ran, and one for each end.
        self.assertGreater(len(sets), 4 + 2)
        for one in sets:
            self.assertGreater(one["time_ns"], 0)
            self.assertGreater(one["machine"]["pages_total"], 0)
        times = [one["time_ns"] for one in sets]
        self.assertEqual(times, sorted(times))
        whole = [one for one in sets if len(one["vms"]) == 4 and len(one["cpus"]) == 2]
        self.assertTrue(whole)
        busy = whole[-1]["vms"]["vm0"]
        self.assertGreater(busy["exits"], 0)
        self.assertGreater(busy["vcpus"]["0"]["run_ns"], 0)


class File(unittest.TestCase):
    def file(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "vms.conf"
        path.write_text(text)
        return path

    def test_two_kinds_of_guest(self):
        with Running("-f", self.file(ONE + TINY), "--smp", 2, "--monitor-append", "stay", "--verbose") as running:
            running.until(lambda: running.ask("vm list")[1].startswith("2 tiny: off"), BOOT, "end of the tiny guest")
            running.until(lambda: "one: Linux" in running.so_far().out.decode(errors="replace"), BOOT, "boot")
            running.ask("quit")
            done = running.done(30)
        self.assertIn(b"tiny: Hello from a guest.\n", done.out, done)
        self.assertRegex(done.out, rb"one: Linux .* 2 CPU, \d\d MiB", done)
        self.assertIn("disco: vm tiny ended: poweroff code 0\n", done.err)
        self.assertIn("disco: vm one ended: killed", done.err)

    def test_mistakes_have_a_place(self):
        done = run("-f", self.file(ONE + "\n[one]\n"))
        self.assertEqual(done.status, 125, done)
        self.assertRegex(done.err, r"\Adisco: \S*vms\.conf:7: two virtual machines of one name: one [^\n]*\n\Z")

    def test_panic_is_its_own(self):
        """One panics, the other does not notice; whoever looks is told which and how."""
        two = ONE.replace("one", "two").replace("first", "rdinit=/nowhere root=/dev/nowhere")
        done = run("-f", self.file(ONE + two), "--smp", 2, "--exec", "sleep 5; echo well", timeout=2 * BOOT)
        self.assertNotEqual(done.status, 0, done)
        self.assertEqual(done.out, b"one: well\n", done)
        self.assertRegex(done.err, r"(?m)^two: .*Kernel panic - not syncing: VFS: Unable to mount root")
        self.assertIn("disco: --exec: two ended before it could run the command", done.err)
        self.assertIn("disco: vm two ended: panic\n", done.err)
        self.assertNotIn("vm one", done.err)

    def test_panic_of_a_tiny_guest(self):
        done = run("-f", self.file("[bad]\nmemory = 4M\nkernel = panic\n[good]\nmemory = 4M\nkernel = clock\n"),
                   "--timeout", "60")
        self.assertEqual(done.status, GUEST_DIED, done)
        self.assertIn(b"good: clock: every alarm came", done.out, done)
        self.assertIn("disco: vm bad ended: panic\n", done.err)


if __name__ == "__main__":
    unittest.main()
