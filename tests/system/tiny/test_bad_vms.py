# SPDX-License-Identifier: BSD-2-Clause
"""Virtual machines that cannot be: one clear line that names the place, from the launcher and from the monitor itself."""

import re
import tempfile
import unittest
from pathlib import Path

from harness import ENDIAN, run
from launcher import guests
from vms import alone

GOOD = "[one]\nmemory = 16M\nkernel = hello\n"
# A disk has what the launcher and the monitor call differently: each gets its own word for it.
DISK = "[disk d]\n{disk}\n"
PERSONS, MONITORS = "image = d.img", "unit = 0"
LAUNCHER_ERROR = 125
WAITS = "disco: waiting for another"    # tests run side by side
USAGE = 2

# What is wrong -> (vms.conf, line that both name, what both say of it)
BAD = {
    "nothing": ("", None, "no virtual machine in it"),
    "only comments": ("# nothing\n\n", None, "no virtual machine in it"),
    "no section": ("memory = 16M\n", 1, "before the first"),
    "open section": ("[one\nmemory = 16M\n", 1, r"a section is \[name\]"),
    "no name": ("[]\n", 1, r"a section is \[name\]"),
    "no setting": (GOOD + "hello\n", 4, r"neither \[name\] nor key = value"),
    "unknown key": (GOOD + "colour = blue\n", 4, "unknown key"),
    "control character": (GOOD + "append = \x1b[2J\n", 4, "control character"),
    "one name twice": (GOOD + "\n" + GOOD, 5, "two virtual machines of one name"),
    "name of all": (GOOD.replace("one", "machine"), 1, "name"),
    "name of a processor": (GOOD.replace("one", "cpu0"), 1, "name"),
    "name with a space": (GOOD.replace("one", "o ne"), 1, "name"),
    "name too long": (GOOD.replace("one", "o" * 40), 1, "name|too long"),
    "no memory": ("[one]\nkernel = hello\n" + GOOD.replace("one", "two"), None, "no memory"),
    "no kernel": ("[one]\nmemory = 16M\n", None, "no kernel"),
    "0 CPUs": (GOOD + "cpus = 0\n", 4, "cpus|processors"),
    "1000 CPUs": (GOOD + "cpus = 1000\n", 4, "cpus|processors"),
    "-1 CPUs": (GOOD + "cpus = -1\n", 4, "cpus|processors"),
    "CPUs beyond 64 bits": (GOOD + "cpus = 18446744073709551617\n", 4, "cpus|processors"),
    "0 bytes": (GOOD.replace("16M", "0M"), 2, "memory"),
    "odd memory": (GOOD.replace("16M", "17K"), 2, "multiple of 8K"),
    "memory in words": (GOOD.replace("16M", "much"), 2, "memory is a number with K, M or G"),
    "memory beyond 64 bits": (GOOD.replace("16M", "99999999999999999999G"), 2, "memory is a number with K, M or G"),
    "disk that is not there": (GOOD + "disks = d\n", 4, "no disk of that name"),
    "disk twice": (GOOD + "disks = d d\n" + DISK, 4, "one disk twice"),
    "disk of no file": (GOOD + "[disk d]\n", None, "no (unit|image)"),
    "two disks of one name": (GOOD + DISK + DISK, 6, "two disks of one name"),
    "too many disks": (GOOD + "".join(f"[disk {n}]\n{{disk}}{n}\n" for n in range(9)), 20, "too many disks"),
    "name of all disks": (GOOD + DISK.replace(" d]", " net]"), 4, "name"),
    "unknown kind of changes": (GOOD + DISK + "changes = all\n", 6, "changes is private or visible"),
    "keep neither yes nor no": (GOOD + DISK + "keep = 1\n", 6, "keep is"),
    "log beyond all memory": (GOOD + DISK + "log = 2G\n", 6, "log is a multiple of 4K, at most 1G"),
    "log in bits": (GOOD + DISK + "log = 4Kb\n", 6, "log is a number with K, M or G"),
    "setting of the other kind": (GOOD + DISK + "cpus = 1\n", 6, "unknown key"),
    "net neither yes nor no": (GOOD + "net = on\n", 4, "net is"),
    "uart neither yes nor no": (GOOD + "uart = on\n", 4, "uart is"),
    "17 virtual machines": ("".join(GOOD.replace("one", f"vm{number}") for number in range(17)), 49, "too many"),
}


