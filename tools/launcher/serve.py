# SPDX-License-Identifier: BSD-2-Clause
"""Commands for a machine that runs: how a ./disco run takes them. control.py is the other side.

A run listens on the Unix socket PID.sock in the run/ folder of the build directory. A client sends one command of
the monitor's prompt as a line and gets one line of JSON: {"ok": bool, "text": [lines], "stats": {...} or null}.
The run passes one command at a time to the monitor, over the second serial port. The command "session" it
answers itself, with what it knows about the machine.
"""

import json
import os
import socket
import time
from contextlib import suppress

from .paths import BUILD, shown
from .say import Failure
from .stats import nested

FOLDER = BUILD / "run"
SESSION = "session"
PATIENCE = 15.0     # seconds: the answer to a command
LONGEST = 512       # bytes: a command
ERROR = "error: "


class Answer:
    """What the monitor says to one command."""

    def __init__(self, client, command, sets):
        self.client = client
        self.command = command
        self.before = sets.count
        self.text = []
        self.deadline = None

    def reply(self, ok, stats=None, **more):
        line = json.dumps({"ok": ok, "text": self.text, "stats": stats, **more}) + "\n"
        with suppress(OSError):     # who asked may have gone
            self.client.sendall(line.encode())
        self.client.close()


class Server:
    """The side of the run. `log` is the monitor's Log, `session` what the command "session" answers."""

    def __init__(self, machine, log, session):
        self.machine = machine
        self.sets = log.stats
        self.session = session
        self.queue = []
        self.partial = {}   # clients that have not sent a whole line yet
        log.on_answer = self.answered

    def __enter__(self):
        self.path = FOLDER / f"{os.getpid()}.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        try:
            FOLDER.mkdir(parents=True, exist_ok=True)
            self.path.unlink(missing_ok=True)
            at(self.path, self.listener.bind)
        except OSError as error:
            raise Failure(f"{shown(self.path)}: {error.strerror}") from None
        self.listener.listen(8)
        self.listener.setblocking(False)
        self.machine.watch(self.listener.fileno(), self.accept)
        return self

    def __exit__(self, *_):
        for client in [self.listener, *self.partial, *(answer.client for answer in self.queue)]:
            client.close()
        with suppress(OSError):
            self.path.unlink()

    def accept(self):
        with suppress(OSError):
            client, _ = self.listener.accept()
            client.setblocking(False)
            self.partial[client] = b""
            self.machine.watch(client.fileno(), lambda: self.read(client))

    def read(self, client):
        try:
            data = client.recv(LONGEST)
        except OSError:
            data = b""
        self.partial[client] += data
        line, end, _ = self.partial[client].partition(b"\n")
        if data and not end and len(line) < LONGEST:
            return
        self.machine.unwatch(client.fileno())
        del self.partial[client]
        if end:
            client.settimeout(1)
            self.take(Answer(client, line.decode(errors="replace").strip(), self.sets))
        else:
            client.close()

    def take(self, answer):
        if answer.command == SESSION:
            answer.reply(True, session=self.session)
            return
        self.queue.append(answer)
        if len(self.queue) == 1:
            self.send()

    def send(self):
        first = self.queue[0]
        first.before = self.sets.count
        first.deadline = time.monotonic() + PATIENCE
        self.machine.command(first.command)

    def answered(self, text):
        """A line of the monitor's answer; answers to nobody are the prompt's, typed at the terminal."""
        if not self.queue:
            return
        if text == "ok" or text.startswith(ERROR):
            if text != "ok":
                self.queue[0].text.append(text.removeprefix(ERROR))
            self.done(text == "ok")
        else:
            self.queue[0].text.append(text)

    def done(self, ok):
        first = self.queue.pop(0)
        fresh = self.sets.newest if self.sets.count > first.before else None
        first.reply(ok, nested(*fresh) if fresh else None)
        if self.queue:
            self.send()

    def tick(self):
        """Give up on an answer that does not come."""
        if self.queue and time.monotonic() > self.queue[0].deadline:
            self.queue[0].text = [f"the monitor did not answer within {PATIENCE:.0f} s"]
            self.done(False)


def at(path, call):
    """Call with an address of `path` that is short enough for a socket, wherever the build directory lies."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        return call(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
