#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Two virtual CPUs that take turns on one processor: what a switch costs, TLB flushed against TLB tagged."""

import functools
import sys

import counts
import exits
import figures
import machine
from launcher.say import Failure

REGIMES = ("flush", "tagged")
PAIRS = {"two VMs": {"vms": 2, "cpus": 1}, "one VM": {"vms": 1, "cpus": 2}}
SWITCHED = "switch_in"     # the backend's function that puts another virtual CPU onto the processor
FEW, MANY = 200, 1200      # rounds
SHORT, LONG = 100, 400     # ms


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


class Steady:
    """What more rounds add: the second of two runs less the first, divided by the rounds between."""

    def __init__(self, runs, rounds):
        (self.first, self.second), self.rounds = runs, rounds

    def each(self, value):
        return (value(self.second) - value(self.first)) / self.rounds


# --- turns that are given away ---

def switches(monitor, regime, pair, entries):
    """Counted runs: what one round costs, and the traces that switched."""
    runs = []
    for rounds in (FEW, MANY):
        runner = functools.partial(guest, regime, pair, {"entries": entries, "rounds": rounds})
        runs.append(counts.counted(lambda extra, run=runner: run(extra=extra), options=[
            *monitor.options(), *counts.places("tag", [SWITCHED], monitor.symbols)]))
    kind = exits.Kind(SWITCHED)
    for trace in runs[1][1].data["traces"]:
        if SWITCHED in trace["tags"]:
            kind.add(trace)
    return Steady(runs, MANY - FEW), kind


def round_trip(monitor, regime, what, entries):
    steady, kind = switches(monitor, regime, PAIRS[what], entries)
    timed = guest(regime, PAIRS[what], {"entries": entries, "rounds": 2 * MANY})
    ns = max(numbers(timed, "ns")) / (2 * MANY)
    misses = {who: steady.each(lambda run, who=who: answers(run[0].stats)[who]) for who in answers(timed.stats)}
    switched = steady.each(lambda run: run[0].stats["switches"])
    return {"row": [what, entries, regime, switched, *misses.values(),
                    steady.each(lambda run: run[1].total["kernel"]), ns],
            "switch": [what, regime, kind.least, kind.usual(), kind.mean(), ns / switched]}


def yielding(out, monitor):
    sizes = (0, 16, 48) if out.quick else (0, 8, 16, 32, 48, 100)
    found = [(entries, round_trip(monitor, regime, what, entries))
             for what in PAIRS for entries in sizes for regime in REGIMES]
    out.table("One switch between virtual CPUs that call yield: from the vector of one to the eret of the other",
              ["between", "TLB", "instructions, least", "most frequent", "mean", "ns"],
              [figure["switch"] for entries, figure in found if entries == 0],
              ["ns: half a round trip below without pages, the guest's few instructions included"])
    out.table("Round trips: both touch pages of their own through TLB entries, then yield, in turns",
              ["between", "entries of each", "TLB", "switches", "misses answered in assembly", "in C",
               "monitor's instructions", "ns"], [figure["row"] for _, figure in found],
              [f"per round trip: what {MANY} rounds take more than {FEW}; ns from a run of {2 * MANY} without counting",
               "one processor, so QEMU's thread mode makes no difference"])


# --- turns that end ---

def passes(regime, pair, entries, slice_ms):
    """Passes per ms, and switches and misses of the LONG run less those of the SHORT one."""
    short, long = (guest(regime, {**pair, "slice": slice_ms}, {"entries": entries, "ms": ms}) for ms in (SHORT, LONG))
    steady = Steady((short, long), LONG - SHORT)
    return (steady.each(lambda run: sum(numbers(run, "passes"))), steady.each(lambda run: run.stats["switches"]),
            steady.each(lambda run: sum(answers(run.stats).values())))


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
              ["entries of each", "slice ms", "TLB", "switches per ms", "misses per switch", "passes per ms",
               "% of one VM alone"], rows,
              ["the work of both together, beside that of one VM alone with the same slice",
               f"what {LONG} ms give more than {SHORT} ms; one processor"])


def measure(out):
    yielding(out, exits.Monitor())
    slices(out)


if __name__ == "__main__":
    sys.exit(figures.main("switch", __doc__, measure))
