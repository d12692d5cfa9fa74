# SPDX-License-Identifier: BSD-2-Clause
"""Many virtual machines on many processors: all run at once, all end well, and every machine page comes back."""

import re
import unittest

from harness import BOOT, ENDIAN, Running, leaked

# Each load boots all its virtual machines anew; one byte order gets all of it, the other enough to see that it works.
THREADS = ("single", "multi") if ENDIAN == "little" else ("multi",)
ROUNDS = 200 if ENDIAN == "little" else 40


class Many(unittest.TestCase):
    def run_in(self, vms, cpus, smp, command, thread="single"):
        """Run `command` in all; returns the lines of each. All of them power off with status 0 and leave no page behind."""
        with Running("--vms", vms, "--cpus", cpus, "--smp", smp, "--thread", thread, "--monitor-append", "stay",
                     "--exec", command) as running:
            last = running.all_off(2 * BOOT)
            done = running.done(30)
        self.assertEqual(done.status, 0, done)
        machine = last["machine"]
        self.assertEqual(machine["cpus"], smp)
        self.assertGreater(machine["pages_total"], 0)
        self.assertEqual(leaked(last), 0, "machine pages leak")
        said = {}
        for line in done.out.decode(errors="replace").splitlines():
            name, text = re.fullmatch(r"(vm\d+): (.*)" if vms > 1 else r"()(.*)", line).groups()
            said.setdefault(name, []).append(text)
        return said, done

    def forks(self, vms, cpus, smp):
        sums = set()
        for thread in THREADS:
            with self.subTest(vms=vms, cpus=cpus, smp=smp, thread=thread):
                command = f"nproc; for i in $(seq {cpus}); do forkexec {ROUNDS // cpus} 2>/dev/null & done; wait"
                lines, done = self.run_in(vms, cpus, smp, command, thread)
                self.assertEqual(len(lines), vms, done)
                for name, said in lines.items():
                    self.assertEqual(said[0], str(cpus), (name, done))
                    self.assertEqual(len(said), 1 + cpus, (name, done))
                    sums |= set(said[1:])
        self.assertEqual(len(sums), 1, "they did not all compute the same")
        self.assertRegex(sums.pop(), rf"\Aforkexec {ROUNDS // cpus} sum [0-9a-f]{{16}}\Z")

    def test_eight_machines_on_four_processors(self):
        self.forks(8, 1, 4)

    def test_two_machines_of_four_on_four_processors(self):
        self.forks(2, 4, 4)

    def test_more_virtual_than_real_processors(self):
        """One machine of eight on two: its processors wait for each other, and only two run at a time."""
        lines, done = self.run_in(1, 8, 2, "nproc; for i in 1 2 3 4 5 6 7 8; do forkexec 10 2>/dev/null & done; wait; "
                                  "grep -c ^processor /proc/cpuinfo")
        said, = lines.values()
        self.assertEqual((said[0], said[-1], len(said), len(set(said[1:-1]))), ("8", "8", 10, 1), done)

    def test_any_number_of_processors(self):
        for smp in (1, 2, 16):
            with self.subTest(smp=smp):
                lines, done = self.run_in(2, 2, smp, "nproc; forkexec 5 2>/dev/null")
                self.assertEqual([said[0] for said in lines.values()], ["2", "2"], done)


if __name__ == "__main__":
    unittest.main()
