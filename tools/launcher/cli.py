# SPDX-License-Identifier: BSD-2-Clause
"""The command line of ./disco."""

import argparse
import os
import signal
import sys

from . import bench, build, control, gdb, guests, network, numa, plan, qemu, reproduce, run, suites, top, vmconf
from .paths import ENDIANS, shown
from .say import INTERRUPTED, Failure, report

HELP = """\
libdisco: virtual machine monitors from parts, and one that boots Linux under QEMU.

  ./disco run                   boot Linux on the monitor, to a root shell on this terminal
  ./disco run --exec 'CMD'      run CMD in the guest, print its output, exit with its status
  ./disco run --vms 4 --exec C  run C in four guests at once, each line of output behind its guest's name
  ./disco run -f vms.conf       boot the virtual machines that a file defines
  ./disco native [--exec CMD]   the same Linux on the bare QEMU machine, without the monitor
  ./disco vm list|stop|... [VM] list, start, stop, reset, pause and resume virtual machines of a running machine
  ./disco top                   watch where the time of a running machine goes
  ./disco stats                 print the counters of a running machine, as JSON
  ./disco gdb                   debug a machine that was started with ./disco run --gdb
  ./disco test [SUITE...]       build everything and pass every test
  ./disco bench                 measure and print the figures of the documentation
  ./disco reproduce             run the paper's experiments and write a page of what came out
  ./disco build                 build everything that the other commands would build
  ./disco clean                 remove what was built (the directory build/)

What is missing is installed (Debian packages, as root or through sudo) and built first, once.
"./disco COMMAND --help" lists the options of a command. The console's escape key is Ctrl-A: Ctrl-A h helps.
"""

KEYS = """\
The escape key of the console is Ctrl-A, whatever the guest does: Ctrl-A x leaves, Ctrl-A h lists all keys. With
several virtual machines Ctrl-A 1 to 9, n and p switch between their consoles, Ctrl-A l lists them, and Ctrl-A :
opens the monitor's prompt. Without a terminal their lines are printed, each behind the name of its machine.
"""

STATUS = """\
exit status: the guest's own (0..255) when it powered off, or that of --exec's command;
124 time was over; 125 something could not be built or booted; 126 the guest died (panic or fault).
"""

EXEC_NOTE = "run CMD with the guest's shell, print only its output, exit with its status; needs no terminal"


class Parser(argparse.ArgumentParser):
    """Errors as one clear line."""

    def error(self, message):
        print(f"disco: {message} (see ./disco {self.prog.removeprefix('./disco').strip()} --help)", file=sys.stderr)
        raise SystemExit(2)


