# SPDX-License-Identifier: BSD-2-Clause
"""One load on one machine, on the model of FLASH's memory system: what it took there, in modelled time."""

import json
import shlex
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import harness      # tests/system: a run of ./disco with everything kept
import machine
import modelled
import several
from launcher.say import Failure, say

# Where a processor's time goes, in the order in which bars are built up. A native kernel is where a monitor is.
KINDS = ("user", "supervisor", "kernel", "stall_local", "stall_remote", "idle")
PARTS = ("user", "guest kernel", "monitor (or native kernel)", "stall, local", "stall, remote", "idle")
NATIVE, OFF, ON, UMA = "native", "off", "on", "uma"


@dataclass
class Load:
    """What a guest does between its marks, and on how many processors and nodes."""
    name: str
    command: str
    cpus: int = 1
    nodes: int = 1
    model: str = ""     # options of tools/flash
    mem: str = machine.MEMORY
    vms: int = 1        # virtual machines, each with so many processors
    runs: int = 1       # of which the fastest counts: bare machines vary from run to run


def build_load(files, jobs, vms=1):
    """A command: so many files of 16 KiB, built so many at a time, between marks.

    Several machines do it at the same time: they meet before and after, and the first executes the marks for all.
    """
    prepare = (f"mkdir -p /tmp/s/src && for i in $(seq {files}); do dd if=/bin/busybox of=/tmp/s/src/$i.c bs=16k skip=$i "
               "count=1 2>/dev/null; done")
    work = f"build-load /tmp/s {jobs}"
    if vms == 1:
        return f"{prepare}; mark 0; {work}; mark 1"
    return f"{prepare}; " + several.by_name(
        vm0=f"meet lead 9000 {vms - 1} mark 0; {work}; meet lead 9001 {vms - 1} mark 1",
        others=f"meet follow {several.FIRST_ADDRESS} 9000; {work}; meet follow {several.FIRST_ADDRESS} 9001")


@dataclass
class Run:
    """What came of it."""
    words: str          # the command that does the same
    ns: dict = field(default_factory=dict)          # by KINDS, sums over processors
    elapsed: float = 0.0                            # ns
    local: float = 0.0                              # share of misses
    executed: int = 0
    misses: int = 0
    numa: dict = field(default_factory=dict)        # the monitor's counters
    output: str = ""

    def share(self, kind):
        return self.ns[kind] / sum(self.ns.values())


def words_of(load, system, processors):
    """The ./disco command that runs the load on a system, as a list."""
    model = ",".join(filter(None, (load.model, "sleep=on", "uma=on" if system == UMA else "")))
    words = ["./disco", "native" if system == NATIVE else "run", "--cpus", load.cpus, "--nodes", load.nodes,
             "--mem", load.mem, "--model", model]
    if system != NATIVE:
        words += ["--vms", load.vms, "--smp", processors]
    if system != NATIVE and load.nodes > 1:
        words += ["--numa", ON if system == ON else OFF]
    # With several processors the bare machine does not boot while QEMU counts instructions.
    words += ["--icount"] if system != NATIVE or processors == 1 else ["--thread", "multi"]
    return [str(word) for word in words]


def run(load, system, processors=0):
    """Run it, on as many processors as virtual ones if nothing else is said. Marks stand around what counts."""
    words = words_of(load, system, processors or load.cpus)
    say(f"{load.name}: {system}")
    with tempfile.TemporaryDirectory(prefix="disco-paper-") as folder:
        out, stats = Path(folder) / "figures.json", Path(folder) / "stats.json"
        more = ["--figures", out, "--exec", load.command]
        if "--numa" in words:
            more += ["--stats", stats]
        done = harness.disco(*words[1:], *more, timeout=machine.TIMEOUT)
        if done.status:
            raise Failure(f"{load.name} on {system} ended with status {done.status}: {done.err}")
        return result(words + ["--figures", "figures.json", "--exec", load.command], modelled.Figures(json.loads(out.read_text())),
                      last(stats) if "--numa" in words else {}, done.out.decode(errors="replace"))


def fastest(load, system):
    return min((run(load, system) for _ in range(load.runs)), key=lambda r: r.elapsed)


def last(stats):
    lines = stats.read_text().splitlines()
    return json.loads(lines[-1]).get("numa", {}) if lines else {}


def result(words, figures, numa, output):
    piece = figures.whole()
    return Run(shlex.join(words), {kind: piece["ns"][kind] for kind in KINDS}, figures.elapsed(piece),
               piece.get("local_share", 1.0), piece["executed"]["all"], piece.get("misses", 0), numa, output)
