# SPDX-License-Identifier: BSD-2-Clause
"""The virtual CPU's page-table walker: Linux uses it, can be told not to, and nobody can tell but by the counters."""

import json
import tempfile
import unittest
from pathlib import Path

from harness import run

PROGRAMS = "( forkexec 20; mmaptest; smptest ) 2>/dev/null"


def counted(*words):
    """What the programs print, and the counters at the end."""
    with tempfile.TemporaryDirectory() as folder:
        stats = Path(folder) / "stats"
        done = run("--cpus", 2, "--stats", stats, "--exec", PROGRAMS, *words)
        assert done.status == 0, done
        return done.out, json.loads(stats.read_text().splitlines()[-1])["vms"]["vm0"]


class Walker(unittest.TestCase):
    def test_used_or_not(self):
        out, walked = counted()
        same, not_walked = counted("--append", "nohtw")
        self.assertEqual(out, same)
        self.assertGreater(walked["walks"], 2000, walked)
        self.assertEqual(not_walked["walks"], 0, not_walked)
        # What is left to the guest's handlers is what its tables cannot answer.
        self.assertLess(walked["insn_tlbwr"], not_walked["insn_tlbwr"] / 10, (walked, not_walked))


if __name__ == "__main__":
    unittest.main()