class BadConfigurations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.hello = run("--guest", "hello").status == 0 and guests.tiny(ENDIAN, "hello").read_bytes()

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def from_file(self, text, *words):
        path = Path(self.folder.name) / "vms.conf"
        path.write_bytes(text.replace("{disk}", PERSONS).encode())
        return path, run("-f", path, "--timeout", "60", *words)

    def test_launcher_names_file_and_line(self):
        for name, (text, line, words) in BAD.items():
            with self.subTest(name):
                path, done = self.from_file(text)
                self.assertEqual(done.status, LAUNCHER_ERROR, done)
                self.assertRegex(done.err, rf"\A({WAITS}.*\n)?disco: {re.escape(str(path))}:{line or ''}[^\n]*({words})[^\n]*\n\Z")
                self.assertEqual(done.out, b"")

    def test_monitor_names_the_line(self):
        """The monitor reads the same text unchecked, says why it will not do, and switches off."""
        for name, (text, line, words) in BAD.items():
            with self.subTest(name):
                log = alone(text.replace("{disk}", MONITORS).encode(), 96, hello=self.hello)
                place = rf"vms\.conf:{line if line else '[0-9]+'}: "
                self.assertRegex(log, rf"(?m)^disco: error: {place}.*({words})")
                self.assertNotIn("started", log)

    def test_too_much_memory(self):
        """More than any machine has; more than this one has, which is allowed, for not all of it need ever be touched."""
        path, done = self.from_file(GOOD.replace("16M", "64G"))
        self.assertEqual(done.status, LAUNCHER_ERROR, done)
        self.assertRegex(done.err, rf"\A({WAITS}.*\n)?disco: {re.escape(str(path))}:2: [^\n]*too much memory[^\n]*\n\Z")
        log = alone(GOOD.replace("16M", "64G").encode(), 96, hello=self.hello)
        self.assertRegex(log, r"(?m)^disco: error: .*too little memory|^disco: error: .*more memory than")
        log = alone(GOOD.replace("16M", "256M").encode(), 96, hello=self.hello)
        self.assertIn("memory overcommitted", log)
        self.assertIn("disco: vm one ended: poweroff code 0", log)

    def test_port_inside_the_memory(self):
        for memory, words in (("497M", "error: .*memory has to end below the port"), ("496M", "vm one ended: poweroff code 0")):
            with self.subTest(memory):
                log = alone((GOOD.replace("16M", memory) + "uart = yes\n").encode(), 96, hello=self.hello)
                self.assertRegex(log, f"(?m)^disco: {words}")

    def test_kernel_that_is_not_there(self):
        path, done = self.from_file(GOOD.replace("hello", "nobody"))
        self.assertEqual(done.status, LAUNCHER_ERROR, done)
        self.assertRegex(done.err, rf"\A({WAITS}.*\n)?disco: {re.escape(str(path))}:3: [^\n]*nobody")
        log = alone(GOOD.encode(), 96)
        self.assertRegex(log, "(?m)^disco: error: .*one.*hello.*not found")

    def test_options(self):
        for words in (("--cpus", "0"), ("--cpus", "17"), ("--cpus", "1000"), ("--cpus", "-1"), ("--cpus", "two"),
                      ("--vms", "0"), ("--vms", "17"), ("--vms", "1000"), ("--smp", "0"), ("--smp", "17"),
                      ("--mem", "64G"), ("--mem", "0"), ("--mem", "much"), ("--machine-mem", "64G"),
                      ("--tlb", "none"), ("--thread", "many"), ("--slice", "0")):
            with self.subTest(" ".join(words)):
                done = run("--guest", "hello", *words, "--timeout", "60")
                self.assertIn(done.status, (LAUNCHER_ERROR, USAGE), done)
                self.assertRegex(done.err, rf"\Adisco: [^\n]*{words[0]}[^\n]*\n\Z")
                self.assertEqual(done.out, b"")

    def test_the_good_one_is_good(self):
        """The same text unchanged does boot: the refusals above are not for a wrong reason."""
        _, done = self.from_file(GOOD)
        self.assertEqual((done.status, done.out), (0, b"Hello from a guest.\n"), done)
        self.assertIn("disco: vm one ended: poweroff code 0", alone(GOOD.encode(), 96, hello=self.hello))


if __name__ == "__main__":
    unittest.main()
