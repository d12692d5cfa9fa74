#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A file that one virtual machine has read, read by another: its pages mapped, and copied, side by side."""

import functools
import os
import sys
import tempfile
from pathlib import Path

import counts
import figures
import several
from several import MIB, PAGE

MAP, COPY = "mapped", "copied"
FIRST = "mount -r -t ext2 /dev/dd1 /mnt; readfile touch /mnt/file; nc -l -p 9000 >/dev/null"
SECOND = ("mount -r -t ext2 /dev/dd1 /mnt; until nc -z vm0 9000 2>/dev/null; do sleep 1; done; sleep 1; "
          "mark 0; readfile {how} /mnt/file; mark 1")


def file_image(folder, mib):
    tree = Path(folder) / "tree"
    tree.mkdir()
    (tree / "file").write_bytes(os.urandom(mib * MIB))
    return several.image(Path(folder) / "file.img", tree, mib + 16)


def guests(disk, way, how, extra=()):
    option = f"{disk},private,lost" + (",copy" if way == COPY else "")
    return several.finished("--vms", 2, "--mem", "160M", "--smp", 1, "--disk", option, *several.arguments(extra), "--exec",
                            several.by_name(vm0=FIRST, others=SECOND.format(how=how)))


class Reading:
    """The second guest's reading, by what it takes."""

    def __init__(self, disk, way, how, pages):
        _, counted = counts.counted(functools.partial(guests, disk, way, how))
        spent = counted.between(of="machine")
        self.monitor, self.guest = spent["kernel"] / pages, (spent["supervisor"] + spent["user"]) / pages
        speeds = [int(rate) for rate in several.said(guests(disk, way, how), r"vm1: readfile: .* (\d+) bytes/s")]
        self.speed = speeds[-1] / MIB


def measure(out):
    mib = 16 if out.quick else 64
    rows = []
    with tempfile.TemporaryDirectory(prefix="disco-disk-") as folder:
        disk = file_image(folder, mib)
        for how, what in (("touch", "a word of each page"), ("mmap", "every word, mapped"), ("read", "every word, read()")):
            reading = {way: Reading(disk, way, how, mib * MIB / PAGE) for way in (MAP, COPY)}
            for way, r in reading.items():
                rows.append([what, way, r.monitor, r.guest, r.monitor + r.guest,
                             figures.percent(r.monitor, reading[COPY].monitor), r.speed])
    out.table(f"A file of {mib} MiB that is in machine memory already, read by a second guest: instructions per page",
              ["reads", "pages are", "monitor", "guest", "all", "% of copying, monitor", "MiB/s in the guest"], rows,
              ["from the first request to the last word read: the request, the page's place in the guest, TLB misses, first touch",
               "instructions and speed are of different runs: counting slows QEMU down",
               "aim: the monitor's part of mapping is at most a third of copying's"])


if __name__ == "__main__":
    sys.exit(figures.main("disk", __doc__, measure))
