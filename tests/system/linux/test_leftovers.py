# SPDX-License-Identifier: BSD-2-Clause
"""Starting again costs nothing twice, and two launchers do not disturb each other."""

import subprocess
import time
import unittest

from harness import DISCO, ENDIAN, disco, run
from launcher import procs
from launcher.paths import BUILD


class Again(unittest.TestCase):
    def test_second_start_builds_nothing(self):
        """What was built is not touched, and getting ready to boot takes next to no time."""
        run("--exec", "true")
        products = [*BUILD.glob("guest/*/*/vmlinux"), *BUILD.glob("mips64*/examples/monitor/monitor.elf")]
        before = {path: path.stat().st_mtime_ns for path in products}
        self.assertTrue(before)
        started = time.monotonic()
        # A file that is refused: all of the launcher's work but the boot, which is not what is measured here.
        disco("run", "--endian", ENDIAN, "--guest", "nobody")
        self.assertLess(time.monotonic() - started, 3.0)
        self.assertEqual({path: path.stat().st_mtime_ns for path in products}, before)

    def test_nothing_is_left_on_disk(self):
        before = {path for path in BUILD.iterdir()}
        run("--exec", "true")
        self.assertEqual({path for path in BUILD.iterdir()}, before)

    def test_two_at_once(self):
        started = [procs.spawn([DISCO, "run", "--endian", ENDIAN, "--exec", f"echo {n}; exit {n}"], cwd="/",
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for n in (1, 2)]
        try:
            for number, process in enumerate(started, 1):
                out, err = process.communicate(timeout=300)
                self.assertEqual((process.returncode, out), (number, f"{number}\n".encode()), err)
        finally:
            for process in started:
                procs.end(process)


if __name__ == "__main__":
    unittest.main()
