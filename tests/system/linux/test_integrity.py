# SPDX-License-Identifier: BSD-2-Clause
"""Whether data stays what it is: two guests write, read back and compare, through a disk of every kind, over NFS from a
third and over TCP, all at once, while pages are shared and broken and the guests are paused now and then.
DISCO_SOAK says for how many seconds (./disco test --soak SECONDS)."""

import os
import random
import re
import tempfile
import time
import unittest
from pathlib import Path

from harness import BOOT, Running, leaked, in_one_order
from launcher.say import Failure

SECONDS = int(os.environ.get("DISCO_SOAK", "15"))
NAMES = ("keeper", "first", "second")
KINDS = ("root", "private", "seen", "kept", "served", "stream", "memory")
DISKS = "".join(f"[disk {name}]\nimage = {name}.img\nsize = 12M\nchanges = visible\nkeep = yes\n\n" for name in NAMES)
FILE = DISKS + """
[disk own]
image = base.img
changes = private
log = 32M

[disk seen]
image = seen.img
changes = visible
log = 64M

""" + "".join(f"[{name}]\ncpus = {cpus}\nmemory = 96M\nkernel = linux\ndisks = {disks}\n\n" for name, cpus, disks in (
    ("keeper", 1, "keeper"), ("first", 1, "own seen first"), ("second", 2, "own seen second")))
KEEP = ("mkdir /tmp/served && iocheck write /tmp/served/file 5 4 >/dev/null && nfs-serve /tmp/served 10.0.2.17 10.0.2.18; "
        "while iocheck check /tmp/served/file 5 4 && iocheck soak /dev/dd1 1 20 12; do :; done >/dev/null 2>&1; "
        "echo iosoak: broken: keeper")
# On the model of memory, where a guest's second takes many: pages move as soon as they are missed on.
MODELLED = SECONDS // 6 + 1
RESTLESS = ("--nodes", 2, "--numa", "on", "--numa-set",
            "trigger=4,sharing=1,write=1000,migrate=1000,cap=1000000,interval=20")


def soak(seconds):
    return (f"case $(hostname) in keeper) {KEEP};; first) iosoak {seconds} 2 10.0.2.16 10.0.2.18;; "
            f"*) iosoak {seconds} 3 10.0.2.16 10.0.2.17;; esac || echo iosoak: broken: script; sleep 100000")


class Integrity(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.conf = Path(folder.name) / "vms.conf"
        self.conf.write_text(FILE)
        for name, size in (("base", 12), ("seen", 24)):
            with open(self.conf.parent / f"{name}.img", "wb") as file:
                file.truncate(size << 20)

    @in_one_order
    def test_all_at_once(self):
        self.soaked(SECONDS)

    @in_one_order
    @unittest.skipUnless("DISCO_SOAK" in os.environ, "six minutes: with --soak")
    def test_while_pages_move(self):
        last = self.soaked(MODELLED, *RESTLESS)
        for kind in ("migrate", "replicate"):
            self.assertGreater(last["numa"][f"moved_{kind}"], 100, last["numa"])
        self.assertGreater(sum(vm["collapses"] for vm in last["vms"].values()), 100)

    def soaked(self, seconds, *words):
        """The counters at the end of a soak that lost nothing."""
        with Running("-f", self.conf, "--smp", 2, "--monitor-append", "stay", "--exec", soak(seconds),
                     "--timeout", f"{4 * SECONDS + 4 * BOOT:.0f}", *words) as running:
            self.until_over(running)
            last = running.stats()
            for name in NAMES:
                running.ask(f"vm stop {name}")
            out = running.so_far().out.decode()
            self.assertEqual(leaked(running.all_off()), 0)
        self.assertNotIn("broken", out)
        for kind in KINDS:
            self.assertEqual(len(re.findall(rf"iosoak: {kind}: [1-9]\d* rounds", out)), 2, out)
        self.assert_shared(last)
        return last

    def until_over(self, running):
        """Each that soaks stands still for a moment now and then: others wait for it, nothing is lost."""
        dice = random.Random(1)

        def over():
            name = dice.choice(NAMES)
            self.still(running, name, dice.uniform(0, 0.5))
            return len(re.findall(b"iosoak: (over|broken)", running.so_far().out)) >= 2

        running.until(over, 3 * SECONDS + 3 * BOOT, "end of the soak")

    @staticmethod
    def still(running, name, seconds):
        try:
            running.ask(f"vm pause {name}")
        except Failure:     # not there yet
            return
        time.sleep(seconds)
        running.ask(f"vm resume {name}")

    def assert_shared(self, last):
        """Or the soak went through copies only, and showed nothing."""
        both = [last["vms"][name] for name in NAMES[1:]]
        for counter in ("cow_copies", "remap_pages", "net_remapped"):
            self.assertGreater(sum(vm[counter] for vm in both), 0, counter)
        for disk in ("root", "own", "seen"):
            self.assertGreater(last["disks"][disk]["mapped"], 0, disk)


if __name__ == "__main__":
    unittest.main()
