#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Seven guests read one file from the eighth: how much machine memory that takes, remapped and copied."""

import sys

import figures
import several
from harness import Running
from several import MIB, PAGE

CLIENTS = 7
SERVER = ("mkdir /tmp/served && iocheck write /tmp/served/file 5 {size} >/dev/null && nfs-serve /tmp/served {clients} && "
          "echo serves; " + several.STAY)
# Mounted first, so that what is counted is the reading; whoever has read says how long it took.
CLIENT = ("nfs-mount " + several.FIRST_ADDRESS + " /mnt && echo mounted; until nc -z vm0 9000 2>/dev/null; do sleep 1; done; "
          "readfile mmap /mnt/file 1 && echo has read; " + several.STAY)


def command(size):
    clients = " ".join(f"10.0.2.{17 + number}" for number in range(CLIENTS))
    server = SERVER.format(size=size, clients=clients).replace(several.STAY,
                                                               "while :; do nc -l -p 9000 >/dev/null; done")
    return several.by_name(vm0=server, others=CLIENT)


def pages_used(counters):
    return counters["machine"]["pages_total"] - counters["machine"]["pages_free"]


def read(size, append):
    """Counters before and after, and the clients' speeds."""
    words = ["--vms", CLIENTS + 1, "--mem", "96M", "--smp", 4, "--monitor-append", "stay", "--append", append,
             "--exec", command(size)]
    with Running(*words) as running:
        def count(line):
            return len(several.said(running.so_far(), line))
        running.until(lambda: count(r": mounted$") == CLIENTS, several.PATIENCE, "mounts")
        before = running.stats()
        running.until(lambda: count(r": has read$") == CLIENTS, several.PATIENCE, "readers")
        after = running.stats()
        speeds = [int(rate) / MIB for rate in several.said(running.so_far(), r"readfile: .* (\d+) bytes/s")]
        return before, after, speeds


def total(counters, name):
    return sum(vm[name] for vm in counters["vms"].values())


def measure(out):
    size = 8 if out.quick else 32
    rows = []
    for what, append in (("remapped", ""), ("remapped, page by page", "disco.batch=0"), ("copied by the client", "disco.remap=0"),
                         ("remapped, dead pages not told", "disco.dead=0")):
        before, after, speeds = read(size, append)
        def more(name):
            return total(after, name) - total(before, name)
        rows.append([what, (pages_used(after) - pages_used(before)) * PAGE / MIB, more("remap_pages"), more("remap_calls"),
                     more("cow_copies") + more("net_copies"), more("copies_dead"), sum(speeds) / len(speeds)])
    out.table(f"{CLIENTS} clients read a file of {size} MiB by NFS",
              ["pages are", "more machine memory, MiB", "remapped", "calls", "copied at a write", "not copied: dead",
               "MiB/s, each"], rows,
              ["the file is in the server's memory before; without sharing it would come to "
               f"{CLIENTS * size} MiB more", "aim: below 10 MiB"])


if __name__ == "__main__":
    sys.exit(figures.main("nfs", __doc__, measure))
