# SPDX-License-Identifier: BSD-2-Clause
"""Machine memory: virtual machines that ask for more than there is share it, wait for it, and give it back."""

import hashlib
import json
import tempfile
import time
import unittest
from pathlib import Path

from harness import BOOT, ENDIAN, Running, leaked, run

MIB = 1 << 20
PAGES = MIB // 4096

# Three guests that fill so much each do not fit, two do. What is on a disk would be thrown out of memory first.
MACHINE, GUEST, FILL = "134M", "80M", 32
DIGEST = hashlib.md5(b"d" * (FILL * MIB)).hexdigest()
# Who has filled its memory hardly needs a new page any more: the shell itself gives the file's back.
HOARD = (f"dd if=/dev/zero bs=1M count={FILL} 2>/dev/null | tr '\\000' d >/tmp/big; md5sum </tmp/big; echo full; "
         "for i in $(seq {ticks}); do sleep 1; echo tick; done; >/tmp/big; sleep 1000")

# MiB of a big process, and how many of its pages count as nearly all.
BIG, MOST = 64, PAGES * 3 // 4
PROCESS = f"echo before; sleep 2; dd if=/dev/zero of=/dev/null bs={BIG}M count=1 2>/dev/null; echo after; sleep 100"


class Overcommit(unittest.TestCase):
    def third_waits(self, ticks):
        """Three machines, of which the third finds no memory; who has memory goes on meanwhile."""
        self.running = Running("--vms", 3, "--root", "initramfs", "--mem", GUEST, "--machine-mem", MACHINE, "--smp", 2,
                               "--monitor-append", "stay", "--exec", HOARD.format(ticks=ticks))
        self.addCleanup(self.running.__exit__)
        # The third comes last: if all filled their memory at once, all would wait.
        self.until(lambda: self.running.ask("vm pause vm2") == [], "monitor")
        self.until(lambda: self.said("vm0: full") and self.said("vm1: full"), "two that have memory")
        self.running.ask("vm resume vm2")
        self.until(lambda: self.running.stats()["vms"]["vm2"]["hungry"], "third without memory")
        before = self.said("vm0: tick"), self.said("vm1: tick")
        self.until(lambda: self.said("vm0: tick") > before[0] and self.said("vm1: tick") > before[1], "progress of others")
        self.assertEqual(self.running.stats()["vms"]["vm2"]["hungry"], 1)
        self.assertFalse(self.said("vm2: full"))

    def until(self, condition, what):
        return self.running.until(condition, BOOT, what)

    def said(self, line):
        return self.running.so_far().out.count(line.encode() + b"\n")

    def third_goes_on(self, *still_there):
        """It fills its memory rightly, and no page is lost in the end."""
        self.until(lambda: self.said("vm2: full"), "memory for the third")
        for name in still_there:
            self.running.ask(f"vm stop {name}")
        self.assertEqual(leaked(self.running.all_off()), 0, "machine pages leak")
        done = self.running.done(60)
        self.assertRegex(done.err, r"memory overcommitted: VMs ask for 240 MiB of \d+ MiB\n")
        self.assertRegex(done.err, r"vm vm2 out of memory, paused: ")
        for number in range(3):
            self.assertIn(f"vm{number}: {DIGEST}  -\n".encode(), done.out, done)

    def test_resumes_when_another_ends(self):
        self.third_waits(1000)
        self.running.ask("vm stop vm0")
        self.third_goes_on("vm1", "vm2")

    @unittest.skipIf(ENDIAN == "big", "takes long, and has nothing to do with the byte order")
    def test_resumes_when_another_frees(self):
        """The guests' hints bring memory back while all still run."""
        self.third_waits(15)
        self.third_goes_on("vm0", "vm1", "vm2")


@unittest.skipIf(ENDIAN == "big", "takes long, and has nothing to do with the byte order")
class Replicas(unittest.TestCase):
    # Four threads read one scene, whose pages so have copies; then a file takes the memory that these lie in.
    SCENE = "raytrace 4 2000 60 2"
    FILL_UP = "dd if=/dev/zero of=/tmp/big bs=1M count=70 2>/dev/null"
    RESTLESS = ("--nodes", 4, "--numa", "on", "--numa-set", "trigger=8,sharing=2,write=1000,migrate=1000,cap=1000000,interval=5")

    def test_go_first(self):
        """Copies for speed make room before a guest waits for memory, and the guest cannot tell."""
        with tempfile.TemporaryDirectory() as folder:
            stats = Path(folder) / "stats"
            done = run("--cpus", 4, "--mem", "160M", "--machine-mem", "192M", *self.RESTLESS, "--stats", stats,
                       "--exec", f"{self.SCENE}; {self.FILL_UP}; {self.SCENE}; md5sum /tmp/big")
            last = json.loads(stats.read_text().splitlines()[-1])
        self.assertEqual(done.status, 0, done)
        pictures = [line for line in done.out.splitlines() if b" spheres, " in line]
        self.assertEqual(len(pictures), 2, done)
        self.assertEqual(pictures[0], pictures[1])
        self.assertIn(hashlib.md5(bytes(70 * MIB)).hexdigest().encode(), done.out)
        self.assertGreater(last["numa"]["dropped"], 100, last["numa"])
        self.assertNotIn("out of memory", done.err)


class Hints(unittest.TestCase):
    def around_big_process(self, hints, wait):
        """The counters before a big process, and behind it once `wait(running)` returns."""
        with Running("--append", f"disco.hints={hints}", "--exec", PROCESS) as running:
            running.until(lambda: b"before\n" in running.so_far().out, BOOT, "boot")
            before = running.stats()["vms"]["vm0"]
            running.until(lambda: b"after\n" in running.so_far().out, BOOT, "big process")
            wait(running)
            return before, running.stats()["vms"]["vm0"]

    def test_given_back(self):
        """The pages of a process that ended go back to the machine, and those of the next need no clearing."""
        before, after = self.around_big_process(1, lambda running: running.until(
            lambda: running.stats()["vms"]["vm0"]["pages_freed"] > BIG * MOST, 60, "memory that comes back"))
        self.assertLess(after["pages_present"], before["pages_present"] + BIG * PAGES - BIG * MOST)
        self.assertGreater(after["pages_zeroed"] - before["pages_zeroed"], BIG * MOST)

    def test_without_hints(self):
        """The guest says nothing, so its pages stay its own."""
        before, after = self.around_big_process(0, lambda running: time.sleep(8))
        self.assertGreater(after["pages_present"], before["pages_present"] + BIG * MOST)
        self.assertEqual((after["pages_freed"], after["pages_zeroed"]), (0, 0))


if __name__ == "__main__":
    unittest.main()
