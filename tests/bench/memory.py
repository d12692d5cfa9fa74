# SPDX-License-Identifier: BSD-2-Clause
"""Modelled time: the plugin of tools/flash around a run, and what it wrote."""

import json
import tempfile
from pathlib import Path

from launcher.paths import BUILD
from launcher.say import Failure

PLUGIN = BUILD / "host-release" / "tools" / "flash" / "libflash.so"


class Figures:
    """What the plugin wrote. Figures are nested dictionaries of numbers, as they stand in its JSON."""

    def __init__(self, data):
        self.data = data

    def total(self):
        """Of the whole machine, from its start to its end."""
        return self.data["machine"]

    def between(self, skip=0):
        """Of the whole machine, from a mark 0 to the next mark 1; `skip` such pairs are passed over."""
        pairs = self.pairs()
        if len(pairs) <= skip:
            raise Failure(f"the guest executed marks for {len(pairs)} pieces, not {skip + 1}")
        return less(*pairs[skip])

    def pairs(self):
        """The machine's figures at marks 0, each with those at the next mark 1."""
        found, start = [], None
        for mark in self.data["marks"]:
            if mark["number"] == 0 and start is None:
                start = mark
            elif mark["number"] == 1 and start is not None:
                found.append((start["machine"], mark["machine"]))
                start = None
        return found

    def elapsed(self, piece):
        """Modelled nanoseconds that a piece took: all processors have had as many."""
        return piece["ns"]["all"] / len(self.data["cpus"])


def less(start, end):
    """end - start, number by number; the share of local misses is what it was in between."""
    change = {key: less(start[key], value) if isinstance(value, dict) else value - start[key]
              for key, value in end.items() if key != "local_share"}
    if change.get("misses"):
        change["local_share"] = change["local"]["all"] / change["misses"]
    return change


def modelled(runner, *words, options=()):
    """Run runner(*words, extra=QEMU's arguments) with the plugin. Returns its outcome and the Figures."""
    if not PLUGIN.exists():
        raise Failure(f"there is no {PLUGIN}; ./disco bench builds it")
    with tempfile.TemporaryDirectory(prefix="disco-flash-") as folder:
        out = Path(folder) / "figures.json"
        plugin = ",".join([str(PLUGIN), f"out={out}", *options])
        outcome = runner(*words, extra=["-plugin", plugin])
        return outcome, Figures(json.loads(out.read_text()))
