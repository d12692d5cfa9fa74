# SPDX-License-Identifier: BSD-2-Clause
"""QEMU as the machine: its command line, its life, and what it says, as one stream of events.

The first serial port is the console, over pipes. The second carries the monitor's own log and never mixes
with it. Files go in as anonymous memory, so that nothing is left on disk however the launcher ends.
"""

import os
import selectors
import shutil
import subprocess
import time

from . import procs
from .paths import LITTLE
from .say import Failure

PROGRAM = {True: "qemu-system-mips64el", False: "qemu-system-mips64"}
CONSOLE, LOG, ERRORS = "console", "log", "errors"


def complaints(errors):
    """What QEMU said that matters, as text. The memory module's description that it cannot encode, nobody reads."""
    lines = errors.decode(errors="replace").splitlines()
    return "\n".join(line for line in lines if "SPD cannot represent" not in line)


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


class Machine:
    """A running QEMU. Use it as a context manager: leaving the block ends QEMU, whatever happened."""

    def __init__(self, endian, memory, kernel, initrd, append, cpus=1, extra=()):
        """`memory` in bytes; `kernel` and `initrd` are contents; `extra` are further QEMU arguments."""
        program = PROGRAM[endian == LITTLE]
        if not shutil.which(program):
            raise Failure(f"{program} is not installed (Debian package qemu-system-mips)")
        files = Memfiles()
        self.log_fd, log_writer = os.pipe()
        command = [
            program, "-M", "malta", "-cpu", "I6400", "-smp", cpus, "-m", f"{memory >> 20}M",
            "-nodefaults", "-display", "none", "-no-reboot",
            "-chardev", "stdio,id=con,signal=off", "-serial", "chardev:con",
            "-chardev", f"file,id=log,path=/proc/self/fd/{log_writer}", "-serial", "chardev:log",
            "-kernel", files.add("kernel", kernel), "-append", append, *extra,
        ]
        if initrd:
            command += ["-initrd", files.add("initrd", initrd)]
        try:
            self.process = procs.spawn(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, bufsize=0, pass_fds=[*files.fds, log_writer])
        finally:
            files.close()
            os.close(log_writer)
        os.set_blocking(self.process.stdin.fileno(), False)
        self.pending = b""
        self.started = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        procs.end(self.process)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass
        os.close(self.log_fd)

    def send(self, data):
        """Type at the console. What QEMU does not take at once is kept and sent as events() goes on."""
        self.pending += data
        self.flush()

    def flush(self):
        try:
            while self.pending:
                count = os.write(self.process.stdin.fileno(), self.pending)
                self.pending = self.pending[count:]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self.pending = b""

    def events(self, also=None, tick=0.25):
        """Yield (source, bytes) until QEMU is gone; (None, b"") about every `tick` seconds when all is silent.

        Sources are CONSOLE, LOG and ERRORS. `also` is one more descriptor to read from; it is its own source,
        and b"" from it means its end.
        """
        # select(2), unlike epoll, also takes regular files and /dev/null as `also`.
        with selectors.SelectSelector() as selector:
            open_sources = {self.process.stdout.fileno(): CONSOLE, self.log_fd: LOG,
                            self.process.stderr.fileno(): ERRORS}
            for fd, source in open_sources.items():
                selector.register(fd, selectors.EVENT_READ, source)
            if also is not None:
                selector.register(also, selectors.EVENT_READ, also)
            while open_sources:
                ready = selector.select(0.01 if self.pending else tick)
                self.flush()
                if not ready:
                    yield None, b""
                for key, _ in ready:
                    data = os.read(key.fd, 65536)
                    if not data:
                        selector.unregister(key.fd)
                        open_sources.pop(key.fd, None)
                    if data or key.fd == also:
                        yield key.data, data
