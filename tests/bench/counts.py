# SPDX-License-Identifier: BSD-2-Clause
"""Instruction counts: the plugin of tools/icount around a run, and the symbols that give its numbers names."""

import bisect
import collections
import subprocess

import machine
import plugin
from launcher.say import Failure

PLUGIN = plugin.built("icount")
MODES = ("user", "supervisor", "kernel")
NM = {"little": "mipsisa64r6el-linux-gnuabi64-nm", "big": "mipsisa64r6-linux-gnuabi64-nm"}


class Symbols:
    """Functions of an ELF file, by name and by address. What the compiler hangs to a name (".isra.0") is left out."""

    def __init__(self, path):
        done = subprocess.run([NM[machine.ENDIAN], "--format=posix", "--numeric-sort", str(path)], text=True,
                              capture_output=True, check=False, timeout=120)
        if done.returncode:
            raise Failure(f"{path}: {done.stderr.strip()}")
        self.names, self.addresses = [], []
        for line in done.stdout.splitlines():
            name, kind, address = (line.split() + ["", ""])[:3]     # debug symbols have no name
            if kind in "tT" and address and not name.startswith("."):
                self.names.append(name.partition(".")[0])
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


class Counts(plugin.Marked):
    """What the plugin wrote."""

    def __init__(self, data):
        super().__init__(data)
        self.total = {mode: sum(cpu[mode] for cpu in data["cpus"]) for mode in MODES}

    def all(self):
        return sum(self.total.values())

    def between(self, skip=0, of="processor"):
        """Instructions by mode from a mark 0 to the next mark 1; `skip` such pairs are passed over.

        Of the "processor" that came to both marks, or of the whole "machine".
        """
        return difference(*self.piece(skip), of)

    def by_function(self, symbols):
        """Instructions by function, most first."""
        found = collections.Counter()
        for address, executed in self.data["profile"]:
            found[symbols.at(address)] += executed
        return found.most_common()


def difference(start, end, of="processor"):
    if of == "machine":
        start, end = start["machine"], end["machine"]
    elif start["cpu"] != end["cpu"]:
        raise Failure("the guest moved to another processor between two marks")
    return {mode: end[mode] - start[mode] for mode in MODES}


def counted(runner, *words, options=()):
    """Run runner(*words, extra=QEMU's arguments) with the plugin. Returns its outcome and the Counts."""
    return plugin.around(PLUGIN, Counts, runner, words, options)


def places(kind, names, symbols):
    """Plugin options `kind`=NAME:ADDRESS for functions that exist."""
    return [f"{kind}={name}:{symbols.address(name):#x}" for name in names]
