#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the model of memory (tools/flash) costs: QEMU with and without it, on the same loads."""

import statistics
import sys

import figures
import machine
import modelled

# Steps, rounds: a few seconds of a processor without the model.
LOADS = {"engineering": "engineering 1 {}", "raytrace": "raytrace 1 20000 100 {}", "fork+exec": "forkexec {}"}
SIZES = {"engineering": (10000000, 20000000), "raytrace": (8, 12), "fork+exec": (200, 400)}
OPTIONS = (f"ram={machine.MEMORY}", "nodes=2", "sleep=on")      # the system boots as fast as without


def seconds(outcome):
    """Of a processor that QEMU had while the command ran."""
    return (outcome.end - outcome.begin).cpu


def pair(command):
    """Without the model, and with it. The mark wakes it."""
    def runner(extra=()):
        return machine.linux(machine.NATIVE, f"mark 0; {command}", extra)
    without = seconds(runner())
    outcome, seen = modelled.modelled(runner, options=OPTIONS)
    return without, seconds(outcome), seen.total()


def row(name, command, times):
    pairs = [pair(command) for _ in range(times)]
    without, modelling = (statistics.median(taken[place] for taken in pairs) for place in (0, 1))
    executed, missed, missed2 = (statistics.median(of(taken[2]) for taken in pairs) for of in (
        lambda seen: seen["executed"]["all"], lambda seen: seen["hit2"]["all"] + seen["misses"],
        lambda seen: seen["misses"]))
    return [name, without, modelling, statistics.median(after / before for before, after, _ in pairs),
            executed / 1e6, 1e3 * missed / executed, 1e3 * missed2 / executed]


def measure(out):
    times = 1 if out.quick else 3
    rows = [row(name, words.format(SIZES[name][0 if out.quick else 1]), times) for name, words in LOADS.items()]
    out.table("QEMU's seconds of a processor, Linux on the bare machine with one processor",
              ["load", "without", "with the model", "times as many", "million instructions",
               "L1 misses per 1000", "L2 misses per 1000"], rows,
              [f"medians of {times} pairs of runs that took turns, from the command's start to its end",
               "misses are what Linux makes of them: where its pages lie is another each time"])


if __name__ == "__main__":
    sys.exit(figures.main("model", __doc__, measure))
