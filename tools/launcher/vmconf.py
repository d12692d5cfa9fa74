# SPDX-License-Identifier: BSD-2-Clause
"""Virtual machines as data: what they and the machine may have, and the vms.conf the monitor reads."""

import os
import re
from dataclasses import dataclass

from .say import Failure

MIB = 1 << 20
UNITS = {"": MIB, "K": 1 << 10, "M": MIB, "G": 1 << 30}

# The board maps at most 2 GiB; the monitor, its tables and the boot archive live beside the guests' memory.
BOARD_MEMORY = 2048 * MIB
MONITOR_ROOM = 64 * MIB
ARCHIVE_ROOM = 64 * MIB
GUESTS_ROOM = BOARD_MEMORY - MONITOR_ROOM - ARCHIVE_ROOM

LINUX_MINIMUM = 32 * MIB
TINY_MINIMUM = 2 * MIB

# What the monitor can hold (examples/monitor/config.h), and the board's processors.
MOST_VMS = 16
MOST_CPUS = 8
MOST_PROCESSORS = 16
LONGEST_NAME = 31
LONGEST_APPEND = 2047


@dataclass
class Vm:
    """One [section] of vms.conf; kernel and initrd are names in the boot archive."""
    name: str
    cpus: int
    memory: int           # bytes
    kernel: str
    initrd: str = ""
    append: str = ""


def parse_memory(text, option="--mem"):
    """Bytes from "128M", "1G", "65536K"; a plain number is MiB, as QEMU has it."""
    match = re.fullmatch(r"(\d{1,12})([KMG]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not match:
        raise Failure(f"{option} {text}: not a memory size (write for example 128M or 1G)")
    return int(match[1]) * UNITS[match[2].upper()]


def check_memory(memory, minimum, most, option="--mem"):
    """Refuse what cannot work."""
    check_bounds(memory, minimum, most, option)
    if memory % MIB:
        raise Failure(f"{option} {size(memory)}: memory comes in whole MiB")


def check_bounds(memory, minimum, most, option):
    if memory < minimum:
        raise Failure(f"{option} {size(memory)}: too little memory, this guest needs at least {size(minimum)}")
    if memory > most:
        raise Failure(f"{option} {size(memory)}: too much memory, the machine has room for {size(most)}")


def check_count(option, number, most, what):
    """Refuse a number that the monitor or the board cannot have."""
    if not 1 <= number <= most:
        raise Failure(f"{option} {number}: {what} 1 to {most}")


def room(archive_size):
    """Bytes of machine memory beside the guests', for the monitor and a boot archive of that size."""
    return MONITOR_ROOM + whole_mib(archive_size)


def whole_mib(count):
    return -(-count // MIB) * MIB


def host_memory():
    """Bytes of memory that this computer has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def machine_memory(wanted, asked, archive_size):
    """Bytes of memory for the machine: those `wanted` for it, or enough for all that the guests ask for."""
    beside = room(archive_size)
    if wanted:
        memory, option = parse_memory(wanted, "--machine-mem"), f"--machine-mem {wanted}"
        check_memory(memory, beside + LINUX_MINIMUM, BOARD_MEMORY, "--machine-mem")
    else:
        memory, option = beside + whole_mib(asked), "the virtual machines"
        if memory > BOARD_MEMORY:
            raise Failure(f"the virtual machines ask for {size(asked)} of memory, the machine has room for "
                          f"{size(BOARD_MEMORY - beside)} (--machine-mem 2G lets them ask for more than there is)")
    if memory > host_memory():
        raise Failure(f"{option}: a machine of {size(memory)} does not fit in this computer's "
                      f"{host_memory() // MIB}M of memory")
    return memory


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
    text = text.strip()
    if len(text.encode(errors="surrogateescape")) > LONGEST_APPEND:
        raise Failure(f"--append: a kernel command line has at most {LONGEST_APPEND} characters")
    return text
