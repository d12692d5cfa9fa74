# SPDX-License-Identifier: BSD-2-Clause
"""The monitor's log: plain lines "disco: ..." on the second serial port.

The launcher gives meaning to these; every other line is information and shown on request:
    disco: error: TEXT                      shown to the person
    disco: stat NAME VALUE                  one counter (stats.py)
    disco: vm NAME ended: CAUSE code N      the last word on a virtual machine
    disco: vm NAME out of memory ...        shown to the person, as
    disco: memory overcommitted ...         is this
    disco: > TEXT                           answers a command that was sent (control.py)
"""

import re
import sys
from dataclasses import dataclass

from . import stats
from .say import GUEST_DIED, TROUBLE, say

ENDED = re.compile(r"disco: vm (\S+) ended: (\w+) code (\d+)$")
ERROR = "disco: error: "
STAT = "disco: stat "
ANSWER = "disco: > "
MEMORY = re.compile(r"disco: ((?:vm \S+ out of memory|memory overcommitted).*)$")
POWEROFF, KILLED = "poweroff", "killed"


@dataclass
class End:
    cause: str
    code: int


class Log:
    """Takes the bytes of the log and keeps what matters."""

    def __init__(self, verbose=False, on_set=None):
        self.verbose = verbose
        self.rest = b""
        self.stats = stats.Sets(on_set)
        self.on_answer = None
        self.ends = {}
        self.explained = False

    def feed(self, data):
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            self.take(line.decode(errors="replace").rstrip("\r"))

    def take(self, line):
        match = ENDED.match(line)
        if match:
            self.ends[match[1]] = End(match[2], int(match[3]))
        elif line.startswith(STAT):
            self.stats.take(line.removeprefix(STAT))
        elif line.startswith(ANSWER) and self.on_answer:
            self.on_answer(line.removeprefix(ANSWER))
        self.show(line)
        self.explained |= line.startswith(ERROR)

    def show(self, line):
        if self.verbose:
            print(line, file=sys.stderr, flush=True)
        elif line.startswith(ERROR):
            say(line.removeprefix(ERROR))
        elif MEMORY.match(line):
            say(MEMORY.match(line)[1])

    def finish(self):
        """The log has ended; a line cut short still counts."""
        if self.rest:
            self.feed(b"\n")

    def status(self, left=False):
        """The exit status that the ends of all virtual machines amount to, said aloud where it is not plain.

        `left` tells that the person asked to leave: then a killed virtual machine is no failure.
        """
        if not self.complain(left):
            return TROUBLE
        return max(self.status_of(end, left) for end in self.ends.values())

    @staticmethod
    def status_of(end, left):
        if end.cause == KILLED and left:
            return 0
        return end.code if end.cause == POWEROFF else GUEST_DIED

    def complain(self, left=False):
        """Say what did not end well. False when nothing is known about any virtual machine."""
        for name, end in self.ends.items():
            if end.cause != POWEROFF and not (end.cause == KILLED and left):
                say(f"vm {name} ended: {end.cause}")
        if not self.ends and not self.explained:
            say("the monitor ended without a word on its virtual machines")
        return bool(self.ends)
