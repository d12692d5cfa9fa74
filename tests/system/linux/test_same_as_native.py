# SPDX-License-Identifier: BSD-2-Clause
"""What a guest does on the monitor is what it does on the bare machine, byte for byte.

All programs run in one boot of each; a line of dashes tells their outputs apart.
"""

import hashlib
import re
import unittest

from harness import native, run

# name -> shell commands; what they print must not depend on time or on process numbers (the programs report
# times on their standard error, which is left out).
PROGRAMS = {
    "machine": "uname -srm; cat /proc/version | wc -w",
    "fork": "i=0; while [ $i -lt 200 ]; do /bin/busybox true || echo failed; i=$((i + 1)); done; echo $i processes",
    "file": "dd if=/dev/zero bs=1M count=64 2>/dev/null | tr '\\000' 'd' >/tmp/big && sha256sum /tmp/big && "
            "sha256sum </tmp/big && wc -c </tmp/big; rm /tmp/big",
    "random file": "awk 'BEGIN { x = 1; for (i = 0; i < 60000; i++) { x = (x * 16807) % 2147483647; print x } }' "
                   ">/tmp/r; for n in 1 2 3 4; do cat /tmp/r; done | sort | uniq -c | md5sum; rm /tmp/r",
    "fork and exec": "forkexec 200",
    "many pages": "tlbwalk 4096 2",
    "floating point": "fpalt",
    "signals": "sigtest",
    "pipes": "pipetest",
    "mapped files": "mmaptest",
    "out of memory": "oom",
    "floating point in awk": "awk 'BEGIN { for (i = 1; i < 2000; i++) s += sqrt(i) * sin(i) / i; printf \"%.12f\\n\", s }'",
    "errors": "exec 2>&1; cat /nowhere; /nowhere; ls /proc/self/mem/x",
}


def outputs(boot):
    command = "".join(f"echo '------ {name}'; ( {text} ) 2>/dev/null || echo status $?; " for name, text in PROGRAMS.items())
    done = boot("--exec", command, timeout=900)
    parts = re.split(rb"^------ (.*)\n", done.out, flags=re.MULTILINE)
    return done, {name.decode(): text for name, text in zip(parts[1::2], parts[2::2])}


class SameAsNative(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.native_done, cls.native = outputs(native)
        cls.run_done, cls.run_ = outputs(run)

    def test_all_ran(self):
        for done, out in ((self.native_done, self.native), (self.run_done, self.run_)):
            self.assertEqual(done.status, 0, done)
            self.assertEqual(list(out), list(PROGRAMS), done)

    def test_same(self):
        for name in PROGRAMS:
            with self.subTest(name):
                self.assertEqual(self.run_.get(name), self.native.get(name))

    def test_it_is_what_it_should_be(self):
        """Equal is not enough: both could have printed nothing."""
        self.assertEqual(self.run_["fork"], b"200 processes\n")
        digest = hashlib.sha256(b"d" * (64 << 20)).hexdigest().encode()
        self.assertEqual(self.run_["file"], digest + b"  /tmp/big\n" + digest + b"  -\n67108864\n")
        for name in ("fork and exec", "many pages", "floating point", "signals", "pipes", "mapped files"):
            self.assertRegex(self.run_[name], rb"\w", name)
            self.assertNotRegex(self.run_[name], rb"(?i)fail|not found|wrong", name)
        self.assertRegex(self.run_["out of memory"], rb"killed by signal 9, parent lives\n")


if __name__ == "__main__":
    unittest.main()
