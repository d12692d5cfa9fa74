# SPDX-License-Identifier: BSD-2-Clause
"""A debugger on the machine: it finds the monitor's symbols, and the virtual CPU that each processor runs."""

import re
import unittest

from harness import Running, disco, free_port
from launcher.gdb import PROGRAM


class Debugger(unittest.TestCase):
    def test_virtual_cpu_of_each_processor(self):
        """Two guests that never let go, on two processors: the script finds both, wherever the machine stops."""
        with Running("--guest", "spin", "--vms", "2", "--smp", "2", "--timeout", "120", f"--gdb={free_port()}") as running:
            running.until(lambda: running.so_far().out.count(b"interrupts are off") == 2, 60, "two guests that spin")
            done = disco("gdb", "--of", str(running.process.pid), "--batch", "disco-vcpu", "--batch", "break disco_vcpu_handle",
                         timeout=60)
            self.assertEqual(done.status, 0, done)
            text = done.out.decode()
            found = re.findall(r"(?m)^cpu\d: (?:guest|monitor) at 0x[0-9a-f]{16}.*\n"
                               r" +vm([01]) vcpu0: running, pc 0xffffffffc01[0-9a-f]{5}.*, status 0x[0-9a-f]{8}, asid \d+", text)
            self.assertEqual(sorted(found), ["0", "1"], done)
            self.assertRegex(text, r"Breakpoint 1 at 0x[0-9a-f]+: file \S*handle\.c, line \d+", done)
            # The debugger has gone; the guests go on.
            before = running.stats()["vms"]["vm0"]["vcpus"]["0"]["run_ns"]
            running.until(lambda: running.stats()["vms"]["vm0"]["vcpus"]["0"]["run_ns"] > before, 30, "time for vm0")

    def test_waits_for_the_debugger(self):
        port = free_port()
        with Running("--guest", "hello", "--timeout", "60", f"--gdb={port}", "--gdb-wait") as running:
            running.until(lambda: "the machine waits" in running.so_far().err, 60, "word that it waits")
            self.assertIn(f"{PROGRAM} -q", running.so_far().err)
            self.assertIn(f"target remote 127.0.0.1:{port}", running.so_far().err)
            debugger = disco("gdb", "--of", str(running.process.pid), "--batch", "break monitor_main", "--batch", "continue",
                             timeout=60)
            self.assertRegex(debugger.out.decode(), "Breakpoint 1, .*monitor_main", debugger)
            done = running.done(60)
        self.assertEqual((done.status, done.out), (0, b"Hello from a guest.\n"), done)

    def test_machine_without_it(self):
        with Running("--guest", "spin", "--timeout", "60") as running:
            running.until(lambda: b"interrupts" in running.so_far().out, 60, "a guest that spins")
            done = disco("gdb", "--of", str(running.process.pid), timeout=30)
        self.assertEqual(done.status, 2, done)
        self.assertIn("started without --gdb", done.err)


if __name__ == "__main__":
    unittest.main()
