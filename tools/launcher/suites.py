# SPDX-License-Identifier: BSD-2-Clause
"""The test suites: each function builds what it needs, runs, and returns a list of Results."""

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass
from xml.etree import ElementTree

from . import build, guests, numa, procs
from .paths import BUILD, LITTLE, ROOT
from .say import Failure

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
PREFIX = BUILD / "prefix"
LOGS = BUILD / "logs"
HOST_OPTIONS = ("--prefix", PREFIX, "--libdir", "lib", "-Dffi=enabled")

# All that freestanding code may ask of its surroundings.
GIVEN = {"memcpy", "memmove", "memset", "memcmp"}

# Seconds that a file of system tests may take; SOAK names the variable that has the soaks take longer than usual.
SYSTEM_LIMIT = 2700
SOAK = "DISCO_SOAK"
# Names the variable that has everything compared with a bare machine of its own byte order.
THOROUGH = "DISCO_THOROUGH"
# Files of tests that measure time, or keep every processor busy.
ALONE = {"test_fair.py", "test_soak.py"}

# Seconds that each fuzzer runs; FUZZ names the variable that has them run longer.
FUZZ, FUZZ_SECONDS = "DISCO_FUZZ_SECONDS", 20

# Seconds that a test runner gets to end what its tests have started.
GRACE = 30.0

# Who compiles each header alone; clang if it is there.
C, CXX = ("-x", "c", "-std=c11", "-ffreestanding"), ("-x", "c++", "-std=c++17")
COMPILERS = (("gcc", *C), ("g++", *CXX), ("clang", *C), ("clang++", *CXX))

# Kinds of thing, as Doxygen calls them, that must have a docstring.
DOCUMENTED = {"function", "struct", "union", "enum", "typedef", "define"}

# What meson says of a test, in our words; everything else is a failure.
MESON_OUTCOMES = {"OK": PASSED, "EXPECTEDFAIL": PASSED, "SKIP": SKIPPED}


@dataclass
class Result:
    name: str
    outcome: str
    detail: str = ""


