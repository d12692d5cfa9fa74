# SPDX-License-Identifier: BSD-2-Clause
"""./disco test: every suite in an order that finds mistakes early, each with its time, counted at the end."""

import os
import time
import traceback
from dataclasses import dataclass
from typing import Callable

from . import models, suites
from .say import Failure, report, say
from .suites import FAILED, PASSED, SKIPPED, Result

ORDER = (PASSED, FAILED, SKIPPED)


@dataclass
class Suite:
    name: str
    what: str
    run: Callable
    slow: bool = False     # needs a Linux kernel to be built
    on_request: bool = False


SUITES = [
    Suite("launcher", "the launcher's own parts", suites.launcher),
    Suite("headers", "every public header compiles alone, as C11 and as C++", suites.headers),
    Suite("host", "libraries on the sim backend", suites.host),
    Suite("address", "the same under AddressSanitizer and UndefinedBehaviorSanitizer", suites.address),
    Suite("thread", "the same under ThreadSanitizer", suites.thread),
    Suite("clang", "the same code built by clang", suites.clang),
    Suite("fuzz", "hostile input for what takes any: libFuzzer", suites.fuzz),
    Suite("model", "protocols between processors, checked by spin; each seeded bug is found", models.suite),
    Suite("embed", "the examples against an installed prefix, through pkg-config", suites.embed),
    Suite("docs", "Doxygen has no warnings, everything public is documented", suites.docs),
    Suite("format", "the code is formatted as .clang-format says (when asked for)", suites.formatted, on_request=True),
    Suite("cross-little", "MIPS64 build, little-endian", suites.crossed("little")),
    Suite("cross-big", "MIPS64 build, big-endian", suites.crossed("big")),
    Suite("tiny-little", "tiny guests on the monitor, little-endian", suites.system("little", "tiny")),
    Suite("tiny-big", "tiny guests on the monitor, big-endian", suites.system("big", "tiny")),
    Suite("linux-little", "Linux on the monitor and native, little-endian", suites.system("little", "linux"), slow=True),
    Suite("linux-big", "Linux on the monitor and native, big-endian", suites.system("big", "linux"), slow=True),
]


def chosen(names, quick):
    known = {suite.name: suite for suite in SUITES}
    for name in names:
        if name not in known:
            raise Failure(f"there is no test suite {name}; there are: {' '.join(known)}", 2)
    if names:
        return [known[name] for name in names]
    return [suite for suite in SUITES if not suite.on_request and not (quick and suite.slow)]


def results_of(suite):
    """The suite's results; trouble that keeps it from running is one failed result, never a crash."""
    try:
        return suite.run()
    except Failure as failure:
        report(failure)
        return [Result(suite.name, FAILED, str(failure))]
    except Exception:  # a mistake of the harness itself must count as a failure, and the rest still run
        return [Result(suite.name, FAILED, traceback.format_exc())]


def counts(results):
    return {outcome: sum(result.outcome == outcome for result in results) for outcome in ORDER}


def summary(count):
    text = f"{count[PASSED]} passed, {count[FAILED]} failed"
    return text + (f", {count[SKIPPED]} skipped" if count[SKIPPED] else "")


def show(suite, results, seconds):
    print(f"{suite.name:14} {summary(counts(results)):32} {seconds:7.1f} s   {suite.what}", flush=True)
    for result in results:
        if result.outcome == FAILED:
            print(f"  FAILED {suite.name}: {result.name}\n{indented(result.detail)}", flush=True)
        elif result.outcome == SKIPPED:
            print(f"  skipped {suite.name}: {result.name}: {result.detail}", flush=True)


def again(everything):
    """What failed, in full, where one looks first: above the last line."""
    for suite, result in everything:
        if result.outcome == FAILED:
            print(f"  FAILED {suite.name}: {result.name}\n{indented(result.detail)}", flush=True)


def indented(text):
    return "\n".join("    " + line for line in text.rstrip().splitlines())


def main(arguments):
    if arguments.list:
        for suite in SUITES:
            print(f"{suite.name:14} {suite.what}")
        return 0
    os.environ["LC_ALL"] = "C.UTF-8"
    if arguments.soak:
        os.environ[suites.SOAK] = str(arguments.soak)
    if arguments.fuzz:
        os.environ[suites.FUZZ] = str(arguments.fuzz)
    if arguments.thorough:
        os.environ[suites.THOROUGH] = "1"
    everything = []
    for suite in chosen(arguments.suites, arguments.quick):
        say(f"test suite {suite.name}: {suite.what}")
        start = time.monotonic()
        results = results_of(suite)
        if not results:
            results = [Result(suite.name, FAILED, "the suite holds no test")]
        show(suite, results, time.monotonic() - start)
        everything += [(suite, result) for result in results]
    total = counts([result for _, result in everything])
    again(everything)
    print(summary(total), flush=True)
    return 1 if total[FAILED] else 0
