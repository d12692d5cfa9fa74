# SPDX-License-Identifier: BSD-2-Clause
import json
import tempfile
import unittest
from pathlib import Path

from launcher import stats, top
from launcher.monlog import Log
from launcher.say import Failure

LINES = """\
disco: libdisco
disco: stat machine.pages_free 100
disco: stat cpu0.user_ns 5
disco: stat cpu11.idle_ns 6
disco: stat web-1.exits 7
disco: stat web-1.vcpu0.run_ns 8
disco: vm web-1 cpu 0: what a guest did: 0
disco: stat web-1.vcpu7.state 2
disco: stat web-1.odd
disco: stat end 1000
disco: stat machine.pages_free 90
disco: stat end 2000
disco: stat machine.pages_free 80
"""
NESTED = {"time_ns": 1000, "machine": {"pages_free": 100}, "cpus": {"0": {"user_ns": 5}, "11": {"idle_ns": 6}},
          "vms": {"web-1": {"exits": 7, "vcpus": {"0": {"run_ns": 8}, "7": {"state": 2}}}}}


class Counters(unittest.TestCase):
    def test_sets_as_lines_of_json(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "stats"
            writer = stats.Writer(path)
            log = Log(on_set=writer)
            for byte in LINES.encode():
                log.feed(bytes([byte]))
            written = path.read_text()      # there before the file is closed
            writer.close()
        first, second = map(json.loads, written.splitlines())
        self.assertEqual(first, NESTED)
        self.assertEqual(second, {"time_ns": 2000, "machine": {"pages_free": 90}, "cpus": {}, "vms": {}})
        self.assertEqual(log.stats.count, 2)
        self.assertEqual(log.stats.known["machine.pages_free"], 80)

    def test_disks_and_network(self):
        made = stats.nested(1, {"disk.root.hits": 2, "disk.cpu.hits": 3, "net.frames": 4, "vm0.exits": 5})
        self.assertEqual((made["disks"], made["net"]), ({"root": {"hits": 2}, "cpu": {"hits": 3}}, {"frames": 4}))
        self.assertEqual(made["vms"], {"vm0": {"exits": 5}})

    def test_file_that_cannot_be_written(self):
        with self.assertRaisesRegex(Failure, "--stats /nowhere/x: No such file"):
            stats.Writer("/nowhere/x")


def sets(**changed):
    before = stats.nested(10**9, {"cpu0.user_ns": 0, "vm0.exit_int": 10, "vm0.exit_sys": 0, "vm0.l2tlb_hits": 100,
                                  "vm0.pages_present": 512, "vm0.vcpu0.user_ns": 0, "vm0.vcpu1.user_ns": 0})
    after = stats.nested(3 * 10**9, {
        "machine.pages_free": 2560, "machine.pages_total": 5120, "machine.memory_asked_pages": 256,
        "cpu0.user_ns": 10**9, "cpu0.kernel_ns": 5 * 10**8, "cpu0.monitor_ns": 10**8, "cpu0.idle_ns": 4 * 10**8,
        "vm0.exit_int": 30, "vm0.exit_sys": 2000, "vm0.exit_none": 0, "vm0.l2tlb_hits": 500, "vm0.miss_pmap": 4,
        "vm0.pmap_hits": 6, "vm0.miss_guest": 8, "vm0.pages_present": 512, "vm0.pages_shared": 256,
        "vm0.vcpu0.user_ns": 10**9, "vm0.vcpu1.user_ns": 2 * 10**8, "vm0.vcpu1.cpu": 3, **changed})
    return before, after


class Top(unittest.TestCase):
    def rows(self, **changed):
        return {line.split()[0]: line.split() for line in top.table(*sets(**changed)) if line}

    def test_shares_and_rates(self):
        rows = self.rows()
        self.assertEqual(rows["cpu0"], ["cpu0", "50.0", "25.0", "5.0", "20.0"])
        self.assertEqual(rows["vm0"], ["vm0", "60.0", "0.0", "0.0", "2", "1", "200", "5", "4"])
        self.assertEqual(rows["exits:"], ["exits:", "sys", "1000,", "int", "10"])
        self.assertEqual(rows["vcpu1"][-2:], ["on", "cpu3"])

    def test_counter_that_began_anew(self):
        self.assertEqual(self.rows(**{"vm0.l2tlb_hits": 3})["vm0"][6], "0")

    def test_machine_that_is_new(self):
        self.assertEqual(self.rows(**{"vm1.miss_guest": 20})["vm1"][-1], "10")

    def test_clock_that_stands(self):
        before, after = sets()
        with self.assertRaises(Failure):
            top.table(before, {**after, "time_ns": before["time_ns"]})


if __name__ == "__main__":
    unittest.main()
