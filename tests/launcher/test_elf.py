# SPDX-License-Identifier: BSD-2-Clause
import struct
import unittest

from launcher import elf
from launcher.say import Failure

MIB = 1 << 20
BASE = elf.WINDOW + MIB


def image(endian="little", segments=((BASE, 0x1000, 0x2000),), entry=BASE, machine=8, kind=2, flags=0xA0000001):
    """A small ELF file; a segment is (virtual address, bytes in the file, bytes in memory)."""
    order = "<" if endian == "little" else ">"
    ident = b"\x7fELF" + bytes([2, 1 if endian == "little" else 2, 1]) + bytes(9)
    head = struct.pack(order + "HHIQQQIHHHHHH", kind, machine, 1, entry, 64, 0, flags, 64, 56, len(segments), 0, 0, 0)
    offset, headers, body = 64 + 56 * len(segments), b"", b""
    for address, in_file, in_memory in segments:
        headers += struct.pack(order + "IIQQQQQQ", 1, 7, offset + len(body), address, address, in_file, in_memory, 8)
        body += bytes(in_file)
    return ident + head + headers + body


class Check(unittest.TestCase):
    def refused(self, data, words, endian="little", memory=32 * MIB):
        with self.assertRaises(Failure) as caught:
            elf.check_fit("guest.elf", elf.parse("guest.elf", data), endian, memory)
        self.assertRegex(str(caught.exception), words)
        self.assertNotIn("\n", str(caught.exception))

    def test_good_files(self):
        for endian in ("little", "big"):
            parsed = elf.parse("guest.elf", image(endian))
            self.assertEqual((parsed.endian, parsed.entry), (endian, BASE))
            elf.check_fit("guest.elf", parsed, endian, 32 * MIB)

    def test_not_elf(self):
        self.refused(b"#!/bin/sh\n", "not an ELF file")
        self.refused(b"", "not an ELF file")

    def test_wrong_class(self):
        data = bytearray(image())
        data[4] = 1
        self.refused(bytes(data), "32-bit ELF file")

    def test_wrong_machine(self):
        self.refused(image(machine=62), "machine 62, not for MIPS")

    def test_wrong_release(self):
        self.refused(image(flags=0x80000001), "MIPS64 Release 6")

    def test_wrong_kind(self):
        self.refused(image(kind=3), "not an executable")

    def test_wrong_order(self):
        self.refused(image("big"), "is big-endian, the virtual machine is little-endian")

    def test_every_truncation(self):
        data = image()
        for length in range(4, len(data)):
            self.refused(data[:length], "truncated")

    def test_direct_map(self):
        parsed = elf.parse("guest.elf", image(segments=((elf.DIRECT + MIB, 16, 16),), entry=elf.DIRECT + MIB))
        elf.check_fit("guest.elf", parsed, "little", 32 * MIB)
        self.assertEqual(parsed.segments[0].start, MIB)

    def test_segment_for_bare_hardware(self):
        for address in (0xFFFFFFFF80100000, elf.WINDOW + elf.WINDOW_SIZE, elf.WINDOW - 16, 0x120000000):
            self.refused(image(segments=((address, 16, 16),)), "outside a guest kernel's segments")

    def test_segment_outside_the_memory(self):
        self.refused(image(segments=((BASE, 16, 40 * MIB),)), "outside the virtual machine's memory of 32 MiB")

    def test_overlap(self):
        self.refused(image(segments=((BASE, 16, 0x1000), (BASE + 0xFF0, 16, 0x1000))), "overlap")

    def test_more_in_file_than_in_memory(self):
        self.refused(image(segments=((BASE, 32, 16),)), "more bytes in the file than in memory")

    def test_entry_nowhere(self):
        self.refused(image(entry=BASE + 0x100000), "entry point .* lies in no segment")

    def test_nothing_to_load(self):
        self.refused(image(segments=((BASE, 0, 0),)), "nothing to load")
        self.refused(image(segments=()), "no program headers")
