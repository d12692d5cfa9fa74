# SPDX-License-Identifier: BSD-2-Clause
import shutil
import subprocess
import unittest

from launcher import cpio


def listed(data):
    """Names and contents as the format says, read independently of the writer."""
    found, at = {}, 0
    while True:
        assert data[at:at + 6] == b"070701", f"no member at {at}"
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        size, name_size = fields[6], fields[11]
        name = data[at + 110:at + 110 + name_size - 1].decode()
        start = (at + 110 + name_size + 3) & ~3
        if name == "TRAILER!!!":
            return found
        found[name] = data[start:start + size]
        at = (start + size + 3) & ~3


class Archive(unittest.TestCase):
    FILES = {"vms.conf": b"[vm0]\n", "disco/exec": b"true\n", "disco/nonce": b"", "three": b"abc"}

    def test_members_keep_names_and_bytes(self):
        found = listed(cpio.archive(self.FILES))
        self.assertEqual(found, {**self.FILES, "disco": b""})

    def test_everything_is_aligned(self):
        self.assertEqual(len(cpio.archive(self.FILES)) % 4, 0)

    def test_folder_stands_before_its_files_and_once(self):
        names = list(listed(cpio.archive(self.FILES)))
        self.assertEqual(names.index("disco") + 1, names.index("disco/exec"))
        self.assertEqual(names.count("disco"), 1)

    @unittest.skipUnless(shutil.which("cpio"), "cpio is not installed")
    def test_cpio_reads_it(self):
        done = subprocess.run(["cpio", "-it", "--quiet"], input=cpio.archive(self.FILES), capture_output=True,
                              timeout=20, check=True)
        self.assertEqual(done.stdout.decode().split(), ["vms.conf", "disco", "disco/exec", "disco/nonce", "three"])
