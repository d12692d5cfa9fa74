#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""sim_test.py NUMA-SIM: small traces whose answers are worked out by hand, and what is refused."""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAM = ""

# Node 1's fourth miss moves page 7 there; the other six are local.
MOVES = """
0 0 7 w      # it comes into being on node 0
10 1 7 r 10
"""
# Replicated on 2 at its fourth miss, then on 1; the store on 0 collapses it, and it stays one page.
SHARES = """
0 0 5 w
1 1 5 r 3
2 2 5 r 4
3 2 5 r 2
4 1 5 r
5 1 5 r
6 0 5 w
7 2 5 r 2
"""
# One migration an interval of 1 ms: node 2 gets it in the second one.
RESTLESS = """
0 0 1 r
0 1 1 r 2
0 2 1 r 2
1000000 2 1 r 2
1000001 2 1 r 3
"""


def run(*words, trace=None, path=None):
    with tempfile.TemporaryDirectory() as folder:
        if trace is not None:
            file = Path(folder) / "trace"
            file.write_text(trace)
            words = (*words, file)
        env = {**os.environ, **({"PATH": path} if path is not None else {})}
        done = subprocess.run([PROGRAM, *map(str, words)], capture_output=True, text=True, timeout=100, check=False,
                              env=env)
    done.stderr = done.stderr.replace(folder + "/", "")
    return done


def rows(output):
    """The words of each line that begins with a number or "none"."""
    lines = [line.split() for line in output.splitlines()]
    return [line for line in lines if line and (line[0].isdigit() or line[0] == "none")]


class KnownAnswers(unittest.TestCase):
    def answer(self, expected, *words, trace):
        done = run(*words, trace=trace)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(rows(done.stdout), [line.split() for line in expected])
        return done.stdout

    def test_migration(self):
        # Without moves 1 * 300 + 10 * 900 = 9300 ns; with one, 7 * 300 + 4 * 900 + cost.
        out = self.answer(["none 9.09 0 0 0 1", "4 63.64 1 0 0 1", "1 4 63.64 1 72.04", "20 none 9.09 0 100.00"],
                          "--nodes", 2, "--trigger", 4, "--sharing", 4, "--cost", "1,20", trace=MOVES)
        self.assertIn("2 nodes, 1 pages, 11 misses", out)

    def test_modes(self):
        self.answer(["none 9.09 0 0 0 1", "1 none 9.09 0 100.00"],
                    "--nodes", 2, "--trigger", 4, "--cost", 1, "--mode", "off", trace=MOVES)
        out = self.answer(["none 9.09 0 0 0 1", "4 9.09 0 0 0 1", "1 none 9.09 0 100.00"], "--nodes", 2,
                          "--trigger", 4, "--sharing", 4, "--cost", 1, "--mode", "replicate", trace=MOVES)
        self.assertIn("left alone, with trigger 4: disabled 2\n", out)

    def test_replication(self):
        # 2 * 300 + 13 * 900 = 12300 ns, and 5 * 300 + 10 * 900 = 10500 and three moves.
        out = self.answer(["none 13.33 0 0 0 1", "4 33.33 0 2 1 1", "0 4 33.33 3 85.37", "1 none 13.33 0 100.00"],
                          "--nodes", 3, "--trigger", 4, "--sharing", 2, "--cost", "0,1", trace=SHARES)
        self.assertIn("left alone, with trigger 4: write_shared 1\n", out)
        # It stays one page even where so many stores are allowed: it had replicas, and a store.
        allowed = run("--nodes", 3, "--trigger", 4, "--sharing", 2, "--cost", "0,1", "--write", 5, trace=SHARES)
        self.assertEqual(rows(allowed.stdout), rows(out))
        self.assertIn("left alone, with trigger 4: write_shared 1\n", allowed.stdout)

    def test_sharing_is_a_quarter(self):
        self.answer(["none 20.00 0 0 0 1", "8 20.00 0 1 0 1", "5 none 20.00 0 100.00"],
                    "--nodes", 2, "--trigger", 8, "--cost", 5, trace="0 0 7 w\n1 0 7 r\n2 1 7 r 8\n")

    def test_intervals(self):
        out = self.answer(["none 10.00 0 0 0 1", "2 40.00 2 0 0 1", "0 2 40.00 2 78.57"],
                          "--nodes", 3, "--trigger", 2, "--sharing", 2, "--migrate", 1, "--interval", 1, "--cost", 0,
                          trace=RESTLESS)
        self.assertIn("left alone, with trigger 2: restless 1\n", out)

    def test_cap_and_memory(self):
        out = run("--nodes", 2, "--trigger", 4, "--sharing", 4, "--cap", 0, trace=MOVES).stdout
        self.assertIn("capped 2\n", out)
        out = run("--nodes", 2, "--trigger", 4, "--sharing", 4, "--memory", 1, trace=MOVES + "11 1 8 w\n").stdout
        self.assertNotIn("no_memory", out)
        out = run("--nodes", 2, "--trigger", 4, "--sharing", 4, "--memory", 1, trace="0 1 8 w\n" + MOVES).stdout
        self.assertIn("no_memory 2\n", out)
        # Page 7 goes to node 1, which makes place on node 0 for page 8: 8 * 300 + 8 * 900 of 2 * 300 + 14 * 900 ns.
        self.answer(["none 12.50 0 0 0 1", "4 50.00 2 0 0 2", "0 4 50.00 2 72.73"], "--nodes", 2, "--trigger", 4,
                    "--sharing", 4, "--memory", 1, "--cost", 0, trace=MOVES + "11 1 8 w\n12 0 8 r 4\n")
        # A move in each interval; the second of the first one is too many.
        out = self.answer(["none 10.00 0 0 0 1", "2 40.00 2 0 0 1", "0 2 40.00 2 78.57"], "--nodes", 3, "--trigger", 2,
                          "--sharing", 2, "--cap", 1, "--interval", 1, "--cost", 0, trace=RESTLESS)
        self.assertIn("left alone, with trigger 2: capped 1\n", out)

    def test_a_thousand_nodes(self):
        # All read one page; each has its own copy at its second miss.
        trace = "0 0 9 r\n" + "".join(f"{n} {n} 9 r 4\n" for n in range(1, 1024))
        out = self.answer(["none 0.02 0 0 0 1", "2 50.01 1 1022 0 1", "0 2 50.01 1023 66.67"],
                          "--nodes", 1024, "--trigger", 2, "--sharing", 2, "--cap", 2000, "--cost", 0, trace=trace)
        self.assertIn("1024 nodes, 1 pages, 4093 misses", out)


