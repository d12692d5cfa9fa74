# SPDX-License-Identifier: BSD-2-Clause
"""Ends what a launcher leaves behind that was killed: procs.py starts it as a process of its own.

Its input is a pipe that the launcher alone has open to write: "begin SESSION" and "end SESSION", a line each. The end of
the input is the end of the launcher, however it came about. Then every process of the sessions that have begun and not
ended is ended: a build's make and compilers know nothing of the launcher, and would go on. So is whatever has this
watcher's argument in its environment, as the launcher's children have: meson gives each test a session, of which nobody
has told. They are asked first, for what they have half written they take away only then; left behind, the next make
would take it for whole.
"""

import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

# Seconds after which those that are still there are not asked any more, but killed; and after which they cannot be killed:
# they wait for a device, or are another user's.
GRACE = 3.0
PATIENCE = 10.0


def left(sessions):
    """Process ids of those that have not ended. Not only of groups: ninja gives each compiler its own."""
    mark = os.fsencode(sys.argv[1])
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, _, _, session = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:4]
                if state not in "ZX" and (int(session) in sessions or mark in (entry / "environ").read_bytes().split(b"\0")):
                    yield int(entry.name)


def end(sessions):
    """Again and again, for one may have forked before it ended."""
    begun, asked = time.monotonic(), set()
    while (pids := list(left(sessions))) and time.monotonic() < begun + PATIENCE:
        patient = time.monotonic() < begun + GRACE
        for pid in pids:
            with suppress(OSError):
                if not patient or pid not in asked:
                    os.kill(pid, signal.SIGTERM if patient else signal.SIGKILL)
            asked.add(pid)
        time.sleep(0.02)


def main():
    sessions = set()
    for line in sys.stdin:
        what, session = line.split()
        (sessions.add if what == "begin" else sessions.discard)(int(session))
    end(sessions)


if __name__ == "__main__":
    main()
