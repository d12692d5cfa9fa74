# SPDX-License-Identifier: BSD-2-Clause
"""Files that are no good guests: one clear line and a non-zero exit, from the launcher and from the monitor itself."""

import struct
import tempfile
import unittest
from pathlib import Path

from harness import ENDIAN, run
from launcher import elf, guests

MIB = 1 << 20
ORDER = "<" if ENDIAN == "little" else ">"
OTHER = "big" if ENDIAN == "little" else "little"
LINES = r"\A(disco: [^\n]+\n)+\Z"


def patched(data, offset, form, *values):
    data = bytearray(data)
    struct.pack_into(form, data, offset, *values)
    return bytes(data)


def headers_of(data):
    """File offsets of the program headers that load something."""
    start, = struct.unpack_from(ORDER + "Q", data, 32)
    count, = struct.unpack_from(ORDER + "H", data, 56)
    offsets = [start + 56 * index for index in range(count)]
    return [at for at in offsets if struct.unpack_from(ORDER + "I", data, at)[0] == elf.PT_LOAD]


class BadFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.good = guests.tiny(ENDIAN, "hello").read_bytes()
        load = headers_of(cls.good)[0]
        # name -> (bytes, what the launcher must say)
        cls.files = {
            "empty": (b"", "not an ELF"),
            "text": (b"#!/bin/sh\nexit 0\n" * 20, "not an ELF"),
            "header only": (cls.good[:40], "truncated"),
            "truncated": (cls.good[:load + 60], "truncated"),
            "class": (patched(cls.good, 4, "B", 1), "32-bit"),
            "order": (patched(cls.good, 5, "B", 2 if ENDIAN == "little" else 1), f"machine|{OTHER}-endian"),
            "machine": (patched(cls.good, 18, ORDER + "H", 62), "machine 62"),
            "kernel segment": (patched(cls.good, load + 16, ORDER + "Q", 0xFFFFFFFF80100000), "outside"),
            "beyond the memory": (patched(cls.good, load + 40, ORDER + "Q", 64 * MIB), "outside"),
            "wraps around": (patched(cls.good, load + 40, ORDER + "Q", (1 << 64) - 4096), "outside"),
            "longer in file": (patched(cls.good, load + 32, ORDER + "Q", (1 << 63)), "truncated|more bytes"),
            "entry": (patched(cls.good, 24, ORDER + "Q", 0x120000000), "entry point"),
        }

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def path(self, name):
        path = Path(self.folder.name) / f"{name.replace(' ', '-')}.elf"
        path.write_bytes(self.files[name][0])
        return path

    def test_launcher_refuses(self):
        for name, (_, words) in self.files.items():
            with self.subTest(name):
                done = run("--guest", self.path(name), "--timeout", "60")
                self.assertEqual(done.status, 125, done)
                self.assertRegex(done.err, r"\Adisco: [^\n]+\n\Z")
                self.assertRegex(done.err, words)
                self.assertEqual(done.out, b"")

    def test_monitor_refuses(self):
        """The monitor sees the same files unchecked: it says why, reports the VM's end and stops; no hang."""
        for name in self.files:
            with self.subTest(name):
                done = run("--guest", self.path(name), "--unchecked", "--timeout", "60")
                self.assertNotIn(done.status, (0, 124), done)
                self.assertRegex(done.err, r"(?m)^disco: .*(vm0|guest\.elf)", done)

    def test_missing_file(self):
        done = run("--guest", "/nowhere/guest.elf")
        self.assertEqual(done.status, 125, done)
        self.assertRegex(done.err, r"\Adisco: /nowhere/guest.elf: No such file or directory\n\Z")

    def test_folder(self):
        done = run("--guest", f"{self.folder.name}/")
        self.assertEqual(done.status, 125, done)
        self.assertIn("is a directory", done.err)

    def test_unknown_name(self):
        done = run("--guest", "nobody")
        self.assertEqual(done.status, 125, done)
        self.assertRegex(done.err, r"\Adisco: --guest nobody: there is no such guest; there are: linux .*hello")

    def test_good_file_as_file(self):
        """The same bytes unchanged do boot: the refusals above are not for a wrong reason."""
        path = Path(self.folder.name) / "good.elf"
        path.write_bytes(self.good)
        done = run("--guest", path, "--timeout", "60")
        self.assertEqual(done.status, 0, done)
        self.assertTrue(done.out, done)


if __name__ == "__main__":
    unittest.main()
