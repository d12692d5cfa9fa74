# SPDX-License-Identifier: BSD-2-Clause
"""Builds with meson and ninja; quiet when there is nothing to do, one launcher at a time."""

import fcntl
import os
import shutil
import time
from contextlib import contextmanager

from . import procs
from .paths import BUILD, ROOT, SHORT, cross_build, shown
from .say import Failure, say

MESON = "/usr/bin/meson"
JOBS = os.cpu_count() or 1
# How long one waits for another launcher and says nothing.
PATIENCE = 10.0
SETUP_TIMEOUT, NINJA_TIMEOUT = 300, 1800


@contextmanager
def lock():
    """Held while building and while reading what was built, so that concurrent launchers take turns."""
    try:
        BUILD.mkdir(parents=True, exist_ok=True)
        file = open(BUILD / ".lock", "w")
    except OSError as error:
        raise Failure(f"cannot write to the build directory {BUILD}: {error.strerror} "
                      "(DISCO_BUILD=DIR puts it elsewhere)") from None
    with file:
        if not free_within(PATIENCE, file):
            say(f"waiting for another ./disco that is building in {shown(BUILD)}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def free_within(seconds, file):
    """Take the lock, if that does not take longer. Others that only look hold it for a moment."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.05)


def cross(endian):
    """Libraries, backend, monitor and tiny guests for the MIPS machine. Returns the build directory."""
    cross_file = ROOT / "cross" / f"mips64r6{SHORT[endian]}.ini"
    return meson(f"building for MIPS64 ({endian} endian)", cross_build(endian),
                 ["--cross-file", cross_file], cross_file.read_text())


def host(name="host", options=(), *targets):
    """Libraries, the sim backend and their tests for this machine, in build/NAME; or `targets` of these alone."""
    return meson(f"building for this machine ({name})", BUILD / name, list(options), repr(options), targets)


def meson(what, directory, options, key, targets=()):
    """Configure when needed and build. A directory configured with another `key`, or before the tree was
    moved, is made anew."""
    key = f"{ROOT}\n{key}"
    stamp = directory / "disco-options.txt"
    if not (directory / "build.ninja").exists() or not stamp.exists() or stamp.read_text() != key:
        shutil.rmtree(directory, ignore_errors=True)
        procs.step(f"configuring {shown(directory)}", [MESON, "setup", *options, directory, ROOT],
                   BUILD / "logs" / f"{directory.name}-setup.log", SETUP_TIMEOUT, cwd=ROOT)
        stamp.write_text(key)
    procs.step(what, ["ninja", "-C", directory, "-j", JOBS, *targets], BUILD / "logs" / f"{directory.name}.log", NINJA_TIMEOUT)
    return directory


def monitor(endian):
    """The bundled monitor's ELF file; built before by cross()."""
    path = cross_build(endian) / "examples" / "monitor" / "monitor.elf"
    if not path.exists():
        raise Failure(f"the build made no monitor ({shown(path)})")
    return path


def clean():
    """Remove everything that was built."""
    if not BUILD.exists():
        say("there is nothing to clean")
        return
    if not (BUILD / ".lock").exists() and any(BUILD.iterdir()):
        raise Failure(f"{BUILD} does not look like a build directory of ours; left alone")
    with lock():
        shutil.rmtree(BUILD, ignore_errors=True)
    say(f"removed {shown(BUILD)}")
