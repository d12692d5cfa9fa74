# SPDX-License-Identifier: BSD-2-Clause
"""A look at a guest's ELF file before QEMU is started, so that a bad one gives one clear line at once.

The monitor makes the same checks itself; it never trusts that this one was made.
"""

import struct
from dataclasses import dataclass

from .paths import BIG, LITTLE
from .say import Failure

MAGIC = b"\x7fELF"
CLASS_64 = 2
DATA = {1: LITTLE, 2: BIG}
TYPE_EXEC = 2
MACHINE_MIPS = 8
ARCH_64R6 = 0xA0000000
ARCH_MASK = 0xF0000000
PT_LOAD = 1
HEADER_SIZE, PHDR_SIZE = 64, 56

# Where a guest kernel reaches its physical memory: the first 256 MiB in one window, all of it in the other.
WINDOW, WINDOW_SIZE = 0xFFFFFFFFC0000000, 0x10000000
DIRECT, DIRECT_SIZE = 0x4000000000000000, 1 << 60


@dataclass
class Segment:
    start: int   # guest-physical
    size: int    # in memory

    @property
    def end(self):
        return self.start + self.size


@dataclass
class Image:
    endian: str
    entry: int
    segments: list


def read(path):
    """The bytes of a guest's ELF file."""
    try:
        return path.read_bytes()
    except IsADirectoryError:
        raise Failure(f"{path}: is a directory, not an ELF file") from None
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from None


def parse(name, data):
    """Check the headers of `data` and return its Image; `name` is for the messages."""
    check_ident(name, data)
    endian = DATA[data[5]]
    order = "<" if endian == LITTLE else ">"
    kind, machine = struct.unpack_from(order + "HH", data, 16)
    if machine != MACHINE_MIPS:
        raise Failure(f"{name}: is for machine {machine}, not for MIPS ({MACHINE_MIPS})")
    if kind != TYPE_EXEC:
        raise Failure(f"{name}: is not an executable ELF file (type {kind})")
    entry, phoff, _, flags, _, phentsize, phnum = struct.unpack_from(order + "QQQIHHH", data, 24)
    if flags & ARCH_MASK != ARCH_64R6:
        raise Failure(f"{name}: is not built for MIPS64 Release 6 (flags {flags:#x})")
    if phentsize != PHDR_SIZE or phnum == 0:
        raise Failure(f"{name}: has no program headers to load")
    if phoff + phnum * PHDR_SIZE > len(data):
        raise Failure(f"{name}: is truncated: its program headers lie beyond its end")
    headers = [struct.unpack_from(order + "IIQQQQQQ", data, phoff + index * PHDR_SIZE)
               for index in range(phnum)]
    return Image(endian, entry, load_segments(name, data, headers))


def check_ident(name, data):
    if data[:4] != MAGIC:
        raise Failure(f"{name}: is not an ELF file")
    if len(data) < HEADER_SIZE:
        raise Failure(f"{name}: is truncated: {len(data)} bytes do not hold an ELF header")
    if data[4] != CLASS_64:
        raise Failure(f"{name}: is a {'32-bit' if data[4] == 1 else 'strange'} ELF file, not a 64-bit one")
    if data[5] not in DATA:
        raise Failure(f"{name}: says no known byte order ({data[5]})")


def load_segments(name, data, headers):
    segments = []
    for kind, _, offset, vaddr, _, filesz, memsz, _ in headers:
        if kind != PT_LOAD or memsz == 0:
            continue
        if filesz > memsz:
            raise Failure(f"{name}: segment at {vaddr:#x} has more bytes in the file than in memory")
        if offset + filesz > len(data):
            raise Failure(f"{name}: is truncated: segment at {vaddr:#x} ends beyond the file")
        start = physical(vaddr)
        if start is None:
            raise Failure(f"{name}: segment at {vaddr:#x} lies outside a guest kernel's segments "
                          f"(those of {WINDOW:#x} and {DIRECT:#x}; is it linked for bare hardware?)")
        segments.append(Segment(start, memsz))
    if not segments:
        raise Failure(f"{name}: has nothing to load")
    return segments


def physical(address):
    """The guest-physical address behind a kernel address, or None."""
    for base, length in ((WINDOW, WINDOW_SIZE), (DIRECT, DIRECT_SIZE)):
        if base <= address < base + length:
            return address - base
    return None


def check_fit(name, image, endian, memory):
    """Check an Image against the virtual machine it is meant for: byte order and bytes of memory."""
    if image.endian != endian:
        raise Failure(f"{name}: is {image.endian}-endian, the virtual machine is {endian}-endian")
    ordered = sorted(image.segments, key=lambda segment: segment.start)
    for segment in ordered:
        if segment.end > memory:
            raise Failure(f"{name}: segment at guest-physical {segment.start:#x}..{segment.end:#x} "
                          f"lies outside the virtual machine's memory of {memory >> 20} MiB")
    for before, after in zip(ordered, ordered[1:]):
        if after.start < before.end:
            raise Failure(f"{name}: segments at guest-physical {before.start:#x} and {after.start:#x} overlap")
    entry = physical(image.entry)
    if entry is None or not any(segment.start <= entry < segment.end for segment in image.segments):
        raise Failure(f"{name}: the entry point {image.entry:#x} lies in no segment")
