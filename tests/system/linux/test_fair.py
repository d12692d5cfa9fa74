# SPDX-License-Identifier: BSD-2-Clause
"""Virtual CPUs that always compute get equal shares of the processors, whatever they compute."""

import os
import re
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

from harness import BOOT, Running, descendants

SECONDS = 10
NEAR = 0.10         # of the share; 0.05 on a quiet computer, and this test must never depend on how quiet it is
TOGETHER = 0.9      # of all there is: what all shares must come to
# A processor that this computer does not run serves nobody, and whoever has it meanwhile has more of its time than
# others. With so much of a processor taken by other work, shares are known no better than to the second pair.
OTHERS = 0.25
NEAR_BUSY, TOGETHER_BUSY = 0.5, 0.5
# The same where processors that run in parallel are more than this computer has, and it must choose among them.
NEAR_CROWDED = 0.25
# Piece after piece of the same size, without end and without a moment's sleep.
COMPUTING = "while cpuloop 2 2>/dev/null; do true; done"
FILE = "".join(f"[{name}]\ncpus = 1\nmemory = 96M\nkernel = linux\nappend = {name}\n\n"
               for name in ("quiet-1", "noisy", "quiet-2", "quiet-3"))
# Every read of /dev/zero is one long loop of the guest's kernel, and eight processes want to do it.
NOISY = ("if grep -q noisy /proc/cmdline; then for i in 1 2 3 4 5 6 7 8; do "
         f"dd if=/dev/zero of=/dev/null bs=1M count=100000000 & done; fi; {COMPUTING}")


def times(counters):
    """How long each virtual CPU has run, and when that was read: to tell everything takes part of a second."""
    return {(name, number): (vcpu["run_ns"], vcpu["at_ns"]) for name, vm in counters["vms"].items()
            for number, vcpu in vm["vcpus"].items()}


def share(before, after):
    (run, at), (run_later, later) = before, after
    return (run_later - run) / (later - at)


def pieces_of(out):
    """How many pieces each guest has done."""
    return Counter(re.findall(rb"(?m)^(\S+): cpuloop 2 sum", out))


def processor_time(pids):
    """Seconds that these processes have used, and that this computer was busy or taken away in all."""
    ticks = os.sysconf("SC_CLK_TCK")
    user, nice, system, _, _, *others = (int(word) for word in Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    stats = [Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / ticks, (user + nice + system + sum(others)) / ticks


class Fair(unittest.TestCase):
    def shares(self, guests, *words):
        """What each virtual CPU had of a processor while all computed, and how much each guest has done."""
        with Running(*words) as running:
            running.until(lambda: len(pieces_of(running.so_far().out)) == guests, 2 * BOOT, "computing guest")
            ours = [running.process.pid, *descendants(running.process.pid)]
            before, seen = running.stats(), len(running.so_far().out)
            used, busy = processor_time(ours)
            time.sleep(SECONDS)
            used, busy = (now - then for now, then in zip(processor_time(ours), (used, busy)))
            self.alone = busy - used < OTHERS * SECONDS
            after, pieces = running.stats(), pieces_of(running.so_far().out[seen:])
            running.ask("quit")
            running.done(60)
        self.assertGreater(after["time_ns"] - before["time_ns"], SECONDS * 0.9e9)
        first, last = times(before), times(after)
        return {who: share(first[who], last[who]) for who in last}, pieces

    def check(self, shares, processors, near=NEAR):
        """All got the same, and together nearly all there is: the rest is the monitor's."""
        near, together = (near, TOGETHER) if self.alone else (NEAR_BUSY, TOGETHER_BUSY)
        mean = sum(shares.values()) / len(shares)
        self.assertGreater(mean, together * processors / len(shares), shares)
        for who, share in shares.items():
            self.assertLess(abs(share - mean), near * mean, f"{who} had {share:.3f} instead of {mean:.3f}: {shares}")

    def check_pieces(self, pieces, guests):
        """The guests' own view, less exact: some pieces are cut off, and this computer does other things, too."""
        self.assertEqual(len(pieces), guests)
        if self.alone:
            self.assertGreater(min(pieces.values()), 0.3 * max(pieces.values()), pieces)

    def test_eight_on_four(self):
        for thread in ("single", "multi"):
            with self.subTest(thread=thread):
                shares, pieces = self.shares(8, "--vms", 8, "--smp", 4, "--thread", thread, "--exec", COMPUTING)
                self.check(shares, 4, NEAR_CROWDED if thread == "multi" and os.cpu_count() < 4 else NEAR)
                self.check_pieces(pieces, 8)

    def test_three_on_two(self):
        """No processor is nearer to one than to the others: they have to move."""
        shares, pieces = self.shares(3, "--vms", 3, "--smp", 2, "--exec", COMPUTING)
        self.check(shares, 2)
        self.check_pieces(pieces, 3)

    def test_kernel_that_spins(self):
        """Eight processes that keep their kernel busy are one virtual CPU all the same."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "vms.conf"
            file.write_text(FILE)
            shares, _ = self.shares(4, "-f", file, "--smp", 2, "--exec", NOISY)
        self.check(shares, 2)


if __name__ == "__main__":
    unittest.main()
