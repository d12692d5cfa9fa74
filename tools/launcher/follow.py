# SPDX-License-Identifier: BSD-2-Clause
"""What every run does with its machine, whoever looks at the console: log, QEMU's complaints, control, time."""

import time

from . import qemu


class Follower:
    """Follows a machine to its end. Who inherits says what to do with the console, and when it is over."""

    def __init__(self, machine, log, timeout=None, control=None):
        """`log` is the monitor's Log, `control` its serve.Server or None."""
        self.machine = machine
        self.log = log
        self.control = control
        self.deadline = time.monotonic() + timeout if timeout else None
        self.errors = b""

    def console(self, data):
        raise NotImplementedError

    def over(self, now):
        """Whether to stop following before QEMU is gone. May raise Failure."""
        raise NotImplementedError

    def late(self, now):
        return self.deadline is not None and now > self.deadline

    def follow(self):
        """Returns once QEMU is gone or has to go."""
        for source, data in self.machine.events():
            if source == qemu.CONSOLE:
                self.console(data)
            elif source == qemu.LOG:
                self.log.feed(data)
            elif source == qemu.ERRORS:
                self.errors += data
            elif source is not None:
                source()
            if self.control:
                self.control.tick()
            if self.over(time.monotonic()):
                break
        self.log.finish()
