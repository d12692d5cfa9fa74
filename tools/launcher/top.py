# SPDX-License-Identifier: BSD-2-Clause
"""./disco top: where the time of processors and virtual machines goes, from the difference of two sets of counters."""

import os
import select
import shutil
import sys
import termios
import time
from contextlib import contextmanager

from . import control
from .say import Failure

PERIOD = 1.0
MIB_PAGES = 256     # pages of 4 KiB in one MiB
CAUSES = 4          # of the exits, the most frequent
HOME, CLEAR_LINE, CLEAR_REST = "\x1b[H", "\x1b[K", "\x1b[J"
LEAVE = b"qQ\x03"


class Change:
    """Counters of one thing, before and after, over `seconds`."""

    def __init__(self, before, after, seconds):
        self.before = before
        self.after = after
        self.seconds = seconds

    def rate(self, *names):
        """Events a second, of all these names. What was counted anew from zero counts from there."""
        return sum(max(0, self.after.get(name, 0) - self.before.get(name, 0)) for name in names) / self.seconds

    def share(self, name):
        """Nanoseconds as a part of the time that passed, in percent."""
        return self.rate(name) / 1e7

    def now(self, name):
        return self.after.get(name, 0)


def table(before, after):
    """The lines to show for two sets, as stats.nested() makes them."""
    seconds = (after["time_ns"] - before["time_ns"]) / 1e9
    if seconds <= 0:
        raise Failure("the monitor's clock did not go on between two readings")
    cpus = changes(before["cpus"], after["cpus"], seconds)
    vms = changes(before["vms"], after["vms"], seconds)
    lines = [head(after, seconds), "", f"{'processor':12}{'user':>8}{'kernel':>8}{'monitor':>9}{'idle':>8}   percent"]
    lines += [f"{'cpu' + name:12}{times(change)}{change.share('idle_ns'):8.1f}" for name, change in cpus.items()]
    lines += ["", f"{'vm':12}{'user':>8}{'kernel':>8}{'monitor':>9}{'owned':>9}{'shared':>8}"
                  f"{'L2TLB':>9}{'pmap':>8}{'guest':>8}"]
    for name, change in vms.items():
        lines += vm_lines(name, change)
    return lines + ["", "percent of one processor; owned and shared: MiB; L2TLB, pmap, guest: who answered",
                    "TLB misses, a second; exits to the monitor a second, the most frequent causes"]


def changes(before, after, seconds):
    return {name: Change(before.get(name, {}), after[name], seconds)
            for name in sorted(after, key=lambda name: (len(name), name))}


def head(after, seconds):
    free, total = (after["machine"].get(name, 0) // MIB_PAGES for name in ("pages_free", "pages_total"))
    asked = after["machine"].get("memory_asked_pages", 0) // MIB_PAGES
    return (f"at {after['time_ns'] / 1e9:.1f} s, over {seconds:.1f} s; "
            f"memory: {free} of {total} MiB free, {asked} asked for")


def times(change):
    return f"{change.share('user_ns'):8.1f}{change.share('kernel_ns'):8.1f}{change.share('monitor_ns'):9.1f}"


def vm_lines(name, change):
    """A virtual machine, and each of its virtual CPUs where there are several."""
    vcpus = changes(change.before.get("vcpus", {}), change.after.get("vcpus", {}), change.seconds)
    change = with_times(change, vcpus)
    owned, shared = (change.now(key) // MIB_PAGES for key in ("pages_present", "pages_shared"))
    yield (f"{name[:11]:12}{times(change)}{owned:9}{shared:8}{change.rate('l2tlb_hits'):9.0f}"
           f"{change.rate('pmap_hits', 'miss_pmap'):8.0f}{change.rate('miss_guest'):8.0f}")
    yield f"  exits: {causes(change)}"
    if len(vcpus) > 1:
        for number, vcpu in vcpus.items():
            yield f"{'  vcpu' + number:12}{times(vcpu)}   on cpu{vcpu.now('cpu')}"


def with_times(change, vcpus):
    """A virtual machine's times are those of its virtual CPUs where it has none of its own."""
    missing = [name for name in ("user_ns", "kernel_ns", "monitor_ns") if name not in change.after]
    before, after = ({**counters, **{name: sum(getattr(vcpu, side).get(name, 0) for vcpu in vcpus.values())
                                     for name in missing}}
                     for counters, side in ((change.before, "before"), (change.after, "after")))
    return Change(before, after, change.seconds)


def causes(change):
    """The most frequent kinds of exit to the monitor."""
    rates = [(change.rate(name), name.removeprefix("exit_")) for name in change.after if name.startswith("exit_")]
    most = sorted(rates, key=lambda pair: (-pair[0], pair[1]))[:CAUSES]
    return ", ".join(f"{name} {rate:.0f}" for rate, name in most if rate >= 0.5) or "none"


@contextmanager
def keys_at_once(fd):
    """Keys without Enter and without an echo, Ctrl-C among them, where there are keys."""
    if not os.isatty(fd):
        yield
        return
    before = termios.tcgetattr(fd)
    mode = termios.tcgetattr(fd)
    mode[3] &= ~(termios.ECHO | termios.ICANON | termios.ISIG)
    termios.tcsetattr(fd, termios.TCSADRAIN, mode)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)


def left(fd, seconds):
    """Wait; whether a key that leaves was typed meanwhile."""
    if not os.isatty(fd):
        time.sleep(seconds)
        return False
    return bool(select.select([fd], [], [], seconds)[0]) and any(key in LEAVE for key in os.read(fd, 64))


def show(lines):
    """In place of what was there, cut to the terminal."""
    width, height = shutil.get_terminal_size()
    text = "".join(line[:width - 1] + CLEAR_LINE + "\n" for line in lines[:height - 1])
    sys.stdout.write(HOME + text + CLEAR_REST)
    sys.stdout.flush()


def main(pid, once):
    pid = control.choose(pid)
    before = control.counters(pid)
    if once:
        time.sleep(PERIOD)
        print("\n".join(table(before, control.counters(pid))))
        return 0
    if not sys.stdout.isatty():
        raise Failure("top: shows itself at a terminal; ./disco top --once prints one table", 2)
    with keys_at_once(sys.stdin.fileno()):
        while not left(sys.stdin.fileno(), PERIOD):
            after = control.counters(pid)
            show([*table(before, after), "q leaves"])
            before = after
    return 0
