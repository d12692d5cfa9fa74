# SPDX-License-Identifier: BSD-2-Clause
"""Several Linux guests at once, for the benchmarks of disks and network: started, asked, and told apart by name."""

import re
import subprocess
import sys
from pathlib import Path

import machine
from launcher.paths import BUILD
from launcher.say import Failure

sys.path.insert(0, str(machine.ROOT / "tests" / "system"))

from harness import Running, run  # noqa: E402

MIB = 1 << 20
PAGE = 4096
PATIENCE = 1200.0
# Of vm0, on the virtual subnet.
FIRST_ADDRESS = "10.0.2.16"
# A guest that has said what it had to say waits here to be looked at.
STAY = "sleep 100000"


def image(path, folder, mib):
    """An ext2 image of a folder, as guests' disks have it: blocks of a page."""
    done = subprocess.run(["/usr/sbin/mke2fs", "-q", "-t", "ext2", "-b", "4096", "-m", "0", "-d", folder, path, f"{mib}M"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"mke2fs: {done.stderr.strip()}")
    return path


def kernel_sources():
    """The unpacked Linux source that the guests' kernels are built from."""
    found = [path for path in sorted((BUILD / "guest" / "src").glob("linux-6.1*")) if (path / "kernel").is_dir()]
    if not found:
        raise Failure("there are no kernel sources; ./disco build unpacks them")
    return found[0]


def by_name(**commands):
    """One command for --exec: what each guest does, by its name; `others` for those that are not named."""
    cases = "".join(f"{name}) {command};; " for name, command in commands.items() if name != "others")
    return f"case $(hostname) in {cases}*) {commands['others']};; esac"


def said(done, pattern):
    """The matches of a pattern with lines that guests printed, in all of a run's output."""
    text = (done.out + done.err.encode(errors="replace")).decode(errors="replace")
    return re.findall(pattern, text, re.MULTILINE)


def watched(words, line, times):
    """Run guests until `line` has been said so many times; the counters at that moment."""
    with Running(*words, "--monitor-append", "stay") as running:
        running.until(lambda: len(said(running.so_far(), line)) >= times, PATIENCE, f"'{line}' {times} times")
        return running.stats(), running.so_far()


def finished(*words):
    """Run guests to their end."""
    done = run(*words, timeout=PATIENCE)
    if done.status:
        raise Failure(f"./disco run {' '.join(map(str, words))} ended with status {done.status}\n{done}")
    return done


def arguments(extra):
    """QEMU's arguments as ./disco run takes them."""
    return [f"--qemu-arg={word}" for word in extra]
