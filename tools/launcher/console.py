# SPDX-License-Identifier: BSD-2-Clause
"""The guest's console on this terminal."""

import os
import sys
import termios
import time
from contextlib import contextmanager, suppress

from . import qemu
from .escape import Escape
from .monlog import Log
from .say import TIMED_OUT, TROUBLE, Failure, say

LEAVE_PATIENCE = 5.0
KEYS = "Ctrl-A x leaves (everything is powered off), Ctrl-A h helps, Ctrl-A Ctrl-A types Ctrl-A"


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


class Session:
    """One machine, its console joined to stdin and stdout until it ends or the person leaves."""

    def __init__(self, machine, monitored, log, timeout):
        self.machine = machine
        self.monitored = monitored
        self.log = log
        self.deadline = time.monotonic() + timeout if timeout else None
        self.escape = Escape(swallow=not monitored)
        self.leave_by = None
        self.errors = b""

    def run(self):
        """Returns once QEMU is gone or has to go."""
        for source, data in self.machine.events(also=stdin_fd()):
            if source == qemu.CONSOLE:
                write_out(data)
            elif source == qemu.LOG:
                self.log.feed(data)
            elif source == qemu.ERRORS:
                self.errors += data
            elif source is not None:
                self.typed(data)
            if self.must_end():
                return
        self.log.finish()

    def typed(self, data):
        passed = self.escape.feed(data)
        if self.escape.help and not self.monitored:
            say(KEYS + "\r")
            self.escape.help = False
        self.machine.send(passed)

    def must_end(self):
        now = time.monotonic()
        if self.deadline and now > self.deadline:
            raise Failure("time is over, the machine was switched off", TIMED_OUT)
        if not self.escape.leave:
            return False
        if not self.monitored:
            return True
        self.leave_by = self.leave_by or now + LEAVE_PATIENCE
        if now > self.leave_by:
            raise Failure(f"the monitor did not react to Ctrl-A x within {LEAVE_PATIENCE:.0f} s; ended QEMU", TROUBLE)
        return False


def attach(machine, monitored, timeout=None, verbose=False):
    """Join the console to the terminal. Returns the Log and whether the person asked to leave."""
    session = Session(machine, monitored, Log(verbose), timeout)
    say(f"console of the {'guest' if monitored else 'native kernel'}: {KEYS}")
    with raw_terminal(stdin_fd()):
        session.run()
    complaints = qemu.complaints(session.errors)
    if complaints:
        say(complaints)
    return session.log, session.escape.leave
