# SPDX-License-Identifier: BSD-2-Clause
"""The loads print in a guest what they print here: the programs compiled for this machine, the database's queries put
to Python's SQLite. Threads, readers and processors may be any number. Services of the kernel run."""

import hashlib
import json
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import BOOT, ROOT, run

LINUX = ROOT / "examples" / "guests" / "linux"
FLAGS = ("-std=gnu11", "-O2", "-ffp-contract=off", "-pthread")
SERVICES = ("null", "open", "read", "write", "execve", "demand_zero", "utlb_miss", "quick_fault")
ROWS = 3000


def here(program, *words):
    """What a program of userland/ prints when it is compiled for this machine."""
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder) / program
        source = LINUX / "userland" / f"{program}.c"
        subprocess.run(["gcc", *FLAGS, "-o", built, source, "-lm"], check=True, timeout=120)
        return subprocess.run([built, *words], check=True, timeout=120, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout


def database(rows):
    """The database as Python's SQLite makes it, and the queries."""
    sql = subprocess.run([LINUX / "scripts" / "database", "--sql", str(rows)], check=True, timeout=60,
                         stdout=subprocess.PIPE, text=True).stdout
    make, queries = sql.split("-- queries\n")
    made = sqlite3.connect(":memory:")
    made.executescript(make)
    return made, [query for query in queries.split(";") if query.strip()]


def printed(row):
    return "|".join(str(value) for value in row) + "\n"


def dice(salt, sides, number):
    """The script's random numbers, told once more."""
    mixed = (number * 2654435761 + salt * 40503) % 2**32
    return (mixed + mixed // 2**15) * 1597334677 % 2**32 // 2**8 % sides


def forecast(rows):
    """TPC-H's query 6 without SQL."""
    revenue = 0
    for n in range(1, rows + 1):
        shipped = dice(8, 2406, (n + 3) // 4) + 1 + dice(16, 121, n)
        quantity, discount = 1 + dice(12, 50, n), dice(13, 11, n)
        price = quantity * (90000 + dice(5, 110000, 1 + dice(10, rows // 30, n)))
        if 730 <= shipped <= 1094 and 5 <= discount <= 7 and quantity < 24:
            revenue += price * discount
    return revenue


class Loads(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        services = "".join(f"services {name} 10; " for name in SERVICES)
        loads = f"engineering 2 50000; raytrace 3 2000 64; database {ROWS}; database {ROWS} 3; "
        cls.done = run("--cpus", "2", "--exec", f"( {loads} {services}) 2>/dev/null")
        cls.lines = cls.done.out.decode().splitlines(keepends=True)

    def test_all_ran(self):
        self.assertEqual((self.done.status, len(self.lines)), (0, 4 + len(SERVICES)), self.done)

    def test_engineering(self):
        self.assertEqual(self.lines[0], here("engineering", "2", "50000"))

    def test_raytrace(self):
        self.assertEqual(self.lines[1], here("raytrace", "1", "2000", "64"))

    def test_database(self):
        made, queries = database(ROWS)
        rows = [list(made.execute(query)) for query in queries]
        self.assertEqual((len(rows), rows[4]), (7, [(forecast(ROWS),)]))
        self.assertTrue(all(rows), "a query without an answer")
        answers = "".join(printed(row) for answer in rows for row in answer)
        md5 = hashlib.md5(answers.encode()).hexdigest()
        self.assertEqual(self.lines[2:4], [f"database: {ROWS} rows, {readers} readers, {md5}\n" for readers in (2, 3)])

    def test_services(self):
        self.assertEqual(self.lines[4:], [f"services: {name} 10 done\n" for name in SERVICES], self.done)

    def test_while_pages_move(self):
        """On two nodes, where pages follow who uses them: the same, and some have moved."""
        with tempfile.TemporaryDirectory() as folder:
            stats = Path(folder) / "stats"
            done = run("--cpus", 2, "--nodes", 2, "--numa", "on", "--numa-set", "trigger=16,sharing=4,interval=50", "--stats",
                       stats, "--exec", "( engineering 2 50000; raytrace 3 2000 64 ) 2>/dev/null", timeout=2 * BOOT)
            numa = json.loads(stats.read_text().splitlines()[-1])["numa"]
        self.assertEqual(done.out.decode(), here("engineering", "2", "50000") + here("raytrace", "1", "2000", "64"), done)
        self.assertNotIn("lost", done.err)
        for kind in ("migrate", "replicate"):
            self.assertGreater(numa[f"moved_{kind}"], 10, numa)


if __name__ == "__main__":
    unittest.main()
