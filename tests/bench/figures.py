# SPDX-License-Identifier: BSD-2-Clause
"""How a benchmark shows what it measured: tables for people, the same as JSON for programs.

Every benchmark is a program with the options --quick (less of everything, a few minutes shorter) and
--json FILE. ./disco bench runs them.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import machine
from launcher.qemu import PROGRAM
from launcher.say import Failure, report


class Figures:
    """Tables of one benchmark, printed as they come."""

    def __init__(self, name, quick):
        self.name, self.quick = name, quick
        self.tables = []

    def head(self, what):
        print(f"\n== {self.name}: {what}")
        print(f"   made by: ./disco bench {self.name}{' --quick' if self.quick else ''}; {circumstances()}")

    def table(self, title, columns, rows, notes=()):
        """`rows` hold as many cells as `columns`; numbers go to the right, the rest to the left."""
        self.tables.append({"title": title, "columns": list(columns), "rows": [list(row) for row in rows],
                            "notes": list(notes)})
        cells = [[shown(cell) for cell in row] for row in rows]
        widths = [max(len(row[place]) for row in [list(columns), *cells]) for place in range(len(columns))]
        right = [bool(rows) and all(isinstance(row[place], (int, float, type(None))) for row in rows)
                 for place in range(len(columns))]
        print(f"\n{title}")
        for row in [list(columns), *cells]:
            print("  " + "  ".join(cell.rjust(width) if to_right else cell.ljust(width)
                                   for cell, width, to_right in zip(row, widths, right)).rstrip())
        for note in notes:
            print(f"  * {note}")
        sys.stdout.flush()

    def save(self, path):
        Path(path).write_text(json.dumps({"name": self.name, "quick": self.quick, "made": circumstances(),
                                          "tables": self.tables}, indent=1) + "\n")


def shown(cell):
    if cell is None:
        return "-"
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.3f}" if abs(cell) < 10 else f"{cell:,.1f}"
    return str(cell)


def percent(part, whole):
    return 100.0 * part / whole if whole else 0.0


def host_processors():
    return len(os.sched_getaffinity(0))


def circumstances():
    done = subprocess.run([PROGRAM[machine.ENDIAN == "little"], "--version"], capture_output=True, text=True,
                          check=True, timeout=60)
    version = done.stdout.split("\n", 1)[0].removeprefix("QEMU emulator version ")
    host = f"host with {host_processors()} processors, load {os.getloadavg()[0]:.1f}"
    return f"{time.strftime('%Y-%m-%d')}, QEMU {version}, {machine.ENDIAN} endian, {host}"


def main(name, what, measure):
    """The program: measure(figures) fills the tables. Returns the exit status."""
    parser = argparse.ArgumentParser(prog=name, description=what)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    parser.add_argument("--json", metavar="FILE", help="write the tables to FILE as well")
    arguments = parser.parse_args()
    figures = Figures(name, arguments.quick)
    try:
        figures.head(what)
        measure(figures)
    except Failure as failure:
        report(failure)
        return failure.status
    if arguments.json:
        figures.save(arguments.json)
    return 0