def count(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def port(text):
    number = int(text)
    if not 1 <= number <= 65535:
        raise ValueError
    return number


def seconds(text):
    number = float(text)
    if not 0 < number < 1e6:
        raise ValueError
    return number


count.__name__, seconds.__name__, port.__name__ = "positive number", "number of seconds", "port number"


def parser():
    top = Parser(prog="./disco", usage="./disco COMMAND [OPTIONS]", add_help=False)
    commands = top.add_subparsers(dest="command", parser_class=Parser)
    add_run(commands)
    add_native(commands)
    add_control(commands)
    add_tests(commands)
    add_bench(commands)
    add_reproduce(commands)
    for name, text in (("build", "Build everything: host libraries and tests, monitors, guests, both byte orders."),
                       ("clean", "Remove everything that was built."),
                       ("help", "Show what ./disco can do.")):
        command(commands, name, text)
    return top


def command(commands, name, text, **more):
    return commands.add_parser(name, prog=f"./disco {name}", description=text, allow_abbrev=False,
                               formatter_class=argparse.RawDescriptionHelpFormatter, **more)


def add_run(commands):
    one = command(commands, "run", "Boot guests on the monitor under QEMU, a console on this terminal.\n" + KEYS,
                  epilog=STATUS)
    one.add_argument("--guest", default="linux", metavar="linux|NAME|FILE.elf",
                     help="what to boot: linux (default), a tiny guest of examples/guests such as hello, or an ELF file")
    one.add_argument("-f", "--file", default="", metavar="FILE",
                     help="boot the virtual machines that FILE defines, as docs/manual.md tells (kernel = linux, "
                     "a tiny guest's name, or a file beside FILE)")
    one.add_argument("--vms", type=count, default=1, metavar="N",
                     help=f"number of virtual machines, vm0 and so on (1 to {vmconf.MOST_VMS})")
    add_machine(one)
    add_devices(one)
    one.add_argument("--smp", type=count, default=0, metavar="N",
                     help=f"processors of the machine below the monitor (1 to {vmconf.MOST_PROCESSORS}; default: as "
                     f"many as there are virtual ones, at most {run.DEFAULT_PROCESSORS})")
    one.add_argument("--machine-mem", default="", metavar="SIZE",
                     help="memory of the machine below the monitor, at most 2G (default: all that is asked for, "
                     f"{vmconf.size(vmconf.MONITOR_ROOM)} and the boot archive for the monitor, and "
                     f"{vmconf.size(vmconf.DISK_ROOM)} to cache disks if there are some; with less, virtual machines may "
                     "ask for more than there is)")
    one.add_argument("--numa", choices=numa.MODES, default="",
                     help="run on a model of FLASH's memory system, and let the monitor move pages to where they are used "
                     "(off: only count)")
    one.add_argument("--numa-set", default="", metavar="KEY=N,...",
                     help=f"numbers of the policy: {', '.join(numa.NUMBERS)} (ms); docs/manual.md tells what they mean")
    one.add_argument("--tlb", choices=("flush", "tagged"), default="",
                     help="what switching between virtual CPUs does to the TLB (default: the monitor's)")
    one.add_argument("--slice", type=count, default=0, metavar="MS", help="time slice of a virtual CPU (default: 10)")
    one.add_argument("--stats", metavar="FILE",
                     help="write the monitor's counters to FILE every second and at the end, as lines of JSON")
    one.add_argument("--gdb", type=port, nargs="?", const=gdb.PORT, default=None, metavar="PORT",
                     help=f"let a debugger connect to PORT ({gdb.PORT}) of this computer: ./disco gdb")
    one.add_argument("--gdb-wait", action="store_true", help="with --gdb: start only when the debugger says so")
    one.add_argument("--verbose", action="store_true", help="show the monitor's whole log on stderr")
    one.add_argument("--monitor-append", default="", metavar="ARGS", help="options for the monitor itself")
    one.add_argument("--unchecked", action="store_true",
                     help="hand FILE.elf to the monitor without a look at it first (the monitor looks itself)")


def add_native(commands):
    one = command(commands, "native", "Boot the same Linux and user land on the bare QEMU machine, without the monitor:\n"
                  "what every comparison is made with. Ctrl-A x leaves.", epilog=STATUS)
    add_machine(one)
    add_disk(one, "a disk (repeatable, at most 4; the first is /dev/vda)")
    one.add_argument("--net", choices=(network.NONE, network.USER), default=network.NONE,
                     help="none (default), or user: a card, behind it this computer")


def add_disk(one, what):
    one.add_argument("--disk", action="append", default=[], metavar="FILE[,WORD...]", help=what)


def add_devices(one):
    add_disk(one, f"a disk with FILE as its image (repeatable, {vmconf.MOST_DISKS} in all). Words behind it: private or "
             "visible (default), keep (default) or lost say what becomes of changes; size=SIZE makes a missing FILE; "
             "log=SIZE limits what is kept of changes (64M); copy never maps pages. The first virtual machine gets "
             "the disks that are visible and kept, every one the others")
    one.add_argument("--root", choices=(guests.DISK, guests.INITRAMFS), default=guests.ROOT_FILES,
                     help="where the bundled Linux has its root file system: on a disk that all share, changes "
                     f"private and lost, or in memory of its own (default: {guests.ROOT_FILES})")
    one.add_argument("--net", choices=network.KINDS, default="",
                     help="the virtual machines' network: none, private to them (default), or user: this computer as well, "
                     "as 10.0.2.2. vmN is 10.0.2.(16+N)")
    one.add_argument("--forward", action="append", default=[], metavar="PORT:VM:PORT",
                     help="with --net user: a TCP port of this computer (127.0.0.1) that leads to one of VM (repeatable)")
    one.add_argument("--uart", action="store_true", help="give each guest an emulated 16550 as well, to compare with")


def add_machine(one):
    one.add_argument("--cpus", type=count, default=1, metavar="N", help="processors of each (virtual) machine")
    one.add_argument("--mem", default="", metavar="SIZE",
                     help=f"its memory, as 128M or 1G (default: {plan.LINUX_MEMORY}, tiny guests {plan.TINY_MEMORY}; "
                     "less where so much for each would not fit)")
    one.add_argument("--thread", choices=qemu.THREADS, default="",
                     help="QEMU runs the processors in turn, in one thread, or in parallel (default: QEMU's own, in turn)")
    one.add_argument("--endian", choices=ENDIANS, default="", help="byte order (default: little, or that of FILE.elf)")
    one.add_argument("--append", default="", metavar="ARGS", help="add ARGS to the guest's kernel command line")
    one.add_argument("--exec", metavar="CMD", help=EXEC_NOTE)
    one.add_argument("--nodes", type=count, default=0, metavar="N",
                     help=f"divide processors and memory among N nodes (1 to {numa.MOST_NODES}; default: 1, or one for each "
                     "processor where the model below runs)")
    one.add_argument("--figures", default="", metavar="FILE",
                     help="run on a model of FLASH's memory system, and write to FILE what it saw, as JSON")
    one.add_argument("--icount", action="store_true",
                     help="QEMU takes instructions as time, so that runs repeat whatever else this computer does. For what "
                     "computes: with several processors QEMU 7.2 may have no time for disks, and the bare machine does not boot")
    one.add_argument("--model", default="", metavar="KEY=VALUE,...",
                     help="options of that model, which then runs: tools/flash/README.md lists them")
    one.add_argument("--timeout", type=seconds, default=0, metavar="S",
                     help=f"switch the machine off after S seconds (default: never; with --exec {run.EXEC_TIMEOUT:.0f})")
    one.add_argument("--qemu-arg", action="append", default=[], metavar="ARG",
                     help="one more argument for QEMU, for example --qemu-arg=-s (repeatable)")


def add_control(commands):
    one = command(commands, "vm", "Steer the virtual machines of a ./disco run that goes on in another terminal.")
    actions = ("list", *control.ACTIONS, control.LINK)
    one.add_argument("action", choices=actions, metavar="|".join(actions), help="what to do")
    one.add_argument("vm", nargs="?", metavar="N|NAME", help="which virtual machine, by its number in the list or its name")
    one.add_argument("state", nargs="?", metavar="up|down", help="of link, the cable of its network")
    two = command(commands, "stats", "Print the counters of a ./disco run that goes on in another terminal, as JSON.")
    three = command(commands, "top", "Watch where the time of a ./disco run goes that goes on in another terminal:\n"
                    "per processor and virtual machine, each second. q or Ctrl-C leaves.")
    three.add_argument("--once", action="store_true", help="print one table, over one second, and end")
    four = command(commands, "gdb", "Start gdb-multiarch on a ./disco run --gdb, with the symbols of monitor and guest.\n"
                   "Its command disco-vcpu shows what each processor runs.")
    four.add_argument("--batch", action="append", default=[], metavar="COMMAND",
                      help="do COMMAND and end instead of asking for commands (repeatable)")
    for each in (one, two, three, four):
        each.add_argument("--of", type=count, default=0, metavar="PID", help="process id of the ./disco run, if several go on")


def add_tests(commands):
    one = command(commands, "test", "Build everything and pass every test. The last line counts them.")
    one.add_argument("--quick", action="store_true", help="leave out what needs a Linux kernel to be built")
    one.add_argument("--soak", type=count, default=0, metavar="SECONDS",
                     help="how long the soaks of the linux suites take, each (default: half a minute at most)")
    one.add_argument("--fuzz", type=count, default=0, metavar="SECONDS",
                     help=f"how long each fuzzer of suite fuzz runs (default: {suites.FUZZ_SECONDS})")
    one.add_argument("--thorough", action="store_true",
                     help="compare big-endian guests with a big-endian bare machine, which costs a fourth kernel")
    one.add_argument("--list", action="store_true", help="list the suites and end")
    one.add_argument("suites", nargs="*", metavar="SUITE", help="run these suites alone")


def add_bench(commands):
    one = command(commands, "bench", "Measure and print the figures of docs/figures.md.",
                  epilog="benchmarks:\n" + "".join(f"  {name:9} {what}\n" for name, what in bench.NAMES.items()))
    one.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    one.add_argument("--json", metavar="FILE", help="write the tables to FILE as well")
    one.add_argument("--endian", choices=ENDIANS, default="", help="byte order of the machine (default: little)")
    one.add_argument("names", nargs="*", metavar="NAME", help="run these benchmarks alone")


def add_reproduce(commands):
    one = command(commands, "reproduce", "Run the paper's experiments, and write a page with plots and tables, ours beside\n"
                  "the paper's, each with the commands that made it.",
                  epilog="figures:\n" + "".join(f"  {name:9} {what}\n" for name, what in reproduce.FIGURES.items()))
    one.add_argument("--quick", action="store_true", help="smaller loads")
    one.add_argument("--page", metavar="FILE", default="", help=f"where the page goes (default: {shown(reproduce.PAGE)})")
    one.add_argument("names", nargs="*", metavar="FIGURE", help="these figures alone")


def dispatch(arguments):
    name = arguments.command
    if name in (None, "help"):
        print(HELP, end="")
        return 0
    if name in ("run", "native"):
        return getattr(run, name)(run.Wish.of(arguments))
    if name in ("vm", "stats", "top", "gdb"):
        return controlled(name, arguments)
    if name == "build":
        return build_everything()
    if name == "clean":
        build.clean()
        return 0
    if name == "reproduce":
        return reproduce.main(arguments)
    if name == "test":
        from . import tests
        return tests.main(arguments)
    return bench.main(arguments)


def controlled(name, arguments):
    """What reaches for a machine that runs."""
    if name == "top":
        return top.main(arguments.of, arguments.once)
    if name == "gdb":
        return gdb.attach(arguments.of, arguments.batch)
    if name == "stats":
        return control.stats(arguments.of)
    return control.vm(arguments.of, arguments.action, arguments.vm, arguments.state)


def build_everything():
    from . import guests
    with build.lock():
        build.host()
        for endian in ENDIANS:
            build.cross(endian)
            guests.everything(endian)
    return 0


def end_on_signal(number, _):
    """Unwind, so that QEMU ends and the terminal is restored; a second signal must not cut that short."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    raise SystemExit(128 + number)


def main(arguments):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end_on_signal)
    if arguments[:1] in (["-h"], ["--help"]):
        arguments = ["help"]
    try:
        return dispatch(parser().parse_args(arguments))
    except Failure as failure:
        report(failure)
        return failure.status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; what Python still holds for it has nowhere to go either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
