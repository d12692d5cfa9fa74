# SPDX-License-Identifier: BSD-2-Clause
"""./disco run -f FILE: virtual machines defined by a text file on this computer.

The format is that of the monitor's vms.conf, but for what `kernel` and `initrd` name: a file (relative to where
FILE lies), `linux` for the bundled kernel and user land, or a tiny guest such as `hello`. Errors say FILE:LINE.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

from . import vmconf
from .say import Failure

KEYS = ("cpus", "memory", "kernel", "initrd", "append")
NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{vmconf.LONGEST_NAME}}}")
MEMORY_STEP = 8192


@dataclass
class Section:
    """One virtual machine as the file has it. `where` gives the place of a key for messages, "FILE:LINE"."""
    name: str
    line: int
    file: str
    values: dict = field(default_factory=dict)
    lines: dict = field(default_factory=dict)

    def where(self, key=None):
        return f"{self.file}:{self.lines.get(key, self.line)}"

    def failure(self, key, what):
        return Failure(f"{self.where(key)}: {what}")


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
    sections = []
    for number, line in enumerate(text.split("\n"), 1):
        try:
            take(sections, file, number, line.strip())
        except Failure as failure:
            raise Failure(f"{file}:{number}: {failure}") from None
    if not sections:
        raise Failure(f"{file}:1: no virtual machine in it (a section begins with [name])")
    for section in sections:
        for key in ("memory", "kernel"):
            if key not in section.values:
                raise section.failure(None, f"{section.name} has no {key}")
    return sections


def take(sections, file, number, line):
    if any(ord(letter) < 32 and letter != "\t" or ord(letter) == 127 for letter in line):
        raise Failure("a control character")
    if not line or line.startswith("#"):
        return
    if line.startswith("["):
        begin(sections, file, number, line)
        return
    key, equals, value = (part.strip() for part in line.partition("="))
    if not equals:
        raise Failure("neither [name] nor key = value")
    if not sections:
        raise Failure("a setting before the first [name]")
    put(sections[-1], number, key, value)


def begin(sections, file, number, line):
    name = line[1:-1].strip()
    if not line.endswith("]") or not name:
        raise Failure("a section is [name]")
    if not NAME.fullmatch(name) or name == "machine" or name.startswith("cpu"):
        raise Failure(f"{name}: a name is made of up to {vmconf.LONGEST_NAME} letters, digits, - and _; "
                      "it is not machine and does not begin with cpu")
    for other in sections:
        if other.name == name:
            raise Failure(f"two virtual machines of one name: {name} (the other is in line {other.line})")
    if len(sections) == vmconf.MOST_VMS:
        raise Failure(f"too many virtual machines, there can be {vmconf.MOST_VMS}")
    sections.append(Section(name, number, file))


def put(section, number, key, value):
    if key not in KEYS:
        raise Failure(f"unknown key {key} (there are: {' '.join(KEYS)})")
    if key in section.values:
        raise Failure(f"{key} is given twice")
    if not value and key != "append":
        raise Failure(f"{key} has no value")
    section.values[key] = READERS.get(key, str)(value)
    section.lines[key] = number


def cpus(text):
    if not re.fullmatch(r"\d{1,9}", text) or not 1 <= int(text) <= vmconf.MOST_CPUS:
        raise Failure(f"cpus = {text}: a virtual machine has 1 to {vmconf.MOST_CPUS} processors")
    return int(text)


def memory(text):
    match = re.fullmatch(r"(\d{1,12})([KMG])", text)
    if not match:
        raise Failure(f"memory = {text}: memory is a number with K, M or G")
    count = int(match[1]) * vmconf.UNITS[match[2]]
    if not count or count % MEMORY_STEP:
        raise Failure(f"memory = {text}: memory is a multiple of 8K")
    return count


READERS = {"cpus": cpus, "memory": memory}
