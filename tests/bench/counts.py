# SPDX-License-Identifier: BSD-2-Clause
"""Instruction counts: the plugin of tools/icount around a run, and the symbols that give its numbers names."""

import bisect
import collections
import json
import subprocess
import tempfile
from pathlib import Path

import machine
from launcher.paths import BUILD
from launcher.say import Failure

PLUGIN = BUILD / "host-release" / "tools" / "icount" / "libicount.so"
MODES = ("user", "supervisor", "kernel")
NM = {"little": "mipsisa64r6el-linux-gnuabi64-nm", "big": "mipsisa64r6-linux-gnuabi64-nm"}


class Symbols:
    """Functions of an ELF file, by name and by address."""

    def __init__(self, path):
        done = subprocess.run([NM[machine.ENDIAN], "--format=posix", "--numeric-sort", str(path)], text=True,
                              capture_output=True, check=False, timeout=120)
        if done.returncode:
            raise Failure(f"{path}: {done.stderr.strip()}")
        self.names, self.addresses = [], []
        for line in done.stdout.splitlines():
            name, kind, address = line.split()[:3]
            if kind in "tT" and not name.startswith("."):
                self.names.append(name)
                self.addresses.append(int(address, 16))

    def address(self, name):
        if name not in self.names:
            raise Failure(f"the monitor has no symbol {name}")
        return self.addresses[self.names.index(name)]

    def at(self, address):
        """Name of the function that holds this address."""
        place = bisect.bisect_right(self.addresses, address) - 1
        return self.names[place] if place >= 0 else f"{address:#x}"

    def text(self):
        """First and last address, both of functions, rounded up to hold the last one."""
        return self.addresses[0], (self.addresses[-1] | 0xfff) + 1


class Counts:
    """What the plugin wrote."""

    def __init__(self, data):
        self.data = data
        self.total = {mode: sum(cpu[mode] for cpu in data["cpus"]) for mode in MODES}

    def all(self):
        return sum(self.total.values())

    def between(self, first=0, last=1, skip=0):
        """Instructions by mode from a mark `first` to the next mark `last`; `skip` such pairs are passed over."""
        start = None
        for mark in self.data["marks"]:
            if mark["number"] == first and start is None:
                start = mark
            elif mark["number"] == last and start is not None:
                if skip == 0:
                    return {mode: mark[mode] - start[mode] for mode in MODES}
                skip, start = skip - 1, None
        raise Failure(f"the guest never executed the marks {first} and {last}")

    def by_function(self, symbols):
        """Instructions by function, most first."""
        found = collections.Counter()
        for address, executed in self.data["profile"]:
            found[symbols.at(address)] += executed
        return found.most_common()


def counted(runner, *words, options=()):
    """Run runner(*words, extra=QEMU's arguments) with the plugin. Returns its outcome and the Counts."""
    if not PLUGIN.exists():
        raise Failure(f"there is no {PLUGIN}; ./disco bench builds it")
    with tempfile.TemporaryDirectory(prefix="disco-icount-") as folder:
        out = Path(folder) / "counts.json"
        plugin = ",".join([str(PLUGIN), f"out={out}", *options])
        outcome = runner(*words, extra=["-plugin", plugin])
        return outcome, Counts(json.loads(out.read_text()))


def places(kind, names, symbols):
    """Plugin options `kind`=NAME:ADDRESS for functions that exist."""
    return [f"{kind}={name}:{symbols.address(name):#x}" for name in names]
