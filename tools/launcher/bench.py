# SPDX-License-Identifier: BSD-2-Clause
"""./disco bench: builds what is measured and runs the benchmarks of tests/bench, each a program of its own.

Each prints its figures and takes --quick and --json FILE (see tests/bench/figures.py); `lookup` takes neither.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

from . import build, guests, procs
from .paths import BUILD, LITTLE, ROOT, SHORT
from .say import Failure, say

PLACE = ROOT / "tests" / "bench"
GRACE = 30.0    # seconds: what a benchmark has started has to end first

# In the order in which they run.
NAMES = {"lookup": "L2TLB and pmap look-ups on the host, beside rust-vmm's vm-memory",
         "paths": "instructions from vector to eret, and of single operations",
         "misses": "TLB misses while Linux boots, and who answers them",
         "exits": "where the guest's extra time goes",
         "switch": "switching between virtual CPUs, TLB flushed and TLB tagged side by side",
         "shootdown": "calls between virtual CPUs, and pages taken back from 1 to 8 processors",
         "console": "the one-trap console and an emulated 16550 side by side, in traps and instructions a character",
         "disk": "a file that another virtual machine has read, mapped and copied",
         "net": "TCP between guests, remapped and copied, beside two bare machines",
         "nfs": "seven guests read one file from the eighth: machine memory that takes",
         "memory": "memory of 1 to 8 virtual machines under one load, as the paper's Figure 6",
         "model": "QEMU with and without the model of memory",
         "radix": "one parallel program on the thin OS and on Linux",
         "ratio": "guest and native side by side, in instructions and in time, on 1 to 4 processors"}
WITHOUT_LINUX = ("lookup", "switch", "shootdown")


def chosen(names):
    for name in names:
        if name not in NAMES:
            raise Failure(f"there is no benchmark {name}; there are: {' '.join(NAMES)}", 2)
    return names or list(NAMES)


def build_all(names, endian):
    with build.lock():
        host = build.host("host-release", ["--buildtype", "release"])
        if all(name in WITHOUT_LINUX for name in names):
            return host
        build.cross(endian)
        guests.everything(endian)
    return host


def command(name, host, quick, result):
    if name == "lookup":
        built = host / "tests" / "bench"
        return [PLACE / "lookup.py", built / "lookup", built / "steps", built]
    return [PLACE / f"bench_{name}.py", *(["--quick"] if quick else []), "--json", result]


def run(name, words, endian):
    """Run one benchmark; whether it succeeded."""
    say(f"benchmark {name}: {NAMES[name]}")
    cache = f"pycache_prefix={BUILD / 'pycache'}"
    process = procs.spawn([sys.executable, "-X", cache, *words], cwd=ROOT,
                          env={**os.environ, "DISCO_BUILD": str(BUILD), "DISCO_ENDIAN": endian})
    try:
        return process.wait() == 0
    finally:
        procs.end(process, GRACE)


def save(path, results):
    try:
        Path(path).write_text(json.dumps(results, indent=1) + "\n")
    except OSError as error:
        raise Failure(f"--json {path}: {error.strerror}") from None


def main(arguments):
    names = chosen(arguments.names)
    endian = arguments.endian or LITTLE
    host = build_all(names, endian)
    failed, results = [], []
    with tempfile.TemporaryDirectory(prefix="disco-bench-") as folder:
        for name in names:
            result = Path(folder) / f"{name}-{SHORT[endian]}.json"
            if not run(name, command(name, host, arguments.quick, result), endian):
                failed.append(name)
            elif result.exists():
                results.append(json.loads(result.read_text()))
    if arguments.json:
        save(arguments.json, results)
    if failed:
        raise Failure(f"these benchmarks failed: {', '.join(failed)}", 1)
    return 0
