# SPDX-License-Identifier: BSD-2-Clause
"""Runs a command in Linux on the monitor or on the bare machine, and keeps what can be measured about it."""

import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from launcher import build, guests, qemu, run, vmconf  # noqa: E402
from launcher.exec_ import Exec, Frame  # noqa: E402
from launcher.monlog import Log  # noqa: E402
from launcher.paths import LITTLE, cross_build  # noqa: E402
from launcher.say import Failure  # noqa: E402

ENDIAN = os.environ.get("DISCO_ENDIAN") or LITTLE
MEMORY = "256M"
TIMEOUT = 1200.0
GUEST, NATIVE = "guest", "native"


@dataclass
class Outcome:
    """What one run gave. Times are seconds of the host's clock since QEMU was started."""
    status: int = -1
    output: str = ""
    begin: float = 0        # the command's output began: the system has booted
    end: float = 0          # the command has ended
    off: float = 0          # QEMU has ended
    stats: dict = field(default_factory=dict)

    def nanoseconds(self, program):
        """What a test program said about its own time: "NAME: N ns"."""
        for line in self.output.splitlines():
            words = line.split()
            if len(words) == 3 and words[0] == f"{program}:" and words[2] == "ns":
                return int(words[1])
        raise Failure(f"{program} did not report its time; it said:\n{self.output}")


def linux(kind, command, extra=()):
    """Boot Linux as `kind` says (GUEST or NATIVE), run `command`, power off."""
    script = Exec(command)
    wish = run.Wish(exec=command, mem=MEMORY, endian=ENDIAN, qemu_arg=list(extra))
    with build.lock():
        if kind == GUEST:
            machine = run.prepare_linux(wish, script)
        else:
            machine = {"endian": ENDIAN, "memory": vmconf.parse_memory(MEMORY),
                       "kernel": guests.kernel(ENDIAN, guests.NATIVE).read_bytes(),
                       "initrd": run.linux_initrd(ENDIAN, script), "append": guests.COMMAND_LINE[guests.NATIVE]}
    outcome = watch(machine, extra, Frame(script.nonce))
    if outcome.status != 0:
        raise Failure(f"{kind}: '{command}' ended with status {outcome.status}; its output was:\n{outcome.output}")
    return outcome


def tiny(name, extra=()):
    """Run a tiny guest on the monitor; its exit code is the status."""
    with build.lock():
        machine = run.prepare_tiny(run.Wish(guest=name, endian=ENDIAN))
    return watch(machine, extra, None)


def watch(machine, extra, frame):
    """Follow a machine to its end. Without a frame all of the console is the output."""
    outcome, log, errors = Outcome(), Log(), b""
    with qemu.Machine(**machine, extra=extra) as running:
        start = running.started
        for source, data in running.events():
            now = time.monotonic() - start
            if source == qemu.CONSOLE:
                take_console(outcome, frame, data, now)
            elif source == qemu.LOG:
                log.feed(data)
            elif source == qemu.ERRORS:
                errors += data
            if now > TIMEOUT:
                raise Failure(f"no end within {TIMEOUT:.0f} s")
        outcome.off = time.monotonic() - start
    log.finish()
    outcome.stats = counters(log.stats)
    if frame is None:
        outcome.status = max((end.code for end in log.ends.values()), default=-1)
    if outcome.status != 0:
        outcome.output += errors.decode(errors="replace")
    return outcome


def take_console(outcome, frame, data, now):
    if frame is None:
        outcome.output += data.decode(errors="replace")
        return
    outcome.output += frame.feed(data).decode(errors="replace")
    if frame.open and not outcome.begin:
        outcome.begin = now
    if frame.status is not None and not outcome.end:
        outcome.end, outcome.status = now, frame.status


def counters(lines):
    """The monitor's counters of its first virtual machine, by name: "vm0.NAME VALUE"."""
    return {line.split()[0].split(".", 1)[1]: int(line.split()[1]) for line in lines
            if len(line.split()) == 2 and "." in line.split()[0]}


def monitor():
    return cross_build(ENDIAN) / "examples" / "monitor" / "monitor.elf"
