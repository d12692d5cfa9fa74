# SPDX-License-Identifier: BSD-2-Clause
"""The thin OS and its parallel program: radix sorts keys in threads, one to a virtual CPU."""

import random
import re
import tempfile
import unittest
from pathlib import Path

import keys
from harness import run
from vms import Log

COLUMNS = ("load", "histogram", "prefix", "permute", "wait", "check")


class Case(unittest.TestCase):
    def sort(self, append, *words):
        """What radix printed, once it has powered its virtual machine off with status 0."""
        done = run("--guest", "radix", "--append", append, "--timeout", "120", *words)
        self.assertEqual(done.status, 0, done)
        return done.out.decode(errors="replace")

    def check(self, expected, append, *words):
        printed = self.sort(append, *words)
        self.assertEqual(printed.splitlines()[-1], keys.done(expected), printed)
        return printed


class Radix(Case):
    KEYS = 30011    # prime: threads get parts that differ, and meet within pages

    def test_threads_and_processors(self):
        expected = keys.made(self.KEYS)
        for threads, smp, thread in ((1, 1, "single"), (2, 2, "multi"), (4, 2, "multi"), (4, 1, "single"), (8, 3, "multi")):
            with self.subTest(threads=threads, smp=smp):
                printed = self.check(expected, f"keys={self.KEYS}", "--cpus", threads, "--smp", smp, "--thread", thread)
                self.assertIn(f"radix: {self.KEYS} keys, threads {threads}, bits 8\n", printed)
                rows = re.findall(r"(?m)^ +([a-z]+)((?: +[0-9]+)+)$", printed)
                self.assertEqual([name for name, _ in rows], list(COLUMNS), printed)
                self.assertEqual({len(times.split()) for _, times in rows}, {threads}, printed)

    def test_digits(self):
        """Also such that the last one is short, and that the sorted keys end up in the other array."""
        expected = keys.made(1000, 7)
        for bits in (1, 3, 11, 16):
            with self.subTest(bits=bits):
                self.check(expected, f"keys=1000 seed=7 bits={bits} threads=2", "--cpus", "3")

    def test_few_keys(self):
        for count in (0, 1, 3):
            with self.subTest(keys=count):
                self.check(keys.made(count), f"keys={count}", "--cpus", "4")

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
        cls.keys = random.Random(5).choices(range(1 << 32), k=cls.KEYS)
        (tree / "folder").mkdir(parents=True)
        (tree / "folder" / "keys").write_bytes(keys.as_bytes(cls.keys) + b"odd")
        with open(tree / "holes", "wb") as holes:
            holes.truncate(100 * 4096)
            holes.seek(60 * 4096)
            holes.write(b"\xff" * 4)
        keys.image(cls.image, tree, "4M")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def disk(self, image=None):
        return "--disk", f"{image or self.image},private,lost"

    def test_threads(self):
        for threads, thread in ((1, "single"), (2, "multi"), (4, "single")):
            with self.subTest(threads=threads):
                self.check(self.keys, "file=/folder/keys", *self.disk(), "--cpus", threads, "--thread", thread)

    def test_part_of_a_file_and_holes(self):
        self.check([0] * 65535 + [keys.WORD], "file=/holes keys=65536 bits=16", *self.disk(), "--cpus", 2)
        self.check([0], "file=/holes keys=1000", *self.disk())

    def two_machines(self, disk):
        """Pages that each shares with others in the end."""
        done = run("--guest", "radix", "--vms", 2, "--cpus", 2, "--disk", disk, "--append", "file=/folder/keys", "--verbose",
                   "--timeout", "120")
        log = Log(done)
        self.assertEqual(done.status, 0, log)
        self.assertEqual(log.found("disco: error: .*"), [], log)
        for name in ("vm0", "vm1"):
            self.assertEqual(log.said(name)[-1:], [keys.done(self.keys)], log)
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
