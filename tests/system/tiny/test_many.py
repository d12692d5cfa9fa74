# SPDX-License-Identifier: BSD-2-Clause
"""Tiny guests with several virtual CPUs, most of them hostile, beside neighbours that must not notice.

The neighbour is `keeper`: it fills its memory with a secret, looks whether it changes, and ends well only if it
did not; the hostile ones look for the secret where they should not find it.
"""

import random
import time
import unittest
from itertools import product

from vms import Many, Vm
from launcher.say import GUEST_DIED

THREADS = ("single", "multi")
TLBS = ("flush", "tagged")

# guest -> (virtual CPUs, its last words)
HOSTILE = {
    "smp": (4, "smp: all counts are right"),
    "remap": (3, "remap: each saw its own pages"),
    "revoked": (3, "revoked: what was given back was gone"),
    "steal": (1, "steal: nothing to be had"),
    "ipistorm": (4, "ipistorm: each call was taken or refused"),
    "fuzzcalls": (3, "fuzzcalls: every call was answered"),
}
KEPT = "keeper: nobody was here"
PROCESSORS = "2"    # fewer than there are virtual CPUs


def hostile(name, append=""):
    return Vm(name, name, HOSTILE[name][0], append)


def keeper(ms):
    return Vm("keeper", "keeper", append=f"ms={ms}")


class Case(unittest.TestCase):
    def run_to_end(self, vms, *words, status=0):
        with Many(vms, *words) as many:
            self.assertEqual(many.wait(), status, many)
        return many

    def check_machine(self, many):
        """The monitor complains of nothing, and has all its pages back."""
        self.assertEqual(many.found("disco: error: .*"), [], many)
        self.assertEqual(many.pages_lost(), 0, many)

    def check_vm(self, many, name, words):
        """In the end it powered off and said that all was right."""
        self.assertEqual(many.ends(name)[-1:], [("poweroff", 0)], many)
        self.assertEqual(many.lines(name)[-1:], [words], many)


class Hostile(Case):
    def test_each_beside_a_keeper(self):
        for name, tlb, thread in product(HOSTILE, TLBS, THREADS):
            with self.subTest(name, tlb=tlb, thread=thread):
                many = self.run_to_end([hostile(name), keeper(200)], "--smp", PROCESSORS, "--tlb", tlb,
                                       "--thread", thread)
                self.check_vm(many, name, HOSTILE[name][1])
                self.check_vm(many, "keeper", KEPT)
                self.check_machine(many)

    def test_more_virtual_cpus_than_processors(self):
        for cpus, smp in ((8, 1), (8, 3), (1, 2), (2, 4)):
            with self.subTest(cpus=cpus, smp=smp):
                many = self.run_to_end([Vm("one", "smp", cpus), Vm("two", "smp", cpus)], "--smp", str(smp))
                self.check_vm(many, "one", HOSTILE["smp"][1])
                self.check_vm(many, "two", HOSTILE["smp"][1])
                self.check_machine(many)

    def test_virtual_cpus_have_moved(self):
        """What `remap` says would be worth little if its virtual CPUs had stayed where they were."""
        many = self.run_to_end([hostile("remap"), keeper(200)], "--smp", PROCESSORS)
        self.assertGreater(many.stat("remap.migrations"), 0, many)


class Shares(Case):
    """A neighbour's noise costs nobody his share of the processors."""

    MS = 400

    def share(self, neighbour, smp, thread):
        """Part of one processor that a counting guest had beside another, and how often it counted in a second of it."""
        with Many([neighbour, Vm("share", "share", append=f"ms={self.MS}")], "--smp", str(smp), "--thread", thread) as many:
            many.until(lambda many: many.ends("share"))
            if not many.ends(neighbour.name):
                many.command(f"vm stop {neighbour.name}")
            self.assertIn(many.wait(), (0, GUEST_DIED), many)
        self.check_machine(many)
        run_ns = many.stat("share.run_ns")
        return run_ns / (self.MS * 1e6), int(many.lines("share")[0].split()[1], 16) * 1e9 / run_ns

    def test_storm_and_loops_leave_the_others_their_share(self):
        for smp, thread in ((1, "single"), (2, "single"), (2, "multi")):
            with self.subTest(smp=smp, thread=thread):
                fair = smp / 4      # three virtual CPUs of the neighbour are busy
                quiet, speed = self.share(Vm("quiet", "irqsoff", 3), smp, thread)
                self.assertGreater(quiet, fair / 2)
                part, storm_speed = self.share(Vm("storm", "ipistorm", 4, "ms=100000"), smp, thread)
                self.assertGreater(part, quiet / 2)
                print(smp, thread, fair, quiet, part, speed, storm_speed)
                self.assertGreater(storm_speed, speed / 4)


class Resets(Case):
    """A reset in the middle: each guest starts anew, and the last of its lives goes well."""

    def test_from_outside(self):
        for number, thread in enumerate(THREADS, 1):
            with self.subTest(thread=thread):
                self.check_resets(random.Random(number), thread)

    def check_resets(self, dice, thread):
        names = list(HOSTILE)
        with Many([keeper(2500), *map(hostile, names)], "--smp", "4", "--thread", thread) as many:
            many.until(lambda many: many.found("disco: vm smp started"))
            until = time.monotonic() + 1.5
            while time.monotonic() < until:
                name = dice.choice(names)
                if many.command(f"vm reset {name}"):
                    many.command(f"vm start {name}")    # it had come to its end
                time.sleep(dice.random() * 0.05)
            self.assertEqual(many.wait(), 0, many)
        for name in names:
            self.check_vm(many, name, HOSTILE[name][1])
        self.assertGreater(sum(many.ends(name).count(("reset", 0)) for name in names), len(names), many)
        self.check_vm(many, "keeper", KEPT)
        self.check_machine(many)

    def test_from_inside(self):
        for thread in THREADS:
            with self.subTest(thread=thread):
                self.check_own_resets(thread)

    def check_own_resets(self, thread):
        names = [name for name, (cpus, _) in HOSTILE.items() if cpus > 1]
        with Many([keeper(2500), *(hostile(name, f"reset={number}") for number, name in enumerate(names, 1))],
                  "--smp", "4", "--thread", thread) as many:
            many.until(lambda many: all(many.ends(name).count(("reset", 0)) >= 2 for name in names))
            for name in names:
                many.command(f"vm stop {name}")
            self.assertEqual(many.wait(), GUEST_DIED, many)
        self.check_vm(many, "keeper", KEPT)
        self.check_machine(many)


if __name__ == "__main__":
    unittest.main()
