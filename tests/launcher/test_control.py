# SPDX-License-Identifier: BSD-2-Clause
import json
import os
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from launcher import control, qemu, serve
from launcher.monlog import Log
from launcher.say import Failure


class Fake:
    """A machine without QEMU: keeps what it is told, and what a server watches."""

    def __init__(self):
        self.commands = []
        self.watched = {}

    def watch(self, fd, source):
        self.watched[fd] = source

    def unwatch(self, fd):
        del self.watched[fd]

    def command(self, text):
        self.commands.append(text)


class Commands(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # Longer than the address of a socket may be.
        place = Path(folder.name) / ("long" * 40) / "run"
        for module in (serve, control):
            patch = mock.patch.object(module, "FOLDER", place)
            patch.start()
            self.addCleanup(patch.stop)
        self.machine, self.log = Fake(), Log()
        self.server = serve.Server(self.machine, self.log, {"names": ["vm0"]})
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)

    def client(self, text):
        client = control.connected(self.server.path)
        client.sendall(text)
        self.server.accept()
        self.pump()
        self.addCleanup(client.close)
        return client

    def pump(self):
        for fd, source in list(self.machine.watched.items()):
            if fd != self.server.listener.fileno():
                source()

    def answer(self, client):
        client.settimeout(5)
        return json.loads(client.makefile().readline())

    def test_answer(self):
        client = self.client(b"vm list\n")
        self.assertEqual(self.machine.commands, ["vm list"])
        self.log.feed(b"disco: > 1 vm0: running\ndisco: something else\ndisco: > ok\n")
        self.assertEqual(self.answer(client), {"ok": True, "text": ["1 vm0: running"], "stats": None})

    def test_one_after_the_other(self):
        clients = [self.client(b"vm stop 1\n"), self.client(b"stats\n")]
        self.assertEqual(self.machine.commands, ["vm stop 1"])
        self.log.feed(b"disco: stat vm0.exits 3\ndisco: stat end 9\n")     # of the machine's end, not an answer to stats
        self.log.feed(b"disco: > error: no virtual machine '1'\n")
        self.assertEqual(self.machine.commands, ["vm stop 1", "stats"])
        self.assertEqual(self.answer(clients[0])["ok"], False)
        self.log.feed(b"disco: stat vm0.exits 4\ndisco: stat end 10\ndisco: > ok\n")
        self.assertEqual(self.answer(clients[1])["stats"]["vms"], {"vm0": {"exits": 4}})

    def test_no_answer(self):
        client = self.client(b"vm list\n")
        self.server.queue[0].deadline = 0
        self.server.tick()
        answer = self.answer(client)
        self.assertFalse(answer["ok"])
        self.assertIn("did not answer", answer["text"][0])

    def test_session_needs_no_monitor(self):
        self.assertEqual(self.answer(self.client(b"session\n"))["session"], {"names": ["vm0"]})
        self.assertEqual(self.machine.commands, [])

    def test_client_that_sends_nothing_sensible(self):
        for text in (b"x" * 4096, b"no end of line"):
            client = self.client(text)
            client.shutdown(socket.SHUT_WR)
            self.pump()
            self.assertNotIn(client, self.server.partial)
        self.assertEqual(self.machine.commands, [])

    def test_prompt_at_the_terminal_is_nobodys_answer(self):
        self.log.feed(b"disco: > ok\n")
        self.client(b"vm list\n")
        self.assertEqual(len(self.server.queue), 1)

    def test_which_run(self):
        self.assertEqual(control.choose(0), str(os.getpid()))
        (serve.FOLDER / "1.sock").touch()       # left by a run that was killed
        self.assertEqual(control.running(), [str(os.getpid())])
        with mock.patch.object(control, "running", lambda: []), self.assertRaisesRegex(Failure, "no machine runs"):
            control.choose(0)
        with mock.patch.object(control, "running", lambda: ["1", "2"]), self.assertRaisesRegex(Failure, "--of PID: 1 2"):
            control.choose(0)
        with self.assertRaisesRegex(Failure, "--of 1: no ./disco run"):
            control.ask(1, "vm list")


class Words(unittest.TestCase):
    def test_virtual_machine_where_it_belongs(self):
        for action, *words in (("list", "vm0"), ("stop", None), ("stop", "a b"), ("stop", "x\nquit"), ("stop", "vm0", "up"),
                               ("link", "vm0"), ("link", "vm0", "upp"), ("link", None, "up")):
            with self.assertRaises(Failure) as caught:
                control.vm(0, action, *(words or [None]))
            self.assertEqual(caught.exception.status, 2)

    def test_words_reach_the_monitor(self):
        asked = []
        with mock.patch.object(control, "ask", lambda _, command: asked.append(command) or {"text": []}):
            control.vm(1, "list", None)
            control.vm(1, "stop", "vm0")
            control.vm(1, "link", "vm0", "down")
        self.assertEqual(asked, ["vm list", "vm stop vm0", "vm link vm0 down"])


class Events(unittest.TestCase):
    """The stream of events, from a process that is no QEMU."""

    def test_both_ports_and_both_ways(self):
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / qemu.PROGRAM[True]
            program.write_text('#!/bin/sh\nfor w in "$@"; do case "$w" in socket,id=log,fd=*) fd=${w##*=};; esac; done\n'
                               'read -r key; read -r word <&"$fd"; echo "$key"; echo "disco: $word" >&"$fd"; echo e >&2\n')
            program.chmod(0o755)
            with mock.patch.dict(os.environ, {"PATH": f"{folder}:{os.environ['PATH']}"}), \
                    qemu.Machine("little", 1 << 20, b"k", b"i", "") as machine:
                machine.send(b"typed\n")
                machine.command("vm list")
                got = {}
                for source, data in machine.events():
                    got[source] = got.get(source, b"") + data
        got.pop(None, None)
        self.assertEqual(got, {qemu.CONSOLE: b"typed\n", qemu.LOG: b"disco: vm list\n", qemu.ERRORS: b"e\n"})

    def test_harmless_warnings_are_not_shown(self):
        errors = (b"qemu: warning: Guest not yet converted to MTTCG - you may get unexpected results\n"
                  b"qemu: something real\nSPD cannot represent 33M\n")
        self.assertEqual(qemu.complaints(errors), "qemu: something real")


class Script(unittest.TestCase):
    def test_debugger_is_installed_when_asked_for(self):
        """The package groups of ./disco: gdb-multiarch comes with gdb and test, never with run."""
        text = (Path(__file__).resolve().parents[2] / "disco").read_text()
        functions = text[text.index("groups_of()"):text.index("missing_packages()")]
        for command, wanted in (("run", 0), ("gdb", 1), ("test", 1), ("vm", 0)):
            script = f'here={Path(__file__).resolve().parents[2]}\n{functions}\nwanted_packages "$(groups_of {command})"'
            done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=20, check=True)
            self.assertEqual(done.stdout.split().count("gdb-multiarch"), wanted, command)


if __name__ == "__main__":
    unittest.main()
