# SPDX-License-Identifier: BSD-2-Clause
"""Figure 7: several virtual machines on a multiprocessor, against one system that has it all."""

from . import chart
from .page import Section, Table
from .runs import KINDS, NATIVE, OFF, PARTS, Load, build_load, run

PAPER = {1: 136, 2: 92, 4: 64, 8: 60}


PROCESSORS = 8


def load(vms, quick):
    """So many files in all, shared out evenly: each of the virtual machines does its part in its own memory."""
    cpus, files = PROCESSORS // vms, (16 if quick else 64) // vms
    return Load("build", build_load(files, 2 * cpus, vms), cpus, PROCESSORS, mem=f"{128 * cpus}M", vms=vms)


def figure(quick):
    bare = run(load(1, quick), NATIVE)
    bars, rows, commands = [("Linux", [100 * bare.ns[kind] / bare.elapsed / PROCESSORS for kind in KINDS])], [], [bare.words]
    for vms in (1, 8) if quick else PAPER:
        r = run(load(vms, quick), OFF, PROCESSORS)
        bars.append((f"{vms} VMs", [100 * r.ns[kind] / bare.elapsed / PROCESSORS for kind in KINDS]))
        rows.append([f"{vms} VMs", r.elapsed / 1e6, 100 * r.elapsed / bare.elapsed, PAPER[vms]])
        commands.append(r.words)
    return Section("figure7", "Figure 7: scalability",
                   "The same build-like work on 8 processors and 8 nodes: one native system, and the machine divided among "
                   "virtual machines. An emulator runs processors in turn: what they wait for each other in locks is seen as "
                   "instructions only as far as they spin, and as idle time; contention for memory and interconnect is not "
                   "modelled. The figure says what locality and the monitor cost, and less of what locks do than the paper's.",
                   [chart.stacked("8 processors", "modelled time, Linux = 100", PARTS, bars)],
                   [Table("Execution time", ["", "time, ms", "Linux = 100", "paper"], rows)],
                   ["Between two meetings of all machines: they begin together, and the last to end counts.",
                    "The bare machine's processors are threads of QEMU, which this computer runs as it can: who spins for a lock that "
                    "a thread holds which does not run spins long, and its timer goes by the clock on the wall. So its time is "
                    "an upper bound; the virtual machines' processors run in turns, in modelled time."], commands)
