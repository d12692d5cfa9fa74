# SPDX-License-Identifier: BSD-2-Clause
"""./disco run and ./disco native: from what the person asked for to a machine and its exit status."""

from contextlib import closing, nullcontext
from dataclasses import dataclass, field

from . import build, console, disks, gdb, guests, network, numa, plan, qemu, serve, stats, vmconf
from .exec_ import Exec
from .monlog import Log
from .paths import LITTLE
from .say import Failure, say

EXEC_TIMEOUT = 1800.0
STATS_MS = 1000
DEFAULT_PROCESSORS = 4


@dataclass
class Wish:
    """What was asked for on the command line."""
    guest: str = plan.LINUX
    file: str = ""
    vms: int = 1
    cpus: int = 1
    smp: int = 0
    mem: str = ""
    machine_mem: str = ""
    endian: str = ""
    append: str = ""
    root: str = guests.ROOT_FILES
    disk: list = field(default_factory=list)
    net: str = ""
    forward: list = field(default_factory=list)
    uart: bool = False
    exec: str = None
    timeout: float = 0
    thread: str = ""
    tlb: str = ""
    slice: int = 0
    stats: str = None
    verbose: bool = False
    unchecked: bool = False
    monitor_append: str = ""
    nodes: int = 0
    numa: str = ""
    numa_set: str = ""
    model: str = ""
    figures: str = ""
    icount: bool = False
    gdb: int = None
    gdb_wait: bool = False
    qemu_arg: list = field(default_factory=list)

    @classmethod
    def of(cls, arguments):
        return cls(**{name: getattr(arguments, name) for name in cls.__dataclass_fields__
                      if hasattr(arguments, name)})


def run(wish):
    """Boot guests on the monitor. Returns the exit status."""
    refuse_contradictions(wish)
    command = Exec(wish.exec) if wish.exec is not None else None
    with closing(stats.Writer(wish.stats)) if wish.stats else nullcontext() as writer:
        with build.lock():
            made = plan.plan(wish, command)
            machine = machine_of(made, wish)
            model = numa.qemu_arguments(wish, machine["memory"], machine["cpus"])
        log = Log(wish.verbose, writer)
        with closing(made):
            status = booted(wish, command, made, machine, log, model)
        if writer and not log.stats.count:
            say("the monitor reported no statistics")
    return status


def booted(wish, command, made, machine, log, model):
    """Run the machine to its end."""
    extra = [*gdb.stub(wish), *model, *wish.qemu_arg]
    with qemu.Machine(**machine, extra=extra) as running, \
            serve.Server(running, log, gdb.session(wish, made)) as server:
        gdb.announce(wish, made)
        if not command:
            left = console.attach(running, log, wish.timeout, server, made.names)
            return log.status(left)
        status = command.run(running, log, wish.timeout or EXEC_TIMEOUT, server, made.names)
        log.complain()
        return status


def refuse_contradictions(wish):
    if wish.file and (wish.vms != 1 or wish.cpus != 1 or wish.mem or wish.guest != plan.LINUX):
        raise Failure("-f: the file says which guests, how many processors and how much memory; "
                      "leave out --guest, --vms, --cpus and --mem", 2)
    if wish.file and wish.disk:
        raise Failure("-f: the file says which disks there are; leave out --disk", 2)
    network.forwards_of(wish.forward, wish.net)
    if wish.exec is not None and wish.guest != plan.LINUX:
        raise Failure("--exec: only the linux guest has a shell to run commands")
    if wish.smp:
        vmconf.check_count("--smp", wish.smp, vmconf.MOST_PROCESSORS, "the machine has")
    numa.check(wish)
    if wish.gdb_wait and wish.gdb is None:
        raise Failure("--gdb-wait: waits for a debugger, which needs --gdb", 2)


def machine_of(made, wish):
    """The arguments of a qemu.Machine that boots the monitor with this plan."""
    cpus = wish.smp or min(DEFAULT_PROCESSORS, sum(vm.cpus for vm in made.vms))
    return {"endian": made.endian, "memory": made.memory, "initrd": made.archive,
            "kernel": build.monitor(made.endian).read_bytes(), "append": " ".join(monitor_options(wish, made, cpus)),
            "cpus": cpus, "thread": wish.thread,
            "drives": made.drives, "network": made.network}


def monitor_options(wish, made, cpus):
    options = [wish.monitor_append] if wish.monitor_append else []
    options += numa.monitor_options(wish, cpus)
    if wish.tlb:
        options.append(f"tlb={wish.tlb}")
    if wish.slice:
        options.append(f"slice={wish.slice}")
    if wish.stats:
        options.append(f"stats={STATS_MS}")
    if made.network:
        options.append("gateway")
    if wish.exec is not None:
        # A guest that starts anew would run the command a second time.
        options.append("on-reset=stop")
    if len(made.vms) > 1 and (wish.exec is not None or not console.at_terminal()):
        options.append("console=framed")
    return options


def native(wish):
    """Boot the same Linux on the bare machine. Returns the exit status."""
    vmconf.check_count("--cpus", wish.cpus, vmconf.MOST_BARE, "the bare machine boots with")
    numa.check(wish)
    numa.check_bare(wish)
    command = Exec(wish.exec) if wish.exec is not None else None
    endian = wish.endian or LITTLE
    memory = vmconf.parse_memory(wish.mem or plan.LINUX_MEMORY)
    vmconf.check_memory(memory, vmconf.LINUX_MINIMUM, vmconf.BOARD_MEMORY)
    append = f"{guests.COMMAND_LINE[guests.NATIVE]} {vmconf.one_line(wish.append)}".strip()
    drives = [disks.of_option(text) for text in wish.disk]
    if len(drives) > vmconf.MOST_VM_DISKS:
        raise Failure(f"--disk: the bare machine has at most {vmconf.MOST_VM_DISKS} disks")
    card = network.qemu_arguments(slot=network.NATIVE_SLOT) if wish.net == network.USER else []
    try:
        disks.open_all(drives)
        with build.lock():
            kernel = guests.kernel(endian, guests.NATIVE).read_bytes()
            initrd = plan.linux_initrd(endian, command)
            extra = [*numa.qemu_arguments(wish, memory, wish.cpus), *wish.qemu_arg]
        with qemu.Machine(endian, memory, kernel, initrd, append, wish.cpus, wish.thread, extra, drives,
                          card) as running:
            if command:
                return command.run(running, Log(), wish.timeout or EXEC_TIMEOUT)
            console.attach(running, Log(), wish.timeout)
    finally:
        disks.close_all(drives)
    return 0
