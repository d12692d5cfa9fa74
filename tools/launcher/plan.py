# SPDX-License-Identifier: BSD-2-Clause
"""From what was asked for, by options or by a file, to the virtual machines and the boot archive they start from."""

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import build, cpio, elf, guests, vmconf, vmsfile
from .paths import LITTLE
from .say import Failure
from .vmsfile import Section

LINUX = "linux"
LINUX_MEMORY = "256M"
TINY_MEMORY = "32M"
LONGEST_STEM = 24


@dataclass
class Files:
    """The files of the boot archive; what several virtual machines use is there once."""
    contents: dict = field(default_factory=dict)

    def add(self, name, data):
        """The name under which `data` is in the archive: `name`, or one like it if that is taken."""
        stem, number = re.sub(r"[^A-Za-z0-9._-]", "_", name)[-LONGEST_STEM:], 1
        name = stem
        while self.contents.setdefault(name, data) != data:
            number += 1
            name = f"{stem}-{number}"
        return name


@dataclass
class Plan:
    """What the machine is to run."""
    endian: str
    vms: list
    archive: bytes
    memory: int        # bytes of the machine
    linux: bool        # whether one of them is the bundled Linux

    @property
    def names(self):
        return [vm.name for vm in self.vms]


def plan(wish, command=None):
    """Check what was asked for, build what it needs, put it together. Under build.lock()."""
    sections = vmsfile.read(wish.file) if wish.file else sections_of(wish)
    folder = Path(wish.file).parent if wish.file else Path()
    endian = wish.endian or (endian_of(wish.guest) if not wish.file else LITTLE)
    makers = [Maker(section, folder, endian, wish, command) for section in sections]
    for maker in makers:
        maker.check()
    asked = sum(maker.section.values["memory"] for maker in makers)
    vmconf.machine_memory(wish.machine_mem, asked, 0)
    build.cross(endian)
    files = Files()
    vms = [maker.make(files) for maker in makers]
    archive = cpio.archive({"vms.conf": vmconf.render(vms).encode(errors="surrogateescape"), **files.contents})
    return Plan(endian, vms, archive, vmconf.machine_memory(wish.machine_mem, asked, len(archive)),
                any(maker.linux for maker in makers))


def sections_of(wish):
    """The virtual machines that --vms, --cpus, --mem and --guest describe, all alike."""
    vmconf.check_count("--vms", wish.vms, vmconf.MOST_VMS, "the monitor runs")
    vmconf.check_count("--cpus", wish.cpus, vmconf.MOST_CPUS, "a virtual machine has")
    memory = vmconf.parse_memory(wish.mem) if wish.mem else default_memory(wish)
    values = {"cpus": wish.cpus, "memory": memory, "kernel": wish.guest}
    return [Section(f"vm{number}", 0, "", dict(values)) for number in range(wish.vms)]


def default_memory(wish):
    """What is usual for the guest, less where so much for each is more than the board has."""
    usual = vmconf.parse_memory(LINUX_MEMORY if wish.guest == LINUX else TINY_MEMORY)
    if wish.machine_mem:
        return usual
    share = vmconf.GUESTS_ROOM // wish.vms
    return min(usual, share - share % vmconf.MIB)


def endian_of(guest):
    """The byte order of a file, where it tells one; little-endian is what everything else is."""
    path = Path(guest)
    head = path.read_bytes()[:6] if path.is_file() else b""
    return elf.DATA.get(head[5], LITTLE) if len(head) == 6 and head[:4] == elf.MAGIC else LITTLE


class Maker:
    """Makes one virtual machine of its section."""

    def __init__(self, section, folder, endian, wish, command):
        self.section = section
        self.values = section.values
        self.folder = folder
        self.endian = endian
        self.wish = wish
        self.command = command
        self.linux = self.values["kernel"] == LINUX

    @contextmanager
    def blame(self, key):
        """Failures name the place in the file, if there is a file."""
        try:
            yield
        except Failure as failure:
            if not self.section.file:
                raise
            raise Failure(f"{self.section.where(key)}: {failure}", failure.status) from None

    def check(self):
        """Everything that needs no build."""
        with self.blame("kernel"):
            if self.command and (not self.linux or "initrd" in self.values):
                raise Failure("--exec: only the linux guest has a shell to run commands")
            self.path = None if self.linux else self.path_of(self.values["kernel"])
        with self.blame("memory"):
            self.check_memory()
        with self.blame("kernel"):
            self.data = self.read_guest(self.path) if self.path else None
        with self.blame("initrd"):
            self.initrd = elf.read(self.folder / self.values["initrd"]) if "initrd" in self.values else None
        with self.blame("append"):
            self.append = self.command_line()

    def check_memory(self):
        memory, minimum = self.values["memory"], vmconf.LINUX_MINIMUM if self.linux else vmconf.TINY_MINIMUM
        if self.section.file:
            # Not in whole MiB as by option: the file's own rule is what the monitor has.
            vmconf.check_bounds(memory, minimum, vmconf.GUESTS_ROOM, "memory =")
        else:
            vmconf.check_memory(memory, minimum, vmconf.GUESTS_ROOM)

    def path_of(self, kernel):
        """The file that is meant, or None when it is the name of a tiny guest."""
        if not self.section.file:
            return guests.as_file(kernel)
        path = self.folder / kernel
        return path if path.exists() or guests.as_file(kernel) else None

    def read_guest(self, path):
        data = elf.read(path)
        if not self.wish.unchecked:
            elf.check_fit(path.name, elf.parse(path.name, data), self.endian, self.values["memory"])
        return data

    def command_line(self):
        words = [self.values.get("append", ""), self.wish.append]
        if self.linux:
            words.insert(0, guests.COMMAND_LINE[guests.DISCO])
        return vmconf.one_line(" ".join(word for word in words if word))

    def make(self, files):
        """What needs the build: the bundled guests."""
        if self.linux:
            kernel = files.add("vmlinux", guests.kernel(self.endian, guests.DISCO).read_bytes())
            bundled = self.initrd is None
            initrd = files.add("initramfs", linux_initrd(self.endian, self.command) if bundled else self.initrd)
        else:
            kernel = files.add("guest.elf", self.tiny() if self.data is None else self.data)
            initrd = "" if self.initrd is None else files.add("initrd", self.initrd)
        return vmconf.Vm(self.section.name, self.values.get("cpus", 1), self.values["memory"], kernel, initrd, self.append)

    def tiny(self):
        with self.blame("kernel"):
            what = "kernel =" if self.section.file else "--guest"
            return self.read_guest(guests.tiny(self.endian, self.values["kernel"], what))


def linux_initrd(endian, command):
    """The bundled user land, with the command of --exec behind it."""
    initrd = guests.initramfs(endian).read_bytes()
    return cpio.padded(initrd) + command.addition() if command else initrd
