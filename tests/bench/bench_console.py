#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The one-trap console beside an emulated 16550: traps and executed instructions for a character."""

import functools
import sys

import counts
import exits
import figures
import machine
from launcher.say import Failure

LINE = 64                   # characters; bench_console.c has the same
TINY_LINES = 64
LINUX_LINES = (16, 272)     # of two runs: one less the other has no start and no end
PIECE = "piece "
DEVICES = {"/dev/hvc0": "monitor calls", "/dev/ttyS0": "16550, driver 8250"}
TEXT = "x" * (LINE - 2)     # echo adds a line feed, and the terminal a carriage return


class Raw(machine.Unframe):
    """A console without frames: of each character that comes alone they would be more than it."""

    def __init__(self):
        super().__init__(1)

    def feed(self, data):
        return data


# --- tiny guest ---

def tiny(extra=()):
    wish = machine.run.Wish(guest="bench_console", endian=machine.ENDIAN, uart=True, append=f"lines={TINY_LINES}")
    with machine.build.lock():
        made = machine.run.machine_of(machine.plan.plan(wish), wish)
    return machine.watch(made, extra, Raw())


def pieces(outcome, counted):
    """(name, instructions by mode, traps) of each piece that the guest named and marked."""
    names = [line.removeprefix(PIECE) for line in outcome.output.splitlines() if line.startswith(PIECE)]
    pairs = counted.pairs()
    if outcome.status != 0 or not names or len(names) != len(pairs):
        raise Failure(f"the tiny guest bench_console did not do what it should; it said:\n{outcome.output}")
    return [(name, counts.difference(*pair), pair[1]["traces"] - pair[0]["traces"])
            for name, pair in zip(names, pairs)]


def tiny_table(out, monitor):
    outcome, counted = counts.counted(tiny, options=monitor.options())
    characters = TINY_LINES * LINE
    rows = [[name, traps / characters, executed["kernel"] / characters, executed["supervisor"] / characters,
             sum(executed.values()) / characters] for name, executed, traps in pieces(outcome, counted)]
    out.table(f"A tiny guest prints {TINY_LINES} lines of {LINE} characters; of each character",
              ["how", "traps", "instr. monitor", "instr. guest", "instr. all"], rows,
              ["a trap: from the exception vector to the eret that lets the guest go on",
               "the monitor's instructions include those that drive the board's own serial port, the same for all"])


# --- Linux ---

def echo(device, lines):
    return (f"mark 0; i=0; while [ $i -lt {lines} ]; do echo {TEXT}; i=$((i + 1)); done >{device}; mark 1")


def printed(device, lines, monitor):
    return counts.counted(functools.partial(machine.linux, uart=True), machine.GUEST, echo(device, lines),
                          options=monitor.options())


def row(device, monitor):
    runs = [printed(device, lines, monitor) for lines in LINUX_LINES]
    characters = (LINUX_LINES[1] - LINUX_LINES[0]) * LINE

    def each(value):
        less, more = (value(outcome, counted) for outcome, counted in runs)
        return (more - less) / characters

    return [device, DEVICES[device], each(lambda outcome, _: outcome.stats["exits"]),
            each(lambda outcome, _: outcome.stats["insn_hypcall"]),
            each(lambda outcome, _: outcome.stats.get("device_accesses", 0)),
            *(each(lambda _, counted, mode=mode: counted.between()[mode]) for mode in ("kernel", "supervisor"))]


def linux_table(out, monitor):
    rows = [row(device, monitor) for device in DEVICES]
    out.table(f"Linux prints {LINUX_LINES[1] - LINUX_LINES[0]} lines of {LINE} characters by `echo`; of each character",
              ["device", "by", "exits to C", "monitor calls", "loads and stores", "instr. monitor", "instr. kernel"], rows,
              [f"what a run with {LINUX_LINES[1]} lines has more than one with {LINUX_LINES[0]}: opening and closing "
               "the device are not in it",
               "exits to C: all that the guest did, its clock and its page faults included"])


def measure(out):
    monitor = exits.Monitor()
    tiny_table(out, monitor)
    linux_table(out, monitor)


if __name__ == "__main__":
    sys.exit(figures.main("console", __doc__, measure))
