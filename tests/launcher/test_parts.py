# SPDX-License-Identifier: BSD-2-Clause
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from launcher import procs, vmconf
from launcher.escape import Escape
from launcher.monlog import Log
from launcher.say import GUEST_DIED, TROUBLE, Failure

ROOT = Path(__file__).resolve().parents[2]
WATCHER = ROOT / "tools" / "launcher" / "watcher.py"
MIB = 1 << 20


class Memory(unittest.TestCase):
    def test_sizes(self):
        for text, count in (("128M", 128), ("1G", 1024), ("65536K", 64), ("64", 64), ("64MiB", 64), ("2g", 2048)):
            self.assertEqual(vmconf.parse_memory(text), count * MIB, text)

    def test_what_is_no_size(self):
        for text in ("", "M", "-1M", "1.5G", "12X", "0x10", "1 M M"):
            with self.assertRaises(Failure, msg=text):
                vmconf.parse_memory(text)

    def test_bounds(self):
        most = 1984 * MIB
        vmconf.check_memory(32 * MIB, 32 * MIB, most)
        vmconf.check_memory(most, 32 * MIB, most)
        for size, words in ((31 * MIB, "at least 32M"), (2048 * MIB, "too much"), (33 * MIB + 4096, "whole MiB")):
            with self.assertRaisesRegex(Failure, words):
                vmconf.check_memory(size, 32 * MIB, most)

    def test_machine(self):
        self.assertEqual(vmconf.machine_memory("", 100 * MIB, 1), 165 * MIB)
        self.assertEqual(vmconf.machine_memory("512M", 4096 * MIB, 1), 512 * MIB)
        for wanted, asked, words in (("", 2048 * MIB, "room for 1983M"), ("64M", MIB, "too little"), ("4G", MIB, "too much")):
            with self.assertRaisesRegex(Failure, words):
                vmconf.machine_memory(wanted, asked, 1)

    def test_machine_with_disks(self):
        self.assertEqual(vmconf.machine_memory("", 100 * MIB, 1, True), 229 * MIB)
        self.assertEqual(vmconf.GUESTS_ROOM + vmconf.room(vmconf.ARCHIVE_ROOM, True), vmconf.BOARD_MEMORY)

    def test_computer_that_has_less(self):
        with mock.patch.object(vmconf, "host_memory", lambda: 512 * MIB), self.assertRaisesRegex(Failure, "does not fit"):
            vmconf.machine_memory("1G", MIB, 1)

    def test_room_covers_the_archive(self):
        for archive in (0, 1, MIB, MIB + 1):
            room = vmconf.room(archive)
            self.assertGreaterEqual(room, vmconf.MONITOR_ROOM + archive)
            self.assertEqual(room % MIB, 0)


class VmsConf(unittest.TestCase):
    def test_text(self):
        vms = [vmconf.Vm("vm0", 1, 128 * MIB, "vmlinux", "initramfs", " quiet x=1 "), vmconf.Vm("vm1", 2, MIB, "k")]
        self.assertEqual(vmconf.render(vms), "[vm0]\ncpus = 1\nmemory = 128M\nkernel = vmlinux\ninitrd = initramfs\n"
                         "append = quiet x=1\n\n[vm1]\ncpus = 2\nmemory = 1M\nkernel = k\n")

    def test_devices(self):
        vms = [vmconf.Vm("vm0", 1, MIB, "k", disks=["root", "data"], net=True, uart=True)]
        drives = [vmconf.Disk("root"), vmconf.Disk("data", True, True, True, 8192)]
        self.assertEqual(vmconf.render(vms, drives), "[disk root]\nunit = 0\nchanges = private\nkeep = no\n\n"
                         "[disk data]\nunit = 1\nchanges = visible\nkeep = yes\nlog = 8K\ncopy = yes\n\n"
                         "[vm0]\ncpus = 1\nmemory = 1M\nkernel = k\ndisks = root data\nnet = yes\nuart = yes\n")

    def test_append_cannot_start_a_line_of_its_own(self):
        with self.assertRaises(Failure):
            vmconf.render([vmconf.Vm("vm0", 1, MIB, "k", append="a\n[vm1]")])


