# SPDX-License-Identifier: BSD-2-Clause
"""Several consoles over one serial port: frames on the way in, whole lines with the name of their VM on the way out.

A frame is the byte DLE, 'A' + index of the virtual machine, a length from 1 to 255, and that many bytes
(the monitor's option console=framed).
"""

DLE = 0x10
FIRST = ord("A")
HEAD = 3

# A line that does not end is shown in pieces, before it fills this computer's memory.
LONGEST_LINE = 1 << 20


class Frames:
    """Takes bytes as they come, cut anywhere. What is in no frame (there should be nothing) is kept as `noise`."""

    def __init__(self, vms):
        self.vms = vms
        self.rest = b""
        self.noise = b""

    def feed(self, data):
        """The frames that are complete by now, as (index, bytes)."""
        self.rest += data
        found, at = [], 0
        while len(self.rest) - at >= HEAD:
            mark, letter, length = self.rest[at:at + HEAD]
            if mark != DLE or not 0 <= letter - FIRST < self.vms or not length:
                self.noise += self.rest[at:at + 1]
                at += 1
                continue
            if len(self.rest) - at < HEAD + length:
                break
            found.append((letter - FIRST, self.rest[at + HEAD:at + HEAD + length]))
            at += HEAD + length
        self.rest = self.rest[at:]
        return found

    def finish(self):
        """Nothing more will come: a frame cut short is noise too."""
        self.noise += self.rest
        self.rest = b""


class Prefixer:
    """Gives `write` whole lines, each behind the name of the virtual machine it comes from."""

    def __init__(self, names, write):
        self.prefixes = [f"{name}: ".encode() for name in names]
        self.held = [b""] * len(names)
        self.write = write

    def feed(self, index, data):
        *lines, rest = (self.held[index] + data).split(b"\n")
        if len(rest) > LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        self.held[index] = rest
        if lines:
            self.write(b"".join(self.prefixes[index] + line + b"\n" for line in lines))

    def finish(self, index):
        """Nothing more will come from this one: its last line gets its end."""
        if self.held[index]:
            self.feed(index, b"\n")
