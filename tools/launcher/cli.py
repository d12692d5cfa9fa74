# SPDX-License-Identifier: BSD-2-Clause
"""The command line of ./disco."""

import argparse
import os
import signal
import sys

from . import bench, build, run
from .paths import ENDIANS
from .say import INTERRUPTED, Failure, report

HELP = """\
libdisco: virtual machine monitors from parts, and one that boots Linux under QEMU.

  ./disco run                   boot Linux on the monitor, to a root shell on this terminal
  ./disco run --exec 'CMD'      run CMD in the guest, print its output, exit with its status
  ./disco native [--exec CMD]   the same Linux on the bare QEMU machine, without the monitor
  ./disco test [SUITE...]       build everything and pass every test
  ./disco bench                 measure and print the figures of the documentation
  ./disco build                 build everything that the other commands would build
  ./disco clean                 remove what was built (the directory build/)

What is missing is installed (Debian packages, as root or through sudo) and built first, once.
"./disco COMMAND --help" lists the options of a command.
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


def seconds(text):
    number = float(text)
    if not 0 < number < 1e6:
        raise ValueError
    return number


count.__name__, seconds.__name__ = "positive number", "number of seconds"


def parser():
    top = Parser(prog="./disco", usage="./disco COMMAND [OPTIONS]", add_help=False)
    commands = top.add_subparsers(dest="command", parser_class=Parser)
    add_run(commands)
    add_native(commands)
    add_tests(commands)
    add_bench(commands)
    for name, text in (("build", "Build everything: host libraries and tests, monitors, guests, both byte orders."),
                       ("clean", "Remove everything that was built."),
                       ("help", "Show what ./disco can do.")):
        command(commands, name, text)
    return top


def command(commands, name, text, **more):
    return commands.add_parser(name, prog=f"./disco {name}", description=text, allow_abbrev=False,
                               formatter_class=argparse.RawDescriptionHelpFormatter, **more)


def add_run(commands):
    one = command(commands, "run", "Boot a guest on the monitor under QEMU, its console on this terminal.\n"
                  "Ctrl-A x leaves, Ctrl-A h helps.", epilog=STATUS)
    one.add_argument("--guest", default="linux", metavar="linux|NAME|FILE.elf",
                     help="what to boot: linux (default), a tiny guest of examples/guests such as hello, or an ELF file")
    one.add_argument("--vms", type=count, default=1, metavar="N", help="number of virtual machines")
    add_machine(one)
    one.add_argument("--stats", metavar="FILE", help="write the monitor's counters to FILE when it ends")
    one.add_argument("--verbose", action="store_true", help="show the monitor's whole log on stderr")
    one.add_argument("--monitor-append", default="", metavar="ARGS", help="options for the monitor itself")
    one.add_argument("--unchecked", action="store_true",
                     help="hand FILE.elf to the monitor without a look at it first (the monitor looks itself)")


def add_native(commands):
    one = command(commands, "native", "Boot the same Linux and user land on the bare QEMU machine, without the monitor:\n"
                  "what every comparison is made with. Ctrl-A x leaves.", epilog=STATUS)
    add_machine(one)


def add_machine(one):
    one.add_argument("--cpus", type=count, default=1, metavar="N", help="processors of the (virtual) machine")
    one.add_argument("--mem", default="", metavar="SIZE",
                     help=f"its memory, as 128M or 1G (default: {run.LINUX_MEMORY}, tiny guests {run.TINY_MEMORY})")
    one.add_argument("--endian", choices=ENDIANS, default="", help="byte order (default: little, or that of FILE.elf)")
    one.add_argument("--append", default="", metavar="ARGS", help="add ARGS to the guest's kernel command line")
    one.add_argument("--exec", metavar="CMD", help=EXEC_NOTE)
    one.add_argument("--timeout", type=seconds, default=0, metavar="S",
                     help=f"switch the machine off after S seconds (default: never; with --exec {run.EXEC_TIMEOUT:.0f})")
    one.add_argument("--qemu-arg", action="append", default=[], metavar="ARG",
                     help="one more argument for QEMU, for example --qemu-arg=-s (repeatable)")


def add_tests(commands):
    one = command(commands, "test", "Build everything and pass every test. The last line counts them.")
    one.add_argument("--quick", action="store_true", help="leave out what needs a Linux kernel to be built")
    one.add_argument("--list", action="store_true", help="list the suites and end")
    one.add_argument("suites", nargs="*", metavar="SUITE", help="run these suites alone")


def add_bench(commands):
    one = command(commands, "bench", "Measure and print the figures of docs/figures.md.",
                  epilog="benchmarks:\n" + "".join(f"  {name:8} {what}\n" for name, what in bench.NAMES.items()))
    one.add_argument("--quick", action="store_true", help="fewer and shorter runs")
    one.add_argument("--json", metavar="FILE", help="write the tables to FILE as well")
    one.add_argument("--endian", choices=ENDIANS, default="", help="byte order of the machine (default: little)")
    one.add_argument("names", nargs="*", metavar="NAME", help="run these benchmarks alone")


def dispatch(arguments):
    name = arguments.command
    if name in (None, "help"):
        print(HELP, end="")
        return 0
    if name in ("run", "native"):
        return getattr(run, name)(run.Wish.of(arguments))
    if name == "build":
        return build_everything()
    if name == "clean":
        build.clean()
        return 0
    if name == "test":
        from . import tests
        return tests.main(arguments)
    return bench.main(arguments)


def build_everything():
    from . import guests
    with build.lock():
        build.host()
        for endian in ENDIANS:
            build.cross(endian)
            guests.initramfs(endian)
            guests.kernel(endian, guests.DISCO)
            guests.kernel(endian, guests.NATIVE)
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