class EscapeKey(unittest.TestCase):
    def test_monitor_gets_every_byte(self):
        escape = Escape(swallow=False)
        self.assertEqual(escape.feed(b"a\x01x"), b"a\x01x")
        self.assertTrue(escape.leave)

    def test_bare_machine_never_sees_the_key(self):
        escape = Escape(swallow=True)
        self.assertEqual(escape.feed(b"a\x01") + escape.feed(b"\x01b\x01hc\x01zd"), b"a\x01bcd")
        self.assertTrue(escape.help)
        self.assertFalse(escape.leave)

    def test_key_twice_is_not_the_start_of_a_command(self):
        escape = Escape(swallow=False)
        escape.feed(b"\x01\x01x")
        self.assertFalse(escape.leave)


class MonitorLog(unittest.TestCase):
    def status(self, text, left=False):
        log = Log()
        for byte in text.encode():
            log.feed(bytes([byte]))
        log.finish()
        return log.status(left)

    def test_code_of_the_guest(self):
        self.assertEqual(self.status("disco: vm vm0 ended: poweroff code 7\n"), 7)
        self.assertEqual(self.status("disco: vm vm0 ended: poweroff code 0\r\n"), 0)
        self.assertEqual(self.status("disco: vm vm0 ended: poweroff code 3"), 3)

    def test_death_is_never_success(self):
        for cause in ("panic", "fault", "killed", "whatever"):
            self.assertEqual(self.status(f"disco: vm vm0 ended: {cause} code 0\n"), GUEST_DIED)

    def test_leaving_is_no_failure(self):
        self.assertEqual(self.status("disco: vm vm0 ended: killed code 0\n", left=True), 0)

    def test_silence_is_trouble(self):
        self.assertEqual(self.status("disco: hello\n"), TROUBLE)

    def test_worst_of_several(self):
        self.assertEqual(self.status("disco: vm a ended: poweroff code 0\ndisco: vm b ended: fault code 0\n"), GUEST_DIED)

    def test_last_end_counts(self):
        """A machine that was stopped and started again ends more than once."""
        self.assertEqual(self.status("disco: vm a ended: killed code 0\ndisco: vm a started\n"
                                     "disco: vm a ended: poweroff code 4\n"), 4)


