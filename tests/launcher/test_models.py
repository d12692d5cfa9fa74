# SPDX-License-Identifier: BSD-2-Clause
import unittest

from launcher import models
from launcher.suites import FAILED, PASSED

WHOLE = "State-vector 60 byte, depth reached 2713, errors: 0\n  6493272 states, stored\n"
FOUND = "pan:1: {} (at depth 43)\npan: wrote x.trail\nWarning: Search not completed\n" \
        "State-vector 60 byte, depth reached 45, errors: 1\n"


class Judged(unittest.TestCase):
    def test_as_it_is(self):
        self.assertEqual(models.judged("m", WHOLE, False).outcome, PASSED)
        for output in ("", FOUND.format("invalid end state"), "error: max search depth too small\n" + WHOLE,
                       "pan: reached -DMEMLIM bound\nWarning: Search not completed\n" + WHOLE):
            self.assertEqual(models.judged("m", output, False).outcome, FAILED, output)

    def test_seeded(self):
        for what in ("assertion violated  !(e)", "invalid end state"):
            self.assertEqual(models.judged("m", FOUND.format(what), True).outcome, PASSED)
        for output in ("", WHOLE, FOUND.format("something else")):
            self.assertEqual(models.judged("m", output, True).outcome, FAILED, output)

    def test_every_model_has_bugs(self):
        for name in ("pmap_entry", "pmap_many", "shootdown", "superpage", "wakeup"):
            bugs = [one for one in models.variants(models.MODELS / f"{name}.pml") if one.startswith("BUG_")]
            self.assertGreaterEqual(len(bugs), 3, name)
