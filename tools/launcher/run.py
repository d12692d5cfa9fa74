# SPDX-License-Identifier: BSD-2-Clause
"""./disco run and ./disco native: from what the person asked for to a machine and its exit status."""

from dataclasses import dataclass, field
from pathlib import Path

from . import build, console, cpio, elf, guests, vmconf
from .exec_ import Exec
from .paths import LITTLE
from .qemu import Machine
from .say import Failure, say

LINUX = "linux"
LINUX_MEMORY = "256M"
TINY_MEMORY = "32M"
EXEC_TIMEOUT = 1800.0


@dataclass
class Wish:
    """What was asked for on the command line."""
    guest: str = LINUX
    vms: int = 1
    cpus: int = 1
    mem: str = ""
    endian: str = ""
    append: str = ""
    exec: str = None
    timeout: float = 0
    stats: str = None
    verbose: bool = False
    unchecked: bool = False
    monitor_append: str = ""
    qemu_arg: list = field(default_factory=list)

    @classmethod
    def of(cls, arguments):
        return cls(**{name: getattr(arguments, name) for name in cls.__dataclass_fields__
                      if hasattr(arguments, name)})


def run(wish):
    """Boot a guest on the monitor. Returns the exit status."""
    refuse_what_is_missing(wish)
    command = Exec(wish.exec) if wish.exec is not None else None
    with build.lock():
        machine = prepare_linux(wish, command) if wish.guest == LINUX else prepare_tiny(wish)
    with Machine(**machine, extra=wish.qemu_arg) as qemu:
        if command:
            status, log = command.run(qemu, wish.timeout or EXEC_TIMEOUT, wish.verbose)
            log.complain()
        else:
            log, left = console.attach(qemu, True, wish.timeout, wish.verbose)
            status = log.status(left)
    save_stats(wish.stats, log)
    return status


def refuse_what_is_missing(wish):
    if wish.vms != 1:
        raise Failure(f"--vms {wish.vms}: the monitor runs one virtual machine at a time so far")
    if wish.cpus != 1:
        raise Failure(f"--cpus {wish.cpus}: a virtual machine has one processor so far")
    if wish.exec is not None and wish.guest != LINUX:
        raise Failure("--exec: only the linux guest has a shell to run commands")


def prepare_linux(wish, command):
    endian = wish.endian or LITTLE
    memory = vmconf.parse_memory(wish.mem or LINUX_MEMORY)
    vmconf.check_memory(memory, vmconf.LINUX_MINIMUM, vmconf.MONITOR_ROOM + vmconf.ARCHIVE_ROOM)
    build.cross(endian)
    kernel = guests.kernel(endian, guests.DISCO).read_bytes()
    initrd = linux_initrd(endian, command)
    vm = vmconf.Vm("vm0", wish.cpus, memory, "vmlinux", "initramfs",
                   f"{guests.COMMAND_LINE[guests.DISCO]} {wish.append}")
    return machine_of(endian, vm, {"vmlinux": kernel, "initramfs": initrd}, wish)


def linux_initrd(endian, command):
    initrd = guests.initramfs(endian).read_bytes()
    return cpio.padded(initrd) + command.addition() if command else initrd


def prepare_tiny(wish):
    """A tiny guest by name, or the person's own ELF file, whose byte order it then is."""
    memory = vmconf.parse_memory(wish.mem or TINY_MEMORY)
    vmconf.check_memory(memory, vmconf.TINY_MINIMUM, vmconf.MONITOR_ROOM + vmconf.ARCHIVE_ROOM)
    endian = wish.endian or endian_of(wish.guest)
    path = guests.as_file(wish.guest)
    data = path and read_guest(path, endian, memory, wish)
    build.cross(endian)
    if not path:
        data = read_guest(guests.tiny(endian, wish.guest), endian, memory, wish)
    vm = vmconf.Vm("vm0", wish.cpus, memory, "guest.elf", append=wish.append)
    return machine_of(endian, vm, {"guest.elf": data}, wish)


def read_guest(path, endian, memory, wish):
    data = elf.read(path)
    if not wish.unchecked:
        elf.check_fit(path.name, elf.parse(path.name, data), endian, memory)
    return data


def endian_of(guest):
    """The byte order of a file, where it tells one; little-endian is what everything else is."""
    path = Path(guest)
    head = path.read_bytes()[:6] if path.is_file() else b""
    return elf.DATA.get(head[5], LITTLE) if len(head) == 6 and head[:4] == elf.MAGIC else LITTLE


def machine_of(endian, vm, files, wish):
    """The arguments of a Machine that boots the monitor with this virtual machine."""
    archive = cpio.archive({"vms.conf": vmconf.render([vm]).encode(), **files})
    options = wish.monitor_append + (" stats" if wish.stats else "")
    return {"endian": endian, "memory": vm.memory + vmconf.room(len(archive)), "initrd": archive,
            "kernel": build.monitor(endian).read_bytes(), "append": options.strip()}


def save_stats(path, log):
    if not path:
        return
    if not log.stats:
        say("the monitor reported no statistics")
    try:
        Path(path).write_text("".join(line + "\n" for line in log.stats))
    except OSError as error:
        raise Failure(f"--stats {path}: {error.strerror}") from None


def native(wish):
    """Boot the same Linux on the bare machine. Returns the exit status."""
    command = Exec(wish.exec) if wish.exec is not None else None
    endian = wish.endian or LITTLE
    memory = vmconf.parse_memory(wish.mem or LINUX_MEMORY)
    vmconf.check_memory(memory, vmconf.LINUX_MINIMUM, 0)
    with build.lock():
        kernel = guests.kernel(endian, guests.NATIVE).read_bytes()
        initrd = linux_initrd(endian, command)
    append = f"{guests.COMMAND_LINE[guests.NATIVE]} {vmconf.one_line(wish.append)}".strip()
    with Machine(endian, memory, kernel, initrd, append, wish.cpus, wish.qemu_arg) as qemu:
        if command:
            status, _ = command.run(qemu, wish.timeout or EXEC_TIMEOUT)
            return status
        console.attach(qemu, False, wish.timeout)
    return 0
