# SPDX-License-Identifier: BSD-2-Clause
"""The machine's nodes, and the model of FLASH's memory system (tools/flash) that rides along with QEMU.

--nodes alone divides the machine; first touch then decides where a page lies. With --numa, --model or --figures the
model runs as well: it counts misses, and tells the monitor of hot pages in a part of RAM that both know.
"""

import re

from . import build, qemu, vmconf
from .paths import BUILD
from .say import Failure

MOST_NODES = 64
MODES = ("off", "migrate", "replicate", "on")
AREA = 256 << 10    # where in RAM: examples/monitor/memory.h; there is room for SLOTS records of 64 bytes, and a head
SLOTS = 4096
# Time is instructions of all processors together: 4 ns each of one, 2 of two, 1 of more. That is near the modelled time,
# so that timers interrupt about as often as they should, and runs do not depend on what else this computer does.
SHIFTS = {1: 2, 2: 1}
# What the monitor calls the policy's numbers: examples/monitor/bootargs.h.
NUMBERS = ("trigger", "sharing", "write", "migrate", "cap", "interval")


def modelled(wish):
    """Whether the model runs."""
    return bool(wish.numa or wish.model or wish.figures)


def nodes(wish, cpus):
    """How many there are: as asked, or, as on FLASH, one for each processor of a machine that has the model."""
    return wish.nodes or (cpus if modelled(wish) else 1)


def check(wish):
    """Refuse contradictions."""
    if wish.nodes:
        vmconf.check_count("--nodes", wish.nodes, MOST_NODES, "a machine has")
    if wish.icount and wish.thread == qemu.MULTI:
        raise Failure("--icount: QEMU counts instructions in one thread, not with --thread multi", 2)
    if wish.numa_set and not wish.numa:
        raise Failure("--numa-set: these are numbers of the policy, which needs --numa", 2)
    for word in filter(None, wish.numa_set.split(",")):
        key, _, value = word.partition("=")
        if key not in NUMBERS or not re.fullmatch(r"\d{1,9}", value):
            raise Failure(f"--numa-set {word}: write {', '.join(f'{name}=N' for name in NUMBERS[:-1])} or "
                          f"{NUMBERS[-1]}=MS, separated by commas", 2)
    for word in filter(None, wish.model.split(",")):
        if "=" not in word or word.partition("=")[0] in ("ram", "nodes", "out", "area", "slots"):
            raise Failure(f"--model {word}: not an option that one sets (tools/flash/README.md lists them)", 2)


def check_bare(wish):
    """What the bare machine cannot have, or would not notice."""
    if wish.icount and wish.cpus > 1:
        raise Failure("--icount: the bare machine boots with one processor then; leave out --cpus, or --icount", 2)
    if wish.nodes > 1 and not modelled(wish):
        raise Failure("--nodes: the bare machine has nodes only in the model of memory (--figures FILE)", 2)


def monitor_options(wish, cpus):
    """What the monitor is told on its command line."""
    words = []
    if nodes(wish, cpus) > 1:
        words.append(f"nodes={nodes(wish, cpus)}")
    if wish.icount:
        words.append("short-turns")
    if wish.numa:
        words.append(f"numa={wish.numa}")
    return words + [f"numa-{word}" for word in wish.numa_set.split(",") if word]


def qemu_arguments(wish, memory, cpus):
    """The model as a plugin of QEMU, and its pace. Under build.lock()."""
    # Runs repeat only with the same random numbers: the machine's firmware hands out a seed of its own.
    pace = ["-icount", f"shift={SHIFTS.get(cpus, 0)}", "-seed", "1"] if wish.icount else []
    return pace + (model(wish, memory, cpus) if modelled(wish) else [])


def model(wish, memory, cpus):
    words = [str(plugin()), f"ram={memory}", f"nodes={nodes(wish, cpus)}", f"out={wish.figures or '/dev/null'}"]
    if wish.numa:
        words += [f"area={AREA}", f"slots={SLOTS}"]
    return ["-plugin", ",".join(words + [word for word in wish.model.split(",") if word])]


def plugin():
    """The model's file, built if need be: what is measured has to be fast."""
    target = "tools/flash/libflash.so"
    build.host("host-release", ["--buildtype", "release"], target)
    return BUILD / "host-release" / target
