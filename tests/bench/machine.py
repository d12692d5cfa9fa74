# SPDX-License-Identifier: BSD-2-Clause
"""Runs a command in Linux on the monitor or on the bare machine, and keeps what can be measured about it."""

import os
import resource
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

from launcher import build, guests, plan, qemu, run, vmconf  # noqa: E402
from launcher.exec_ import Exec, Frame  # noqa: E402
from launcher.frames import Frames  # noqa: E402
from launcher.monlog import POWEROFF, Log  # noqa: E402
from launcher.paths import LITTLE, cross_build  # noqa: E402
from launcher.say import Failure  # noqa: E402

ENDIAN = os.environ.get("DISCO_ENDIAN") or LITTLE
MEMORY = "256M"
TIMEOUT = 1200.0
GUEST, NATIVE = "guest", "native"


@dataclass(frozen=True)
class Time:
    """Since QEMU was started: seconds of the host's clock, and seconds of a processor that QEMU had.

    The second is what to compare on a host that has other things to do.
    """
    wall: float = 0
    cpu: float = 0

    def __sub__(self, other):
        return Time(self.wall - other.wall, self.cpu - other.cpu)

    def __add__(self, other):
        return Time(self.wall + other.wall, self.cpu + other.cpu)


@dataclass
class Outcome:
    """What one run gave."""
    status: int = -1
    output: str = ""
    begin: Time = None      # the command's output began: the system has booted
    end: Time = None        # the command has ended
    off: Time = None        # QEMU has ended
    lines: list = field(default_factory=list)   # (line of output, when)
    stats: dict = field(default_factory=dict)

    def when(self, beginning):
        """When the first line of output with this beginning came."""
        for line, time_of_it in self.lines:
            if line.startswith(beginning):
                return time_of_it
        raise Failure(f"the guest never said '{beginning}'; it said:\n{self.output}")


def linux(kind, command, extra=(), cpus=1, thread="", **wishes):
    """Boot Linux as `kind` says (GUEST or NATIVE) on so many processors, run `command`, power off.

    `wishes` are options of ./disco run, for the guest.
    """
    script = Exec(command)
    wish = run.Wish(exec=command, mem=MEMORY, endian=ENDIAN, cpus=cpus, smp=cpus, thread=thread, **wishes)
    with build.lock():
        machine = run.machine_of(plan.plan(wish, script), wish) if kind == GUEST else bare(wish, script)
    outcome = watch(machine, extra, Frame(script.nonce))
    if outcome.status != 0:
        raise Failure(f"{kind}: '{command}' ended with status {outcome.status}; its output was:\n{outcome.output}")
    return outcome


def bare(wish, script):
    """The same Linux without the monitor."""
    return {"endian": ENDIAN, "memory": vmconf.parse_memory(MEMORY),
            "kernel": guests.kernel(ENDIAN, guests.NATIVE).read_bytes(), "initrd": plan.linux_initrd(ENDIAN, script),
            "append": guests.COMMAND_LINE[guests.NATIVE], "cpus": wish.cpus, "thread": wish.thread}


def tiny(name, extra=(), **wishes):
    """Run a tiny guest on the monitor, or several (vms=N); the worst exit code is the status.

    `wishes` are options of ./disco run. All guests' output is put together, line by line.
    """
    wish = run.Wish(guest=name, endian=ENDIAN, monitor_append="console=framed", **wishes)
    with build.lock():
        made = plan.plan(wish)
        machine = run.machine_of(made, wish)
    outcome = watch(machine, extra, Unframe(len(made.vms)))
    if outcome.status != 0:
        raise Failure(f"the tiny guest {name} ended with status {outcome.status}; its output was:\n{outcome.output}")
    return outcome


class Unframe:
    """The consoles of several virtual machines, put together: all of it is output."""
    open, status = True, None

    def __init__(self, vms):
        self.frames = Frames(vms)
        self.held = [b""] * vms

    def feed(self, data):
        """Whole lines, so that those of different virtual machines do not mix."""
        lines = b""
        for index, piece in self.frames.feed(data):
            whole, end, self.held[index] = (self.held[index] + piece).rpartition(b"\n")
            lines += whole + end
        return lines


def watch(machine, extra, frame):
    """Follow a machine to its end."""
    outcome, log, errors = Outcome(), Log(), b""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with qemu.Machine(**machine, extra=extra) as running:
        for source, data in running.events():
            if source == qemu.CONSOLE:
                take_console(outcome, frame, data, now(running))
            elif source == qemu.LOG:
                log.feed(data)
            elif source == qemu.ERRORS:
                errors += data
            if time.monotonic() - running.started > TIMEOUT:
                raise Failure(f"no end within {TIMEOUT:.0f} s")
        wall = time.monotonic() - running.started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome.off = Time(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    log.finish()
    outcome.stats = counters(log.stats.known)
    if isinstance(frame, Unframe):
        outcome.status = max((end.code if end.cause == POWEROFF else -1 for end in log.ends.values()), default=-1)
    if outcome.status != 0:
        outcome.output += errors.decode(errors="replace")
    return outcome


def now(running):
    """Time so far; the processor's from fields 14 and 15 of /proc/PID/stat, in ticks."""
    wall = time.monotonic() - running.started
    try:
        fields = Path(f"/proc/{running.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return Time(wall)
    return Time(wall, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))


def take_console(outcome, frame, data, when):
    fresh = frame.feed(data).decode(errors="replace")
    begun = outcome.output.rfind("\n") + 1
    outcome.output += fresh
    outcome.lines += [(line, when) for line in outcome.output[begun:].splitlines(keepends=True) if line.endswith("\n")]
    if frame.open and not outcome.begin:
        outcome.begin = when
    if frame.status is not None and not outcome.end:
        outcome.end, outcome.status = when, frame.status


def counters(known):
    """The monitor's counters of all virtual machines together, by name: those called "VM.NAME".

    No virtual machine's name begins like that of a processor.
    """
    total = {}
    for name, value in known.items():
        of, _, counter = name.partition(".")
        if counter and "." not in counter and not of.startswith(("machine", "cpu")) and of != "net":
            total[counter] = total.get(counter, 0) + value
    return total


def monitor():
    return cross_build(ENDIAN) / "examples" / "monitor" / "monitor.elf"
