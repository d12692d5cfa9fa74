# SPDX-License-Identifier: BSD-2-Clause
"""The thin OS and its parallel program: radix sorts keys in threads, one to a virtual CPU."""

import re
import unittest

from harness import run

WORD, LONG = (1 << 32) - 1, (1 << 64) - 1
COLUMNS = ("load", "histogram", "prefix", "permute", "wait", "check")


def made_key(seed, place):
    """As radix.c makes them."""
    x = ((seed << 32 | place) + 0x9E3779B97F4A7C15) & LONG
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) & LONG
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) & LONG
    return (x ^ x >> 31) & WORD


def weighed(keys):
    """A sum that tells the order of the keys, too."""
    return sum(key * (place + 1) for place, key in enumerate(sorted(keys))) & LONG


def made(count, seed=1):
    return weighed(made_key(seed, place) for place in range(count))


class Case(unittest.TestCase):
    def sort(self, append, *words):
        """What radix printed, once it has powered its virtual machine off with status 0."""
        done = run("--guest", "radix", "--append", append, "--timeout", "120", *words)
        self.assertEqual(done.status, 0, done)
        return done.out.decode(errors="replace")

    def check(self, expected, append, *words):
        printed = self.sort(append, *words)
        self.assertRegex(printed, rf"\nradix: sorted, weighed sum {expected}\n\Z")
        return printed


class Radix(Case):
    KEYS = 30011    # prime: threads get parts that differ, and meet within pages

    def test_threads_and_processors(self):
        expected = made(self.KEYS)
        for threads, smp, thread in ((1, 1, "single"), (2, 2, "multi"), (4, 2, "multi"), (4, 1, "single"), (8, 3, "multi")):
            with self.subTest(threads=threads, smp=smp):
                printed = self.check(expected, f"keys={self.KEYS}", "--cpus", threads, "--smp", smp, "--thread", thread)
                self.assertIn(f"radix: {self.KEYS} keys, threads {threads}, bits 8\n", printed)
                rows = re.findall(r"(?m)^ +([a-z]+)((?: +[0-9]+)+)$", printed)
                self.assertEqual([name for name, _ in rows], list(COLUMNS), printed)
                self.assertEqual({len(times.split()) for _, times in rows}, {threads}, printed)

    def test_digits(self):
        """Also such that the last one is short, and that the sorted keys end up in the other array."""
        expected = made(1000, 7)
        for bits in (1, 3, 11, 16):
            with self.subTest(bits=bits):
                self.check(expected, f"keys=1000 seed=7 bits={bits} threads=2", "--cpus", "3")

    def test_few_keys(self):
        for keys in (0, 1, 3):
            with self.subTest(keys=keys):
                self.check(made(keys), f"keys={keys}", "--cpus", "4")

    def test_what_cannot_be_done_is_said(self):
        for append, words in (("threads=3", "threads= must be"), ("threads=0", "threads= must be"),
                              ("bits=17", "bits= must be"), ("bits=0", "bits= must be"),
                              ("keys=100000000", "too little memory"), ("keys=4294967296", "so many keys"),
                              ("file=/keys", "/keys: not found")):
            with self.subTest(append):
                done = run("--guest", "radix", "--cpus", "2", "--append", append, "--timeout", "60")
                self.assertEqual(done.status, 1, done)
                self.assertRegex(done.out.decode(), rf"\Aradix: {words}[^\n]*\n\Z")


if __name__ == "__main__":
    unittest.main()
