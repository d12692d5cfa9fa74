# SPDX-License-Identifier: BSD-2-Clause
"""Virtual machines as data: what the person asked for, and the vms.conf the monitor reads."""

import re
from dataclasses import dataclass

from .say import Failure

MIB = 1 << 20
UNITS = {"": MIB, "K": 1 << 10, "M": MIB, "G": 1 << 30}

# The board maps at most 2 GiB; the monitor, its tables and the boot archive live beside the guest's memory.
BOARD_MEMORY = 2048 * MIB
MONITOR_ROOM = 64 * MIB
ARCHIVE_ROOM = 64 * MIB

LINUX_MINIMUM = 32 * MIB
TINY_MINIMUM = 2 * MIB


@dataclass
class Vm:
    """One [section] of vms.conf; kernel and initrd are names in the boot archive."""
    name: str
    cpus: int
    memory: int           # bytes
    kernel: str
    initrd: str = ""
    append: str = ""


def parse_memory(text):
    """Bytes from "128M", "1G", "65536K"; a plain number is MiB, as QEMU has it."""
    match = re.fullmatch(r"(\d+)([KMG]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not match:
        raise Failure(f"--mem {text}: not a memory size (write for example 128M or 1G)")
    return int(match[1]) * UNITS[match[2].upper()]


def check_memory(memory, minimum, room):
    """Refuse what cannot work; `room` is what must be left of the board's memory."""
    if memory < minimum:
        raise Failure(f"--mem {size(memory)}: too little memory, this guest needs at least {size(minimum)}")
    if memory % MIB:
        raise Failure(f"--mem {size(memory)}: memory comes in whole MiB")
    if memory > BOARD_MEMORY - room:
        raise Failure(f"--mem {size(memory)}: too much memory, the machine has room for {size(BOARD_MEMORY - room)}")


def room(archive_size):
    """Bytes of machine memory beside the guest's, for the monitor and a boot archive of that size."""
    return MONITOR_ROOM + -(-archive_size // MIB) * MIB


def size(count):
    """"128M" where that is exact, else KiB or bytes."""
    for letter, unit in (("M", MIB), ("K", 1 << 10)):
        if count % unit == 0:
            return f"{count // unit}{letter}"
    return f"{count} bytes"


def render(vms):
    """The text of vms.conf."""
    sections = []
    for vm in vms:
        lines = [f"[{vm.name}]", f"cpus = {vm.cpus}", f"memory = {size(vm.memory)}", f"kernel = {vm.kernel}"]
        if vm.initrd:
            lines.append(f"initrd = {vm.initrd}")
        if vm.append:
            lines.append(f"append = {one_line(vm.append)}")
        sections.append("\n".join(lines) + "\n")
    return "\n".join(sections)


def one_line(text):
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise Failure("--append: a kernel command line holds no control characters")
    return text.strip()
