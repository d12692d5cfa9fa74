# SPDX-License-Identifier: BSD-2-Clause
"""Disks: one root for all, changes that are nobody else's, and what survives when the machine's power is cut."""

import os
import random
import re
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness import BOOT, ENDIAN, GRACE, Running, Terminal, descendants, last_sets, leaked, run, in_one_order
from test_person import SHELL

ROUNDS = 3 if ENDIAN == "little" else 1

# Everything on the disk, as the guest reads it.
SUMS = "find / -xdev -type f | sort | xargs cat | md5sum"


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.image = self.folder / "data.img"
        self.stats = self.folder / "stats"


class Shared(Folder):
    def test_three_read_one(self):
        """Each block comes from the real disk once, and is mapped into all."""
        done = run("--vms", 3, "--mem", "64M", "--smp", 1, "--stats", self.stats, "--exec", SUMS)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(len(set(line.split(b": ", 1)[1] for line in done.out.splitlines())), 1, done)
        counters = last_sets(self.stats)
        root = counters["disks"]["root"]
        self.assertGreater(root["mapped"], 5 * root["misses"] // 2, root)
        self.assertEqual(root["copied"], 0, root)
        self.assertEqual(root["errors"], 0, root)

    def test_changes_are_private(self):
        """What one writes, to the file system and to memory that it shares, the others do not see."""
        change = ("for i in $(seq 100); do hostname; done >/root/mine; hostname >>/etc/passwd; sync; "
                  "echo 3 >/proc/sys/vm/drop_caches; sleep 1; sort -u /root/mine; tail -n 1 /etc/passwd")
        done = run("--vms", 3, "--mem", "64M", "--smp", 2, "--exec", change)
        self.assertEqual(done.status, 0, done)
        for name in (b"vm0", b"vm1", b"vm2"):
            self.assertEqual(done.out.count(name + b": " + name + b"\n"), 2, done)

    @in_one_order
    def test_changes_are_lost_at_reset(self):
        with Terminal("run", "--endian", ENDIAN, "--mem", "64M") as terminal:
            terminal.expect(SHELL)
            terminal.type(b"touch /root/flag; sync; echo there is /root/f*; reboot -f\r")
            terminal.expect(re.compile(rb"\nthere is /root/flag\r"))
            terminal.expect(SHELL)
            terminal.type(b"echo there is /root/f*\r")
            terminal.expect(re.compile(rb"\nthere is /root/f\*\r"))

    @in_one_order
    def test_no_page_is_lost(self):
        """All that guests had comes back, when some write much and one is stopped in the middle of it."""
        write = "while :; do dd if=/dev/zero of=/root/big bs=64k count=200 2>/dev/null; sync; md5sum /bin/* >/dev/null; done"
        with Running("--vms", 2, "--mem", "64M", "--smp", 2, "--monitor-append", "stay", "--exec", write) as running:
            running.until(lambda: running.stats()["disks"]["root"]["logged"] > 2000, BOOT, "writes")
            for name in ("vm0", "vm1"):
                running.ask(f"vm stop {name}")
            self.assertEqual(leaked(running.all_off()), 0)

    @in_one_order
    def test_full_log(self):
        """Who writes more than the log holds gets an error, and the machine goes on."""
        done = run("--mem", "64M", "--disk", f"{self.empty_image()},private,lost,log=1M", "--exec",
                   "dd if=/dev/zero of=/dev/dd1 bs=64k count=64 conv=fsync 2>&1 | head -n 1; echo $(hostname) goes on")
        self.assertEqual(done.status, 0, done)
        self.assertRegex(done.out, rb"(?i)no space|error")
        self.assertIn(b"goes on\n", done.out)

    def empty_image(self):
        with open(self.image, "wb") as file:
            file.truncate(16 << 20)
        return self.image


class Persistent(Folder):
    def test_what_was_written_is_there(self):
        """A file system on a disk of one's own: made, filled, and found again by the next machine."""
        disk = f"{self.image},size=32M"
        first = run("--disk", disk, "--mem", "64M", "--exec",
                    "mke2fs -q -b 4096 /dev/dd1 >/dev/null && mount -t ext2 /dev/dd1 /mnt && iocheck write /mnt/file 7 12 && "
                    "cp -r /bin/busybox /mnt && umount /mnt && echo written")
        self.assertEqual((first.status, first.out.splitlines()[-1]), (0, b"written"), first)
        second = run("--disk", disk, "--mem", "64M", "--exec",
                     "mount -t ext2 /dev/dd1 /mnt && iocheck check /mnt/file 7 12 && cmp /mnt/busybox /bin/busybox && echo the same")
        self.assertEqual((second.status, second.out.splitlines()[-1]), (0, b"the same"), second)

    @in_one_order
    def test_belongs_to_one(self):
        """The second who wants it is refused by name; the first goes on, and when it has ended the second gets it."""
        conf = self.folder / "vms.conf"
        conf.write_text("[disk data]\nimage = data.img\nchanges = visible\nkeep = yes\nsize = 8M\n" + "".join(
            f"[{name}]\nmemory = 64M\nkernel = linux\ndisks = data\n" for name in ("first", "second")))
        with Running("-f", conf, "--verbose", "--monitor-append", "stay") as running:
            refused = "disco: error: vm second: disk data belongs to vm first, and to one at a time"
            running.until(lambda: refused in running.so_far().err, BOOT, "refusal")
            running.until(lambda: any("first: running" in line for line in running.ask("vm list")), BOOT, "first")
            running.ask("vm stop first")
            running.until(lambda: any("first: off" in line for line in running.ask("vm list")), BOOT, "its end")
            running.ask("vm start second")
            running.until(lambda: any("second: running" in line for line in running.ask("vm list")), 30, "second")
            running.ask("vm stop second")
            self.assertEqual(leaked(running.all_off()), 0)

    def test_power_cut(self):
        """QEMU is killed at random moments, again and again; every record whose fsync had returned is there."""
        self.cuts("", "/dev/dd1")

    @in_one_order
    def test_power_cut_with_a_file_system(self):
        """The same, with the records in a file. That the file is there at all is not for its own fsync to say."""
        made = run("--disk", self.disk(), "--mem", "64M", "--exec", "mke2fs -q -b 4096 /dev/dd1 >/dev/null && "
                   "mount -t ext2 /dev/dd1 /mnt && touch /mnt/log && umount /mnt")
        self.assertEqual(made.status, 0, made)
        self.cuts("mount -t ext2 /dev/dd1 /mnt && ", "/mnt/log")

    def disk(self):
        return f"{self.image},size=16M"

    def cuts(self, prepare, place):
        """Records are appended, the power is cut, they are counted; and once more behind those."""
        for _ in range(ROUNDS):
            told = self.cut(f"{prepare}fsynclog append {place}", random.uniform(0.2, 2.5))
            if prepare:
                # As at any start after a crash: ext2 does not keep its bitmaps up to date for fsync.
                repair = subprocess.run(["/usr/sbin/e2fsck", "-f", "-y", self.image], capture_output=True, check=False)
                self.assertIn(repair.returncode, (0, 1), repair)
            found = run("--disk", self.disk(), "--mem", "64M", "--exec", f"{prepare}fsynclog check {place}")
            self.assertEqual(found.status, 0, found)
            records = int(re.search(rb"fsynclog: (\d+) records", found.out)[1])
            self.assertGreaterEqual(records, told, f"of {told} records that were on the disk {records} are there")

    def cut(self, command, seconds):
        """Run it, cut the power some time after the first record was told; the last record that was."""
        with Running("--disk", self.disk(), "--mem", "64M", "--exec", command) as running:
            running.until(lambda: re.search(rb"^\d+\n", running.so_far().out, re.MULTILINE), BOOT, "first record")
            time.sleep(seconds)
            for pid in descendants(running.process.pid):
                if "qemu" in Path(f"/proc/{pid}/cmdline").read_text(errors="replace"):
                    os.kill(pid, signal.SIGKILL)
            running.process.wait(GRACE)
            return int(re.findall(rb"^(\d+)\n", running.so_far().out, re.MULTILINE)[-1])


class Several(Folder):
    def test_every_kind_at_once(self):
        """Two guests soak a disk of every kind, side by side, and nothing comes from another's."""
        for name in ("own", "seen", "base", "first", "second"):
            with open(self.folder / f"{name}.img", "wb") as file:
                file.truncate(24 << 20)
        conf = self.folder / "vms.conf"
        conf.write_text(
            "[disk own]\nimage = base.img\nchanges = private\nlog = 32M\n"
            "[disk seen]\nimage = seen.img\nchanges = visible\nlog = 64M\n"
            "[disk first]\nimage = first.img\nchanges = visible\nkeep = yes\n"
            "[disk second]\nimage = second.img\nchanges = visible\nkeep = yes\n"
            "[first]\nmemory = 96M\nkernel = linux\ndisks = own seen first\n"
            "[second]\nmemory = 96M\nkernel = linux\ndisks = own seen second\n")
        # Of the disk that both see, each writes and reads its own half; of the others all.
        soak = ("case $(hostname) in first) half=0;; *) half=3072;; esac; "
                "dd if=/dev/urandom of=/tmp/half bs=4k count=3072 2>/dev/null; "
                "dd if=/tmp/half of=/dev/dd2 bs=4k seek=$half count=3072 conv=notrunc 2>/dev/null; sync; "
                "iocheck soak /dev/dd1 3 40 16 && iocheck soak /dev/dd3 4 40 16 && "
                "echo 3 >/proc/sys/vm/drop_caches && "
                "dd if=/dev/dd2 bs=4k skip=$half count=3072 2>/dev/null | cmp - /tmp/half && echo sound")
        done = run("-f", conf, "--smp", 2, "--exec", soak, timeout=2 * BOOT)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.out.count(b"sound\n"), 2, done)
