# SPDX-License-Identifier: BSD-2-Clause
import random
import unittest

from launcher.exec_ import Frame

NONCE = "0123456789abcdef"
BEGIN = f"\x01disco-begin {NONCE}\n".encode()
END = f"\x01disco-end {NONCE} 7\n".encode()


def cut(data, size):
    """What comes out when the console delivers `size` bytes at a time."""
    frame = Frame(NONCE)
    out = b"".join(frame.feed(data[at:at + size]) for at in range(0, len(data), size))
    return out, frame


class Framing(unittest.TestCase):
    def check(self, inside):
        for size in (1, 2, 3, 7, 64, 100000):
            out, frame = cut(b"boot text\r\n" + BEGIN + inside + END + b"after", size)
            self.assertEqual(out, inside, f"in pieces of {size}")
            self.assertEqual(frame.status, 7)
            self.assertEqual(frame.before, b"boot text\r\n")

    def test_plain_output(self):
        self.check(b"hello\n")

    def test_no_output(self):
        self.check(b"")

    def test_every_byte(self):
        self.check(bytes(range(256)) * 3)

    def test_no_newline_at_the_end(self):
        self.check(b"no newline")

    def test_marks_of_others_are_output(self):
        self.check(b"\x01disco-end 0000000000000000 0\n\x01disco-begin " + NONCE.encode() + b"\n\x01\x01disco-end\n")

    def test_mark_needs_a_number_and_a_line_end(self):
        self.check(f"\x01disco-end {NONCE} x\n\x01disco-end {NONCE} 1".encode() + b" \n")

    def test_random_bytes_near_the_marks(self):
        dice = random.Random(1)
        for _ in range(200):
            self.check(bytes(dice.choice(b"\x01disco-end 0\n") for _ in range(dice.randrange(40))))

    def test_output_is_not_held_back(self):
        frame = Frame(NONCE)
        self.assertEqual(frame.feed(BEGIN + b"progress \x01 50%"), b"progress \x01 50%")

    def test_output_stays_open_without_end(self):
        out, frame = cut(BEGIN + b"half", 3)
        self.assertEqual((out, frame.open, frame.status), (b"half", True, None))

    def test_carriage_returns_of_a_cooked_console(self):
        frame = Frame(NONCE)
        out = frame.feed(BEGIN[:-1] + b"\r\n" + b"x\r\n" + END[:-1] + b"\r\n")
        self.assertEqual((out, frame.status), (b"x\r\n", 7))
