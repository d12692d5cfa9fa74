# SPDX-License-Identifier: BSD-2-Clause
"""The monitor's counters: sets of lines "stat NAME VALUE" that "stat end NS" closes, and what is made of them."""

import json
import re

from .say import Failure

END = "end"
VCPU = re.compile(r"vcpu(\d+)")
CPU = re.compile(r"cpu(\d+)")


class Sets:
    """Puts sets together. `on_set(time_ns, values)` is called with each that is complete."""

    def __init__(self, on_set=None):
        self.on_set = on_set
        self.open = {}
        self.count = 0      # complete sets so far
        self.newest = None  # (time_ns, values) of the newest complete set
        self.known = {}     # the newest value of every name, whichever set it came in

    def take(self, words):
        """One line, without what comes before the name. What is malformed is no counter."""
        name, _, value = words.partition(" ")
        if not value.isdecimal():
            return
        if name != END:
            self.open[name] = self.known[name] = int(value)
            return
        self.newest = (int(value), self.open)
        self.open = {}
        self.count += 1
        if self.on_set:
            self.on_set(*self.newest)


def nested(time_ns, values):
    """A set as it stands in JSON: the machine's counters, then those of processors and of virtual machines.

    Where there are disks and a network, theirs are there too: disk.NAME.COUNTER and net.COUNTER; with --numa, numa.COUNTER.
    """
    result = {"time_ns": time_ns, "machine": {}, "cpus": {}, "vms": {}}
    for name, value in values.items():
        place(result, name.split("."))[name.rpartition(".")[2]] = value
    return result


def place(result, parts):
    """The dictionary that a counter of this name belongs in."""
    first = parts[0]
    if len(parts) == 1 or first == "machine":
        return result["machine"]
    if CPU.fullmatch(first):
        return result["cpus"].setdefault(CPU.fullmatch(first)[1], {})
    if first in ("net", "numa"):
        return result.setdefault(first, {})
    if first == "disk" and len(parts) == 3:
        return result.setdefault("disks", {}).setdefault(parts[1], {})
    vm = result["vms"].setdefault(first, {})
    vcpu = VCPU.fullmatch(parts[1])
    if len(parts) == 2 or not vcpu:
        return vm
    return vm.setdefault("vcpus", {}).setdefault(vcpu[1], {})


class Writer:
    """--stats FILE: each complete set as one line of JSON, there to be read as soon as it is written."""

    def __init__(self, path):
        self.path = path
        try:
            self.file = open(path, "w", encoding="utf-8", buffering=1)
        except OSError as error:
            raise self.failure(error) from None

    def failure(self, error):
        return Failure(f"--stats {self.path}: {error.strerror}")

    def __call__(self, time_ns, values):
        try:
            self.file.write(json.dumps(nested(time_ns, values)) + "\n")
        except OSError as error:
            raise self.failure(error) from None

    def close(self):
        self.file.close()
