#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What virtual CPUs on different processors cost each other: calls between them, and taking a page back from all."""

import functools
import statistics
import sys

import counts
import exits
import figures
import machine
from launcher import qemu
from launcher.say import Failure

MODES = {qemu.SINGLE: "in turn", qemu.MULTI: "parallel"}
PROCESSORS = (1, 2, 4, 8)
PIECE = "piece "


def guest(name, cpus, thread, options, extra=(), tlb="flush"):
    append = " ".join(f"{key}={value}" for key, value in options.items())
    return machine.tiny(name, extra, cpus=cpus, smp=cpus, thread=thread, append=append, tlb=tlb)


def count(monitor, *words, **more):
    return counts.counted(functools.partial(guest, *words, **more), options=monitor.options())[1]


# --- calls ---

def pieces(outcome):
    """ns by name of each piece that the guest bench_ipi measured."""
    lines = [line.removeprefix(PIECE).split(": ") for line in outcome.output.splitlines() if line.startswith(PIECE)]
    return {name: int(ns, 16) for name, ns in lines}


def calls(out, monitor):
    rounds, rows = 200 if out.quick else 2000, []
    for thread, mode in MODES.items():
        # Who spins where processors run in turn, spins until its turn ends.
        options = {"rounds": rounds, "pieces": 4 if thread == qemu.MULTI else 3}
        timed = pieces(guest("bench_ipi", 2, thread, options))
        counted = count(monitor, "bench_ipi", 2, thread, options)
        if not len(timed) == options["pieces"]:
            raise Failure("the tiny guest bench_ipi did not measure all its pieces")
        for place, (name, ns) in enumerate(timed.items()):
            # Who sleeps may go on elsewhere; and beside a mere call the other virtual CPU has nothing to do with it.
            of = "machine" if name.startswith("there") else "processor"
            rows.append([name, mode, counted.between(place, of)["kernel"] / rounds, ns / rounds / 1e3])
    out.table(f"Calls (IPIs) between two virtual CPUs on two processors, each {rounds} times",
              ["what", "processors run", "monitor's instructions", "us"], rows,
              ["instructions of a call: on the caller's processor; of there and back: on both",
               "us: of the guest's clock, from runs without counting",
               "sleep: in wait; an idle processor may take the called one over before the other has woken up",
               "spin: in the guest, without a monitor call",
               "there and back: two calls, two interrupts taken and acknowledged",
               "spinning in turn is left out: it lasts until QEMU ends the turn, up to 100 ms"])


# --- shootdown ---

def nanoseconds(outcome):
    return [int(line.split()[1], 16) for line in outcome.output.splitlines() if line.startswith("ns ")]


def shootdown(monitor, cpus, thread, runs, tlb, rounds):
    options = {"rounds": rounds, "run": int(runs)}
    words = ("bench_shootdown", cpus, thread, options)
    times = nanoseconds(guest(*words, tlb=tlb))
    counted = count(monitor, *words, tlb=tlb)
    own = [counts.difference(*pair)["kernel"] for pair in counted.pairs()]
    if not len(times) == len(own) == rounds:
        raise Failure(f"the tiny guest bench_shootdown measured {len(times)} rounds, not {rounds}")
    taken = monitor.with_tag(counted.data, exits.TAKEN, without=[exits.IDLE])
    alone = monitor.with_tag(counted.data, exits.TAKEN, without=[exits.IDLE, "mips_timer_fire"])
    others = "-" if cpus == 1 else "run" if runs else "sleep"
    return [cpus, others, tlb, MODES[thread], rounds, min(own), statistics.median(own), taken.count / rounds,
            alone.usual() if alone.count else None, min(times) / 1e3, statistics.median(times) / 1e3]


def shootdowns(out, monitor):
    rows = []
    for thread in MODES:
        for cpus in PROCESSORS:
            for runs in (False, True) if cpus > 1 else (False,):
                slow = runs and thread == qemu.SINGLE
                rounds = (4 if slow else 10 if runs else 40) if out.quick else (10 if slow else 400)
                for tlb in ("flush",) if out.quick else ("flush", "tagged"):
                    rows.append(shootdown(monitor, cpus, thread, runs, tlb, rounds))
    out.table("A page taken back (PAGES_FREE) that a virtual CPU on each processor has in its TLB",
              ["processors", "the others", "TLB", "processors run", "times", "asker's instructions, least", "median",
               "interrupts taken", "instructions of each", "us least", "us median"], rows,
              ["the others run: in their guest, and an interrupt has to fetch them; sleep: their processors idle, "
               "and flush before a guest runs there again",
               "instructions of each: from the vector to the eret, most frequent, where no timer came with it",
               "the asker's instructions include those in which it waits; us: of the guest's clock, with one call for "
               "the time, from runs without counting",
               "in turn: an asker waits until QEMU has let each of the others run, up to 100 ms each",
               f"parallel: the host has {figures.host_processors()} processors, and more threads than that share them"])


def measure(out):
    monitor = exits.Monitor()
    calls(out, monitor)
    shootdowns(out, monitor)


if __name__ == "__main__":
    sys.exit(figures.main("shootdown", __doc__, measure))
