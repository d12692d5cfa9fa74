# SPDX-License-Identifier: BSD-2-Clause
"""Figure 8 and Table 3: page migration and replication."""

from . import chart
from .page import Section, Table
from .runs import KINDS, NATIVE, OFF, ON, PARTS, UMA, Load, build_load, fastest, run

SYSTEMS = (NATIVE, OFF, ON, UMA)
NAMES = {NATIVE: "Linux", OFF: "Disco, no policy", ON: "Disco, policy", UMA: "Disco, UMA"}
# The paper: time where IRIX is 100, and the share of local misses in percent.
PAPER_TIME = {"engineering": {NATIVE: 100, ON: 67, UMA: 48}, "raytrace": {NATIVE: 100, ON: 62, UMA: 49}}
PAPER_LOCAL = {"engineering": {NATIVE: 16, ON: 78, UMA: 100}, "raytrace": {NATIVE: 6, ON: 76, UMA: 100}}
PAPER_MOVES = {"engineering": (2461, 67, 2208, 57), "raytrace": (909, 102, 2671, 73)}


def loads(quick):
    steps, rounds = (600000, 4) if quick else (3000000, 48)
    return [Load("engineering", f"engineering 8 {steps}", 8, 8, "l2=256K"),
            Load("raytrace", f"raytrace 8 20000 160 {rounds}", 8, 8, "l2=64K")]


def idle_loads(quick):
    """What a policy can do nothing for: short processes with pages of their own, and pages that all write to."""
    files, keys, runs = (16, 1 << 17, 1) if quick else (64, 1 << 20, 3)
    return [Load("build", build_load(files, 16), 8, 8, mem="1G"), Load("radix", f"radix keys={keys} threads=8", 8, 8, runs=runs)]


def large(commands):
    """As many processors as the paper's Raytrace had: too many for the bare machine to boot under QEMU 7.2."""
    load = Load("raytrace", "raytrace 16 20000 160 48", 16, 16, "l2=64K", "1G")
    results = {system: run(load, system) for system in (OFF, ON, UMA)}
    commands += [r.words for r in results.values()]
    return Table(
        "Raytrace on 16 processors", ["", "time, ms", "no policy = 100", "local misses, %", "paper, %"],
        [[NAMES[system], r.elapsed / 1e6, 100 * r.elapsed / results[OFF].elapsed, 100 * r.local, PAPER_LOCAL["raytrace"].get(system)]
         for system, r in results.items()])


def moves(result):
    """Migrations and replications a second of modelled time, and what each cost in microseconds."""
    seconds = result.elapsed / 1e9
    row = []
    for kind in ("migrate", "replicate"):
        n = result.numa.get(f"moved_{kind}", 0)
        row += [n / seconds, result.numa.get(f"ns_{kind}", 0) / n / 1e3 if n else None]
    return row


def bars(load, results):
    base = results[NATIVE].elapsed * load.cpus
    return [(NAMES[system], [100 * results[system].ns[kind] / base for kind in KINDS]) for system in SYSTEMS]


def time_rows(load, results):
    base = results[NATIVE].elapsed
    for system in SYSTEMS:
        r = results[system]
        yield [f"{load.name}: {NAMES[system]}", r.elapsed / 1e6, 100 * r.elapsed / base, PAPER_TIME[load.name].get(system),
               100 * r.local, PAPER_LOCAL[load.name].get(system)]


def idle_rows(quick, commands):
    for load in idle_loads(quick):
        results = [fastest(load, system) for system in (OFF, ON)]
        off, on = results
        moved = sum(number for name, number in on.numa.items() if name.startswith("moved_"))
        yield [load.name, off.elapsed / 1e6, on.elapsed / 1e6, 100 * (on.elapsed / off.elapsed - 1),
               100 * (busy(on) / busy(off) - 1), 100 * off.local, 100 * on.local, moved]
        commands += [r.words for r in results]


def busy(result):
    return sum(ns for kind, ns in result.ns.items() if kind != "idle")


def figure(quick):
    plots, times, costs, commands = [], [], [], []
    for load in loads(quick):
        results = {system: run(load, system) for system in SYSTEMS}
        plots.append(chart.stacked(f"{load.name}, {load.cpus} processors", "modelled time, Linux = 100", PARTS,
                                   bars(load, results)))
        times += time_rows(load, results)
        costs.append([load.name, *(cell for pair in zip(moves(results[ON]), PAPER_MOVES[load.name]) for cell in pair)])
        commands += [r.words for r in results.values()]
    return Section(
        "figure8", "Figure 8 and Table 3: page migration and replication",
        "One virtual machine on a machine of as many nodes as processors. A miss costs 300 ns at home and 900 ns elsewhere; "
        "the second-level cache has 256 KiB, as the paper's for Raytrace, and 64 KiB for Raytrace here: its scene takes 2 MiB.",
        plots,
        [Table("Execution time and local misses", ["", "time, ms", "Linux = 100", "paper", "local misses, %", "paper, %"],
               times),
         Table("Moves", ["", "migrations/s", "paper", "us each", "paper, us", "replications/s", "paper", "us each",
                         "paper, us"], costs),
         Table("Loads that have nothing to gain", ["", "no policy, ms", "policy, ms", "loss, %", "loss without idle time, %",
                                                   "local misses, %", "with the policy", "moves"],
               list(idle_rows(quick, commands))),
         *([] if quick else [large(commands)])],
        ["Linux: native on the same model; it knows nothing of nodes. No policy: a page lies where it was touched first.",
         "Moves are those of the whole run, its start included; their cost is modelled time of the processor that does them, "
         "waiting for the others included, copying, too.",
         "UMA: the same with all misses at 300 ns.",
         "Nothing to gain: aim, a loss of at most 2 %. build: the load of Figure 7; radix: a parallel sort, whose threads write "
         "to all of its pages, the fastest of three runs without --quick.",
         "The paper's Raytrace had 16 processors; the bare machine does not boot with more than 8 under QEMU 7.2. On 16 of "
         "them: without --quick only."], commands)
