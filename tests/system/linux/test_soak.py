# SPDX-License-Identifier: BSD-2-Clause
"""The soak: eight virtual machines on four processors do things at random that check themselves, while somebody
pauses, resumes and resets at random. DISCO_SOAK says for how many seconds (./disco test --soak SECONDS)."""

import os
import random
import re
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import BOOT, ENDIAN, Running, leaked
from launcher.say import Failure

SECONDS = int(os.environ.get("DISCO_SOAK", "20" if ENDIAN == "little" else "10"))
THREADS = ("single", "multi") if ENDIAN == "little" or "DISCO_SOAK" in os.environ else ("multi",)
GUESTS = [f"soak{number}" for number in range(8)]
EXTRA = "reset-me"      # this one is reset again and again, and soaks from the start each time
LOOK = 10.0             # seconds between two looks at whether all get on
LONGEST_PAUSE = 2.0
FILE = "".join(f"[{name}]\ncpus = {1 + number % 2}\nmemory = 96M\nkernel = linux\nappend = seed={number + 1}\n\n"
               for number, name in enumerate([*GUESTS, EXTRA]))
# Seconds are the guest's own: they stand still while it is paused. The one that is reset need not soak to its end.
SOAK = (f"for word in $(cat /proc/cmdline); do case $word in seed={len(GUESTS) + 1}) soak {SECONDS // 2};; "
        f"seed=*) soak {SECONDS} ${{word#seed=}};; esac; done")


class Steering(threading.Thread):
    """Pauses, resumes and resets at random until stopped; looks meanwhile whether all that may run get on."""

    def __init__(self, running, seed):
        super().__init__()
        self.running = running
        self.random = random.Random(seed)
        self.over = threading.Event()
        self.trouble = []
        self.done = {"pause": 0, "resume": 0, "reset": 0}
        self.moves = 0          # of virtual CPUs between processors
        self.resume_at = {}     # paused machines, and when to resume them
        self.seen = {}          # the counter of instructions that trapped, per machine, at the last look
        self.look_at = 0.0

    def run(self):
        try:
            while not self.over.wait(self.random.uniform(0.1, 0.6)):
                self.step()
            self.look_at = float("inf")
            for name in list(self.resume_at):
                self.resume(name)
        except Exception as error:      # the test must know, whatever it was
            self.trouble.append(repr(error))

    def step(self):
        now = time.monotonic()
        for name in [name for name, at in self.resume_at.items() if at < now]:
            self.resume(name)
        if now >= self.look_at:
            self.look()
        name = self.random.choice([*GUESTS, EXTRA])
        if name == EXTRA and self.random.random() < 0.5 or not self.done["reset"]:
            self.order("reset", EXTRA)
        elif name not in self.resume_at and self.order("pause", name):
            self.resume_at[name] = now + self.random.uniform(0, LONGEST_PAUSE)

    def resume(self, name):
        del self.resume_at[name]
        self.order("resume", name)

    def order(self, what, name):
        """What ended, or begins anew, cannot be steered: no failure."""
        try:
            self.running.ask(f"vm {what} {name}")
        except Failure as failure:
            if not re.search("is not (running|paused)|is paused", str(failure)):
                raise
            return False
        self.done[what] += 1
        return True

    def look(self):
        """Who was free to run since the last look must have done something."""
        counters = self.running.stats()
        vms = {name: vm["exits"] for name, vm in counters["vms"].items() if name in GUESTS and not vm["paused"]}
        for name, exits in vms.items():
            if exits == self.seen.get(name):
                self.trouble.append(f"{name} stands still at {exits} exits: {counters}")
        self.moves = max(self.moves, sum(vm["migrations"] for vm in counters["vms"].values()))
        self.seen = vms
        self.look_at = time.monotonic() + LOOK


class Soak(unittest.TestCase):
    def soak(self, thread, tlb, seed):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "vms.conf"
            file.write_text(FILE)
            with Running("-f", file, "--smp", "4", "--thread", thread, "--tlb", tlb, "--monitor-append", "stay",
                         "--timeout", f"{4 * SECONDS + 3 * BOOT:.0f}", "--exec", SOAK) as running:
                self.steered(running, seed)

    def steered(self, running, seed):
        running.until(lambda: len(running.stats()["vms"]) == len(GUESTS) + 1, what="start of all")
        steering = Steering(running, seed)
        steering.start()
        try:
            running.until(lambda: steering.trouble or self.alone(running), 3 * SECONDS + BOOT, "end of the soak")
        finally:
            steering.over.set()
            steering.join(60)
        self.assertEqual(steering.trouble, [], running.so_far())
        last = running.all_off(2 * SECONDS + BOOT)
        done = running.done(60)
        self.assertEqual(done.status, 0, done)
        for number, name in enumerate(GUESTS):
            self.assertIn(f"{name}: soak {SECONDS} s, seed {number + 1}: all well\n".encode(), done.out, done)
        self.assertNotRegex(done.out, b"failed|stands still")
        self.assertEqual(leaked(last), 0, "machine pages leak")
        self.assertGreater(steering.done["pause"], SECONDS // 5)
        self.assertGreater(steering.done["reset"], 0)
        self.assertGreater(steering.moves, 0)

    @staticmethod
    def alone(running):
        """Whether none but the one that is reset still runs."""
        return not any(name in running.stats()["vms"] for name in GUESTS)

    def test_soak(self):
        for number, thread in enumerate(THREADS):
            with self.subTest(thread=thread):
                self.soak(thread, ("tagged", "flush")[number % 2], 1000 + number)


if __name__ == "__main__":
    unittest.main()
