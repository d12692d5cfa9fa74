#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Instructions that the monitor executes from an exception vector to the eret."""

import sys

import counts
import exits
import figures
import machine
from launcher.say import Failure

AIM = 30
PIECE = "piece "
FEW = 20      # kinds of exits with fewer of them are left out of the table


def boot(out, monitor):
    outcome, counted = counts.counted(machine.linux, machine.GUEST, "true", options=monitor.options())
    assert outcome.status == 0
    kinds = monitor.kinds(counted.data)
    total = counted.total["kernel"]
    rows = [[kind.name, kind.count, kind.least, kind.usual(), kind.mean(), figures.percent(kind.total, total)]
            for kind in kinds if kind.count >= FEW]
    hit = next((kind for kind in kinds if kind.name == exits.L2TLB_HIT), None)
    if hit is None:
        raise Failure("no TLB miss was answered by the L2TLB in assembly")
    out.table("Exits while Linux boots, from the vector to the eret: instructions of the monitor",
              ["exit", "times", "least", "most frequent", "mean", "% of monitor"], rows,
              [f"L2TLB hit path: {hit.usual()} most often, {hit.least} at least (aim: {AIM} or fewer)",
               "an emulated instruction's exit also settles the privileged instructions that follow it directly",
               f"kinds seen fewer than {FEW} times are left out"])


def pieces(outcome, counted):
    """(name, monitor's instructions, traces) of each piece that the guest `measure` named and marked."""
    names = [line.removeprefix(PIECE) for line in outcome.output.splitlines() if line.startswith(PIECE)]
    marks = counted.data["marks"]
    if outcome.status != 0 or not names or len(marks) != 2 * len(names):
        raise Failure(f"the tiny guest measure did not do what it should; it said:\n{outcome.output}")
    return [(name, end["kernel"] - begin["kernel"], end["traces"] - begin["traces"])
            for name, begin, end in zip(names, marks[::2], marks[1::2])]


def operations(out, monitor):
    outcome, counted = counts.counted(machine.tiny, "measure", options=monitor.options())
    times = 2048
    rows = [[name, traces / times, executed / times, executed / traces if traces else None]
            for name, executed, traces in pieces(outcome, counted)]
    out.table(f"Single operations, each done {times} times by the tiny guest `measure`",
              ["operation", "exits each", "instructions each", "instructions per exit"], rows,
              ["instructions are the monitor's alone; what the guest itself executes is not in them",
               "exits below 1 each: QEMU still translates through entries that were evicted from the TLB",
               "a guest's refill and a system call include what the guest's handler makes the monitor emulate"])


def measure(out):
    monitor = exits.Monitor()
    operations(out, monitor)
    boot(out, monitor)


if __name__ == "__main__":
    sys.exit(figures.main("paths", __doc__, measure))
