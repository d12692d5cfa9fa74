# SPDX-License-Identifier: BSD-2-Clause
"""Virtual machines as data: what they and the machine may have, and the vms.conf the monitor reads."""

import os
import re
from dataclasses import dataclass, field

from .say import Failure

MIB = 1 << 20
UNITS = {"": MIB, "K": 1 << 10, "M": MIB, "G": 1 << 30}

# The board maps at most 2 GiB; the monitor, its tables and the boot archive live beside the guests' memory, and,
# where there are disks, what is cached of them and what guests write to them.
BOARD_MEMORY = 2048 * MIB
MONITOR_ROOM = 64 * MIB
ARCHIVE_ROOM = 64 * MIB
DISK_ROOM = 64 * MIB
GUESTS_ROOM = BOARD_MEMORY - MONITOR_ROOM - ARCHIVE_ROOM - DISK_ROOM

LINUX_MINIMUM = 32 * MIB
TINY_MINIMUM = 2 * MIB

# What the monitor can hold (examples/monitor/config.h), and the board's processors.
MOST_VMS = 16
MOST_CPUS = 16
MOST_PROCESSORS = 16
# Linux hangs in its first steps on a bare machine with more, under QEMU 7.2.
MOST_BARE = 8
MOST_DISKS = 8
MOST_VM_DISKS = 4
MOST_LOG = 1024 * MIB
LONGEST_NAME = 31
LONGEST_APPEND = 2047


@dataclass
class Disk:
    """One [disk NAME] of vms.conf. Its unit is its place among the machine's block devices."""
    name: str
    visible: bool = False
    keep: bool = False
    copy: bool = False
    log: int = 0          # bytes; 0: the monitor's choice


@dataclass
class Vm:
    """One [section] of vms.conf; kernel and initrd are names in the boot archive."""
    name: str
    cpus: int
    memory: int           # bytes
    kernel: str
    initrd: str = ""
    append: str = ""
    disks: list = field(default_factory=list)   # names
    net: bool = False
    uart: bool = False


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


def reserved(name):
    """Whether a name means something else in the monitor's log."""
    return name in ("machine", "disk", "net", "numa") or name.startswith("cpu")


def room(archive_size, disks=False):
    """Bytes of machine memory beside the guests', for the monitor, a boot archive of that size and perhaps disks."""
    return MONITOR_ROOM + whole_mib(archive_size) + (DISK_ROOM if disks else 0)


def whole_mib(count):
    return -(-count // MIB) * MIB


def host_memory():
    """Bytes of memory that this computer has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def machine_memory(wanted, asked, archive_size, disks=False):
    """Bytes of memory for the machine: those `wanted` for it, or enough for all that the guests ask for."""
    beside = room(archive_size, disks)
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


def render(vms, disks=()):
    """The text of vms.conf. The machine's block devices are `disks`, in this order."""
    sections = [disk_lines(unit, disk) for unit, disk in enumerate(disks)] + [vm_lines(vm) for vm in vms]
    return "\n".join("\n".join(lines) + "\n" for lines in sections)


def disk_lines(unit, disk):
    lines = [f"[disk {disk.name}]", f"unit = {unit}", f"changes = {'visible' if disk.visible else 'private'}",
             f"keep = {'yes' if disk.keep else 'no'}"]
    if disk.log:
        lines.append(f"log = {size(disk.log)}")
    if disk.copy:
        lines.append("copy = yes")
    return lines


def vm_lines(vm):
    lines = [f"[{vm.name}]", f"cpus = {vm.cpus}", f"memory = {size(vm.memory)}", f"kernel = {vm.kernel}"]
    if vm.initrd:
        lines.append(f"initrd = {vm.initrd}")
    if vm.append:
        lines.append(f"append = {one_line(vm.append)}")
    if vm.disks:
        lines.append(f"disks = {' '.join(vm.disks)}")
    return lines + [f"{key} = yes" for key in ("net", "uart") if getattr(vm, key)]


def one_line(text):
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise Failure("--append: a kernel command line holds no control characters")
    text = text.strip()
    if len(text.encode(errors="surrogateescape")) > LONGEST_APPEND:
        raise Failure(f"--append: a kernel command line has at most {LONGEST_APPEND} characters")
    return text
