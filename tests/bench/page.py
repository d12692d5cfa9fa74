#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Puts what ./disco bench printed into docs/figures.md: each section that OUTPUT has in the place of an older one.

usage: ./disco bench [NAME...] > OUTPUT && tests/bench/page.py OUTPUT
"""

import re
import sys
from pathlib import Path

HEAD = """\
Figures {#figures}
=======

What was measured, when, and the command that measures it again. The paper's experiments are not here: `./disco reproduce`
makes a page of its own.

Other work may have shared the machine: instruction counts hardly feel that, times do. Therefore times are ratios of runs
that take turns, or are given twice, as seconds of a processor that QEMU used and as seconds of the clock.
`./disco bench` makes everything on this page; `./disco bench NAME` makes one section, `--json FILE` keeps the tables
for programs, `--quick` takes fewer and shorter runs.

Instructions are counted by a plugin for QEMU, `tools/icount`: it tells programs, the guest's kernel and the monitor
apart by the addresses they run at, and follows each exit from the exception vector to the `eret` that lets the guest
go on. A test (`tests/system/tiny/test_icount.py`) holds it against a guest whose instructions are known beforehand.
"""

PAGE = Path(__file__).resolve().parents[2] / "docs" / "figures.md"
LOOKUP = "lookup"
SECTIONS = {
    LOOKUP: ("Look-ups on the host", "An address is translated in 256 MiB that are mapped page by page, and for "
             "comparison in rust-vmm's vm-memory (Debian's\n`librust-vm-memory-dev`) with one, 16 and 64 regions. "
             "Instructions are counted by single-stepping."),
    "paths": ("Paths of the monitor", "The aim for the path of an L2TLB hit is 30 instructions or fewer."),
    "misses": ("TLB misses", "Who answers them, by the monitor's own counters."),
    "switch": ("Switching between virtual CPUs", "Two virtual CPUs on one processor, with `--tlb flush` (the TLB is "
               "flushed at each switch, as in the paper) and\nwith `--tlb tagged` (machine ASIDs tell them apart), "
               "side by side. Tiny guest `bench_switch`."),
    "shootdown": ("Calls and shootdowns", "What processors cost each other. QEMU runs them in turn, in one thread, or "
                  "in parallel (`--thread multi`): each row\nsays which. Tiny guests `bench_ipi` and "
                  "`bench_shootdown`."),
    "disk": ("Disks that share", "The second virtual machine to read a file. `net=copy` and `copy = yes` are there for such comparisons."),
    "net": ("A network that remaps", "One stream between two virtual machines, and between two bare ones."),
    "nfs": ("One file, eight virtual machines", "The server's page, the packet and the reader's page are one machine page."),
    "console": ("The console, two ways", "A monitor call for a piece of output, and an emulated 16550 whose every access traps."),
    "radix": ("A thin operating system", "The same sort beside Linux: a library that has no virtual memory, and Linux processes."),
    "memory": ("Memory", "The paper's Figure 6: a build-like load in each virtual machine; aim: 40 % or less at 8."),
    "ratio": ("Guest and native", "The same Linux and user land on the monitor and on the bare machine, 256 MiB and "
              "one processor each;\nin the last table on 1, 2 and 4. The aims are 2.0 or less for the mix and 1.02 or "
              "less for the CPU-bound loop."),
    "exits": ("Where the guest's extra time goes", "Exits, emulated instructions and the monitor's functions."),
}


def sections(output):
    """Name -> (when and where it was made, text); what comes before the first heading is the look-ups, which have none."""
    first, *others = re.split(r"^== (?=\w+:)", output, flags=re.MULTILINE)
    found = {}
    for text in others:
        made = re.search(r"made by: ./disco bench \w+( --quick)?; (.*)", text)
        found[text.split(":", 1)[0]] = (made[2] + (", --quick" if made[1] else ""), text.split("\n", 2)[2])
    if "look-ups over" in first:
        found[LOOKUP] = (next(iter(found.values()), ("?",))[0], first[first.index("look-ups over"):])
    return {name: (made, lines_of(text)) for name, (made, text) in found.items()}


def lines_of(text):
    """Without what the launcher says in between."""
    return "\n".join(line for line in text.strip("\n").splitlines() if not line.startswith("disco: "))


def block(name, made, text):
    title, about = SECTIONS[name]
    heading = f"{title}: `./disco bench {name}`"
    return f"{heading}\n{'-' * len(heading)}\n\n{about}\n\nMade: {made}.\n\n```text\n{text}\n```\n"


def kept(page):
    """Name -> block of the page as it is."""
    pieces = re.split(r"^(?=.*: `\./disco bench \w+`\n-+$)", page, flags=re.MULTILINE)[1:]
    return {re.match(r".*`\./disco bench (\w+)`", piece)[1]: piece.strip("\n") + "\n" for piece in pieces}


def main(path):
    found = sections(Path(path).read_text())
    if not found:
        sys.exit(f"{path}: no benchmark has printed this")
    blocks = kept(PAGE.read_text()) | {name: block(name, *each) for name, each in found.items()}
    PAGE.write_text("\n".join([HEAD, *(blocks[name] for name in SECTIONS if name in blocks)]))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
