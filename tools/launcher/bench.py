# SPDX-License-Identifier: BSD-2-Clause
"""./disco bench: runs every benchmark that stands in tests/bench, in the order of their names.

A benchmark is an executable file or a bench_*.py; it prints its own figures. It finds what it needs through
the environment: DISCO_BUILD, the build directory, and DISCO, the path of ./disco itself.
"""

import os
import sys

from . import build, procs
from .paths import BUILD, LITTLE, ROOT
from .say import Failure, say

PLACE = ROOT / "tests" / "bench"
GRACE = 30.0    # seconds: what a benchmark has started has to end first


def registered():
    if not PLACE.is_dir():
        return []
    return [path for path in sorted(PLACE.iterdir()) if path.is_file()
            and (path.match("bench_*.py") or (os.access(path, os.X_OK) and path.suffix != ".py"))]


def main():
    benchmarks = registered()
    if not benchmarks:
        raise Failure("there are no benchmarks in tests/bench")
    with build.lock():
        build.host("host-release", ["--buildtype", "release"])
        build.cross(LITTLE)
    failed = [path.name for path in benchmarks if run(path) != 0]
    if failed:
        raise Failure(f"these benchmarks failed: {', '.join(failed)}", 1)
    return 0


def run(path):
    say(f"benchmark {path.name}")
    command = [sys.executable, path] if path.suffix == ".py" else [path]
    process = procs.spawn(command, cwd=ROOT, env={**os.environ, "DISCO_BUILD": str(BUILD), "DISCO": str(ROOT / "disco")})
    try:
        return process.wait()
    finally:
        procs.end(process, GRACE)
