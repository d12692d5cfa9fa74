# SPDX-License-Identifier: BSD-2-Clause
"""The assembly that answers TLB misses only shortens what C does: with the monitor's option vectors=c every miss
goes through C, and a guest cannot tell."""

import json
import os
import tempfile
import unittest

from harness import run

PROGRAMS = "forkexec 20; fpalt; sigtest; mmaptest; tlbwalk 512 2"


def counters(path):
    """The last of the virtual machine that the monitor wrote."""
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines][-1]["vms"]["vm0"]


class Vectors(unittest.TestCase):
    def test_guest_cannot_tell(self):
        with tempfile.TemporaryDirectory() as folder:
            fast, slow = (os.path.join(folder, name) for name in ("fast", "slow"))
            short = run("--exec", PROGRAMS + " 2>/dev/null", "--stats", fast, timeout=600)
            whole = run("--exec", PROGRAMS + " 2>/dev/null", "--stats", slow, "--monitor-append", "vectors=c", timeout=600)
            self.assertEqual((short.status, whole.status), (0, 0), (short, whole))
            self.assertIn(b"forkexec 20 sum", short.out)
            self.assertEqual(*(self.stdout(done) for done in (short, whole)))
            self.assertGreater(counters(fast)["pmap_hits"], 1000)
            self.assertEqual(counters(slow)["pmap_hits"], 0)

    @staticmethod
    def stdout(done):
        """Without the elapsed times that each program writes to its standard error."""
        return [line for line in done.out.splitlines() if not line.endswith(b" ns")]


if __name__ == "__main__":
    unittest.main()
