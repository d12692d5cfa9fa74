# SPDX-License-Identifier: BSD-2-Clause
"""The guest's console on this terminal; of several guests, that of the one in focus, or all of them as lines."""

import os
import sys
import termios
from contextlib import contextmanager, suppress

from . import qemu
from .escape import Escape
from .follow import Follower
from .frames import Frames, Prefixer
from .say import TIMED_OUT, TROUBLE, Failure, say

LEAVE_PATIENCE = 5.0
KEYS = "Ctrl-A x leaves (everything is powered off), Ctrl-A h helps, Ctrl-A Ctrl-A types Ctrl-A"
SWITCH = "Ctrl-A 1 to 9, n and p switch between the virtual machines, Ctrl-A l lists them, Ctrl-A : is the monitor's prompt"


@contextmanager
def raw_terminal(fd):
    """Every key to the guest, none to this terminal's line editing; its state comes back whatever happens."""
    if fd is None or not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    mode = termios.tcgetattr(fd)
    mode[0] &= ~(termios.BRKINT | termios.ICRNL | termios.INPCK | termios.ISTRIP | termios.IXON)
    mode[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN | termios.ISIG)
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSAFLUSH, mode)
    try:
        yield
    finally:
        with suppress(termios.error):   # a terminal that was closed needs nothing
            termios.tcsetattr(fd, termios.TCSAFLUSH, before)


def stdin_fd():
    """The descriptor to type at, or None when stdin was closed."""
    return sys.stdin.fileno() if sys.stdin else None


def write_out(data):
    """To stdout at once; os.write may take less than all of it."""
    view = memoryview(data)
    while view:
        view = view[os.write(sys.stdout.fileno(), view):]


def at_terminal():
    """Whether a person types."""
    fd = stdin_fd()
    return fd is not None and os.isatty(fd)


class Session(Follower):
    """One machine, its console joined to stdin and stdout until it ends or the person leaves."""

    def __init__(self, machine, log, timeout=None, control=None, monitored=True):
        super().__init__(machine, log, timeout, control)
        self.monitored = monitored
        self.escape = Escape(swallow=not monitored)
        self.leave_by = None

    def run(self):
        """Returns whether the person asked to leave."""
        keyboard = stdin_fd()
        if keyboard is not None:
            self.machine.watch(keyboard, lambda: self.typed(keyboard))
        with raw_terminal(keyboard):
            self.follow()
        return self.escape.leave

    def console(self, data):
        write_out(data)

    def typed(self, keyboard):
        data = os.read(keyboard, 65536)
        if not data:
            self.machine.unwatch(keyboard)
        passed = self.escape.feed(data)
        if self.escape.help and not self.monitored:
            say(KEYS + "\r")
            self.escape.help = False
        self.machine.send(passed)

    def over(self, now):
        if self.late(now):
            raise Failure("time is over, the machine was switched off", TIMED_OUT)
        if not self.escape.leave:
            return False
        if not self.monitored:
            return True
        self.leave_by = self.leave_by or now + LEAVE_PATIENCE
        if now > self.leave_by:
            raise Failure(f"the monitor did not react to Ctrl-A x within {LEAVE_PATIENCE:.0f} s; ended QEMU", TROUBLE)
        return False


class Lines(Follower):
    """Several virtual machines and nobody who types: their lines on stdout, each behind its VM's name."""

    def __init__(self, machine, log, names, timeout=None, control=None):
        super().__init__(machine, log, timeout, control)
        self.frames = Frames(len(names))
        self.lines = Prefixer(names, write_out)

    def run(self):
        self.follow()
        for index in range(len(self.lines.held)):
            self.lines.finish(index)
        self.frames.finish()

    def console(self, data):
        for index, part in self.frames.feed(data):
            self.lines.feed(index, part)

    def over(self, now):
        if self.late(now):
            raise Failure("time is over, the machine was switched off", TIMED_OUT)
        return False


def attach(machine, log, timeout=None, control=None, names=()):
    """Join the consoles of the virtual machines `names` to this terminal, or of the bare machine when there are none.

    Returns whether a person left or could have: then a virtual machine that was killed is no failure.
    """
    if len(names) > 1 and not at_terminal():
        follower = Lines(machine, log, names, timeout, control)
    else:
        follower = Session(machine, log, timeout, control, monitored=bool(names))
        say(f"console of the {'guest' if names else 'native kernel'}: {KEYS}")
        if len(names) > 1:
            say(SWITCH)
    left = follower.run()
    complaints = qemu.complaints(follower.errors)
    if complaints:
        say(complaints)
    return left or at_terminal()
