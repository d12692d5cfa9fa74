# SPDX-License-Identifier: BSD-2-Clause
"""What the system tests share: they run ./disco as a person would, and end what they started."""

import os
import pty
import select
import subprocess
import time
from pathlib import Path

from launcher import procs

ROOT = Path(__file__).resolve().parents[2]
DISCO = ROOT / "disco"
ENDIAN = os.environ.get("DISCO_ENDIAN", "little")
BOOT = 240.0    # seconds: a boot on a machine that is busy with other things
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
    return disco("native", "--endian", ENDIAN, *words, **options)


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
