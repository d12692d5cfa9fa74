# SPDX-License-Identifier: BSD-2-Clause
"""Table 2: what kernel services cost."""

from .page import Section, Table
from .runs import NATIVE, OFF, Load, run

# name of userland/services.c: the paper's name, its slowdown, how often it is done.
SERVICES = {"demand_zero": ("DEMAND_ZERO", 1.42, 1000), "quick_fault": ("QUICK_FAULT", 3.17, 1000),
            "open": ("open", 1.63, 500), "utlb_miss": ("UTLB_MISS", 1.35, 20000), "write": ("write", 2.14, 500),
            "read": ("read", 1.53, 500), "execve": ("execve", 1.60, 20)}


def figure(quick):
    rows, commands = [], []
    for name, (title, paper, most) in SERVICES.items():
        count = most // 5 if quick and most >= 50 else most
        load = Load(name, f"services {name} {count}")
        bare, guest = run(load, NATIVE), run(load, OFF)
        each = [r.elapsed / count / 1e3 for r in (bare, guest)]
        split = [guest.ns[kind] / count / 1e3 / each[0] for kind in ("user", "supervisor", "kernel")]
        rows.append([title, *each, each[1] / each[0], paper, *split, (guest.ns["stall_local"]) / count / 1e3 / each[0]])
        commands += [bare.words, guest.words]
    return Section("table2", "Table 2: kernel services",
                   "Each service many times between marks, loop included; microseconds of modelled time for one.", [],
                   [Table("Services", ["", "Linux, us", "Disco, us", "slowdown", "paper", "of that: user", "guest kernel",
                                       "monitor", "stalls"], rows)],
                   ["The last four columns are parts of Disco's time, where Linux' time for the service is 1."], commands)
