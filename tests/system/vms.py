# SPDX-License-Identifier: BSD-2-Clause
"""./disco run of several tiny guests that differ, and what the monitor's log tells of them."""

import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harness import ENDIAN, Running
from launcher import build, cpio, qemu

PATIENCE = 60.0     # seconds


@dataclass
class Vm:
    """One section of a vms.conf for ./disco run -f."""
    name: str
    kernel: str
    cpus: int = 1
    append: str = ""
    memory: str = "16M"

    def __str__(self):
        return (f"[{self.name}]\ncpus = {self.cpus}\nmemory = {self.memory}\nkernel = {self.kernel}\n"
                f"append = {self.append}\n")


class Vms(Running):
    """The virtual machines `vms`, side by side. `words` are further options of ./disco run."""

    def __init__(self, vms, *words, timeout=PATIENCE):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "vms.conf"
        path.write_text("\n".join(map(str, vms)))
        super().__init__("-f", path, "--verbose", "--timeout", timeout, *words)

    def __exit__(self, *_):
        super().__exit__()
        self.folder.cleanup()

    def log(self):
        return Log(self.so_far())


class Log:
    """What is known of a run that ended, or goes on."""

    def __init__(self, done):
        self.status, self.out = done.status, done.out
        self.lines = done.err.splitlines()

    def __repr__(self):
        shown = [line for line in self.lines if not re.search(r": stat |\(pc ", line)]
        return f"status {self.status}\n{self.out.replace(bytes(1), b'')[-2000:]!r}\n" + "\n".join(shown[-80:])

    def found(self, pattern):
        """The matches of a pattern with whole lines."""
        return [match for match in map(re.compile(pattern).fullmatch, self.lines) if match]

    def starts(self, name):
        return len(self.found(f"disco: vm {name} started"))

    def ends(self, name):
        """How this virtual machine ended, each time: (cause, code)."""
        return [(match[1], int(match[2])) for match in self.found(rf"disco: vm {name} ended: (\w+) code (\d+)")]

    def stat(self, name):
        """The last value of a counter; a virtual machine's are told when it ends."""
        return self.stats(name)[-1]

    def stats(self, name):
        """A counter each time it was told: one of a virtual machine that had several lives, for each."""
        return [int(match[1]) for match in self.found(rf"disco: stat {re.escape(name)} (\d+)")]

    def said(self, name):
        """What this one has printed, line by line."""
        mark = f"{name}: ".encode()
        return [line[len(mark):].decode(errors="replace") for line in self.out.split(b"\n") if line.startswith(mark)]

    def pages_lost(self):
        """Machine pages that were free at the start and are not at the end."""
        before, = self.found(r"disco: memory: \d+ pages, (\d+) free")
        after, = self.found(r"disco: memory: (\d+) pages free")
        return int(before[1]) - int(after[1])


def alone(conf, memory, **files):
    """The log of a monitor that is given this vms.conf as it is, unseen by the launcher, on `memory` MiB."""
    with build.lock():
        build.cross(ENDIAN)
        monitor = build.monitor(ENDIAN).read_bytes()
    archive = cpio.archive({"vms.conf": conf, **files})
    log, until = b"", time.monotonic() + PATIENCE
    with qemu.Machine(ENDIAN, memory << 20, monitor, archive, "") as machine:
        for source, data in machine.events():
            log += data if source == qemu.LOG else b""
            if time.monotonic() > until:
                raise AssertionError(f"no end within {PATIENCE:.0f} s; the log:\n" + log.decode(errors="replace"))
    return log.decode(errors="replace")
