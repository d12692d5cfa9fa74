# SPDX-License-Identifier: BSD-2-Clause
"""The thin OS and its parallel program: radix sorts keys in threads, one to a virtual CPU."""

import random
import re
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import run
from vms import Log

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


class Files(Case):
    """Keys from a file on a disk, whose pages are mapped and not copied."""

    KEYS = 70001
    PAGES = -(-KEYS * 4 // 4096)

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        tree, cls.image = Path(cls.folder.name) / "tree", Path(cls.folder.name) / "image"
        keys = [random.Random(5).randrange(1 << 32) for _ in range(cls.KEYS)]
        cls.expected = weighed(keys)
        (tree / "folder").mkdir(parents=True)
        (tree / "folder" / "keys").write_bytes(struct.pack(f"<{cls.KEYS}I", *keys) + b"odd")
        with open(tree / "holes", "wb") as holes:
            holes.truncate(100 * 4096)
            holes.seek(60 * 4096)
            holes.write(b"\xff" * 4)
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext2", "-b", "4096", "-d", tree, cls.image, "4M"], check=True,
                       stdout=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"}, timeout=60)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def disk(self, image=None):
        return "--disk", f"{image or self.image},private,lost"

    def test_threads(self):
        for threads, thread in ((1, "single"), (2, "multi"), (4, "single")):
            with self.subTest(threads=threads):
                self.check(self.expected, "file=/folder/keys", *self.disk(), "--cpus", threads, "--thread", thread)

    def test_part_of_a_file_and_holes(self):
        self.check((1 << 32) - 1 << 16, "file=/holes keys=65536 bits=16", *self.disk(), "--cpus", 2)
        self.check(0, "file=/holes keys=1000", *self.disk())

    def two_machines(self, disk):
        """Pages that each shares with others in the end."""
        done = run("--guest", "radix", "--vms", 2, "--cpus", 2, "--disk", disk, "--append", "file=/folder/keys", "--verbose",
                   "--timeout", "120")
        log = Log(done)
        self.assertEqual(done.status, 0, log)
        self.assertEqual(log.found("disco: error: .*"), [], log)
        for name in ("vm0", "vm1"):
            self.assertEqual(log.said(name)[-1:], [f"radix: sorted, weighed sum {self.expected}"], log)
        return [log.stat(f"{name}.pages_shared") for name in ("vm0", "vm1")]

    def test_two_machines_share_what_they_read(self):
        shared = self.two_machines(f"{self.image},private,lost")
        copied = self.two_machines(f"{self.image},private,lost,copy")
        self.assertGreaterEqual(min(shared) - max(copied), self.PAGES, (shared, copied))

    def test_what_cannot_be_read_is_said(self):
        for append, words in (("file=/keys", "/keys: not found"), ("file=/folder", "/folder: unsupported"),
                              ("file=/folder/keys/x", "/folder/keys/x: not found"),
                              ("file=/folder/keys keys=70002", "so many keys there are not")):
            with self.subTest(append):
                self.refused(append, words, self.image)

    def test_torn_disks(self):
        whole = self.image.read_bytes()
        for name, contents in (("cut", whole[:len(whole) // 2]), ("short", whole[:4096]), ("zeros", bytes(1 << 20)),
                               ("torn", whole[:4096] + bytes(len(whole) - 4096))):
            with self.subTest(name):
                path = Path(self.folder.name) / name
                path.write_bytes(contents)
                self.refused("file=/folder/keys", "/folder/keys: damaged file system", path)

    def refused(self, append, words, image):
        done = run("--guest", "radix", *self.disk(image), "--append", append, "--timeout", "60")
        self.assertEqual(done.status, 1, done)
        self.assertEqual(done.out.decode(), f"radix: {words}\n", done)


if __name__ == "__main__":
    unittest.main()
