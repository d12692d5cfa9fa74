# SPDX-License-Identifier: BSD-2-Clause
"""One of our plugins for QEMU around a run, and the pieces that a guest's marks cut it into."""

import json
import tempfile
from pathlib import Path

from launcher.paths import BUILD
from launcher.say import Failure


def built(name):
    """Where ./disco bench builds it."""
    return BUILD / "host-release" / "tools" / name / f"lib{name}.so"


class Marked:
    """What a plugin wrote: `data`, with a list "marks"."""

    def __init__(self, data):
        self.data = data

    def piece(self, skip):
        """A mark 0 and the next mark 1; `skip` such pairs are passed over."""
        pairs = self.pairs()
        if len(pairs) <= skip:
            raise Failure(f"the guest executed marks for {len(pairs)} pieces, not {skip + 1}")
        return pairs[skip]

    def pairs(self):
        """The marks 0, each with the next mark 1."""
        found, start = [], None
        for mark in self.data["marks"]:
            if mark["number"] == 0 and start is None:
                start = mark
            elif mark["number"] == 1 and start is not None:
                found.append((start, mark))
                start = None
        return found


def around(plugin, made, runner, words, options):
    """Run runner(*words, extra=QEMU's arguments) with the plugin. Returns its outcome and made(what the plugin wrote)."""
    if not plugin.exists():
        raise Failure(f"there is no {plugin}; ./disco bench builds it")
    with tempfile.TemporaryDirectory(prefix="disco-plugin-") as folder:
        out = Path(folder) / "out.json"
        outcome = runner(*words, extra=["-plugin", ",".join([str(plugin), f"out={out}", *options])])
        return outcome, made(json.loads(out.read_text()))
