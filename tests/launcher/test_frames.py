# SPDX-License-Identifier: BSD-2-Clause
import unittest

from launcher import frames
from launcher.exec_ import All, Exec
from launcher.frames import Frames, Prefixer
from launcher.monlog import Log


def frame(index, data):
    """Written as the protocol says, apart from the reader."""
    return b"".join(bytes([0x10, ord("A") + index, len(part)]) + part
                    for part in (data[at:at + 255] for at in range(0, len(data), 255)))


def whole(found, vms):
    return [b"".join(part for index, part in found if index == vm) for vm in range(vms)]


class Reader(unittest.TestCase):
    STREAM = frame(0, b"one\x10A\x05") + frame(2, bytes(range(256)) * 2) + frame(1, b"\x10") + frame(0, b"\n")
    CONTENT = [b"one\x10A\x05\n", b"\x10", bytes(range(256)) * 2]

    def test_split_at_every_byte(self):
        for at in range(len(self.STREAM) + 1):
            reader = Frames(3)
            found = reader.feed(self.STREAM[:at]) + reader.feed(self.STREAM[at:])
            self.assertEqual(whole(found, 3), self.CONTENT, at)
            self.assertEqual((reader.rest, reader.noise), (b"", b""))

    def test_byte_by_byte(self):
        reader = Frames(3)
        found = [part for byte in self.STREAM for part in reader.feed(bytes([byte]))]
        self.assertEqual(whole(found, 3), self.CONTENT)

    def test_noise_is_kept_apart(self):
        """Bytes in no frame, a machine that is not there, an empty frame, and a frame cut short."""
        reader = Frames(2)
        found = reader.feed(b"oh" + frame(0, b"a") + b"\x10C\x01z" + b"\x10A\x00" + frame(1, b"b") + b"\x10A\x09short")
        reader.finish()
        self.assertEqual(found, [(0, b"a"), (1, b"b")])
        self.assertEqual(reader.noise, b"oh\x10C\x01z\x10A\x00\x10A\x09short")


class Lines(unittest.TestCase):
    def setUp(self):
        self.out = []
        self.lines = Prefixer(["vm0", "b"], self.out.append)

    def text(self):
        return b"".join(self.out)

    def test_whole_lines_alone(self):
        for index, data in ((0, b"he"), (1, b"x\ny"), (0, b"llo\n\n"), (1, b"z\n")):
            self.lines.feed(index, data)
        self.assertEqual(self.text(), b"b: x\nvm0: hello\nvm0: \nb: yz\n")

    def test_last_line_gets_its_end(self):
        self.lines.feed(0, b"one\npart")
        self.assertEqual(self.text(), b"vm0: one\n")
        self.lines.finish(0)
        self.lines.finish(0)
        self.lines.finish(1)
        self.assertEqual(self.text(), b"vm0: one\nvm0: part\n")

    def test_line_without_end_is_not_kept_for_ever(self):
        self.lines.feed(0, b"x" * (frames.LONGEST_LINE + 1))
        self.assertEqual(self.lines.held[0], b"")
        self.assertEqual(self.text(), b"vm0: " + b"x" * (frames.LONGEST_LINE + 1) + b"\n")


class ExecInAll(unittest.TestCase):
    """--exec in several virtual machines, from the bytes of the serial port on."""

    def run_with(self, *parts):
        command = Exec("true")
        marks = [part.replace(b"<", b"\x01disco-begin N\n").replace(b">", b"\x01disco-end N ")
                 .replace(b"N", command.nonce.encode()) for part in parts]
        follower = All(command, None, Log(), 60, None, ["vm0", "vm1"])
        out = []
        follower.lines.write = out.append
        for index, mark in enumerate(marks):
            for byte in frame(index, mark):
                follower.console(bytes([byte]))
        return follower, b"".join(out)

    def test_output_and_status(self):
        follower, out = self.run_with(b"boot\n<a\n>0\n", b"<b>0\n")
        self.assertEqual(out, b"vm0: a\nvm1: b\n")
        self.assertEqual(follower.status(), 0)

    def test_first_that_failed_in_order(self):
        follower, _ = self.run_with(b"<>0\n", b"<>9\n")
        self.assertEqual(follower.status(), 9)
        follower, _ = self.run_with(b"<>7\n", b"<>9\n")
        self.assertEqual(follower.status(), 7)

    def test_one_that_ends_early(self):
        follower, out = self.run_with(b"<half", b"panic: no init\n")
        self.assertEqual(follower.status(), 125)
        self.assertIn("vm1: panic: no init", follower.all_text())
        self.assertNotIn("vm0", follower.all_text())
        self.assertEqual(out, b"")


if __name__ == "__main__":
    unittest.main()
