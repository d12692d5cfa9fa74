# SPDX-License-Identifier: BSD-2-Clause
"""./disco gdb: the debugger on a running machine knows monitor and guest, and its command shows who runs where."""

import shutil
import unittest

from harness import BOOT, Running, disco, free_port


@unittest.skipUnless(shutil.which("gdb-multiarch"), "gdb-multiarch is not installed")
class Debugger(unittest.TestCase):
    def test_machine_that_runs(self):
        with Running("--vms", 2, "--mem", "64M", "--smp", 2, "--gdb", free_port(), "--exec",
                     "echo computing; cpuloop 2000") as running:
            running.until(lambda: running.so_far().out.count(b"computing\n") == 2, BOOT, "computing guest")
            done = disco("gdb", "--of", running.process.pid, "--batch", "disco-vcpu", "--batch", "info address start_kernel",
                         "--batch", "info address disco_vcpu_handle", timeout=120)
        self.assertEqual(done.status, 0, done)
        text = done.out.decode(errors="replace")
        # Both guests compute, in user mode, each somewhere.
        self.assertRegex(text, r"(?m)^cpu0: (guest|monitor) at 0x[0-9a-f]{16}.*\n +vm[01] vcpu0: running")
        self.assertRegex(text, r"(?m)^cpu1: (guest|monitor) at 0x[0-9a-f]{16}.*\n +vm[01] vcpu0: running")
        self.assertRegex(text, r"pc 0x[0-9a-f]{16}.*, status 0x[0-9a-f]{8}, asid \d+, lines 0x[0-9a-f]+")
        self.assertRegex(text, r'(?m)^Symbol "start_kernel" is ')
        self.assertRegex(text, r'(?m)^Symbol "disco_vcpu_handle" is ')


if __name__ == "__main__":
    unittest.main()
