#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Memory of 1 to 8 virtual machines that run the same build-like load: what they see in use, and what is (Figure 6)."""

import shutil
import sys
import tempfile
from pathlib import Path

import figures
import several
from launcher.say import say
from several import MIB, PAGE

# The paper's Figure 6, in MB: what the VMs see, what is used.
PAPER = {1: (27, 27), 2: (36, 29), 4: (51, 33), 8: (77, 38), "8 + NFS": (81, 40)}
SOURCES = ("kernel", "mm", "lib", "ipc", "block", "security")
LONG = 16 << 10     # bytes of a file that is worth while: what is not read costs inodes and shows nothing
SOURCES_MIB = 64
GUEST = "64M"
JOBS, UNITS = 2, 250
BUILT = r"build-load: \d+ units, [0-9a-f]+"
LOAD = f"build-load /mnt {JOBS} {{units}}; {several.STAY}"
LOCAL = "mount -r -t ext2 /dev/dd1 /mnt; " + LOAD
SERVE = ("mount -r -t ext2 /dev/dd1 /mnt; nfs-serve /mnt {clients}; " + LOAD)
CLIENT = "nfs-mount " + several.FIRST_ADDRESS + " /mnt; " + LOAD


def sources(folder):
    """An image with C files and the headers they name."""
    tree = Path(folder) / "tree"
    linux = several.kernel_sources()
    for name in SOURCES:
        for path in (linux / name).rglob("*.c"):
            if path.stat().st_size > LONG:
                to = tree / "src" / path.relative_to(linux)
                to.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, to)
    shutil.copytree(linux / "include" / "linux", tree / "include" / "linux")
    return several.image(Path(folder) / "sources.img", tree, SOURCES_MIB)


def command(vms, nfs, units):
    if not nfs:
        return LOCAL.format(units=units)
    clients = " ".join(f"10.0.2.{16 + number}" for number in range(1, vms))
    return several.by_name(vm0=SERVE.format(clients=clients, units=units), others=CLIENT.format(units=units))


def mib(pages):
    return pages * PAGE / MIB


class Memory:
    """Where the pages are, in MiB."""

    def __init__(self, counters):
        at, vms = counters["machine"], counters["vms"].values()
        self.monitor = mib(at["pages_monitor"] + at["pages_kernels"] - at["pages_kernels_used"])
        self.private = mib(sum(vm["pages_present"] - vm["pages_shared"] for vm in vms))
        self.text = mib(at["pages_kernels_used"])
        self.used = mib(at["pages_total"] - at["pages_free"] + at["pages_monitor"])
        self.cache = self.used - self.monitor - self.private - self.text
        self.seen = mib(sum(vm["pages_present"] for vm in vms) + at["pages_monitor"])


def one(disk, vms, nfs, units):
    words = ["--vms", vms, "--mem", GUEST, "--smp", min(vms, 4), "--disk", f"{disk},private,lost",
             "--exec", command(vms, nfs, units)]
    counters, done = several.watched(words, BUILT, vms)
    sums = set(several.said(done, r"units, ([0-9a-f]+)"))
    if len(sums) != 1:
        raise several.Failure(f"the virtual machines built different things: {sums}")
    return Memory(counters)


def measure(out):
    units = 100 if out.quick else UNITS
    rows = []
    with tempfile.TemporaryDirectory(prefix="disco-memory-") as folder:
        disk = sources(folder)
        for what, (seen, used) in PAPER.items():
            nfs = not isinstance(what, int)
            m = one(disk, 8 if nfs else what, nfs, units)
            say(f"{what} VMs: {m.seen:.0f} MiB seen in use, {m.used:.0f} MiB used")
            rows.append([str(what), m.seen, m.used, figures.percent(m.used, m.seen), m.private, m.text, m.cache, m.monitor,
                         seen, used, figures.percent(used, seen)])
    out.table("Memory in MiB when all have finished the load",
              ["VMs", "seen in use", "machine memory", "%", "private", "kernel text", "shared cache", "monitor",
               "paper: seen", "used", "%"], rows,
              [f"each VM: {GUEST}, one processor, {JOBS} jobs at a time, {units} files; sources and programs on two shared disks",
               "seen: pages that the guests have, each counted for each guest that has it, and the monitor's tables",
               "private: pages of one guest; kernel text: pages of the kernel's file that some guest still shares; shared cache: "
               "the disks' pages and those that went over the network; monitor: its image and tables, and kernel pages that no "
               "guest shares any more", "8 + NFS: one serves the sources to the seven others; its disk is the only one with them"])


if __name__ == "__main__":
    sys.exit(figures.main("memory", __doc__, measure))