def command(name, words, timeout=600, **options):
    """One command that has to succeed, as one Result; its output is the detail of a failure."""
    process = procs.spawn(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    try:
        output = process.communicate(timeout=timeout)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        return Result(name, FAILED, f"no end after {timeout} s")
    finally:
        procs.end(process)
    return Result(name, PASSED if process.returncode == 0 else FAILED, output)


# --- on the host ---

def host():
    with build.lock():
        return meson_tests(build.host("host", HOST_OPTIONS))


def address():
    with build.lock():
        return meson_tests(build.host("host-asan", ["-Db_sanitize=address,undefined", "-Dffi=enabled"]),
                           UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1")


def thread():
    """Every test that may start threads; the fuzzers and link tests start none."""
    with build.lock():
        return meson_tests(build.host("host-tsan", ["-Db_sanitize=thread"]), "--no-suite", "fuzz", "--no-suite", "link",
                           TSAN_OPTIONS="halt_on_error=1")


def clang():
    """The other compiler has other warnings; they are errors too."""
    return [Result(built_by_clang().name, PASSED)]


def built_by_clang():
    with build.lock():
        return build.host("host-clang", ["--native-file", ROOT / "cross" / "host-clang.ini"])


def fuzz():
    """Every target of tests/fuzz under libFuzzer, from the corpus that is kept; what is new is kept in the build."""
    folder = built_by_clang() / "tests" / "fuzz"
    names = sorted(path.stem for path in (ROOT / "tests" / "fuzz").glob("*_fuzz.c"))
    seconds = int(os.environ.get(FUZZ, FUZZ_SECONDS))
    return procs.side_by_side(lambda name: fuzzed(folder / name, seconds), names, build.JOBS)


def fuzzed(program, seconds):
    """One libFuzzer run; an input that breaks something is left beside what was found."""
    found, kept = BUILD / "fuzz" / program.name, ROOT / "tests" / "fuzz" / "corpus" / program.name
    found.mkdir(parents=True, exist_ok=True)
    words = [program, f"-max_total_time={seconds}", "-timeout=30", "-print_final_stats=1", f"-artifact_prefix={found}/crash-",
             found, *([kept] if kept.is_dir() else [])]
    return command(program.name, words, seconds + 120)


def meson_tests(directory, *words, **environment):
    """Run the tests of a meson build directory and read its log of results."""
    log = directory / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    run = command("meson test", [build.MESON, "test", "-C", directory, "--no-rebuild", "--print-errorlogs",
                                 "--num-processes", build.JOBS, *words], 1200, env={**os.environ, **environment})
    if not log.exists():
        return [Result(directory.name, FAILED, run.detail)]
    results = [meson_result(json.loads(line)) for line in log.read_text().splitlines()]
    if run.outcome == FAILED and all(result.outcome != FAILED for result in results):
        results.append(Result("meson test", FAILED, run.detail))
    return results


def meson_result(entry):
    outcome = MESON_OUTCOMES.get(entry["result"], FAILED)
    output = entry.get("stdout", "") + entry.get("stderr", "")
    return Result(entry["name"], outcome, f"{entry['result']}\n{output}" if outcome == FAILED else output)


def headers():
    """Each header alone: whoever includes one must not have to know what to include before it."""
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", ROOT / "include"]
    present = [one for one in COMPILERS if shutil.which(one[0]) or not one[0].startswith("clang")]
    return [compile_alone(header, [*words, *strict])
            for header in sorted((ROOT / "include" / "disco").glob("*.h")) for words in present]


def compile_alone(header, words):
    source = f"#include <disco/{header.name}>\n#include <disco/{header.name}>\ntypedef int not_empty;\n"
    done = subprocess.run([str(word) for word in [*words, "-"]], input=source, text=True, capture_output=True,
                          timeout=120, check=False)
    return Result(f"{header.name} with {words[0]}", PASSED if done.returncode == 0 else FAILED, done.stderr)


def embed():
    """Install into a prefix of our own and build examples/embed there as an outsider would, then run it."""
    with build.lock():
        directory = build.host("host", HOST_OPTIONS)
        shutil.rmtree(PREFIX, ignore_errors=True)
        install = command("install", [build.MESON, "install", "-C", directory, "--no-rebuild", "--quiet"])
        if install.outcome == FAILED:
            return [install]
        out = BUILD / "embed"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        return [install] + [built_and_run(source, out / source.stem)
                            for source in sorted((ROOT / "examples" / "embed").glob("*.c"))]


def built_and_run(source, program):
    """The first line of an example's expected output stands in NAME.expected beside it."""
    script = ROOT / "examples" / "embed" / "build.sh"
    environment = {**os.environ, "PKG_CONFIG_PATH": str(PREFIX / "lib" / "pkgconfig")}
    done = command(source.name, [script, source, program], env=environment)
    if done.outcome == FAILED:
        return done
    done = command(source.name, [program], timeout=60)
    expected = source.with_suffix(".expected").read_text()
    if done.outcome == PASSED and done.detail != expected:
        return Result(source.name, FAILED, f"printed:\n{done.detail}instead of:\n{expected}")
    return done


def docs():
    """Doxygen over include/ and docs/; any warning fails. The HTML is in build/docs/html."""
    out = BUILD / "docs"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    text = (ROOT / "docs" / "Doxyfile.in").read_text()
    (out / "Doxyfile").write_text(text.replace("@ROOT@", str(ROOT)).replace("@OUT@", str(out)))
    result = command("doxygen", ["doxygen", out / "Doxyfile"], cwd=ROOT)
    log = out / "warnings.txt"
    warnings = log.read_text() if log.exists() else ""
    if warnings or result.outcome == FAILED:
        return [Result("doxygen", FAILED, warnings + result.detail)]
    bare = sorted(undocumented(out / "xml"))
    return [result, Result("everything public is documented", FAILED if bare else PASSED, "\n".join(bare))]


def undocumented(folder):
    """Public functions, types and macros without a word on them, as "header: kind name"."""
    found, named = set(), set()
    for file in folder.glob("*.xml"):
        for node in ElementTree.parse(file).iter():
            kind, where = node.get("kind"), node.find("location")
            if kind not in DOCUMENTED or where is None or not where.get("file", "").endswith(".h"):
                continue
            name = node.findtext("compoundname") or node.findtext("name")
            if any("".join(node.find(part).itertext()).strip() for part in ("briefdescription", "detaileddescription")):
                named.add(name)
            elif not name.endswith("_H") and "@" not in name:
                found.add((where.get("file"), kind, name))
    return {f"{header}: {kind} {name}" for header, kind, name in found if name not in named}


def formatted():
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if not tool:
        return [Result("clang-format", SKIPPED, "clang-format is not installed (Debian package clang-format)")]
    places = ("include", "lib", "backends", "examples/embed", "examples/monitor", "tests")
    files = [path for place in places for path in sorted((ROOT / place).rglob("*.[ch]"))]
    return [command("clang-format", [tool, "--dry-run", "-Werror", *files], cwd=ROOT)]


def launcher():
    return python_tests(ROOT / "tests" / "launcher", "test_*.py", 300)


# --- on the MIPS machine ---

def crossed(endian):
    def suite():
        with build.lock():
            directory = build.cross(endian)
            build.monitor(endian)
            return [Result(directory.name, PASSED)] + freestanding(directory)
    return suite


def freestanding(directory):
    """What each library calls must be in the libraries or in GIVEN."""
    archives = sorted((directory / "lib").rglob("*.a"))
    given = set(GIVEN).union(*(symbols(archive, "--defined-only") for archive in archives))
    return [Result(f"{archive.name} is freestanding", FAILED if missing else PASSED, f"it calls {missing}")
            for archive in archives for missing in [symbols(archive, "--undefined-only") - given]]


def symbols(archive, which):
    done = subprocess.run(["nm", which, "--format=posix", "--quiet", str(archive)], capture_output=True, text=True,
                          timeout=60, check=True)
    return {line.split()[0] for line in done.stdout.splitlines() if len(line.split()) > 1}


def system(endian, kind):
    """The system tests of tests/system/KIND; what they boot is built first, so that no test's time counts it."""
    def suite():
        with build.lock():
            build.cross(endian)
            numa.plugin()
            if kind == "linux":
                linux_guests(endian)
        limit = SYSTEM_LIMIT + 8 * int(os.environ.get(SOAK, "0"))
        return of_each_file(ROOT / "tests" / "system" / kind, limit, DISCO_ENDIAN=endian)
    return suite


def linux_guests(endian):
    """What programs print is the same in both orders, so the little-endian bare machine does for comparisons, and the
    fourth kernel need not be built; it is with --thorough."""
    guests.everything(LITTLE)
    if endian != LITTLE:
        guests.everything(endian, (guests.DISCO, guests.NATIVE) if os.environ.get(THOROUGH) else (guests.DISCO,))


def of_each_file(directory, timeout, **environment):
    """Files of tests side by side, for most tests keep one processor busy; then those that need the computer alone."""
    def results(name):
        return python_tests(directory, name, timeout, **environment)
    names = sorted(path.name for path in directory.glob("test_*.py"))
    together = procs.side_by_side(results, [name for name in names if name not in ALONE], build.JOBS)
    return [result for some in [*together, *map(results, sorted(ALONE.intersection(names)))] for result in some]


def python_tests(directory, pattern, timeout, **environment):
    """The tests in some files of a directory, in a process of its own that reports each test as a line of JSON."""
    runner = ROOT / "tools" / "launcher" / "pytests.py"
    read_end, write_end = os.pipe()
    process = procs.spawn([sys.executable, runner, directory, pattern, str(write_end)], stdin=subprocess.DEVNULL,
                          stdout=sys.stderr.fileno(), pass_fds=[write_end], cwd=ROOT,
                          env={**os.environ, **environment})
    os.close(write_end)
    try:
        with open(read_end, encoding="utf-8") as lines:
            return collected(process, lines, timeout)
    finally:
        procs.end(process, GRACE)


def collected(process, lines, timeout):
    """Read the runner's lines until it ends; a watchdog ends it when it takes too long."""
    late = threading.Event()
    watchdog = threading.Timer(timeout, lambda: (late.set(), procs.end(process, GRACE)))
    watchdog.daemon = True
    watchdog.start()
    try:
        results = [Result(**json.loads(line)) for line in lines]
        process.wait()
    finally:
        watchdog.cancel()
    if late.is_set():
        results.append(Result("all", FAILED, f"no end after {timeout} s"))
    elif process.returncode not in (0, 1):
        results.append(Result("all", FAILED, f"the test runner ended with status {process.returncode}"))
    return results
