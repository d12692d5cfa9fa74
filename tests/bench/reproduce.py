#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The experiments of the paper, one after the other, and a page of what came out. ./disco reproduce runs it."""

import argparse
import sys
from pathlib import Path

import figures
import machine
from launcher.say import Failure, report, say

sys.path.insert(0, str(machine.ROOT / "tests" / "system"))

from paper import kernel, memory, numa, overhead, page, scale  # noqa: E402

FIGURES = {"figure5": overhead.figure, "table2": kernel.figure, "figure6": memory.figure, "figure7": scale.figure,
           "figure8": numa.figure}
TITLE = "libdisco beside the paper"
INTRO = ("Bugnion, Devine, Rosenblum: Disco: Running Commodity Operating Systems on Scalable Multiprocessors (SOSP 1997). "
         "Where time is compared it is modelled time: QEMU executes the instructions, the model of tools/flash says what they "
         "and their cache misses would take on a machine like FLASH. ")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", required=True, metavar="FILE", help="where the page goes")
    parser.add_argument("--quick", action="store_true", help="smaller loads")
    parser.add_argument("names", nargs="+", choices=list(FIGURES))
    arguments = parser.parse_args()
    sections = []
    try:
        for name in arguments.names:
            sections.append(FIGURES[name](arguments.quick))
            print(page.text(sections[-1]), flush=True)
        made = f"Made by: ./disco reproduce {'--quick ' * arguments.quick}{' '.join(arguments.names)}; {figures.circumstances()}."
        Path(arguments.page).write_text(page.page(TITLE, INTRO + made, sections), encoding="utf-8")
    except (Failure, OSError) as failure:
        report(failure)
        return 1
    say(f"the page is {arguments.page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
