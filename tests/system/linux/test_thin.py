# SPDX-License-Identifier: BSD-2-Clause
"""The thin OS beside Linux: both sort the keys of one file on one disk, whose pages they share."""

import random
import re
import tempfile
import unittest
from pathlib import Path

import keys
from harness import BOOT, ENDIAN, Terminal, last_sets
from test_person import SHELL, plain

KEYS = 30000
PAGES = KEYS * 4 // keys.PAGE
CONF = """\
[disk keys]
image = keys.img

[linux]
memory = 64M
kernel = linux
disks = keys

[thin]
cpus = 4
memory = 16M
kernel = radix
disks = keys
append = file=/keys
"""


class ThinBesideLinux(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.keys = random.Random(8).choices(range(1 << 32), k=KEYS)
        (self.folder / "tree").mkdir()
        (self.folder / "tree" / "keys").write_bytes(keys.as_bytes(self.keys))
        keys.image(self.folder / "keys.img", self.folder / "tree", "2M")
        (self.folder / "vms.conf").write_text(CONF)

    def test_both_sort_one_file(self):
        done = plain(keys.done(self.keys).encode())
        stats = self.folder / "stats"
        with Terminal("run", "--endian", ENDIAN, "-f", self.folder / "vms.conf", "--smp", 2, "--stats", stats) as terminal:
            terminal.expect(SHELL)
            terminal.type(b"\x012")
            terminal.expect(re.compile(rb"\[thin\]"))
            terminal.expect(done, BOOT)
            terminal.type(b"\x011")
            terminal.expect(re.compile(rb"\[linux\]"))
            terminal.type(b"mount -t ext2 -o ro /dev/dd1 /mnt && radix file=/mnt/keys; poweroff -f\r")
            terminal.expect(done)
            self.assertEqual(terminal.wait(BOOT), 0, terminal.text)
        disk = last_sets(stats)["disks"]["keys"]
        # Each page came from the image once, and was mapped into both.
        self.assertGreaterEqual(disk["mapped"], 2 * PAGES, disk)
        self.assertLess(disk["misses"], 2 * PAGES, disk)
        self.assertEqual(disk["errors"], 0, disk)


if __name__ == "__main__":
    unittest.main()
