# SPDX-License-Identifier: BSD-2-Clause
"""The virtual subnet: what guests send each other arrives, whole pages without a copy, and nobody who does not listen
holds others up; and the way out to this computer."""

import http.server
import re
import tempfile
import threading
import time
import unittest
import urllib.request
from pathlib import Path

from harness import BOOT, ENDIAN, Running, free_port, last_sets, leaked, run, in_one_order

# One listens, the other sends; each knows who it is by its name.
BETWEEN = "case $(hostname) in vm0) {listen};; *) until ping -c 1 -W 1 vm0 >/dev/null; do :; done; sleep 1; {send};; esac"
MIB = 1 << 20


def between(listen, send):
    return BETWEEN.format(listen=listen, send=send)


class Subnet(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.stats = Path(folder.name) / "stats"

    def run_two(self, listen, send, *words):
        done = run("--vms", 2, "--mem", "64M", "--smp", 2, "--stats", self.stats, *words, "--exec", between(listen, send))
        self.assertEqual(done.status, 0, done)
        return done, last_sets(self.stats)["vms"]

    def test_streams(self):
        """TCP in whole pages of a file, in whole pages of memory, in odd pieces, over IPv4 and IPv6."""
        ways = ("sendfile", "write", "odd")
        listen = "; ".join(f"netcheck recv tcp {5000 + number}" for number in range(4))
        send = "; ".join([*(f"sleep 1; netcheck send tcp 10.0.2.16 {5000 + number} {8 * MIB} {way}"
                            for number, way in enumerate(ways)),
                          f"sleep 1; netcheck send tcp fe80::5054:ff:fed1:5c00%eth0 5003 {4 * MIB} odd"])
        done, vms = self.run_two(listen, send)
        self.assertEqual(len(re.findall(rb"^vm0: netcheck .*: (\d+) bytes", done.out, re.MULTILINE)), 4, done)
        self.assertGreater(vms["vm1"]["net_remapped"], 8 * MIB // 4096 * 95 // 100)
        self.assertEqual(vms["vm0"]["net_bad"] + vms["vm1"]["net_bad"], 0)

    @in_one_order
    def test_datagrams(self):
        done, _ = self.run_two("netcheck recv udp 5000", f"netcheck send udp 10.0.2.16 5000 {2 * MIB}")
        self.assertIn(b"netcheck", done.out, done)

    @in_one_order
    def test_meet(self):
        """What comes before a meeting is over on both when its command runs, and what comes after has not begun."""
        done, _ = self.run_two("sleep 1; echo first came; meet lead 9000 1 echo both are here; echo first goes",
                               "echo second came; meet follow 10.0.2.16 9000; echo second goes")
        said = [re.search(f"^vm[01]: {line}".encode(), done.out, re.MULTILINE).start()
                for line in ("first came", "second came", "both are here", "first goes", "second goes")]
        self.assertLess(max(said[:2]), said[2], done)
        self.assertLess(said[2], min(said[3:]), done)

    @in_one_order
    def test_copies_when_told(self):
        done, vms = self.run_two("netcheck recv tcp 5000", f"netcheck send tcp 10.0.2.16 5000 {4 * MIB} sendfile",
                                 "--monitor-append", "net=copy")
        self.assertIn(b"netcheck", done.out, done)
        self.assertEqual(vms["vm1"]["net_remapped"], 0)

    @in_one_order
    def test_cable(self):
        """Pulled, nothing gets through and the guest knows; back in, it goes on."""
        watch = between("sleep 1000", "while :; do ping -c 1 -W 1 vm0 >/dev/null && echo answer || "
                        "echo silence $(cat /sys/class/net/eth0/carrier); done")
        with Running("--vms", 2, "--mem", "64M", "--smp", 2, "--monitor-append", "stay", "--exec", watch) as running:
            def after(text, count=0):
                start = len(running.so_far().out)
                running.until(lambda: text in running.so_far().out[start:], BOOT, repr(text))
            after(b"vm1: answer\n")
            running.ask("vm link vm1 down")
            after(b"vm1: silence 0\n")
            running.ask("vm link vm1 up")
            after(b"vm1: answer\n")
            running.ask("vm link vm0 down")
            after(b"vm1: silence 1\n")
            for name in ("vm0", "vm1"):
                running.ask(f"vm stop {name}")
            self.assertEqual(leaked(running.all_off()), 0)

    @in_one_order
    def test_one_that_sleeps_holds_nobody_up(self):
        """A guest is paused while another floods it (again and again: ping ends where there is no room); two others
        talk as before, and the sleeper goes on later."""
        flood = ("case $(hostname) in vm0) echo up; while :; do sleep 1; echo alive; done;; "
                 "vm1) until ping -c 1 -W 1 vm0 >/dev/null; do :; done; echo floods; "
                 "for i in $(seq 8); do while :; do ping -i 0.01 -s 60000 vm0 >/dev/null 2>&1; done & done; wait;; "
                 "vm2) while :; do ping -c 1 -W 2 vm3 >/dev/null && echo answer; sleep 1; done;; *) sleep 1000;; esac")
        with Running("--vms", 4, "--mem", "64M", "--smp", 2, "--monitor-append", "stay", "--exec", flood) as running:
            def count(text):
                return running.so_far().out.count(text)
            running.until(lambda: count(b"vm1: floods\n"), BOOT, "flood")
            running.ask("vm pause vm0")
            time.sleep(2)
            before = count(b"vm2: answer\n")
            running.until(lambda: count(b"vm2: answer\n") > before + 2, BOOT, "answers to one who is not concerned")
            alive = count(b"vm0: alive\n")
            running.ask("vm resume vm0")
            running.until(lambda: count(b"vm0: alive\n") > alive + 1, BOOT, "signs of life")
            for name in ("vm0", "vm1", "vm2", "vm3"):
                running.ask(f"vm stop {name}")
            self.assertEqual(leaked(running.all_off()), 0)


class Outside(unittest.TestCase):
    @in_one_order
    def test_reaches_services_of_this_computer(self):
        """A guest loads a megabyte from a server on this computer's loopback."""
        content = bytes(range(256)) * 4096

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            done = run("--mem", "64M", "--net", "user", "--exec",
                       f"wget -q -O /tmp/got http://10.0.2.2:{server.server_port}/ && wc -c </tmp/got && "
                       "head -c 256 /tmp/got | od -An -tu1 | head -n 1")
            server.shutdown()
        self.assertEqual(done.status, 0, done)
        self.assertEqual(done.out.split()[0], str(len(content)).encode(), done)

    def test_is_reached_through_a_forwarded_port(self):
        """The second guest's web server answers at a port of this computer."""
        port = free_port()
        serve = ("mkdir -p /tmp/www; head -c 300000 /bin/busybox >/tmp/www/index.html; hostname >/tmp/www/name; "
                 "httpd -f -p 80 -h /tmp/www")
        with Running("--vms", 2, "--mem", "64M", "--smp", 2, "--net", "user", "--forward", f"{port}:vm1:80",
                     "--exec", serve) as running:
            def fetch(name):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}", timeout=10) as answer:
                        return answer.read()
                except OSError:
                    return None
            self.assertEqual(running.until(lambda: fetch("name"), BOOT, "answer"), b"vm1\n")
            self.assertEqual(len(running.until(lambda: fetch("index.html"), BOOT, "page")), 300000)
