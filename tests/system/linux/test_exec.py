# SPDX-License-Identifier: BSD-2-Clause
"""./disco run --exec: output, exactly; exit status, exactly; nothing else."""

import re
import subprocess
import textwrap
import unittest

from harness import BARE_ENDIAN, BOOT, ENDIAN, GRACE, ROOT, native, run
from launcher import procs


class Exec(unittest.TestCase):
    def test_output_and_status(self):
        """One boot: bytes of every value, no newline at the end, quoting, both outputs, the status."""
        command = ("printf 'one \"two\" $HOME\\n'; echo \"three 'four' $((2 + 3))\"; echo five >&2; "
                   "i=0; while [ $i -lt 256 ]; do printf \"\\\\$(printf %03o $i)\"; i=$((i + 1)); done; "
                   "printf 'end'; exit 42")
        expected = b"one \"two\" $HOME\nthree 'four' 5\nfive\n" + bytes(range(256)) + b"end"
        for boot in (run, native) if BARE_ENDIAN == ENDIAN else (run,):
            with self.subTest(boot.__name__):
                done = boot("--exec", command)
                self.assertEqual(done.status, 42, done)
                self.assertEqual(done.out, expected, done)

    @unittest.skipIf(ENDIAN == "big", "the README's example is little-endian")
    def test_readme_shows_what_happens(self):
        """The README's example, run as it stands there, prints what it says."""
        text = (ROOT / "README.md").read_text()
        command, shown = re.search(r"^    \$ (\./disco run --exec .*)\n((?:    .*\n)+)", text, re.MULTILINE).groups()
        process = procs.spawn(["bash", "-c", command], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        try:
            out = process.communicate(timeout=BOOT)[0].decode()
        finally:
            procs.end(process, GRACE)
        self.assertEqual(out, textwrap.dedent(shown))

    def test_no_output_and_success(self):
        done = run("--exec", "true")
        self.assertEqual((done.status, done.out), (0, b""), done)

    def test_time_over(self):
        done = run("--exec", "echo started; sleep 1000", "--timeout", "40")
        self.assertEqual((done.status, done.out), (124, b"started\n"), done)
        self.assertIn("disco: --exec: no end within 40 s", done.err)

    def test_guest_that_ends_first(self):
        done = run("--exec", "echo going; poweroff -f; sleep 1000")
        self.assertEqual(done.status, 125, done)
        self.assertTrue(done.out.startswith(b"going\n"), done)    # the kernel may add that it powers down
        self.assertIn("the guest ended before the command did", done.err)

    def test_boot_that_fails(self):
        done = run("--exec", "true", "--append", "rdinit=/nowhere root=/dev/nowhere", "--timeout", "120")
        self.assertNotIn(done.status, (0, 124), done)
        self.assertRegex(done.err, r"Kernel panic.*(?s:.*)disco: --exec: the guest ended before")
        self.assertEqual(done.out, b"")


if __name__ == "__main__":
    unittest.main()
