# SPDX-License-Identifier: BSD-2-Clause
"""What the launcher tells the person: always on stderr, so that stdout belongs to the guest."""

import sys
import time

# Exit statuses of our own, beside those that come from the guest (the habits of timeout(1) and env(1)).
TIMED_OUT = 124
TROUBLE = 125
GUEST_DIED = 126
INTERRUPTED = 130


class Failure(Exception):
    """Something that ends the command: one clear line, an exit status, and perhaps text that explains it."""

    def __init__(self, message, status=TROUBLE, detail=""):
        super().__init__(message)
        self.status = status
        self.detail = detail


def say(message):
    print(f"disco: {message}", file=sys.stderr, flush=True)


def report(failure):
    if failure.detail:
        print(failure.detail.rstrip("\n"), file=sys.stderr)
    say(failure)


class Progress:
    """Life signs of a long step: a line that renews itself on a terminal, else one line every half minute.

    Steps that take less than a moment stay silent.
    """

    PATIENCE = 1.0
    REPEAT = 30.0

    def __init__(self, what):
        self.what = what
        self.start = time.monotonic()
        self.terminal = sys.stderr.isatty()
        self.next_line = self.start + self.PATIENCE
        self.shown = False

    def update(self, detail=""):
        now = time.monotonic()
        if now < self.next_line:
            return
        self.next_line = now + (0.2 if self.terminal else self.REPEAT)
        self.shown = True
        text = f"disco: {self.what} ({now - self.start:.0f} s) {detail}"
        if self.terminal:
            sys.stderr.write("\r" + text[:100].ljust(100))
        else:
            sys.stderr.write(text.rstrip() + "\n")
        sys.stderr.flush()

    def finish(self):
        if self.shown and self.terminal:
            sys.stderr.write("\r" + " " * 100 + "\r")
        if self.shown:
            say(f"{self.what}: done in {time.monotonic() - self.start:.0f} s")

    def abandon(self):
        if self.shown and self.terminal:
            sys.stderr.write("\n")
