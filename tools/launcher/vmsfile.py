# SPDX-License-Identifier: BSD-2-Clause
"""./disco run -f FILE: virtual machines defined by a text file on this computer.

The format is that of the monitor's vms.conf, but for what `kernel` and `initrd` name: a file (relative to where
FILE lies), `linux` for the bundled kernel and user land, or a tiny guest such as `hello`; and a disk has an `image`
instead of a unit: such a file, or `root` for the bundled root file system. Errors say FILE:LINE.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import vmconf
from .say import Failure

KEYS = ("cpus", "memory", "kernel", "initrd", "append", "disks", "net", "uart")
DISK_KEYS = ("image", "changes", "keep", "log", "copy", "size")
MAY_BE_EMPTY = ("append", "disks")
NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{vmconf.LONGEST_NAME}}}")
MEMORY_STEP = 8192
BLOCK = 4096


@dataclass
class Section:
    """One virtual machine or disk as the file has it. `where` gives the place of a key for messages, "FILE:LINE"."""
    name: str
    line: int
    file: str
    values: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)
    keys: tuple = KEYS

    def where(self, key=None):
        return f"{self.file}:{self.lines.get(key, self.line)}"

    def failure(self, key, what):
        return Failure(f"{self.where(key)}: {what}")

    def put(self, number, key, value):
        if key not in self.keys:
            raise Failure(f"unknown key {key} (there are: {' '.join(self.keys)})")
        if key in self.values:
            raise Failure(f"{key} is given twice")
        if not value and key not in MAY_BE_EMPTY:
            raise Failure(f"{key} has no value")
        self.values[key] = READERS.get(key, str)(value)
        self.lines[key] = number

    def demand(self, *keys):
        for key in keys:
            if key not in self.values:
                raise self.failure(None, f"{self.name} has no {key}")


@dataclass
class Sections:
    """All of a file, virtual machines and disks each in the order in which they stand there."""
    vms: list = field(default_factory=list)
    disks: list = field(default_factory=list)
    now: Section = None

    def begin(self, file, number, line):
        words = line[1:-1].split(maxsplit=1)
        if not line.endswith("]") or not words:
            raise Failure("a section is [name] or [disk name]")
        if words[0] == "disk" and len(words) == 2:
            self.now = Section(words[1].strip(), number, file, keys=DISK_KEYS)
            add(self.disks, self.now, vmconf.MOST_DISKS, "disks")
        else:
            self.now = Section(line[1:-1].strip(), number, file)
            add(self.vms, self.now, vmconf.MOST_VMS, "virtual machines")

    def check(self):
        for vm in self.vms:
            vm.demand("memory", "kernel")
            check_disks(vm, [disk.name for disk in self.disks])
        for disk in self.disks:
            disk.demand("image")


def add(sections, section, most, what):
    name = section.name
    if not NAME.fullmatch(name) or vmconf.reserved(name):
        raise Failure(f"{name}: a name is made of up to {vmconf.LONGEST_NAME} letters, digits, - and _; "
                      "it is not machine, disk, net or numa and does not begin with cpu")
    for other in sections:
        if other.name == name:
            raise Failure(f"two {what} of one name: {name} (the other is in line {other.line})")
    if len(sections) == most:
        raise Failure(f"too many {what}, there can be {most}")
    sections.append(section)


def check_disks(vm, known):
    names = vm.values.get("disks", [])
    for number, name in enumerate(names):
        if name not in known:
            raise vm.failure("disks", f"no disk of that name: {name} (there are: {' '.join(known) or 'none'})")
        if name in names[:number]:
            raise vm.failure("disks", f"one disk twice in a virtual machine: {name}")
    if len(names) > vmconf.MOST_VM_DISKS:
        raise vm.failure("disks", f"a virtual machine has at most {vmconf.MOST_VM_DISKS} disks")


def read(path):
    """The sections of a file, each complete and checked as far as the text goes."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Failure(f"-f {path}: is not a text file") from None
    except OSError as error:
        raise Failure(f"-f {path}: {error.strerror}") from None
    return parse(str(path), text)


def parse(file, text):
    sections = Sections()
    for number, line in enumerate(text.split("\n"), 1):
        try:
            take(sections, file, number, line.strip())
        except Failure as failure:
            raise Failure(f"{file}:{number}: {failure}") from None
    if not sections.vms:
        raise Failure(f"{file}:1: no virtual machine in it (a section begins with [name])")
    sections.check()
    return sections


def take(sections, file, number, line):
    if any(ord(letter) < 32 and letter != "\t" or ord(letter) == 127 for letter in line):
        raise Failure("a control character")
    if not line or line.startswith("#"):
        return
    if line.startswith("["):
        sections.begin(file, number, line)
        return
    key, equals, value = (part.strip() for part in line.partition("="))
    if not equals:
        raise Failure("neither [name] nor key = value")
    if not sections.now:
        raise Failure("a setting before the first [name]")
    sections.now.put(number, key, value)


def cpus(text):
    if not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= vmconf.MOST_CPUS:
        raise Failure(f"cpus = {text}: a virtual machine has 1 to {vmconf.MOST_CPUS} processors")
    return int(text)


def memory(text):
    return count_of("memory", text, MEMORY_STEP)


def count_of(key, text, step):
    match = re.fullmatch(r"(\d{1,12})([KMG])", text)
    if not match:
        raise Failure(f"{key} = {text}: {key} is a number with K, M or G")
    count = int(match[1]) * vmconf.UNITS[match[2]]
    if not count or count % step:
        raise Failure(f"{key} = {text}: {key} is a multiple of {vmconf.size(step)}")
    return count


def log(text):
    count = count_of("log", text, BLOCK)
    if count > vmconf.MOST_LOG:
        raise Failure(f"log = {text}: log is a multiple of 4K, at most 1G")
    return count


def choice(key, no, yes):
    def read_choice(text):
        if text not in (no, yes):
            raise Failure(f"{key} = {text}: {key} is {no} or {yes}")
        return text == yes
    return read_choice


READERS = {"cpus": cpus, "memory": memory, "disks": str.split, "log": log,
           "size": lambda text: count_of("size", text, BLOCK), "changes": choice("changes", "private", "visible"),
           **{key: choice(key, "no", "yes") for key in ("net", "uart", "keep", "copy")}}
