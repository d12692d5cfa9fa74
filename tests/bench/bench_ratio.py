#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The guest beside the same Linux on the bare machine: time and executed instructions."""

import statistics
import sys

import counts
import figures
import machine
from launcher import qemu
from launcher.paths import guest_build

KINDS = (machine.NATIVE, machine.GUEST)
THREADS = {qemu.SINGLE: "in turn", qemu.MULTI: "parallel"}

# 100 times a program that does not exist and one that does, checksums of 8 MB, a directory walk, floating point.
MIX = """\
i=0
while [ $i -lt 100 ]; do /no/such/file 2>/dev/null; busybox true; i=$((i + 1)); done
dd if=/dev/zero of=/tmp/zeros bs=1M count=8 2>/dev/null && md5sum /tmp/zeros
find / -xdev | wc -l >/dev/null
awk 'BEGIN { for (i = 1; i < 100000; i++) sum += sqrt(i) / (i + 1.5); printf "%.9f\\n", sum }'
"""

# Kernel functions that wait for time to pass: how many instructions that takes depends on QEMU's speed alone.
WAITING = ("__delay", "__udelay", "__ndelay", "calibrate_delay", "CMOS_READ", "plat_time_init",
           "estimate_frequencies")

FORKS, MILLIONS = 200, 500


def pieces(forks, millions):
    return f"mark 0; forkexec {forks}; mark 1; mark 0; cpuloop {millions}; mark 1"


# --- time ---

def times(kind, forks, millions):
    """Time by workload, from two boots. The programs of the first say when they are done."""
    first = machine.linux(kind, f"forkexec {forks}; cpuloop {millions}")
    second = machine.linux(kind, MIX)
    forked, looped = first.when("forkexec: "), first.when("cpuloop: ")
    return {"boot to power-off": first.begin + first.off - first.end,
            f"{forks} fork+exec": forked - first.begin,
            f"CPU-bound loop, {millions} million rounds": looped - forked,
            "mix, with its boot": second.off}


def take_turns(forks, millions, pairs):
    runs = {kind: [] for kind in KINDS}
    for _ in range(pairs):
        for kind in KINDS:
            runs[kind].append(times(kind, forks, millions))
    return runs


def time_table(out, runs, which, what):
    pairs = len(runs[machine.NATIVE])
    rows = []
    for workload in runs[machine.NATIVE][0]:
        native, guest = ([getattr(run[workload], which) for run in runs[kind]] for kind in KINDS)
        ratios = [there / here for there, here in zip(guest, native)]
        rows.append([workload, statistics.median(native), statistics.median(guest), statistics.median(ratios),
                     min(ratios), max(ratios)])
    out.table(f"{what}, medians of {pairs} pairs of runs that take turns (native, guest, native, guest ...)",
              ["workload", "native s", "guest s", "guest/native", "least", "most"], rows,
              ["the loop and fork+exec: between the lines that the programs print",
               "mix: boot, 100 x (exec of a missing file + exec of busybox), 8 MB dd + md5sum, find, awk, power-off"])


# --- several processors ---

MANY = (1, 2, 4)
DONE = "all done"


def load(cpus, forks):
    return f"i=0; while [ $i -lt {cpus} ]; do forkexec {forks} & i=$((i + 1)); done; wait; echo {DONE}"


def loaded(kind, cpus, thread, forks):
    outcome = machine.linux(kind, load(cpus, forks), cpus=cpus, thread=thread)
    return outcome.when(DONE) - outcome.begin


def many_row(cpus, thread, forks, pairs):
    runs = [[loaded(kind, cpus, thread, forks) for kind in KINDS] for _ in range(pairs)]
    wall = [guest.wall / native.wall for native, guest in runs]
    cpu = [guest.cpu / native.cpu for native, guest in runs]
    return [cpus, THREADS[thread], *(statistics.median(run[place].wall for run in runs) for place in (0, 1)),
            statistics.median(wall), min(wall), max(wall), statistics.median(cpu)]


def many_table(out, forks, pairs):
    rows = [many_row(cpus, thread, forks, pairs) for thread in THREADS for cpus in MANY]
    out.table(f"{forks} fork+exec on each processor at once, medians of {pairs} pairs of runs that take turns",
              ["processors", "run", "native s", "guest s", "guest/native", "least", "most", "by QEMU's time"], rows,
              ["native: Linux on so many processors; guest: on as many virtual ones, on a monitor that has as many; "
               "256 MiB each",
               "seconds of the clock; by QEMU's time: guest/native in seconds of a processor that QEMU used",
               f"in turn: QEMU's own choice, in one thread; parallel: a thread for each processor, on a host with "
               f"{figures.host_processors()}"])


# --- instructions ---

def kernel_symbols(kind):
    folder = guest_build(machine.ENDIAN) / ("disco" if kind == machine.GUEST else "native")
    return counts.Symbols(folder / "vmlinux.debug")


def waiting(counted, symbols):
    return sum(executed for name, executed in counted.by_function(symbols) if name in WAITING)


def profiled(kind, command):
    """A counted run with a profile of the kernel: counts, and how many of them only waited."""
    symbols = kernel_symbols(kind)
    first, end = symbols.text()
    outcome, counted = counts.counted(machine.linux, kind, command, options=[f"profile={first:#x}:{end:#x}"])
    assert outcome.status == 0
    return counted, waiting(counted, symbols)


def instructions(kind, forks, millions):
    """Instructions by workload, each as a dict by mode."""
    counted, waited = profiled(kind, pieces(forks, millions))
    fork, loop = counted.between(skip=0), counted.between(skip=1)
    kernel = "supervisor" if kind == machine.GUEST else "kernel"
    boot = {mode: counted.total[mode] - fork[mode] - loop[mode] for mode in counts.MODES}
    mix, mix_waited = profiled(kind, MIX)
    return {"boot to power-off": boot,
            "the same without waiting loops": {**boot, kernel: boot[kernel] - waited},
            f"{forks} fork+exec": fork,
            f"CPU-bound loop, {millions} million rounds": loop,
            "mix, with its boot, without waiting loops": {**mix.total, kernel: mix.total[kernel] - mix_waited}}


def instruction_table(out, forks, millions):
    native, guest = (instructions(kind, forks, millions) for kind in KINDS)
    rows = []
    for workload, there in guest.items():
        here = sum(native[workload].values())
        rows.append([workload, here / 1e6, sum(there.values()) / 1e6, there["user"] / 1e6, there["supervisor"] / 1e6,
                     there["kernel"] / 1e6, sum(there.values()) / here])
    columns = ["workload", "native", "guest", "of it user", "its kernel", "monitor", "guest/native"]
    out.table("Executed instructions, in millions", columns, rows,
              ["counted by QEMU plugin tools/icount, one run each",
               "waiting loops: " + ", ".join(WAITING) + "; how many instructions they take tells only QEMU's speed"])


def measure(out):
    forks, millions, pairs = (50, 100, 1) if out.quick else (FORKS, MILLIONS, 5)
    instruction_table(out, forks, millions)
    runs = take_turns(forks, millions, pairs)
    time_table(out, runs, "cpu", "Seconds of a processor that QEMU used")
    time_table(out, runs, "wall", "Seconds of the clock")
    many_table(out, forks, 1 if out.quick else 3)


if __name__ == "__main__":
    sys.exit(figures.main("ratio", __doc__, measure))
