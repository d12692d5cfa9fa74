# SPDX-License-Identifier: BSD-2-Clause
"""./disco run --gdb and ./disco gdb: a debugger on the machine, with the symbols of monitor and guest."""

import os
import shlex

from . import build, control
from .guests import DISCO
from .paths import ROOT, guest_build, shown
from .say import Failure, say
from .serve import SESSION

PROGRAM = "gdb-multiarch"
PORT = 1234
SCRIPT = ROOT / "tools" / "gdb" / "disco.py"


def stub(wish):
    """QEMU's arguments for what was asked for; only this computer may connect."""
    if wish.gdb is None:
        return []
    return ["-gdb", f"tcp:127.0.0.1:{wish.gdb}", *(["-S"] if wish.gdb_wait else [])]


def session(wish, made):
    """What others may want to know about a machine; the answer to the control command of this name."""
    kernel = guest_build(made.endian) / DISCO / "vmlinux.debug"
    return {"pid": os.getpid(), "names": made.names, "gdb": wish.gdb, "monitor": str(build.monitor(made.endian)),
            "guest": str(kernel) if made.linux and kernel.exists() else None}


def command(about, more=()):
    """The debugger's command line for a session."""
    words = [PROGRAM, "-q", "-nx", about["monitor"], "-x", str(SCRIPT)]
    if about["guest"]:
        words += ["-ex", f"add-symbol-file {quoted(about['guest'])}"]
    return [*words, "-ex", f"target remote 127.0.0.1:{about['gdb']}", *more]


def quoted(path):
    """A path as gdb takes it in a command."""
    return path.replace("\\", "\\\\").replace(" ", "\\ ")


def announce(wish, made):
    if wish.gdb is not None:
        words = [shown(word) if os.path.isabs(word) else word for word in command(session(wish, made))]
        say(f"for a debugger, in another terminal: ./disco gdb, which is\n  {shlex.join(words)}")
        if wish.gdb_wait:
            say("the machine waits for it (continue starts it)")


def attach(pid, batch):
    """./disco gdb: become the debugger, on a machine that runs."""
    pid = control.choose(pid)
    about = control.ask(pid, SESSION)["session"]
    if about["gdb"] is None:
        raise Failure(f"the machine of {pid} was started without --gdb", 2)
    words = command(about, [word for text in batch for word in ("-ex", text)] + (["-batch"] if batch else []))
    os.chdir(ROOT)
    try:
        os.execvp(words[0], words)
    except OSError as error:
        raise Failure(f"cannot start {PROGRAM}: {error.strerror}") from None