class Children(unittest.TestCase):
    def test_end_takes_the_whole_group(self):
        """Even a child that does not listen to SIGTERM while the leader of the group does."""
        process = procs.spawn(["sh", "-c", "(trap '' TERM; echo; exec sleep 300) & echo $!; wait"], stdout=subprocess.PIPE)
        grandchild = int(process.stdout.readline() + process.stdout.readline())
        procs.end(process)
        process.stdout.close()
        self.assertEqual(alive_after(5, [grandchild]), [])

    def test_killed_launcher_leaves_nothing(self):
        """Not even what its children have started, nor, as ninja and meson do it, in groups or sessions of their own."""
        children = ("sleep 300 & echo $!; setsid sh -c 'echo $$; sleep 300 & echo $!; wait' & "
                    "set -m; sleep 300 & echo $!; sh -c 'echo $$; sleep 300 & echo $!; wait' & wait")
        with Launcher(["bash", "-c", children], 6) as launcher:
            self.assertEqual(alive_after(0, launcher.below), launcher.below)
            launcher.process.kill()
            self.assertEqual(alive_after(10, [*launcher.below, launcher.watcher]), [])

    def test_killed_launcher_leaves_nothing_half_written(self):
        """Make takes away the target it was at, if it is asked to end; the next one would take it for made."""
        with tempfile.TemporaryDirectory() as folder:
            rules = Path(folder) / "Makefile"
            rules.write_text("out:\n\t@echo half >$@; echo $$$$; sleep 300; echo whole >>$@\n")
            with Launcher(["bash", "-c", f"make -C {folder} --no-print-directory out 2>/dev/null & wait"], 1) as launcher:
                launcher.process.kill()
                self.assertEqual(alive_after(10, [*launcher.below, launcher.watcher]), [])
            self.assertEqual(list(Path(folder).iterdir()), [rules])

    def test_killed_launcher_kills_who_does_not_listen(self):
        deaf = "trap '' TERM; echo $$; while :; do sleep 0.1; done"
        with Launcher(["bash", "-c", f"bash -c \"{deaf.replace('$', chr(92) + '$')}\" & wait"], 1) as launcher:
            launcher.process.kill()
            self.assertEqual(alive_after(10, [*launcher.below, launcher.watcher]), [])

    def test_watcher_ends_with_its_launcher(self):
        with Launcher(["echo", "1"], 1) as launcher:
            self.assertEqual(launcher.process.wait(10), 0)
            self.assertEqual(alive_after(10, [launcher.watcher]), [])

    def test_watcher_spares_what_has_ended(self):
        """A number that was a session of ours may be anybody's later."""
        ours, others = (subprocess.Popen(["sleep", "300"], start_new_session=True) for _ in range(2))
        try:
            told = f"begin {others.pid}\nbegin {ours.pid}\nend {others.pid}\n"
            subprocess.run([sys.executable, WATCHER, "NOBODY=1"], input=told, text=True, timeout=20, check=True)
            self.assertEqual(ours.wait(2), -signal.SIGTERM)
            self.assertIsNone(others.poll())
        finally:
            for process in (ours, others):
                process.kill()
                process.wait()

    def test_watcher_is_told_of_ends(self):
        with mock.patch.object(procs.watcher, "forget") as forget:
            process = procs.spawn(["true"])
            forget.assert_not_called()
            procs.end(process)
            procs.end(process)
        forget.assert_called_once_with(process.pid)

    def test_failed_step_shows_why(self):
        log = Path(os.environ.get("DISCO_BUILD", ROOT / "build")) / "logs" / "test-step.log"
        with self.assertRaisesRegex(Failure, "status 3") as caught:
            procs.step("a step", ["sh", "-c", "echo one; echo 'x: error: two' >&2; exit 3"], log, 20)
        self.assertIn("x: error: two", caught.exception.detail)

    def test_step_that_takes_too_long(self):
        log = Path(os.environ.get("DISCO_BUILD", ROOT / "build")) / "logs" / "test-step.log"
        with self.assertRaisesRegex(Failure, "no end after"):
            procs.step("a step", ["sleep", "60"], log, 0.5)


