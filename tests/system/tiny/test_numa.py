# SPDX-License-Identifier: BSD-2-Clause
"""Nodes: guests run on a machine that has some, their pages move, and nobody can tell but by the counters."""

import json
import re
import tempfile
import unittest
from pathlib import Path

from harness import Running, disco, free_port, in_one_order, leaked, run

# Pages move as soon as they are missed on.
RESTLESS = ("--numa-set", "trigger=2,sharing=1,write=1000,migrate=1000,cap=1000000,interval=5")
SMP = ("--guest", "smp", "--cpus", 4, "--nodes", 4)
RIGHT = b"smp: all counts are right\n"
# 512 pages, which have copies on three nodes when they have been read long enough.
READERS = ("--guest", "readers", "--cpus", 4, "--nodes", 4, "--append", "rounds=300")
SUMS = b"readers: all sums are right\n"


class Nodes(unittest.TestCase):
    def guest(self, *words):
        """What the guest prints; no page may be lost."""
        done = run(*words)
        self.assertEqual(done.status, 0, done)
        self.assertNotIn("lost", done.err, done)
        return done.out

    def counted(self, *words, right=RIGHT):
        """The counters at the end, and what the model saw."""
        with tempfile.TemporaryDirectory() as folder:
            stats, figures = Path(folder) / "stats", Path(folder) / "figures"
            self.assertEqual(self.guest(*words, "--stats", stats, "--figures", figures), right)
            last = json.loads(stats.read_text().splitlines()[-1])
            return last["numa"], last["vms"]["vm0"], json.loads(figures.read_text())

    def test_any_number(self):
        """As many as processors, fewer, more (some have memory only), and a number that divides nothing evenly."""
        for nodes in (1, 2, 3, 4, 16):
            with self.subTest(nodes):
                self.assertEqual(self.guest("--guest", "smp", "--cpus", 4, "--nodes", nodes), RIGHT)

    def test_each_machine_in_its_node(self):
        """A virtual machine and its tables lie where its virtual CPU 0 begins."""
        parts = ("mon.vm[{0}]", "mon.vm[{0}]->vcpu[0]", "mon.vm[{0}]->pmap_storage", "mon.vm[{0}]->calls_counters")
        each = [part.format(vm) for vm in range(4) for part in parts]
        with Running("--guest", "spin", "--vms", 4, "--smp", 4, "--nodes", 4, "--timeout", 120, f"--gdb={free_port()}") as running:
            running.until(lambda: running.so_far().out.count(b"interrupts are off") == 4, 60, "four guests that spin")
            done = disco("gdb", "--of", running.process.pid, "--batch", "break disco_vcpu_handle", "--batch", "continue",
                         "--batch", f'printf "at{" %lx" * (1 + len(each))}\\n", mon.ram, {", ".join(each)}', timeout=60)
        # RAM begins at 2 GiB.
        found = re.search(r"(?m)^at ([0-9a-f ]+)$", done.out.decode())
        self.assertTrue(found, done)
        ram, *places = (int(word, 16) & 0x7FFFFFFF for word in found[1].split())
        self.assertEqual([place * 4 // ram for place in places], [vm for vm in range(4) for _ in parts], done)

    def test_moves(self):
        numa, vm, figures = self.counted(*SMP, "--numa", "on", *RESTLESS)
        self.assertEqual(figures["config"]["nodes"], 4)
        self.assertGreater(numa["hot"], 0)
        for kind in ("migrate", "replicate"):
            self.assertGreater(numa[f"moved_{kind}"], 0, numa)
            self.assertGreater(numa[f"ns_{kind}"], 0, numa)
        self.assertGreater(vm["collapses"], 0, numa)

    def test_only_what_is_wanted(self):
        for mode, never in (("off", ("migrate", "replicate", "collapse", "remap")), ("migrate", ("replicate", "collapse")),
                            ("replicate", ("migrate",))):
            with self.subTest(mode):
                numa = self.counted(*SMP, "--numa", mode, *RESTLESS)[0]
                self.assertEqual([numa[f"moved_{kind}"] for kind in never], [0] * len(never), numa)

    def test_copies_cost_no_more_than_pages(self):
        """A miss on a page with replicas is answered in assembly, on the node of the first as on the others."""
        for regime in ("flush", "tagged"):
            with self.subTest(regime):
                numa, vm, _ = self.counted(*READERS, "--numa", "replicate", *RESTLESS, "--tlb", regime, right=SUMS)
                self.assertGreater(numa["moved_replicate"], 1000, numa)
                self.assertLess(vm["miss_pmap"], vm["pmap_hits"] / 10, vm)

    def test_copies_without_assembly(self):
        numa = self.counted(*READERS, "--numa", "on", *RESTLESS, "--monitor-append", "vectors=c", right=SUMS)[0]
        self.assertGreater(numa["moved_replicate"], 1000, numa)

    def test_intervals_end_where_nothing_is_hot(self):
        """Processors do not read what the controllers tell as long as there is nothing to read; but the time."""
        numa = self.counted(*SMP, "--numa", "on", "--numa-set", "trigger=60000,interval=1")[0]
        self.assertEqual(numa["hot"], 0, numa)
        self.assertGreater(numa["intervals"], 2, numa)

    def test_without_assembly(self):
        """All answers in C: the same."""
        numa = self.counted(*SMP, "--numa", "on", *RESTLESS, "--monitor-append", "vectors=c")[0]
        self.assertGreater(numa["moved_replicate"], 0, numa)

    def test_tagged(self):
        numa = self.counted(*SMP, "--numa", "on", *RESTLESS, "--tlb", "tagged")[0]
        self.assertGreater(numa["moved_replicate"], 0, numa)

    @in_one_order
    def test_reset_meanwhile(self):
        """Virtual machines come and go while their pages move; all pages come back."""
        with Running("--guest", "smp", "--vms", 2, "--cpus", 2, "--smp", 4, "--nodes", 4, "--numa", "on", *RESTLESS,
                     "--monitor-append", "stay on-reset=restart") as running:
            for _ in range(3):
                running.until(lambda: ": off," in running.ask("vm list")[0], what="end of vm0")
                running.ask("vm start vm0")
            self.assertEqual(leaked(running.all_off()), 0)


class Bad(unittest.TestCase):
    def log(self, *words):
        done = run("--guest", "hello", "--timeout", "60", *words)
        self.assertNotEqual(done.status, 0, done)
        return done.err

    def test_no_controllers(self):
        self.assertIn("numa: what the node controllers share", self.log("--monitor-append", "numa=on"))

    def test_other_machine(self):
        """The model and the monitor are told different numbers of nodes."""
        self.assertRegex(self.log("--cpus", 2, "--nodes", 1, "--numa", "on", "--monitor-append", "nodes=4"),
                         "the node controllers know of 1 nodes")

    def test_numbers(self):
        for words in ("trigger=0", "interval=0", "trigger=4,sharing=9"):
            with self.subTest(words):
                self.assertIn("these numbers of the policy will not do", self.log("--numa", "on", "--numa-set", words))

    def test_monitor_options(self):
        self.assertIn("nodes=", self.log("--monitor-append", "nodes=65"))
        self.assertIn("nodes=", self.log("--monitor-append", "nodes=0"))
        self.assertIn("there are off, migrate, replicate and on", self.log("--monitor-append", "numa=sometimes"))


if __name__ == "__main__":
    unittest.main()
