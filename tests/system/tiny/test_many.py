# SPDX-License-Identifier: BSD-2-Clause
"""Tiny guests with several virtual CPUs, most of them hostile, beside neighbours that must not notice.

The neighbour is `keeper`: it fills its memory with a secret, looks whether it changes, and ends well only if it
did not. The hostile ones look for the secret where they should not find it.
"""

import random
import time
import unittest

from launcher.say import GUEST_DIED, Failure
from vms import Vm, Vms

# guest -> (virtual CPUs, its last words)
HOSTILE = {
    "smp": (4, "smp: all counts are right"),
    "remap": (3, "remap: each saw its own pages"),
    "revoked": (3, "revoked: what was given back was gone"),
    "steal": (1, "steal: nothing to be had"),
    "ipistorm": (4, "ipistorm: each call was taken or refused"),
    "fuzzcalls": (3, "fuzzcalls: every call was answered"),
}
# Processors for it and the keeper. With few of them virtual CPUs move; with enough, their old TLB entries stay.
PROCESSORS = {"revoked": 4}
FEW = 2
KEPT = "keeper: nobody was here"
THREADS = ("single", "multi")
# Those that look for old TLB entries, which is worth little unless their virtual CPUs move to other processors.
MOVERS = ("remap", "revoked")
RESETS = 12


def hostile(name, append=""):
    return Vm(name, name, HOSTILE[name][0], append)


def keeper(ms):
    return Vm("keeper", "keeper", append=f"ms={ms}")


class Case(unittest.TestCase):
    def run_to_end(self, vms, smp, *words):
        with Vms(vms, "--smp", smp, *words) as running:
            running.done()
            log = running.log()
        self.assertEqual(log.status, 0, log)
        self.check_machine(log)
        return log

    def check_machine(self, log):
        """The monitor complains of nothing, and has all its pages back."""
        self.assertEqual(log.found("disco: error: .*"), [], log)
        self.assertEqual(log.pages_lost(), 0, log)

    def check_vm(self, log, name, words):
        """In the end it powered off and said that all was right."""
        self.assertEqual(log.ends(name)[-1:], [("poweroff", 0)], log)
        self.assertEqual(log.said(name)[-1:], [words], log)

    def check_all(self, log, names):
        for name in names:
            self.check_vm(log, name, HOSTILE[name][1])
        self.check_vm(log, "keeper", KEPT)


class Hostile(Case):
    def test_each_beside_a_keeper(self):
        for name in HOSTILE:
            for tlb, thread in (("flush", "single"), ("tagged", "multi")):
                with self.subTest(name, tlb=tlb, thread=thread):
                    log = self.run_to_end([hostile(name), keeper(200)], PROCESSORS.get(name, FEW), "--tlb", tlb,
                                          "--thread", thread)
                    self.check_all(log, [name])

    def test_all_together(self):
        """They go on until all of MOVERS have moved. When that is, nobody promises: a virtual CPU stays where it is while
        the queues are evenly filled. Short slices make it soon, and often."""
        for tlb, thread in (("flush", "multi"), ("tagged", "single")):
            with self.subTest(tlb=tlb, thread=thread):
                with Vms([keeper(1000), *map(hostile, HOSTILE)], "--smp", 3, "--tlb", tlb, "--thread", thread, "--slice", 1,
                         "--monitor-append", "stay") as running:
                    running.until(lambda: self.have_moved(running), what="move to another processor")
                    running.all_off()
                    running.done()
                    log = running.log()
                self.assertEqual(log.status, 0, log)
                self.check_lives(log)
                self.check_all(log, HOSTILE)
                self.check_machine(log)

    def have_moved(self, running):
        """While not all have, whoever came to its end gets another life: one without the others might never move."""
        log = running.log()
        self.check_lives(log)
        if all(sum(log.stats(f"{name}.migrations")) for name in MOVERS):
            return True
        for name in ("keeper", *HOSTILE):
            if 0 < len(log.ends(name)) == log.starts(name):
                running.ask(f"vm start {name}")
        return False

    def check_lives(self, log):
        """Every life so far ended well."""
        for name in ("keeper", *HOSTILE):
            self.assertLessEqual(set(log.ends(name)), {("poweroff", 0)}, log)

    def test_other_numbers_of_processors(self):
        for cpus, smp in ((8, 1), (8, 3), (1, 2)):
            with self.subTest(cpus=cpus, smp=smp):
                log = self.run_to_end([Vm("one", "smp", cpus), Vm("two", "smp", cpus)], smp)
                self.check_vm(log, "one", HOSTILE["smp"][1])
                self.check_vm(log, "two", HOSTILE["smp"][1])


