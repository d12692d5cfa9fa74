# SPDX-License-Identifier: BSD-2-Clause
"""The escape key of the console, Ctrl-A, as the monitor reads it from the first serial port."""

KEY = 0x01
LEAVE, HELP = b"xX", b"h?"


class Escape:
    """Follows what is typed and knows what the escape key asked for.

    Under the monitor everything is passed on, since the monitor acts on the key itself. On the bare machine
    nobody else does, so `swallow` takes the key and its command out of what is passed on.
    """

    def __init__(self, swallow):
        self.swallow = swallow
        self.armed = False
        self.leave = False
        self.help = False

    def feed(self, data):
        """The bytes to pass on. Sets `leave` and `help` when they were asked for."""
        out = bytearray()
        for byte in data:
            if not self.armed:
                self.armed = byte == KEY
                if not self.armed:
                    out.append(byte)
                continue
            self.armed = False
            self.leave |= byte in LEAVE
            self.help |= byte in HELP
            if byte == KEY:
                out.append(KEY)
        return bytes(out) if self.swallow else data
