# SPDX-License-Identifier: BSD-2-Clause
"""Commands for a machine that runs: ./disco vm, stats, top and gdb reach the ./disco run that started it."""

import json
import socket
from contextlib import suppress

from .paths import BUILD, shown
from .say import Failure
from .serve import FOLDER, PATIENCE, at
from .vmsfile import NAME

ACTIONS = ("start", "stop", "reset", "pause", "resume")
LINK = "link"
STATES = ("up", "down")


def connected(path):
    """A connection to a run, or None if nobody listens (any more)."""
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(2 * PATIENCE)
    try:
        at(path, client.connect)
        return client
    except OSError:
        client.close()
        return None


def running():
    """Process ids of the runs that listen."""
    found = []
    for path in sorted(FOLDER.glob("*.sock")):
        client = connected(path)
        if client:
            client.close()
            found.append(path.stem)
    return found


def choose(pid):
    """The run that is meant: by its process id, or the only one."""
    if pid:
        return str(pid)
    pids = running()
    if not pids:
        raise Failure(f"no machine runs (no ./disco run with the build directory {shown(BUILD)})")
    if len(pids) > 1:
        raise Failure(f"several machines run: choose one with --of PID: {' '.join(pids)}", 2)
    return pids[0]


def ask(pid, command):
    """Send a command to the run `pid`; the answer as a dictionary. Raises Failure when it says no."""
    client = connected(FOLDER / f"{pid}.sock")
    if not client:
        raise Failure(f"--of {pid}: no ./disco run with this process id (any more)")
    with client:
        answer = decoded(exchange(client, command.encode() + b"\n"), pid)
    if not answer["ok"]:
        raise Failure("; ".join(answer["text"]) or "the monitor said no")
    return answer


def exchange(client, data):
    received = b""
    with suppress(OSError):
        client.sendall(data)
        while not received.endswith(b"\n"):
            more = client.recv(1 << 16)
            if not more:
                break
            received += more
    return received


def decoded(received, pid):
    try:
        return json.loads(received)
    except ValueError:
        raise Failure(f"the machine of {pid} ended before it answered") from None


def counters(pid):
    """One set of counters, as stats.nested() makes it. Raises Failure when the monitor writes none."""
    answer = ask(pid, "stats")
    if not answer["stats"]:
        raise Failure("the monitor reported no statistics")
    return answer["stats"]


def stats(pid):
    """./disco stats"""
    print(json.dumps(counters(choose(pid)), indent=1))
    return 0


def vm(pid, action, name, state=None):
    """./disco vm ACTION [NAME [STATE]]"""
    if (action == "list") == bool(name):
        raise Failure(f"vm {action} {'takes no' if name else 'needs a'} virtual machine (see ./disco vm --help)", 2)
    if name and not NAME.fullmatch(name):
        raise Failure(f"vm {action}: no virtual machine has such a name", 2)
    if (action == LINK) != bool(state) or state not in (None, *STATES):
        raise Failure(f"vm {action}: {'up or down?' if action == LINK else 'too many words'} (see ./disco vm --help)", 2)
    for line in ask(choose(pid), " ".join(word for word in ("vm", action, name, state) if word))["text"]:
        print(line)
    return 0
