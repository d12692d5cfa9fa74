#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The same parallel radix sort on the thin OS and as a process of Linux, both on the monitor."""

import functools
import re
import sys

import counts
import figures
import machine
from launcher.say import Failure

PIECES = ("load", "sort", "check")      # as radix.c marks them
SORTING = ("histogram", "prefix", "permute", "wait")
THIN, LINUX = "thin OS", "Linux"
SYSTEMS = (THIN, LINUX)


def run(system, keys, threads, extra=()):
    words = f"keys={keys} threads={threads}"
    if system == THIN:
        return machine.tiny("radix", extra, cpus=threads, smp=threads, append=words, mem=machine.MEMORY)
    return machine.linux(machine.GUEST, f"radix {words}", extra, cpus=threads)


def rows_of(outcome):
    """Microseconds of each thread, by phase; and the sum that says what was sorted."""
    found = {name: [int(us) for us in row.split()]
             for name, row in re.findall(r"(?m)^ +([a-z]+)((?: +[0-9]+)+)\r?$", outcome.output)}
    end = re.search(r"radix: sorted, weighed sum ([0-9]+)", outcome.output)
    if not end or not set(PIECES[::2]).union(SORTING).issubset(found):
        raise Failure(f"radix did not say what it should; it said:\n{outcome.output}")
    return found, end[1]


def milliseconds(phases):
    """Of each piece: the thread that took longest."""
    sorting = [sum(times) for times in zip(*(phases[name] for name in SORTING))]
    return [max(times) / 1e3 for times in (phases["load"], sorting, phases["check"])]


class Run:
    """One system with so many threads: a run that is counted, and one that is timed."""

    def __init__(self, system, keys, threads):
        outcome, counted = counts.counted(functools.partial(run, system, keys, threads))
        self.executed = [counted.between(skip=place, of="machine") for place in range(len(PIECES))]
        self.sum = rows_of(outcome)[1]
        phases, again = rows_of(run(system, keys, threads))
        self.times = milliseconds(phases)
        if self.sum != again:
            raise Failure("two runs with the same keys sorted them differently")


def measure(out):
    keys, most = (32768, (1, 2)) if out.quick else (262144, (1, 2, 4))
    runs = {(system, threads): Run(system, keys, threads) for threads in most for system in SYSTEMS}
    if len({one.sum for one in runs.values()}) != 1:
        raise Failure("the same keys were sorted differently")
    rows = []
    for place, piece in enumerate(PIECES):
        for (system, threads), one in runs.items():
            executed = [one.executed[place][mode] / 1e6 for mode in counts.MODES]
            rows.append([piece, threads, system, *executed, sum(executed), one.times[place]])
    out.table(f"Radix sort of {keys} keys, digits of 8 bits, a thread on each virtual CPU and a processor for each; "
              "instructions in millions",
              ["piece", "threads", "system", "user", "its kernel", "monitor", "all", "ms"], rows,
              ["the thin OS and its program are one, in supervisor mode: 'its kernel' is both",
               "load: keys are made and stored, and the memory is touched for the first time; check: it is read once more",
               "of the whole machine between the program's marks, idle processors included; the same source for both",
               f"ms: of the guest's clock, the thread that took longest, from a run without counting; processors in turn, "
               f"on a host with {figures.host_processors()}",
               "the monitor's instructions while it sorts are TLB misses: 256 places to write at, 16 TLB entries; QEMU goes on "
               "using evicted ones until a flush, so their number says little about the number of threads"])


if __name__ == "__main__":
    sys.exit(figures.main("radix", __doc__, measure))
