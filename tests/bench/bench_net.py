#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""TCP between two guests: pages remapped, and copied, beside two bare machines joined by a QEMU socket network."""

import functools
import re
import socket
import subprocess
import sys

import counts
import figures
import machine
import several
from harness import DISCO, procs
from launcher.say import Failure, say
from several import MIB

REMAP, COPY = "remapped", "copied"
LISTEN = "netcheck recv tcp 5000"
SEND = ("until ping -c 1 -W 1 vm0 >/dev/null; do :; done; sleep 2; {mark0}"
        "netcheck send tcp " + several.FIRST_ADDRESS + " 5000 {bytes} {how}; {mark1}")
PAIR, PAIRS = 90.0, 4  # seconds for two bare machines, and how often they are tried
RATE = re.compile(r"netcheck: .*, (\d+) bytes/s")


def sender(bytes_, how, marks):
    return SEND.format(bytes=bytes_, how=how, mark0="mark 0; " if marks else "", mark1="mark 1" if marks else "")


ONE, EACH = ("--smp", 1), ("--smp", 2, "--thread", "multi")    # a processor for both guests, or for each


def guests(way, how, bytes_, marks=False, smp=ONE, extra=()):
    words = ["--monitor-append", "net=copy"] if way == COPY else []
    return several.finished("--vms", 2, "--mem", "96M", *smp, *words, *several.arguments(extra), "--exec",
                            several.by_name(vm0=LISTEN, others=sender(bytes_, how, marks)))


def rate(text):
    found = RATE.findall(text)
    if not found:
        raise Failure(f"no speed was told:\n{text}")
    return int(found[-1]) / MIB


def speed(done):
    return rate(done.out.decode(errors="replace") + done.err)


class Way:
    def __init__(self, way, how, bytes_):
        _, counted = counts.counted(functools.partial(guests, way, how, bytes_, True))
        spent = counted.between(of="machine")
        self.monitor, self.guest = spent["kernel"] / bytes_, (spent["supervisor"] + spent["user"]) / bytes_
        self.speed = speed(guests(way, how, bytes_))


# --- two bare machines ---

def bare(number, network, command):
    words = [DISCO, "native", "--endian", machine.ENDIAN, "--mem", "96M", "--append",
             f"disco.ip=10.0.2.{16 + number}/24 disco.hosts=vm0,vm1", "--qemu-arg=-netdev",
             f"--qemu-arg=socket,id=n0,{network}", "--qemu-arg=-device",
             f"--qemu-arg=virtio-net-pci,netdev=n0,mac=52:54:00:d1:5c:{number:02x},romfile=,disable-legacy=on",
             "--exec", command]
    return procs.spawn(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pair(how, bytes_):
    """What the sender of two bare machines printed."""
    port = free_port()
    first = bare(0, f"listen=127.0.0.1:{port}", LISTEN)
    second = bare(1, f"connect=127.0.0.1:{port}", sender(bytes_, how, False))
    try:
        text = second.communicate(timeout=PAIR)[0].decode(errors="replace")
        first.wait(timeout=PAIR)
    finally:
        for process in (first, second):
            procs.end(process, 15)
    return text


def two_bare_machines(how, bytes_):
    """Throughput between them, MiB/s. Now and then QEMU's socket network never begins: then with another pair."""
    for _ in range(PAIRS):
        try:
            return rate(pair(how, bytes_))
        except subprocess.TimeoutExpired:
            say("the two bare machines do not hear each other; once more")
    raise Failure(f"{PAIRS} pairs of bare machines did not hear each other")


def measure(out):
    bytes_ = (4 if out.quick else 32) * MIB     # a file in the memory of a guest of 96 MiB
    rows = []
    for how, what in (("sendfile", "pages of a file"), ("write", "pages of memory")):
        ways = {way: Way(way, how, bytes_) for way in (REMAP, COPY)}
        for way, w in ways.items():
            rows.append([what, f"guests, {way}", w.monitor, w.guest, w.monitor + w.guest, w.speed])
        rows.append([what, f"guests, {REMAP}, a processor each", None, None, None, speed(guests(REMAP, how, bytes_, smp=EACH))])
        rows.append([what, "two bare machines", None, None, None, two_bare_machines(how, bytes_)])
    out.table(f"One TCP stream of {bytes_ // MIB} MiB from guest to guest: instructions per byte, both ends together",
              ["sends", "between", "monitor", "guests", "all", "MiB/s"], rows,
              ["guests share one QEMU, and one processor if nothing else is said; the bare machines are two QEMUs, on as many processors of this computer",
               "instructions and speed are of different runs: counting slows QEMU down",
               "pages of memory are copied into the kernel by write(), and from there into the frame, either way"])


if __name__ == "__main__":
    sys.exit(figures.main("net", __doc__, measure))
