# SPDX-License-Identifier: BSD-2-Clause
"""--exec: one command in the guest, its output here byte for byte, its exit status ours.

The command and a nonce travel in a second cpio archive behind the initramfs. The guest's /init frames the
output on the console with "\\1disco-begin NONCE\\n" and "\\1disco-end NONCE STATUS\\n".
"""

import re
import secrets
import time

from . import cpio, qemu
from .console import write_out
from .monlog import Log
from .say import TIMED_OUT, Failure, say

POWEROFF_PATIENCE = 20.0
MARK = b"\x01disco-"


class Frame:
    """Cuts a stream of console bytes into what is before, inside and after the frame of one nonce."""

    def __init__(self, nonce):
        self.begin = re.compile(b"\x01disco-begin %b\r?\n" % nonce.encode())
        self.ending = re.compile(b"\x01disco-end %b (\\d{1,3})\r?\n" % nonce.encode())
        self.longest = len(MARK) + len("begin ") + len(nonce) + len(" 255\r\n")
        self.before = b""
        self.held = b""
        self.open = False
        self.status = None

    def feed(self, data):
        """The bytes of the command's output that are certain by now."""
        if self.status is not None:
            return b""
        if not self.open:
            self.before += data
            match = self.begin.search(self.before)
            if not match:
                return b""
            self.open = True
            data, self.before = self.before[match.end():], self.before[:match.start()]
        self.held += data
        match = self.ending.search(self.held)
        if match:
            self.status = int(match[1])
            out, self.held = self.held[:match.start()], b""
            return out
        return self.take_certain()

    def take_certain(self):
        """Everything but what may be the first bytes of the end mark."""
        start = self.held.rfind(b"\x01", max(0, len(self.held) - self.longest))
        if start < 0 or not self.could_be_mark(self.held[start:]):
            start = len(self.held)
        out, self.held = self.held[:start], self.held[start:]
        return out

    @staticmethod
    def could_be_mark(tail):
        mark = MARK + b"end "
        return mark.startswith(tail) or tail.startswith(mark)


class Exec:
    """One command to run in a Linux guest."""

    def __init__(self, command):
        if "\0" in command:
            raise Failure("--exec: a command holds no null characters")
        self.command = command
        self.nonce = secrets.token_hex(8)

    def addition(self):
        """What to append to the initramfs; cpio archives that follow each other start at multiples of four."""
        return cpio.archive({"disco/exec": self.command.encode(errors="surrogateescape") + b"\n",
                             "disco/nonce": self.nonce.encode() + b"\n"})

    def run(self, machine, timeout, verbose=False):
        """Run it on a started machine. Returns its exit status and the monitor's Log."""
        frame, log, errors = Frame(self.nonce), Log(verbose), b""
        deadline = time.monotonic() + timeout
        ending = None
        for source, data in machine.events():
            if source == qemu.CONSOLE:
                write_out(frame.feed(data))
            elif source == qemu.LOG:
                log.feed(data)
            elif source == qemu.ERRORS:
                errors += data
            now = time.monotonic()
            if frame.status is None and now > deadline:
                raise Failure(f"--exec: no end within {timeout:.0f} s, the machine was switched off", TIMED_OUT,
                              self.console_text(frame))
            if frame.status is not None:
                ending = ending or now + POWEROFF_PATIENCE
                if now > ending:
                    say("the guest ran the command but did not power off; the machine was switched off")
                    break
        log.finish()
        if frame.status is None:
            raise Failure(self.what_went_wrong(frame), detail=self.console_text(frame, errors))
        return frame.status, log

    @staticmethod
    def what_went_wrong(frame):
        if frame.open:
            return "--exec: the guest ended before the command did"
        return "--exec: the guest ended before it could run the command; above is its console"

    @staticmethod
    def console_text(frame, errors=b""):
        """What may explain a failure: QEMU's own words, and the console as far as it was not the command's."""
        console = b"" if frame.open else frame.before
        return f"{qemu.complaints(errors)}\n{console.decode(errors='replace')}".replace("\r\n", "\n").lstrip("\n")
