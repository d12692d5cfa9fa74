# SPDX-License-Identifier: BSD-2-Clause
"""--exec: one command in the guest, its output here byte for byte, its exit status ours.

The command and a nonce travel in a second cpio archive behind the initramfs. The guest's /init frames the
output on the console with "\\1disco-begin NONCE\\n" and "\\1disco-end NONCE STATUS\\n". Several guests run the
same command at once, and their consoles come in frames of the monitor's besides (frames.py).
"""

import re
import secrets
import sys

from . import cpio, qemu
from .console import write_out
from .follow import Follower
from .frames import Frames, Prefixer
from .say import TIMED_OUT, TROUBLE, Failure, say

POWEROFF_PATIENCE = 60.0
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

    def run(self, machine, log, timeout, control=None, names=("guest",)):
        """Run it on a started machine, in all the virtual machines `names`. Returns its exit status."""
        follower = (All if len(names) > 1 else One)(self, machine, log, timeout, control, names)
        follower.follow()
        return follower.status()


class One(Follower):
    """The command in the only virtual machine, or on the bare machine."""

    def __init__(self, command, machine, log, timeout, control, names):
        super().__init__(machine, log, timeout, control)
        self.names = names
        self.timeout = timeout
        self.frames = [Frame(command.nonce) for _ in names]
        self.ending = None

    def console(self, data):
        write_out(self.frames[0].feed(data))

    def over(self, now):
        """Time is over, or all have the status and the machine does not power off."""
        if any(frame.status is None for frame in self.frames):
            if self.late(now):
                self.give_up()
            return False
        self.ending = self.ending or now + POWEROFF_PATIENCE
        if now > self.ending:
            say("the guest ran the command but did not power off; the machine was switched off")
            return True
        return False

    def give_up(self):
        raise Failure(f"--exec: no end within {self.timeout:.0f} s, the machine was switched off", TIMED_OUT,
                      self.text(self.frames[0]))

    def status(self):
        if self.frames[0].status is None:
            raise Failure(f"--exec: the guest {self.ended_early(self.frames[0])}", TROUBLE, self.text(self.frames[0]))
        return self.frames[0].status

    @staticmethod
    def ended_early(frame):
        if frame.open:
            return "ended before the command did"
        return "ended before it could run the command; above is its console"

    def text(self, frame):
        """What may explain a failure: QEMU's own words, and the console as far as it was not the command's."""
        console = b"" if frame.open else frame.before
        words = f"{qemu.complaints(self.errors)}\n{console.decode(errors='replace')}"
        return words.replace("\r\n", "\n").lstrip("\n")


class All(One):
    """The command in several virtual machines at once: lines behind their names, one status for all."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.streams = Frames(len(self.names))
        self.lines = Prefixer(self.names, write_out)

    def console(self, data):
        for index, part in self.streams.feed(data):
            self.lines.feed(index, self.frames[index].feed(part))
            if self.frames[index].status is not None:
                self.lines.finish(index)

    def give_up(self):
        self.finish()
        late = [name for name, frame in zip(self.names, self.frames) if frame.status is None]
        raise Failure(f"--exec: no end within {self.timeout:.0f} s in {', '.join(late)}; the machine was switched off",
                      TIMED_OUT, self.all_text())

    def status(self):
        """0 when all ended well, else the first in their order that did not; who did not is said."""
        self.finish()
        text = self.all_text()
        if text:
            print(text, file=sys.stderr)
        statuses = [self.status_of(name, frame) for name, frame in zip(self.names, self.frames)]
        return next((status for status in statuses if status), 0)

    def status_of(self, name, frame):
        if frame.status is None:
            say(f"--exec: {name} {self.ended_early(frame)}")
            return TROUBLE
        if frame.status:
            say(f"--exec: {name}: the command ended with status {frame.status}")
        return frame.status

    def finish(self):
        for index in range(len(self.names)):
            self.lines.finish(index)
        self.streams.finish()

    def all_text(self):
        """The consoles of those that never got as far as the command, and what stands between the frames."""
        parts = [qemu.complaints(self.errors + self.streams.noise)]
        for name, frame in zip(self.names, self.frames):
            if not frame.open:
                lines = frame.before.decode(errors="replace").splitlines()
                parts += [f"{name}: {line}" for line in lines]
        return "\n".join(part for part in parts if part)
