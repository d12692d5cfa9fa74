# SPDX-License-Identifier: BSD-2-Clause
"""./disco run of several tiny guests, which a test steers while they run and looks at afterwards."""

import re
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from harness import DISCO, ENDIAN, GRACE
from launcher import control, procs
from launcher.say import Failure


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


class Many:
    """A ./disco run of several virtual machines, to be steered while it goes on and to be looked at afterwards.

    Use it as a context manager. The monitor's log is in `log`, line by line, as it comes.
    """

    def __init__(self, vms, *words, timeout=60):
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "vms.conf"
        path.write_text("\n".join(map(str, vms)))
        self.process = procs.spawn([DISCO, "run", "--endian", ENDIAN, "-f", path, "--verbose", "--timeout", str(timeout),
                                    *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   cwd="/")
        self.log, self.out = [], b""
        self.readers = [threading.Thread(target=self.read_log), threading.Thread(target=self.read_out)]
        for reader in self.readers:
            reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        procs.end(self.process, GRACE)
        for reader in self.readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        self.folder.cleanup()

    def __repr__(self):
        shown = [line for line in self.log if ": stat " not in line]
        return f"status {self.process.returncode}\n{self.out[-2000:]!r}\n" + "\n".join(shown[-80:])

    def read_log(self):
        for line in self.process.stderr:
            self.log.append(line.decode(errors="replace").rstrip())

    def read_out(self):
        self.out = self.process.stdout.read()

    def wait(self):
        """The exit status; ./disco itself looks after the time."""
        status = self.process.wait()
        for reader in self.readers:
            reader.join()
        return status

    def command(self, text):
        """One command of the monitor's prompt. What it says against it, or None."""
        try:
            control.ask(self.process.pid, text)
        except Failure as failure:
            return str(failure)
        return None

    def until(self, condition, timeout=60):
        """Wait until something is true of the log."""
        deadline = time.monotonic() + timeout
        while not condition(self):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"what was waited for did not come\n{self}")
            time.sleep(0.02)

    def found(self, pattern):
        """All matches of a pattern in the log; it has to match a whole line."""
        return [match for match in map(re.compile(pattern).fullmatch, list(self.log)) if match]

    def ends(self, name):
        """How this virtual machine ended, each time: (cause, code)."""
        return [(match[1], int(match[2])) for match in self.found(rf"disco: vm {name} ended: (\w+) code (\d+)")]

    def stat(self, name):
        """The last value of a counter; a virtual machine's are told when it ends."""
        return int(self.found(rf"disco: stat {re.escape(name)} (\d+)")[-1][1])

    def lines(self, name):
        """What this one has printed, line by line."""
        mark = f"{name}: ".encode()
        return [line[len(mark):].decode(errors="replace") for line in self.out.split(b"\n") if line.startswith(mark)]

    def pages_lost(self):
        """Machine pages that were free at the start and are not at the end."""
        before, = self.found(r"disco: memory: \d+ pages, (\d+) free")
        after, = self.found(r"disco: memory: (\d+) pages free")
        return int(before[1]) - int(after[1])