class Launcher:
    """A process that spawns `command` and waits for it, as ./disco does: `below` are the process ids, so many, that
    `command` prints, `watcher` is that of its watcher."""

    # The line is written at once: print() writes it in pieces where PYTHONUNBUFFERED is set, and the children's come between.
    TEXT = """import os, sys
from launcher import procs
process = procs.spawn(sys.argv[1:])
os.write(1, b"watcher %d\\n" % procs.watcher.process.pid)
process.wait()
procs.end(process)
"""

    def __init__(self, command, count):
        self.process = subprocess.Popen([sys.executable, "-B", "-c", self.TEXT, *command], stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONPATH": str(ROOT / "tools")})
        said = [self.process.stdout.readline().split() for _ in range(count + 1)]
        self.below = [int(words[0]) for words in said if len(words) == 1]
        self.watcher, = (int(words[1]) for words in said if len(words) == 2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        for pid in filter(alive, self.below):
            os.kill(pid, signal.SIGKILL)


def alive_after(seconds, pids):
    """Those that still run when so much time is over; [] as soon as none does."""
    deadline = time.monotonic() + seconds
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


def alive(pid):
    """Still running; a zombie that nobody has waited for yet is not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class CommandLine(unittest.TestCase):
    def disco(self, *words):
        return subprocess.run([str(ROOT / "disco"), *words], capture_output=True, text=True, timeout=60,
                              stdin=subprocess.DEVNULL, cwd="/", check=False)

    def test_help_everywhere(self):
        overview = self.disco("help").stdout
        for command in ("run", "native", "vm", "top", "stats", "gdb", "test", "bench", "reproduce", "build", "clean"):
            done = self.disco(command, "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertIn(f"./disco {command}", done.stdout)
            self.assertIn(f"./disco {command}", overview)

    def test_one_clear_line(self):
        for words, text in ((("run", "--vms", "17"), "1 to 16"), (("run", "--cpus", "1000"), "1 to 16"),
                            (("run", "--vms", "0"), "--vms"), (("run", "--cpus", "0"), "--cpus"),
                            (("run", "--smp", "17"), "1 to 16"), (("run", "--gdb=0"), "--gdb"), (("run", "--gdb-wait"), "needs --gdb"),
                            (("run", "--slice", "-1"), "--slice"),
                            (("run", "--nodes", "65"), "1 to 64"), (("run", "--numa", "up"), "--numa"),
                            (("run", "--numa-set", "trigger=1"), "needs --numa"),
                            (("run", "--numa", "on", "--numa-set", "trigger=x"), "trigger=N"),
                            (("run", "--icount", "--thread", "multi"), "in one thread"),
                            (("run", "--model", "ram=1"), "--model ram=1"),
                            (("run", "--disk", "/nowhere/d.img"), "/nowhere/d.img: No such file"), (("run", "--net", "all"), "--net"),
                            (("run", "--forward", "1:vm0:1"), "needs --net user"),
                            (("native", "--disk", "/nowhere/d.img"), "/nowhere/d.img: No such file"),
                            (("run", "--net", "user", "--forward", "80:vm1"), "PORT:VM:PORT"), (("vm", "link", "vm0"), "up or down"), (("run", "--tlb", "none"), "invalid choice"),
                            (("run", "-f", "/nowhere/vms.conf"), "-f /nowhere/vms.conf: No such file"),
                            (("run", "--vms", "16", "--mem", "256M"), "the machine has room for"),
                            (("run", "--machine-mem", "3G"), "too much memory"), (("native", "--cpus", "9"), "1 to 8"), (("native", "--cpus", "2", "--icount"), "one processor"),
                            (("native", "--nodes", "2"), "--figures"),
                            (("run", "--stats", "/nowhere/x"), "--stats /nowhere/x"), (("vm", "stop"), "needs a virtual machine"),
                            (("vm", "list", "--of", "1"), "--of 1"), (("vm", "fly"), "invalid choice"), (("stats", "--of", "1"), "--of 1"),
                            (("top", "--of", "1", "--once"), "--of 1"), (("gdb", "--of", "1"), "--of 1"),
                            (("run", "--mem", "1M"), "at least 32M"), (("run", "--mem", "lots"), "not a memory size"),
                            (("run", "--mem", "9G"), "too much memory"), (("run", "--endian", "middle"), "invalid choice"),
                            (("run", "--guest", "/nowhere/k.elf"), "No such file"), (("run", "--bogus"), "--bogus"),
                            (("run", "--guest", "hello", "--exec", "ls"), "only the linux guest"),
                            (("walk",), "invalid choice"), (("test", "nothing"), "no test suite nothing")):
            done = self.disco(*words)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertEqual(done.stdout, "", words)
            self.assertRegex(done.stderr, r"\Adisco: [^\n]+\n\Z", words)
            self.assertIn(text, done.stderr, words)


class Readme(unittest.TestCase):
    def test_example_is_the_one_that_is_built(self):
        blocks = re.findall(r"```c\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
        self.assertEqual(len(blocks), 1)
        source = (ROOT / "examples" / "embed" / "l2tlb.c").read_text()
        for line in blocks[0].splitlines():
            self.assertIn(line.strip(), source)

    def test_folders_of_the_map_exist(self):
        for folder in re.findall(r"^\| `([a-z0-9/._]+/)`", (ROOT / "README.md").read_text(), re.MULTILINE):
            self.assertTrue((ROOT / folder).is_dir(), folder)
