# SPDX-License-Identifier: BSD-2-Clause
"""Figure 5: what virtualization costs on one processor."""

from . import chart
from .page import Section, Table
from .runs import KINDS, NATIVE, OFF, PARTS, Load, build_load, fastest

PAPER = {"build": 116, "engineering": 106, "raytrace": 103, "database": 116}


def loads(quick):
    runs = 1 if quick else 3
    return [Load("build", build_load(8 if quick else 40, 1), runs=runs),
            # Working sets of 1.1 and 1.25 MiB: in a cache of about their size the bare machine varies by 40 %.
            Load("engineering", f"engineering 1 {100000 if quick else 1000000}", model="l2=256K", runs=runs),
            Load("raytrace", f"raytrace 1 20000 {64 if quick else 160}", runs=runs),
            Load("database", f"database {1000 if quick else 6000} 1", runs=runs)]


def figure(quick):
    bars, rows, commands = [], [], []
    for load in loads(quick):
        bare, guest = fastest(load, NATIVE), fastest(load, OFF)
        for name, r in (("Linux", bare), ("Disco", guest)):
            bars.append((f"{load.name}: {name}", [100 * r.ns[kind] / bare.elapsed for kind in KINDS]))
            commands.append(r.words)
        bars.append((None, None))
        rows.append([load.name, bare.elapsed / 1e6, guest.elapsed / 1e6, 100 * guest.elapsed / bare.elapsed, PAPER[load.name],
                     guest.executed / bare.executed, 100 * guest.share("kernel")])
    return Section("figure5", "Figure 5: overhead on one processor",
                   "The same kernel source and user land, native and on the monitor.",
                   [chart.stacked("One processor", "modelled time, Linux = 100", PARTS, bars)],
                   [Table("Execution time", ["", "Linux, ms", "Disco, ms", "Linux = 100", "paper", "instructions, ratio",
                                             "in the monitor, %"], rows)],
                   ["Time between the marks of each load, without the system's start.",
                    "Engineering has a second-level cache of 256 KiB, which its working sets exceed by far; in one of 1 MiB, "
                    "about their size, a bare machine's time varies by 40 % from run to run."]
                   + ([] if quick else ["The fastest of three runs counts."]),
                   commands)
