# SPDX-License-Identifier: BSD-2-Clause
"""From what was asked for, by options or by a file, to the virtual drives and the boot archive they start from."""

import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import build, cpio, disks, elf, guests, network, vmconf, vmsfile
from .paths import LITTLE
from .say import Failure
from .vmsfile import Section, Sections

LINUX = "linux"
LINUX_MEMORY = "256M"
TINY_MEMORY = "32M"
LONGEST_STEM = 24


@dataclass
class Files:
    """The files of the boot archive; what several virtual drives use is there once."""
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
    drives: list = field(default_factory=list)      # disks, in the order of their units
    network: list = field(default_factory=list)     # QEMU's arguments for it

    @property
    def names(self):
        return [vm.name for vm in self.vms]

    def close(self):
        """Give the images back, as far as QEMU does not hold them."""
        disks.close_all(self.drives)


def plan(wish, command=None):
    """Check what was asked for, build what it needs, put it together. Under build.lock()."""
    sections = vmsfile.read(wish.file) if wish.file else sections_of(wish)
    folder = Path(wish.file).parent if wish.file else Path()
    endian = wish.endian or (endian_of(wish.guest) if not wish.file else LITTLE)
    names = [section.name for section in sections.vms]
    makers = [Maker(section, folder, endian, wish, command, names) for section in sections.vms]
    drives = disks_of(wish, sections, makers, folder)
    for maker in makers:
        maker.check(drives)
    asked = sum(maker.values["memory"] for maker in makers)
    vmconf.machine_memory(wish.machine_mem, asked, 0, bool(drives))
    net = network_of(wish, names, makers)
    try:
        disks.open_all(drives)
        return built(wish, endian, makers, drives, net)
    except BaseException:
        disks.close_all(drives)
        raise


def network_of(wish, names, makers):
    """QEMU's arguments for the network."""
    forwards = network.forwards_of(wish.forward, wish.net)
    network.check_forwards(forwards, names, [maker.section.name for maker in makers if maker.net])
    return network.qemu_arguments(forwards, names) if wish.net == network.USER else []


def built(wish, endian, makers, drives, net):
    """The second half of plan(): what was checked is built."""
    build.cross(endian)
    for disk in drives:
        if disk.bundled:
            disk.open(guests.root_image(endian))
            disk.lock()
    files = Files()
    vms = [maker.make(files) for maker in makers]
    text = vmconf.render(vms, drives)
    archive = cpio.archive({"vms.conf": text.encode(errors="surrogateescape"), **files.contents})
    asked = sum(vm.memory for vm in vms)
    return Plan(endian, vms, archive, vmconf.machine_memory(wish.machine_mem, asked, len(archive), bool(drives)),
                any(maker.linux for maker in makers), drives, net)


def sections_of(wish):
    """The virtual drives that --vms, --cpus, --mem and --guest describe, all alike but for disks of the first."""
    vmconf.check_count("--vms", wish.vms, vmconf.MOST_VMS, "the monitor runs")
    vmconf.check_count("--cpus", wish.cpus, vmconf.MOST_CPUS, "a virtual machine has")
    memory = vmconf.parse_memory(wish.mem) if wish.mem else default_memory(wish)
    values = {"cpus": wish.cpus, "memory": memory, "kernel": wish.guest}
    return Sections([Section(f"vm{number}", 0, "", dict(values)) for number in range(wish.vms)])


def disks_of(wish, sections, makers, folder):
    """All disks of the machine; each virtual machine gets the list of its own, by name."""
    if wish.file:
        drives = [disks.of_section(section, folder) for section in sections.disks]
    else:
        drives = disks_of_options(wish.disk, makers)
    plain = [maker for maker in makers if maker.rooted and not any(disk.bundled for disk in maker.among(drives))]
    if plain:
        root = disks.Disk(disks.name_for(disks.BUNDLED, [disk.name for disk in drives]))
        drives.insert(0, root)
        for maker in plain:
            maker.disks.insert(0, root.name)
    disks.check_number(drives)
    return drives


def disks_of_options(texts, makers):
    """What --disk describes. An image that is written to can only be had by one, which is the first."""
    drives = []
    for text in texts:
        disk = disks.of_option(text, [disk.name for disk in drives])
        drives.append(disk)
        for maker in makers[:1] if disk.written else makers:
            maker.disks.append(disk.name)
    return drives


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

    def __init__(self, section, folder, endian, wish, command, names):
        self.section = section
        self.values = section.values
        self.folder = folder
        self.endian = endian
        self.wish = wish
        self.command = command
        self.names = names
        self.linux = self.values["kernel"] == LINUX
        self.rooted = self.linux and "initrd" not in self.values and wish.root == guests.DISK
        self.disks = list(self.values.get("disks", []))
        # Who did not ask has a port if it knows what to do with it.
        self.net = wish.net != network.NONE and self.values.get("net", self.linux or bool(wish.net))

    @contextmanager
    def blame(self, key):
        """Failures name the place in the file, if there is a file."""
        try:
            yield
        except Failure as failure:
            if not self.section.file:
                raise
            raise Failure(f"{self.section.where(key)}: {failure}", failure.status) from None

    def among(self, drives):
        """Its own of all disks, in the order of its numbers."""
        return [disk for name in self.disks for disk in drives if disk.name == name]

    def check(self, drives):
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
        with self.blame("disks"):
            if len(self.disks) > vmconf.MOST_VM_DISKS:
                raise Failure(f"{self.section.name} has {len(self.disks)} disks{', one for its root' * self.rooted}: "
                              f"a virtual machine has at most {vmconf.MOST_VM_DISKS} disks")
        with self.blame("append"):
            self.append = self.command_line(self.among(drives))

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

    def command_line(self, own_disks):
        words = []
        if self.linux:
            words.append(guests.COMMAND_LINE[guests.DISCO])
        if self.rooted:
            words += [f"root=/dev/dd{number}" for number, disk in enumerate(own_disks) if disk.bundled][:1]
        if self.linux and self.net:
            words += network.kernel_words(self.names.index(self.section.name), self.names, self.wish.net)
        words += [self.values.get("append", ""), self.wish.append]
        return vmconf.one_line(" ".join(word for word in words if word))

    def make(self, files):
        """What needs the build: the bundled guests."""
        if self.linux:
            kernel = files.add("vmlinux", guests.kernel(self.endian, guests.DISCO).read_bytes())
            bundled = self.initrd is None
            initrd = files.add("initramfs", linux_initrd(self.endian, self.command, self.rooted) if bundled else self.initrd)
        else:
            kernel = files.add("guest.elf", self.tiny() if self.data is None else self.data)
            initrd = "" if self.initrd is None else files.add("initrd", self.initrd)
        return vmconf.Vm(self.section.name, self.values.get("cpus", 1), self.values["memory"], kernel, initrd, self.append,
                         self.disks, self.net, self.wish.uart or self.values.get("uart", False))

    def tiny(self):
        with self.blame("kernel"):
            what = "kernel =" if self.section.file else "--guest"
            return self.read_guest(guests.tiny(self.endian, self.values["kernel"], what))


def linux_initrd(endian, command, rooted=False):
    """The bundled user land, or what finds it on a disk; with the command of --exec behind it."""
    initrd = (guests.start(endian) if rooted else guests.initramfs(endian)).read_bytes()
    return cpio.padded(initrd) + command.addition() if command else initrd
