# SPDX-License-Identifier: BSD-2-Clause
"""./disco reproduce: the paper's experiments, run here, as one page with plots and tables beside the paper's figures.

The experiments are programs of tests/bench/paper; tests/bench/reproduce.py runs them and writes the page.
"""

import os
import sys

from . import build, guests, numa, procs
from .paths import BUILD, LITTLE, ROOT
from .say import Failure

PROGRAM = ROOT / "tests" / "bench" / "reproduce.py"
PAGE = BUILD / "reproduce.html"
GRACE = 30.0    # seconds: what an experiment has started has to end first

FIGURES = {"figure5": "overhead on one processor, four loads",
           "table2": "kernel services, one by one",
           "figure6": "memory of 1 to 8 virtual machines",
           "figure7": "1 to 8 virtual machines against one system with 8 processors",
           "figure8": "page migration and replication; with Table 3"}


def chosen(names):
    for name in names:
        if name not in FIGURES:
            raise Failure(f"there is no figure {name}; there are: {' '.join(FIGURES)}", 2)
    return [name for name in FIGURES if name in names or not names]


def main(arguments):
    names = chosen(arguments.names)
    with build.lock():
        build.cross(LITTLE)
        guests.everything(LITTLE)
        numa.plugin()
    words = [PROGRAM, "--page", os.path.abspath(arguments.page or PAGE), *(["--quick"] if arguments.quick else []), *names]
    process = procs.spawn([sys.executable, "-X", f"pycache_prefix={BUILD / 'pycache'}", *words], cwd=ROOT,
                          env={**os.environ, "DISCO_BUILD": str(BUILD), "DISCO_ENDIAN": LITTLE})
    try:
        if process.wait():
            raise Failure("the page is not there: an experiment failed", 1)
    finally:
        procs.end(process, GRACE)
    return 0
