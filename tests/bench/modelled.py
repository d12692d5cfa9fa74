# SPDX-License-Identifier: BSD-2-Clause
"""Modelled time: the plugin of tools/flash around a run, and what it wrote."""

import plugin
from launcher.say import Failure

PLUGIN = plugin.built("flash")


class Figures(plugin.Marked):
    """What the plugin wrote. Figures are nested dictionaries of numbers, as they stand in its JSON."""

    def total(self):
        """Of the whole machine, from its start to its end."""
        return self.data["machine"]

    def between(self, skip=0):
        """Of the whole machine, from a mark 0 to the next mark 1; `skip` such pairs are passed over."""
        start, end = self.piece(skip)
        return less(start["machine"], end["machine"])

    def whole(self):
        """Of the whole machine, from the first mark 0 of anybody to the last mark 1."""
        begins, ends = ([mark for mark in self.data["marks"] if mark["number"] == number] for number in (0, 1))
        if not begins or not ends:
            raise Failure("the guest executed no marks")
        return less(begins[0]["machine"], ends[-1]["machine"])

    def elapsed(self, piece):
        """Modelled nanoseconds that a piece took: all processors have had as many."""
        return piece["ns"]["all"] / len(self.data["cpus"])


def less(start, end):
    """end - start, number by number; the share of local misses is what it was in between."""
    change = {key: less(start.get(key, 0), value) if isinstance(value, dict) else value - start.get(key, 0)
              for key, value in end.items() if key != "local_share"}
    if change.get("misses"):
        change["local_share"] = change["local"]["all"] / change["misses"]
    return change


def modelled(runner, *words, options=()):
    """Run runner(*words, extra=QEMU's arguments) with the plugin. Returns its outcome and the Figures."""
    return plugin.around(PLUGIN, Figures, runner, words, options)
