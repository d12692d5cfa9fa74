# SPDX-License-Identifier: BSD-2-Clause
"""Machine memory: virtual machines that ask for more than there is share it, wait for it, and give it back."""

import hashlib
import re
import time
import unittest

from harness import BOOT, ENDIAN, Running

MIB = 1 << 20
PAGES = MIB // 4096

# Three guests that fill so much each do not fit, two do; one of them has to wait for another.
MACHINE, GUEST, FILL = "288M", "128M", 64
DIGEST = hashlib.md5(b"d" * (FILL * MIB)).hexdigest()
# The file stays for a while and is right at the end of it; then the memory comes back, by the guest's hint or its end.
HOARD = (f"dd if=/dev/zero bs=1M count={FILL} 2>/dev/null | tr '\\000' d >/tmp/big; echo full; "
         "for i in $(seq 12); do sleep 1; echo tick; done; md5sum </tmp/big; rm /tmp/big; sleep {after}; echo over")

# MiB of a big process, and how many of its pages count as nearly all.
BIG, MOST = 64, PAGES * 3 // 4
PROCESS = f"echo before; sleep 2; dd if=/dev/zero of=/dev/null bs={BIG}M count=1 2>/dev/null; echo after; sleep 100"


class Overcommit(unittest.TestCase):
    def hoard(self, hints, after):
        """One of three finds no memory, the others go on meanwhile; returns what the two that had memory said so far
        when it went on, and how all ended."""
        with Running("--vms", 3, "--mem", GUEST, "--machine-mem", MACHINE, "--smp", 2, "--verbose",
                     "--append", f"disco.hints={hints}", "--monitor-append", "stay", "--exec", HOARD.format(after=after)) as running:
            hungry = running.until(lambda: self.hungry(running), BOOT, "virtual machine out of memory")
            others = sorted({"vm0", "vm1", "vm2"} - {hungry})
            # Ticks that come while one waits: who has memory goes on.
            ticks = running.so_far().out.count(b"tick\n")
            running.until(lambda: running.so_far().out.count(b"tick\n") > ticks + 4, BOOT, "progress of the others")
            self.assertEqual(self.hungry(running), hungry)
            running.until(lambda: "resumed: " in running.so_far().err, BOOT, "end of the wait for memory")
            at_resume = running.so_far().out
            last = running.all_off(2 * BOOT)
            done = running.done(60)
        self.assertEqual(done.status, 0, done)
        self.assertRegex(done.err, r"memory overcommitted: VMs ask for 384 MiB of \d+ MiB")
        self.assertRegex(done.err, rf"vm {hungry} out of memory, paused: .*(?s:.*)vm {hungry} resumed: \d+ machine pages")
        for name in others:
            self.assertNotIn(f"vm {name} out of memory", done.err)
        for name in (hungry, *others):
            self.assertIn(f"{name}: {DIGEST}  -\n".encode(), done.out, done)
        self.assertEqual(last["machine"]["pages_free"], last["machine"]["pages_total"], "machine pages leak")
        return re.findall(rb"vm\d: over\n", at_resume), done

    @staticmethod
    def hungry(running):
        """The virtual machine that waits for memory."""
        return next((name for name, vm in running.stats()["vms"].items() if vm["hungry"]), None)

    def test_resumes_when_another_ends(self):
        over, done = self.hoard(hints=0, after=0)
        self.assertTrue(over, done)

    @unittest.skipIf(ENDIAN == "big", "hints are tried below; one byte order has to wait for them")
    def test_resumes_when_another_frees(self):
        """The guests' hints bring memory back while all still run."""
        over, done = self.hoard(hints=1, after=15)
        self.assertFalse(over, done)


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
