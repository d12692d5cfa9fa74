# SPDX-License-Identifier: BSD-2-Clause
"""The monitor's drivers on the bare machine (tests/system/bare): virtio disks and network, interrupts, all of RAM."""

import re
import socket
import struct
import tempfile
import threading
import time
import unittest
from pathlib import Path

from harness import ENDIAN
from launcher import build, qemu

MIB = 1 << 20
SIZE = 10 * MIB
HALF = SIZE // 2
WRITTEN = 0x5757000000000000
FIRST_SLOT, NET_SLOT = 18, 26
PATIENCE = 240.0

# What the upper half of a disk holds afterwards, in sectors behind its beginning: disks.c.
RUNS = [(0, 32 * 8), (1024, 300 * 8), (8193, 1)]

READS = ["small", "read a page", "read 32 pages", "read many", "refusals"]
WRITES = ["write 32 pages", "write many", "write a sector", "flush", "read back"]


def words(unit, start, end, mark=0):
    base = mark | unit << 40
    return struct.pack(f"<{(end - start) // 8}Q", *range(base + start, base + end, 8))


def expected(unit):
    """A disk after it was written to."""
    data = bytearray(words(unit, 0, SIZE))
    for sector, count in RUNS:
        start = HALF + sector * 512
        data[start:start + count * 512] = words(unit, start, start + count * 512, WRITTEN)
    return bytes(data)


class Echo:
    """A UDP port of this machine that sends everything back."""

    def __enter__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.over = False
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()
        return self

    def serve(self):
        while not self.over:
            try:
                data, sender = self.socket.recvfrom(65536)
                self.socket.sendto(data, sender)
            except socket.timeout:
                pass

    @property
    def port(self):
        return self.socket.getsockname()[1]

    def __exit__(self, *_):
        self.over = True
        self.thread.join()
        self.socket.close()


class Devices(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with build.lock():
            program = build.cross(ENDIAN) / "tests" / "system" / "bare" / "devices.elf"
            cls.program = program.read_bytes()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def disk(self, unit, drive="", device=""):
        """QEMU's arguments for disk number `unit`, which is made."""
        path = Path(self.folder.name) / f"{unit}.img"
        path.write_bytes(words(unit, 0, SIZE))
        return ["-drive", f"if=none,id=d{unit},file={path},format=raw,cache=writeback{drive}",
                "-device", f"virtio-blk-pci,drive=d{unit},addr={FIRST_SLOT + unit:#x}{device}"]

    def contents(self, unit):
        return (Path(self.folder.name) / f"{unit}.img").read_bytes()

    def run_program(self, memory, extra=(), cpus=1, port=0):
        """The log, line by line, and what was wrong in it."""
        log, until = b"", time.monotonic() + PATIENCE
        with qemu.Machine(ENDIAN, memory * MIB, self.program, b"", f"{memory} {port}", cpus, extra=extra) as machine:
            for source, data in machine.events():
                log += data if source in (qemu.LOG, qemu.ERRORS) else b""
                self.assertLess(time.monotonic(), until, log.decode(errors="replace"))
        lines = log.decode(errors="replace").splitlines()
        self.assertFalse([line for line in lines if "WRONG" in line], lines)
        return lines

    def passed(self, lines, of):
        return [match[1] for match in (re.fullmatch(rf"disco: {of} (.*): ok", line) for line in lines) if match]

    def test_all_at_once(self):
        """Four disks, one of them read-only, and a network device; 1 GiB of RAM, pages from all over it."""
        extra = [word for unit in range(3) for word in self.disk(unit)] + self.disk(3, drive=",readonly=on")
        extra += ["-netdev", "user,id=n0", "-device", f"virtio-net-pci,netdev=n0,addr={NET_SLOT:#x},romfile="]
        with Echo() as echo:
            lines = self.run_program(1024, extra, cpus=2, port=echo.port)
        for unit in range(4):
            end = ", read-only" if unit == 3 else ""
            self.assertIn(f"disco: disk {unit}: 10 MiB{end}, virtio-blk at slot {FIRST_SLOT + unit}", lines)
            self.assertEqual(self.passed(lines, f"disk {unit}"), READS + (["read-only"] if unit == 3 else WRITES), lines)
            self.assertTrue(self.contents(unit) == (words(3, 0, SIZE) if unit == 3 else expected(unit)), f"disk {unit}")
        self.assertEqual(self.passed(lines, "net"), ["open", "arp", *["ping"] * 24, *["echo"] * 3, "pages"], lines)
        self.assertEqual(self.passed(lines, "line"), ["down before", "down after"], lines)

    def test_most_memory(self):
        """The last page of 2 GiB."""
        self.run_program(2048, self.disk(0))
        self.assertTrue(self.contents(0) == expected(0))

    def test_nothing_there(self):
        lines = self.run_program(256)
        self.assertEqual(self.passed(lines, "line"), ["down before", "down after"], lines)
        self.assertFalse([line for line in lines if "disk" in line or "net" in line], lines)

    def test_disks_that_will_not_do(self):
        for what, device in (("it can be written but not flushed", ",write-cache=off,config-wce=off"),
                             ("no virtio 1.0 device", ",disable-modern=on,disable-legacy=off"),
                             ("its queue is too short", ",queue-size=16,seg-max-adjust=off")):
            with self.subTest(what):
                lines = self.run_program(256, self.disk(0, device=device))
                self.assertEqual(len(lines), 1, lines)
                self.assertRegex(lines[0], rf"^disco: error: disk 0 \(slot {FIRST_SLOT}\): {re.escape(what)}")

    def test_sectors_that_cannot_be_read(self):
        """The request fails; the disk goes on."""
        path = Path(self.folder.name) / "bad.img"
        path.write_bytes(words(0, 0, SIZE))
        drive = (f"if=none,id=d0,driver=raw,rerror=report,file.driver=blkdebug,file.image.driver=file,"
                 f"file.image.filename={path},file.inject-error.0.event=read_aio,file.inject-error.0.sector=9,"
                 f"file.inject-error.0.once=on")
        log, until = b"", time.monotonic() + PATIENCE
        extra = ["-drive", drive, "-device", f"virtio-blk-pci,drive=d0,addr={FIRST_SLOT:#x}"]
        with qemu.Machine(ENDIAN, 256 * MIB, self.program, b"", "256 0", extra=extra) as machine:
            for source, data in machine.events():
                log += data if source == qemu.LOG else b""
                self.assertLess(time.monotonic(), until, log)
        lines = log.decode().splitlines()
        self.assertIn("disco: disk 0 small: WRONG", lines)
        self.assertEqual(self.passed(lines, "disk 0"), READS[1:] + WRITES, lines)


if __name__ == "__main__":
    unittest.main()
