# SPDX-License-Identifier: BSD-2-Clause
"""Disk images and forwarded ports that cannot be: one clear line and no machine; and an image belongs to one machine."""

import os
import signal
import socket
import tempfile
import unittest
from pathlib import Path

from harness import Running, descendants, gone, run
from launcher.disks import BLOCK

LAUNCHER_ERROR = 125
USAGE = 2
LINE = r"\Adisco: [^\n]*{}[^\n]*\n\Z"
HELLO = b"Hello from a guest.\n"


class Devices(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.good = self.image("good,1.img", 4 * BLOCK)

    def image(self, name, size):
        path = self.folder / name
        path.touch()
        os.truncate(path, size)
        return path

    def refused(self, words, *options, status=LAUNCHER_ERROR):
        done = run("--guest", "hello", *options, "--timeout", "60")
        self.assertEqual(done.status, status, done)
        self.assertRegex(done.err, LINE.format(words))
        self.assertEqual(done.out, b"")

    def test_images(self):
        rows = ((self.folder / "none", "No such file"), (self.folder, "Is a directory"), ("/dev/null", "not a regular file"),
                (self.image("empty", 0), "at least 4096"), (self.image("short", BLOCK - 1), "at least 4096"),
                (self.image("torn", 2 * BLOCK + 512), "no multiple of 4096"))
        for path, words in rows:
            with self.subTest(path=path):
                self.refused(words, "--disk", path)
                self.refused(words, "--disk", f"{path},private,lost")

    def test_images_of_a_file(self):
        text = "[one]\nmemory = 16M\nkernel = hello\ndisks = d\n[disk d]\nimage = {}\n"
        path = self.folder / "vms.conf"
        for image, words in (("none", "No such file"), (self.image("torn", BLOCK + 1), "no multiple of 4096")):
            path.write_text(text.format(image))
            done = run("-f", path, "--timeout", "60")
            self.assertEqual(done.status, LAUNCHER_ERROR, done)
            self.assertRegex(done.err, LINE.format(f"vms.conf:6: image = {image}: [^\n]*{words}"))
        path.write_text(text.format(self.good.name) + "changes = visible\nkeep = yes\n")
        self.assertEqual(run("-f", path, "--timeout", "60").out, HELLO)

    def test_how_many(self):
        self.refused("vm0 has 5 disks", *["--disk", f"{self.good},private"] * 5)
        self.refused("is the image of the disk good_1 as well", *["--disk", self.good] * 2)

    def test_forwards(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refused(f"port {port} of this computer", "--net", "user", "--forward", f"{port}:vm0:80")
        self.refused("no virtual machine vm1", "--net", "user", "--forward", f"{port}:vm1:80")
        self.refused("needs --net user", "--forward", f"{port}:vm0:80", status=USAGE)
        self.refused("PORT:VM:PORT", "--net", "user", "--forward", "80:80", status=USAGE)
        self.refused("forwarded already", "--net", "user", *["--forward", f"{port}:vm0:80"] * 2)

    def test_good_ones(self):
        """The same options unspoiled do boot: the refusals above are not for a wrong reason."""
        done = run("--guest", "hello", "--disk", self.good, "--disk", f"{self.good.parent}/new.img,size=1M", "--net", "user",
                   "--timeout", "60")
        self.assertEqual((done.status, done.out), (0, HELLO), done)

    def test_image_belongs_to_one_machine(self):
        """Until it ends, however it ends: then nothing holds the image any more."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            with Running("--guest", "hello", "--monitor-append", "stay", "--disk", self.good) as running:
                running.until(lambda: running.ask("vm list"))
                machines = descendants(running.process.pid)
                self.assertTrue(machines)
                self.refused("is in use by another ./disco run", "--disk", self.good)
                self.refused("is in use by another ./disco run", "--disk", f"{self.good},private,lost")
                os.kill(running.process.pid, number)
                running.process.wait(30)
                self.free_again(machines)

    def free_again(self, machines):
        """The machine goes with its launcher, and the image can be had."""
        last = None
        for _ in range(20):
            last = run("--guest", "hello", "--disk", self.good, "--timeout", "60")
            if last.status == 0:
                break
        self.assertEqual(last.status, 0, last)
        self.assertTrue(gone(machines), "the machine outlived its launcher")


if __name__ == "__main__":
    unittest.main()