class MadeUp(unittest.TestCase):
    def test_patterns(self):
        """Private pages end up with who uses them; pages that all write stay; the same seed, the same figures."""
        some = ("--time", 20, "--trigger", 16, "--cost", 60, "--nodes", 4, "--interval", 5)
        found = {name: run("--pattern", name, *some) for name in ("private", "shared", "written", "moving", "mixed")}
        local = {name: [float(row[1]) for row in rows(done.stdout)[:2]] for name, done in found.items()}
        self.assertGreater(local["private"][1], 75)
        self.assertLess(local["private"][0], 30)
        self.assertLess(local["written"][1] - local["written"][0], 2)
        for name in ("shared", "moving", "mixed"):
            self.assertGreater(local[name][1], local[name][0])
        self.assertEqual(run("--pattern", "mixed", *some).stdout, found["mixed"].stdout)
        self.assertNotEqual(run("--pattern", "mixed", "--seed", 2, *some).stdout, found["mixed"].stdout)


class Refused(unittest.TestCase):
    def refused(self, status, text, *words, trace=None, path=None):
        done = run(*words, trace=trace, path=path)
        self.assertEqual((done.returncode, done.stderr), (status, f"numa-sim: {text}\n"))

    def test_traces(self):
        no_time, no_kind = "the time is no number of nanoseconds", "neither r nor w"
        no_count = "what follows r or w is no count"
        for line, text in (("x", no_time), ("-1 0 0 r", no_time), ("99999999999999999999 0 1 r", no_time),
                           ("4 0 1 r", "time goes back"), ("5 8 0 r", "there is no such node: see --nodes"),
                           ("5 0 p r", "the page is no number"), ("5 0 1", no_kind), ("5 0 1 x", no_kind),
                           ("5 0 1 rw", no_kind), ("5 0 1 r 0", no_count), ("5 0 1 r 2 3", no_count),
                           ("5 0 1 r -2", no_count)):
            self.refused(1, f"trace:3: {text}", trace=f"# a trace\n5 0 0 w\n{line}\n")
        self.refused(1, "trace: there is nothing in it", trace="# nothing\n\n")
        self.refused(1, "/nowhere/trace: No such file or directory", "/nowhere/trace")

    def test_options(self):
        self.refused(2, '--nodes: "1025" is not a number from 1 to 1024', "--nodes", 1025)
        self.refused(2, '--trigger: "" is not a number from 1 to 65535', "--trigger", "4,")
        self.refused(2, '--time: "-3" is not a number from 1 to 1000000', "--time=-3")
        self.refused(2, "--cost: more than 16 numbers", "--cost", ",".join(map(str, range(17))))
        self.refused(2, '--pattern: there is no "none"', "--pattern", "none")
        self.refused(2, "--sharing: 65 is above the trigger 64", "--sharing", 65, "--trigger", "128,64")
        self.refused(2, 'one trace at a time, not also "b"', "a", "b")
        done = run("--what")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--help lists the options", done.stderr)

    def test_help(self):
        done = run("--help")
        self.assertEqual(done.returncode, 0)
        for option in ("--pattern", "--nodes", "--cost", "--trigger", "--plot"):
            self.assertIn(option, done.stdout)


class Pictures(unittest.TestCase):
    def test_script(self):
        """What gnuplot is told, by a gnuplot that only writes it down."""
        with tempfile.TemporaryDirectory() as folder:
            tool, told = Path(folder) / "gnuplot", Path(folder) / "told"
            tool.write_text(f"#!/bin/sh\nexec /bin/cat > {told}\n")
            tool.chmod(0o755)
            done = run("--nodes", 2, "--trigger", 4, "--sharing", 4, "--cost", "1,20", "--plot", "it's.svg",
                       trace=MOVES, path=folder)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            text = told.read_text()
        self.assertIn("set output 'it''s.svg'\n", text)
        self.assertIn("$best << EOD\n1 63.6364 1 4\n20 9.0909 0 off\nEOD\n", text)

    def test_without_gnuplot(self):
        with tempfile.TemporaryDirectory() as folder:
            done = run("--nodes", 2, "--plot", "x.svg", trace=MOVES, path=folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("--plot needs gnuplot (Debian package gnuplot-nox)\n", done.stderr)
            (Path(folder) / "gnuplot").write_text("#!/bin/sh\nexit 3\n")
            (Path(folder) / "gnuplot").chmod(0o755)
            done = run("--nodes", 2, "--plot", "x.svg", trace=MOVES, path=folder)
            self.assertEqual(done.returncode, 1)
            self.assertIn("gnuplot could not make the picture\n", done.stderr)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
