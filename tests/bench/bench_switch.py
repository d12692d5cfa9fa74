#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two virtual CPUs that take turns on one processor: what a switch costs, TLB flushed against TLB tagged."""

import functools
import statistics
import sys

import counts
import exits
import figures
import machine
from launcher.say import Failure

REGIMES = ("flush", "tagged")
PAIRS = {"two VMs": {"vms": 2, "cpus": 1}, "one VM": {"vms": 1, "cpus": 2}}
COUNTED = 2000             # rounds
TIMED = (200, 8200)        # rounds of two runs: one less the other has no start and no end
COMPUTED = (100, 400)      # ms


def guest(regime, pair, options, extra=()):
    append = " ".join(f"{name}={value}" for name, value in options.items())
    return machine.tiny("bench_switch", extra, smp=1, tlb=regime, append=append, **pair)


def answers(stats):
    """TLB misses by who answered them."""
    return {"in assembly": stats["l2tlb_hits"] - stats["miss_l2tlb"] + stats["pmap_hits"],
            "in C": stats["miss_l2tlb"] + stats["miss_pmap"] + stats["miss_guest"]}


def numbers(outcome, what):
    """What the guests said about themselves, "WHAT HEX" for each virtual CPU that measured."""
    found = [int(line.split()[1], 16) for line in outcome.output.splitlines() if line.startswith(f"{what} ")]
    if not found:
        raise Failure(f"the tiny guest bench_switch said nothing of {what}; it said:\n{outcome.output}")
    return found


def each(runs, steps, value):
    """What one step more adds: the second of two runs less the first."""
    return (value(runs[1]) - value(runs[0])) / (steps[1] - steps[0])


# --- turns that are given away ---

def count(monitor, regime, pair, entries):
    runner = functools.partial(guest, regime, pair, {"entries": entries, "rounds": COUNTED})
    return counts.counted(runner, options=monitor.options())[1]


class Trip:
    """One round of both."""

    def __init__(self, monitor, regime, pair, entries, times):
        counted = count(monitor, regime, pair, entries)
        self.switch = monitor.with_tag(counted.data, exits.SWITCHED)
        if self.switch.count < COUNTED:
            raise Failure(f"in {COUNTED} rounds virtual CPUs were switched {self.switch.count} times")
        self.instructions = counted.between(of="machine")["kernel"] / COUNTED
        taken = [[guest(regime, pair, {"entries": entries, "rounds": rounds}) for rounds in TIMED]
                 for _ in range(times)]
        self.clock = statistics.median(each(runs, TIMED, lambda run: max(numbers(run, "ns"))) for runs in taken)
        self.cpu = statistics.median(each(runs, TIMED, lambda run: run.off.cpu * 1e9) for runs in taken)
        self.switches = each(taken[0], TIMED, lambda run: run.stats["switches"])
        self.misses = [each(taken[0], TIMED, lambda run, who=who: answers(run.stats)[who])
                       for who in answers(taken[0][0].stats)]


def yielding(out, monitor):
    sizes, times = ((0, 48), 1) if out.quick else ((0, 8, 16, 32, 48, 100), 5)
    trips = [(what, entries, regime, Trip(monitor, regime, PAIRS[what], entries, times))
             for what in PAIRS for entries in sizes for regime in REGIMES]
    out.table("One switch between virtual CPUs that yield: from the vector of one to the eret of the other",
              ["between", "TLB", "times", "instructions, least", "most frequent", "mean", "ns", "QEMU's ns"],
              [[what, regime, trip.switch.count, trip.switch.least, trip.switch.usual(), trip.switch.mean(),
                trip.clock / trip.switches, trip.cpu / trip.switches]
               for what, entries, regime, trip in trips if entries == 0],
              ["the guests' own two pages alone are touched; what they miss is not in the instructions, but in the ns",
               "ns: of the guest's clock, QEMU's ns: of a processor that it used; with the guest's own instructions",
               f"medians of {times} pairs of runs; one processor, so QEMU's thread mode makes no difference"])
    out.table("One round: both touch pages of their own, and yield",
              ["between", "entries of each", "TLB", "switches", "misses answered in assembly", "in C",
               "monitor's instructions", "ns", "QEMU's ns"],
              [[what, entries, regime, trip.switches, *trip.misses, trip.instructions, trip.clock, trip.cpu]
               for what, entries, regime, trip in trips],
              [f"instructions: of {COUNTED} rounds; the rest: what {TIMED[1]} have more than {TIMED[0]}, by rounds",
               "one entry of the TLB maps two pages; QEMU goes on using evicted ones (128 in all) until a flush"])


# --- turns that end ---

def passes(regime, pair, entries, slice_ms):
    """Passes by ms of QEMU's processor; switches and misses by ms of the guests' clock."""
    runs = [guest(regime, {**pair, "slice": slice_ms}, {"entries": entries, "ms": ms}) for ms in COMPUTED]
    return (each(runs, [run.off.cpu * 1e3 for run in runs], lambda run: sum(numbers(run, "passes"))),
            each(runs, COMPUTED, lambda run: run.stats["switches"]),
            each(runs, COMPUTED, lambda run: sum(answers(run.stats).values())))


def slices(out):
    rows = []
    for entries in (48,) if out.quick else (16, 48, 100):
        for slice_ms in (1, 10):
            alone = passes("flush", {"vms": 1, "cpus": 1}, entries, slice_ms)[0]
            for regime in REGIMES:
                speed, switched, misses = passes(regime, PAIRS["two VMs"], entries, slice_ms)
                rows.append([entries, slice_ms, regime, switched, misses / switched if switched else None, speed,
                             100.0 * speed / alone])
    out.table("Two VMs that compute over pages of their own until their time slices end",
              ["entries of each", "slice ms", "TLB", "switches per ms", "misses per switch", "passes per QEMU's ms",
               "% of one VM alone"], rows,
              ["the work of both together, beside that of one VM alone with the same slice",
               "QEMU's ms: of a processor that it used; switches by the guests' clock",
               f"what {COMPUTED[1]} ms give more than {COMPUTED[0]} ms; one processor"])


def measure(out):
    yielding(out, exits.Monitor())
    slices(out)


if __name__ == "__main__":
    sys.exit(figures.main("switch", __doc__, measure))
