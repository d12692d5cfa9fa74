#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""TLB misses while Linux boots, and who answers them."""

import sys

import figures
import machine
from launcher.say import Failure


def answers(stats):
    """(who, how many), from the monitor's counters."""
    in_assembly = stats["l2tlb_hits"] - stats["miss_l2tlb"]
    return [("L2TLB, in assembly", in_assembly),
            ("L2TLB, in C", stats["miss_l2tlb"]),
            ("pmap (unmapped segments), in assembly", stats["pmap_hits"]),
            ("pmap (unmapped segments), in C: first touch", stats["miss_pmap"]),
            ("neither: the guest's own TLB, its page tables, or the guest", stats["miss_guest"])]


def rows(stats):
    found = answers(stats)
    total = sum(count for _, count in found)
    if total == 0:
        raise Failure("the monitor counted no TLB misses")
    mapped = sum(count for who, count in found if not who.startswith("pmap"))
    table = [[who, count, figures.percent(count, total),
              None if who.startswith("pmap") else figures.percent(count, mapped)] for who, count in found]
    return table + [["all", total, 100.0, None]]


NOTES = ("QEMU goes on translating through entries that were evicted from its TLB (up to 128 in all), so all these "
         "counts are lower than they would be on hardware",
         "misses by mapped addresses leave out the segments that the guest kernel believes unmapped")


def measure(out):
    commands = [("true", "boot to power-off")] + ([] if out.quick else [("forkexec 200", "boot and 200 fork+exec")])
    for command, what in commands:
        stats = machine.linux(machine.GUEST, command).stats
        out.table(f"TLB misses: {what} (--exec '{command}')",
                  ["answered by", "misses", "% of all", "% of mapped"], rows(stats), NOTES)


if __name__ == "__main__":
    sys.exit(figures.main("misses", __doc__, measure))
