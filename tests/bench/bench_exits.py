#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where the guest's extra time goes: exits by cause, emulated instructions, instructions by mode and function."""

import sys

import counts
import exits
import figures
import machine

TOP = 12
FUNCTIONS = 24


def by_mode(out, counted):
    total = counted.all()
    names = {"user": "programs (user mode)", "supervisor": "guest kernel (supervisor mode)",
             "kernel": "monitor (kernel mode)"}
    rows = [[names[mode], counted.total[mode] / 1e6, figures.percent(counted.total[mode], total)]
            for mode in counts.MODES]
    out.table("Executed instructions by mode", ["mode", "millions", "%"], rows)


def by_counter(out, stats, prefix, title):
    """The monitor's own counters PREFIX*, largest first."""
    found = sorted(((value, name.removeprefix(prefix)) for name, value in stats.items()
                    if name.startswith(prefix) and name != "insn_runs" and value), reverse=True)
    total = sum(value for value, _ in found)
    out.table(title, [prefix.rstrip("_"), "times", "%"],
              [[name, value, figures.percent(value, total)] for value, name in found[:TOP]])


def by_kind(out, counted, monitor):
    total = counted.total["kernel"]
    rows = [[kind.name, kind.count, kind.total / 1e6, kind.mean(), figures.percent(kind.total, total)]
            for kind in monitor.kinds(counted.data)[:2 * TOP]]
    out.table("The monitor's instructions by what the exit was",
              ["exit", "times", "millions", "each", "% of monitor"], rows,
              ["what is missing to 100 %: starting the monitor, and ending it"])


def by_function(out, counted, monitor):
    total = counted.total["kernel"]
    rows = [[name, executed / 1e6, figures.percent(executed, total)]
            for name, executed in counted.by_function(monitor.symbols)[:FUNCTIONS]]
    out.table("The monitor's instructions by function", ["function", "millions", "% of monitor"], rows)


def measure(out):
    monitor = exits.Monitor()
    command = "forkexec 50" if out.quick else "forkexec 200"
    outcome, counted = counts.counted(machine.linux, machine.GUEST, command, options=monitor.options(profile=True))
    print(f"\nLinux from boot to power-off with --exec '{command}'")
    by_mode(out, counted)
    by_counter(out, outcome.stats, "exit_", "Exits to C by the hardware's exception code")
    by_counter(out, outcome.stats, "insn_", f"Emulated instructions, the {TOP} most frequent")
    by_kind(out, counted, monitor)
    by_function(out, counted, monitor)


if __name__ == "__main__":
    sys.exit(figures.main("exits", __doc__, measure))
