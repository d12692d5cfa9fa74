# SPDX-License-Identifier: BSD-2-Clause
"""Figure 6: memory of virtual machines that do the same."""

import tempfile

import bench_memory

from . import chart
from .page import Section, Table

PARTS = ("private", "kernel text", "shared cache", "monitor")


def figure(quick):
    bars, rows = [], []
    units = 40 if quick else bench_memory.UNITS
    with tempfile.TemporaryDirectory(prefix="disco-memory-") as folder:
        disk = bench_memory.sources(folder)
        for what, (seen, used) in bench_memory.PAPER.items():
            if quick and what not in (1, 4):
                continue
            nfs = not isinstance(what, int)
            m = bench_memory.one(disk, 8 if nfs else what, nfs, units)
            bars.append((f"{what} VMs", [m.private, m.text, m.cache, m.monitor]))
            rows.append([str(what), m.seen, m.used, 100 * m.used / m.seen, seen, used, 100 * used / seen])
    return Section("figure6", "Figure 6: memory",
                   "Virtual machines with the same load and disks: what they see in use, and machine memory that is.",
                   [chart.stacked("Machine memory", "MiB", PARTS, bars)],
                   [Table("Memory in MiB", ["VMs", "seen", "used", "%", "paper: seen", "paper: used", "paper, %"], rows)],
                   [], [f"./disco bench memory    # with {units} units"])