class Shares(Case):
    """A neighbour's noise costs nobody the share of the processors that is his."""

    MS = 400

    def share(self, neighbour, smp, thread):
        """The part of a processor that a counting guest had beside this neighbour."""
        with Vms([neighbour, Vm("share", "share", append=f"ms={self.MS}")], "--smp", smp, "--thread", thread) as running:
            running.until(lambda: running.log().ends("share"))
            running.ask(f"vm stop {neighbour.name}")
            running.done()
            log = running.log()
        self.assertEqual(log.ends(neighbour.name), [("killed", 0)], log)
        self.check_machine(log)
        return log.stat("share.run_ns") / (self.MS * 1e6)

    def test_storm_and_loops_leave_the_others_their_share(self):
        for smp, thread in ((1, "single"), (2, "single"), (2, "multi")):
            with self.subTest(smp=smp, thread=thread):
                fair = smp / 4      # three virtual CPUs of either neighbour are busy
                for neighbour in (Vm("loops", "irqsoff", 3), Vm("storm", "ipistorm", 4, "ms=100000")):
                    self.assertGreater(self.share(neighbour, smp, thread), fair / 2, neighbour)


class Resets(Case):
    """A reset in the middle: each guest starts anew, and the last of its lives goes well."""

    def test_from_outside(self):
        for seed, thread in enumerate(THREADS, 1):
            with self.subTest(thread=thread, seed=seed):
                self.check_resets(random.Random(seed), thread)

    def check_resets(self, dice, thread):
        names = list(HOSTILE)
        with Vms([keeper(1500), *map(hostile, names)], "--smp", 3, "--thread", thread, "--monitor-append", "stay") as running:
            running.until(lambda: running.log().starts(names[-1]))
            for _ in range(RESETS):
                self.reset(running, dice.choice(names))
                time.sleep(dice.random() * 0.05)
            running.all_off()
            running.done()
            log = running.log()
        self.assertEqual(log.status, 0, log)
        self.check_all(log, names)
        self.check_machine(log)
        self.assertGreater(sum(log.ends(name).count(("reset", 0)) for name in names), 0, log)

    @staticmethod
    def reset(running, name):
        """One that has come to its end meanwhile starts again."""
        for command in ("reset", "start"):
            try:
                running.ask(f"vm {command} {name}")
                return
            except Failure:
                continue

    @staticmethod
    def stop(running, name):
        """It may come to its end by itself at this moment."""
        try:
            running.ask(f"vm stop {name}")
        except Failure as failure:
            if "is not running" not in str(failure):
                raise

    def test_from_inside(self):
        """RESET by one virtual CPU while the others go on. Each life of a guest has its own random moment for it."""
        names = [name for name, (cpus, _) in HOSTILE.items() if cpus > 1]
        for thread in THREADS:
            with self.subTest(thread=thread), \
                    Vms([keeper(2500), *(hostile(name, f"reset={len(name)}") for name in names)], "--smp", 3,
                        "--thread", thread) as running:
                running.until(lambda: all(self.has_reset(running, name) for name in names))
                for name in names:
                    self.stop(running, name)
                running.done()
                log = running.log()
                self.assertEqual(log.status, GUEST_DIED, log)
                self.check_vm(log, "keeper", KEPT)
                self.check_machine(log)

    @staticmethod
    def has_reset(running, name):
        """Twice; one that came to its end before its moment gets another life."""
        log = running.log()
        ends = log.ends(name)
        if len(ends) == log.starts(name) and ends[-1:] == [("poweroff", 0)]:
            running.ask(f"vm start {name}")
        return ends.count(("reset", 0)) >= 2


if __name__ == "__main__":
    unittest.main()
