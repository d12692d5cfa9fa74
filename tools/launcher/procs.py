# SPDX-License-Identifier: BSD-2-Clause
"""Child processes that never outlive the launcher."""

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .say import TIMED_OUT, Failure, Progress

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)

# What spawn() has started, while anybody knows of it.
started = weakref.WeakSet()


class Watcher:
    """The process that ends what is left of our children when the launcher is killed: watcher.py. It begins with the
    first of them, and ends with the launcher. They are told by `mark` in their environment."""

    def __init__(self):
        self.lock = threading.Lock()
        self.process = None
        self.mark = "DISCO_LAUNCHER", f"{os.getpid()}-{time.time_ns()}"

    def pipe(self):
        """Where it is told. Somebody who ended it gets another one for the children to come."""
        with self.lock:
            if self.process is None or self.process.poll() is not None:
                self.process = subprocess.Popen(
                    [sys.executable, "-I", "-S", Path(__file__).with_name("watcher.py"), "=".join(self.mark)],
                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", env={},
                    start_new_session=True, bufsize=0)
            return self.process.stdin.fileno()

    def forget(self, session):
        """It has ended, and its number may become somebody else's."""
        try:
            os.write(self.pipe(), b"end %d\n" % session)
        except BrokenPipeError:
            pass


watcher = Watcher()


def leave_nothing(parent, pipe):
    """A function for the child, before exec: the kernel kills it when the launcher dies, however it dies, and the
    watcher all that it has started. It leads a session of its own already."""

    def set_up():
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.write(pipe, b"begin %d\n" % os.getpid())

    return set_up


def spawn(command, **options):
    """Popen in a session of its own, so that Ctrl-C at the terminal reaches the launcher alone. End it with end()."""
    name, value = watcher.mark
    environment = {**(options.pop("env", None) or os.environ), name: value}
    try:
        process = subprocess.Popen([str(word) for word in command], start_new_session=True, env=environment,
                                   preexec_fn=leave_nothing(os.getpid(), watcher.pipe()), **options)
    except OSError as error:
        raise Failure(f"cannot start {command[0]}: {error.strerror}") from None
    started.add(process)
    return process


def side_by_side(work, items, at_once):
    """[work(item), ...] in the items' order, so many at a time. Interrupted, what they have started is ended first."""
    with ThreadPoolExecutor(at_once) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(started):
                if process.poll() is None:
                    signal_group(process, signal.SIGTERM)
            raise


def end(process, grace=2.0):
    """End a process of ours and all of its group; harmless when it has ended already."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            break
        signal_group(process, number)
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            continue
    process.wait()
    # What the leader of the group left behind goes with it.
    signal_group(process, signal.SIGKILL)
    if process in started:
        started.discard(process)
        watcher.forget(process.pid)


def signal_group(process, number):
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        pass


def step(what, command, log, timeout, **options):
    """Run one build step quietly with a progress line; its output goes to the file `log`.

    Raises Failure with the end of the output when the step fails or takes more than `timeout` seconds.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    progress = Progress(what)
    with open(log, "wb") as sink:
        process = spawn(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, **options)
        try:
            follow(process, sink, progress, time.monotonic() + timeout)
            status = process.wait()
        except subprocess.TimeoutExpired:
            raise Failure(f"{what}: no end after {timeout:.0f} s; the log is {log}", TIMED_OUT) from None
        finally:
            end(process)
            process.stdout.close()
    if status != 0:
        progress.abandon()
        raise Failure(f"{what} failed (status {status}); the whole log is {log}", detail=tail(log))
    progress.finish()


def follow(process, sink, progress, deadline):
    """Copy the output to the log until it ends, showing its last line as progress."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = b""
        while True:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(process.args, 0)
            if not selector.select(0.2):
                progress.update(line.decode(errors="replace"))
                continue
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                return
            sink.write(data)
            line = (data.strip().splitlines() or [line])[-1]
            progress.update(line.decode(errors="replace"))


def tail(log, lines=40):
    """The part of a log that says what went wrong: from the first error on, or its last lines."""
    text = log.read_text(errors="replace").splitlines()
    for number, line in enumerate(text):
        if "error:" in line.lower() or line.startswith("FAILED:"):
            return "\n".join(text[max(0, number - 3):number + lines])
    return "\n".join(text[-lines:])
