# SPDX-License-Identifier: BSD-2-Clause
"""QEMU as the machine: its command line, its life, and what it says, as one stream of events.

The first serial port is the console, over pipes. The second carries the monitor's own log and takes commands,
over a pair of sockets; it never mixes with the first. Files go in as anonymous memory, so that nothing is left
on disk however the launcher ends.
"""

import os
import selectors
import shutil
import signal
import socket
import subprocess
import time

from . import disks, procs
from .paths import LITTLE
from .say import Failure

PROGRAM = {True: "qemu-system-mips64el", False: "qemu-system-mips64"}
CONSOLE, LOG, ERRORS = "console", "log", "errors"
# How long QEMU, which has closed all that it wrote to, may take to be gone.
END_TIMEOUT = 5.0
SINGLE, MULTI = "single", "multi"
THREADS = (SINGLE, MULTI)

# What QEMU warns of and nobody needs to know: the memory module's description that it cannot encode, which
# nobody reads; and that it makes no promise for MIPS processors in threads of their own, which were asked for.
HARMLESS = ("SPD cannot represent", "not yet converted to MTTCG", "may get unexpected results")


def complaints(errors):
    """What QEMU said that matters, as text."""
    lines = errors.decode(errors="replace").splitlines()
    return "\n".join(line for line in lines if not any(words in line for words in HARMLESS))


class Memfiles:
    """Contents that QEMU opens as files through inherited descriptors."""

    def __init__(self):
        self.fds = []

    def add(self, name, data):
        fd = os.memfd_create(name)
        self.fds.append(fd)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view):]
        return f"/proc/self/fd/{fd}"

    def close(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = []


class Writer:
    """A descriptor to write to that may not take everything at once; what it does not take is kept."""

    def __init__(self, fd):
        os.set_blocking(fd, False)
        self.fd = fd
        self.pending = b""

    def send(self, data):
        self.pending += data
        self.flush()

    def flush(self):
        try:
            while self.pending:
                count = os.write(self.fd, self.pending)
                self.pending = self.pending[count:]
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            self.pending = b""


class Machine:
    """A running QEMU. Use it as a context manager: leaving the block ends QEMU, whatever happened."""

    def __init__(self, endian, memory, kernel, initrd, append, cpus=1, thread="", extra=(), drives=(), network=()):
        """`memory` in bytes; `kernel` and `initrd` are contents; `drives` open disks; the rest QEMU arguments."""
        program = PROGRAM[endian == LITTLE]
        if not shutil.which(program):
            raise Failure(f"{program} is not installed (Debian package qemu-system-mips)")
        files = Memfiles()
        self.log, qemus = socket.socketpair()
        command = [
            program, "-M", "malta", "-cpu", "I6400", "-smp", cpus, "-m", f"{memory >> 20}M",
            "-nodefaults", "-display", "none", "-no-reboot", "-nic", "none",
            "-chardev", "stdio,id=con,signal=off", "-serial", "chardev:con",
            "-chardev", f"socket,id=log,fd={qemus.fileno()}", "-serial", "chardev:log",
            "-kernel", files.add("kernel", kernel), "-append", append,
            *(["-accel", f"tcg,thread={thread}"] if thread else []),
            *disks.qemu_arguments(drives), *network, *extra,
        ]
        if initrd:
            command += ["-initrd", files.add("initrd", initrd)]
        held = [*files.fds, qemus.fileno(), *(drive.file.fileno() for drive in drives)]
        try:
            self.process = procs.spawn(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, bufsize=0, pass_fds=held)
        finally:
            files.close()
            qemus.close()
        self.keys, self.commands = Writer(self.process.stdin.fileno()), Writer(self.log.fileno())
        # select(2), unlike epoll, also takes regular files and /dev/null.
        self.selector = selectors.SelectSelector()
        self.started = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        procs.end(self.process)
        self.selector.close()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr, self.log):
            try:
                stream.close()
            except BrokenPipeError:
                pass

    def send(self, data):
        """Type at the console. What QEMU does not take at once is sent as events() goes on."""
        self.keys.send(data)

    def command(self, text):
        """Send the monitor one command of its prompt."""
        self.commands.send(text.encode() + b"\n")

    def watch(self, fd, source):
        """Have events() yield (source, b"") whenever `fd` can be read, until unwatch(fd)."""
        self.selector.register(fd, selectors.EVENT_READ, source)

    def unwatch(self, fd):
        self.selector.unregister(fd)

    def events(self, tick=0.25):
        """Yield (source, bytes) until QEMU is gone; (None, b"") about every `tick` seconds when all is silent.

        Sources are CONSOLE, LOG and ERRORS, and those of watch(): who watches reads by himself.
        """
        ours = {self.process.stdout.fileno(): CONSOLE, self.log.fileno(): LOG, self.process.stderr.fileno(): ERRORS}
        for fd, source in ours.items():
            self.watch(fd, source)
        while ours:
            ready = self.selector.select(0.01 if self.keys.pending or self.commands.pending else tick)
            self.keys.flush()
            self.commands.flush()
            if not ready:
                yield None, b""
            for key, _ in ready:
                if key.fd not in ours:
                    yield key.data, b""
                    continue
                data = read(key.fd)
                if data:
                    yield key.data, data
                else:
                    self.unwatch(key.fd)
                    del ours[key.fd]
        try:
            status = self.process.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:   # leaving the block ends it
            return
        if status < 0:
            yield ERRORS, f"QEMU was ended by {signal.Signals(-status).name}\n".encode()


def read(fd):
    """What there is; b"" at its end, and when the other side broke off."""
    try:
        return os.read(fd, 65536)
    except ConnectionResetError:
        return b""
