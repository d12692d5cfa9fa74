# SPDX-License-Identifier: BSD-2-Clause
"""Virtual CPUs that always compute get equal shares of the processors, whatever they compute."""

import re
import tempfile
import time
import unittest
from pathlib import Path

from harness import BOOT, ENDIAN, Running

SECONDS = 10 if ENDIAN == "little" else 5
NEAR = 0.05         # of the share: what counts as equal
# The guests compute longer than is measured: they do not begin at the same time.
SPINNING = f"echo spinning; spinners $(nproc) {SECONDS + 15}"
FILE = "".join(f"[{name}]\ncpus = 1\nmemory = 96M\nkernel = linux\nappend = {name}\n\n"
               for name in ("quiet-1", "noisy", "quiet-2", "quiet-3"))
# Every read of /dev/zero is one long loop of the guest's kernel, and eight processes want to do it.
NOISY = ("echo spinning; if grep -q noisy /proc/cmdline; then for i in 1 2 3 4 5 6 7 8; do "
         "dd if=/dev/zero of=/dev/null bs=1M count=100000000 2>/dev/null & done; fi; "
         f"spinners 1 {SECONDS + 15}; kill $(jobs -p) 2>/dev/null; true")


def run_times(counters):
    return {(name, number): vcpu["run_ns"] for name, vm in counters["vms"].items() for number, vcpu in vm["vcpus"].items()}


class Fair(unittest.TestCase):
    def shares(self, spinning, *words):
        """What each virtual CPU had of a processor while all computed, and the counts of the guests' loops."""
        with Running(*words, "--timeout", "300") as running:
            running.until(lambda: running.so_far().out.count(b"spinning\n") == spinning, BOOT, "computing guest")
            time.sleep(2)
            before = running.stats()
            time.sleep(SECONDS)
            after = running.stats()
            done = running.done(BOOT)
        self.assertEqual(done.status, 0, done)
        passed = after["time_ns"] - before["time_ns"]
        self.assertGreater(passed, SECONDS * 0.9e9)
        first, last = run_times(before), run_times(after)
        return ({who: (last[who] - first[who]) / passed for who in last},
                [int(count) for count in re.findall(rb"spinner \d+: (\d+) loops", done.out)])

    def check(self, shares, processors):
        fair = processors / len(shares)
        for who, share in shares.items():
            self.assertLess(abs(share - fair), NEAR * fair, f"{who} had {share:.3f} instead of {fair:.3f}: {shares}")

    def test_eight_on_four(self):
        for thread in ("single", "multi"):
            with self.subTest(thread=thread):
                shares, loops = self.shares(8, "--vms", 8, "--smp", 4, "--thread", thread, "--exec", SPINNING)
                self.assertEqual((len(shares), len(loops)), (8, 8))
                self.check(shares, 4)
                self.assertGreater(min(loops), 0.6 * max(loops), loops)

    def test_three_on_two(self):
        """No processor is nearer to one than to the others: they have to move."""
        shares, loops = self.shares(3, "--vms", 3, "--smp", 2, "--exec", SPINNING)
        self.check(shares, 2)
        self.assertGreater(min(loops), 0.6 * max(loops), loops)

    def test_kernel_that_spins(self):
        """Eight processes that keep their kernel busy are one virtual CPU all the same."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "vms.conf"
            file.write_text(FILE)
            shares, _ = self.shares(4, "-f", file, "--smp", 2, "--exec", NOISY)
        self.check(shares, 2)


if __name__ == "__main__":
    unittest.main()
