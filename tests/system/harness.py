# SPDX-License-Identifier: BSD-2-Clause
"""What the system tests share: they run ./disco as a person would, and end what they started."""

import json
import os
import pty
import select
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from launcher import control, procs
from launcher.say import Failure

ROOT = Path(__file__).resolve().parents[2]
DISCO = ROOT / "disco"
ENDIAN = os.environ.get("DISCO_ENDIAN", "little")
# The bare machine that guests are compared with: ./disco test --thorough has one of each byte order.
BARE_ENDIAN = ENDIAN if os.environ.get("DISCO_THOROUGH") else "little"
has_bare = unittest.skipIf(BARE_ENDIAN != ENDIAN, "the big-endian bare machine: with --thorough")
BOOT = 240.0    # seconds: a boot on a machine that is busy with other things
# What does not depend on the byte order is tested thoroughly in one.
in_one_order = unittest.skipIf(ENDIAN != "little", "thoroughly with little-endian guests")
GRACE = 15.0    # seconds: what ./disco itself started has to end first


class Done:
    """How a run of ./disco ended."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    def __repr__(self):
        return f"status {self.status}\nstdout: {self.out[-4000:]!r}\nstderr:\n{self.err[-4000:]}"


def disco(*words, timeout=BOOT, stdin=subprocess.DEVNULL):
    """Run ./disco to its end."""
    process = procs.spawn([DISCO, *words], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/")
    try:
        out, err = process.communicate(timeout=timeout)
        return Done(process.returncode, out, err.decode(errors="replace"))
    finally:
        procs.end(process, GRACE)
        process.stdout.close()
        process.stderr.close()


def run(*words, **options):
    return disco("run", "--endian", ENDIAN, *words, **options)


def native(*words, **options):
    return disco("native", "--endian", BARE_ENDIAN, *words, **options)


class Running:
    """./disco run in the background: to be asked and steered meanwhile, as by ./disco vm in another terminal."""

    def __init__(self, *words):
        self.outputs = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        out, err = self.outputs
        self.process = procs.spawn([DISCO, "run", "--endian", ENDIAN, *words], stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=err, cwd="/")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        procs.end(self.process, GRACE)
        for file in self.outputs:
            file.close()

    def ask(self, command):
        """Lines of the monitor's answer. Raises Failure when it says no, or nothing."""
        return control.ask(self.process.pid, command)["text"]

    def stats(self):
        return control.ask(self.process.pid, "stats")["stats"]

    def so_far(self):
        """As run(), of a run that may go on."""
        out, err = (os.pread(file.fileno(), 1 << 26, 0) for file in self.outputs)
        return Done(self.process.poll(), out, err.decode(errors="replace"))

    def until(self, condition, timeout=BOOT, what="what was waited for"):
        """Ask `condition` again and again until it is true, and return what it says. It may raise Failure meanwhile:
        the machine need not be there yet."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                value = condition()
            except Failure:
                value = None
            if value:
                return value
            if self.process.poll() is not None:
                raise AssertionError(f"./disco run ended before {what}\n{self.so_far()}")
            time.sleep(0.3)
        raise AssertionError(f"no {what} within {timeout:.0f} s\n{self.so_far()}")

    def done(self, timeout=BOOT):
        """Wait for its end."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"no end within {timeout:.0f} s\n{self.so_far()}") from None
        return self.so_far()

    def all_off(self, timeout=BOOT):
        """With the monitor's option stay: the counters once no virtual machine runs any more; then the machine ends."""
        self.until(lambda: all(": off," in line for line in self.ask("vm list")), timeout, "end of all virtual machines")
        counters = self.stats()
        self.ask("quit")
        return counters


def free_port():
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def leaked(counters):
    """Machine pages that nobody can account for when no virtual machine runs: what the monitor keeps for the next is
    kernels, what disks have in memory, and copies of these on other nodes."""
    machine = counters["machine"]
    disks = sum(disk["cached"] + disk["logged"] for disk in counters.get("disks", {}).values())
    kept = machine["pages_kernels"] + counters.get("numa", {}).get("replicas", 0) + disks
    return machine["pages_total"] - machine["pages_free"] - kept


def last_sets(path):
    """What --stats FILE has: the newest counters of disks, of the machine, and of each virtual machine."""
    newest = {"disks": {}, "machine": {}, "vms": {}}
    for line in Path(path).read_text().splitlines():
        one = json.loads(line)
        newest["machine"] = one["machine"]
        newest["disks"] = one.get("disks", newest["disks"])
        newest["vms"].update(one["vms"])
    return newest


def descendants(pid):
    """Process ids below `pid`."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, left = [], [pid]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def gone(pids, seconds=10):
    """Whether the processes end within `seconds`. One that its new parent has not asked about yet has ended."""
    deadline = time.monotonic() + seconds
    while any(_runs(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def _runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Terminal:
    """./disco at a terminal of its own, to type at and to read from."""

    def __init__(self, *words):
        self.master, self.slave = pty.openpty()
        self.text = b""
        self.process = procs.spawn([DISCO, *words], stdin=self.slave, stdout=self.slave, stderr=self.slave, cwd="/")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        procs.end(self.process, GRACE)
        os.close(self.master)
        os.close(self.slave)

    def type(self, text):
        os.write(self.master, text)

    def read(self, seconds):
        """Take in what comes within `seconds`."""
        if select.select([self.master], [], [], seconds)[0]:
            self.text += os.read(self.master, 65536)

    def expect(self, pattern, timeout=BOOT):
        """Wait for a compiled pattern; what comes up to its end is taken, the match is returned."""
        deadline = time.monotonic() + timeout
        while True:
            match = pattern.search(self.text)
            if match:
                self.text = self.text[match.end():]
                return match
            if time.monotonic() > deadline:
                raise AssertionError(f"no {pattern.pattern!r} within {timeout:.0f} s; the terminal shows:\n"
                                     + self.text[-3000:].decode(errors="replace"))
            self.read(0.2)

    def wait(self, timeout):
        """The exit status; the terminal is read meanwhile so that nobody blocks on it."""
        deadline = time.monotonic() + timeout
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"./disco did not end within {timeout:.0f} s; the terminal shows:\n"
                                     + self.text[-3000:].decode(errors="replace"))
            self.read(0.1)
        return self.process.returncode
