# SPDX-License-Identifier: BSD-2-Clause
"""The model of FLASH's memory: a bare kernel's memory is modelled as a guest kernel's is, or nothing could be compared."""

import json
import tempfile
import unittest
from pathlib import Path

from harness import disco

MIB = 16
LINES = MIB << 20 >> 7
# Far more than the second-level cache: each line is missed on when its page is cleared, or else when it is written.
WRITE = f"mark 0; dd if=/dev/zero of=/tmp/x bs=64k count={MIB * 16} 2>/dev/null; mark 1"


def misses(system):
    """Of the machine, between the marks."""
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures"
        done = disco(system, "--cpus", 1, "--model", "sleep=on", "--figures", figures, "--exec", WRITE, timeout=300)
        assert done.status == 0, done
        marks = json.loads(figures.read_text())["marks"]
    begin, end = (next(mark["machine"]["misses"] for mark in marks if mark["number"] == n) for n in (0, 1))
    return end - begin


class Model(unittest.TestCase):
    def test_bare_kernel(self):
        self.assertGreater(misses("native"), LINES)

    def test_guest_kernel(self):
        self.assertGreater(misses("run"), LINES)


if __name__ == "__main__":
    unittest.main()
