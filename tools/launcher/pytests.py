# SPDX-License-Identifier: BSD-2-Clause
"""Runs the tests in the files of one directory that match a pattern, and reports each as a line of JSON on a descriptor.

usage: pytests.py DIRECTORY PATTERN DESCRIPTOR
"""

import json
import signal
import sys
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Reporter(unittest.TestResult):
    def __init__(self, stream):
        super().__init__()
        self.stream = stream

    def tell(self, test, outcome, detail=""):
        name = test.id() if hasattr(test, "id") else str(test)
        self.stream.write(json.dumps({"name": name, "outcome": outcome, "detail": detail}) + "\n")
        self.stream.flush()

    def startTest(self, test):
        super().startTest(test)
        self.started = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        print(f"disco:   {time.monotonic() - self.started:6.1f} s  {test.id()}", file=sys.stderr, flush=True)

    def addSuccess(self, test):
        self.tell(test, "passed")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.tell(test, "failed", self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.tell(test, "failed", self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.tell(subtest, "failed", (self.failures + self.errors)[-1][1])
        else:
            self.tell(subtest, "passed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.tell(test, "skipped", reason)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.tell(test, "failed", "succeeded where a failure was expected")


def main(directory, pattern, descriptor):
    # Ended from outside, the tests still clean up after themselves.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    directory = Path(directory).resolve()
    sys.path[:0] = [str(ROOT / "tools"), str(directory.parent), str(directory)]
    with open(int(descriptor), "w", encoding="utf-8") as stream:
        reporter = Reporter(stream)
        unittest.defaultTestLoader.discover(str(directory), pattern, top_level_dir=str(directory)).run(reporter)
    return 0 if reporter.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
