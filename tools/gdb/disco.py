# SPDX-License-Identifier: BSD-2-Clause
"""For gdb-multiarch on a machine that runs the monitor: the command disco-vcpu. ./disco gdb loads it.

QEMU shows each processor as a thread. Its registers are the guest's while a guest runs there, and the monitor's
otherwise; then the guest's lie where the monitor saved them. Symbols of a guest's kernel fit while that guest runs
(two Linux guests have the same addresses). All is read from the monitor's variable `mon`; through physical memory,
since a processor that runs a guest cannot reach the monitor's addresses, and QEMU then reads none for a debugger.
"""

from contextlib import contextmanager

import gdb

STATES = "DISCO_VCPU_"
STATUS, ENTRYHI = (12, 0), (10, 0)      # registers of the virtual CP0, number and select
ASID_MASK = 0x3FF
LONGEST_NAME = 32

CKSEG = range(0xFFFFFFFF80000000, 0xFFFFFFFFC0000000)     # the monitor's alone, as is
XKPHYS = range(0x8000000000000000, 0xC000000000000000)
CKSEG_BITS, XKPHYS_BITS = (1 << 29) - 1, (1 << 48) - 1


@contextmanager
def physical_memory():
    """Addresses that QEMU's stub is asked for are physical meanwhile."""
    gdb.execute("maintenance packet Qqemu.PhyMemMode:1", to_string=True)
    try:
        yield
    finally:
        gdb.execute("maintenance packet Qqemu.PhyMemMode:0", to_string=True)


def read(address, length):
    """Bytes at one of the monitor's addresses."""
    bits = CKSEG_BITS if address in CKSEG else XKPHYS_BITS
    with physical_memory():
        return bytes(gdb.selected_inferior().read_memory(address & bits, length))


def unsigned(value):
    return int(value) & 0xFFFFFFFFFFFFFFFF


def fetched(pointer):
    """What a pointer of the monitor points at, or None."""
    kind, address = pointer.type.target(), unsigned(pointer)
    return gdb.Value(read(address, kind.sizeof), kind) if address else None


def state_name(vcpu):
    """The name that the enumeration gives the state, in small letters."""
    names = {field.enumval: field.name for field in gdb.lookup_type("enum disco_vcpu_state").fields()}
    return names.get(int(vcpu["state"]), "?").removeprefix(STATES).lower()


def name_of(vcpu):
    return read(unsigned(fetched(vcpu["vm"])["name"]), LONGEST_NAME).split(b"\0")[0].decode()


def real_pc(thread):
    """Where a processor is; the selected thread stays selected."""
    before = gdb.selected_thread()
    thread.switch()
    pc = unsigned(gdb.parse_and_eval("(long)$pc"))
    before.switch()
    return pc


def symbol(pc):
    """What gdb knows about an address, as " <name+offset>" or nothing."""
    try:
        text = gdb.execute(f"info symbol {pc:#x}", to_string=True).strip()
    except gdb.error:
        return ""
    return "" if text.startswith("No symbol") else f" <{text.split(' in section')[0].replace(' ', '')}>"


def processor(number, thread):
    """Two lines: what a processor does, and the virtual CPU that came in there last."""
    pc = real_pc(thread)
    inside = pc in CKSEG or pc in XKPHYS
    cpu = fetched(fetched(gdb.parse_and_eval(f"&mon.machine.cpu[{number}]")))
    last = fetched(cpu["last"])
    what = virtual(last, number, None if inside else pc) if last else "no virtual CPU yet"
    return f"cpu{number}: {'monitor' if inside else 'guest'} at {pc:#018x}{symbol(pc)}\n      {what}"


def virtual(vcpu, number, pc):
    """A virtual CPU. `pc` is that of the processor while the guest runs, None where the monitor has saved it."""
    arch = fetched(vcpu["arch"].cast(gdb.lookup_type("struct mips_vcpu").pointer()))
    here = int(vcpu["cpu"]) == number and state_name(vcpu) == "running"
    pc = pc if pc and here else unsigned(arch["g"]["pc"])
    text = (f"{name_of(vcpu)} vcpu{int(vcpu['id'])}: {state_name(vcpu)}{'' if here else ' (was here last)'}, "
            f"pc {pc:#018x}{symbol(pc)}")
    cp0 = fetched(arch["cp0"])
    if not cp0:
        return f"{text}, no registers"
    status, entryhi = (unsigned(cp0["reg"][number][select]) for number, select in (STATUS, ENTRYHI))
    return f"{text}, status {status:#010x}, asid {entryhi & ASID_MASK}, lines {int(vcpu['lines']):#x}"


class DiscoVcpu(gdb.Command):
    """disco-vcpu: for each processor the virtual CPU that it runs, or ran last: VM, id, state, pc, Status, ASID."""

    def __init__(self):
        super().__init__("disco-vcpu", gdb.COMMAND_STATUS)

    def invoke(self, _argument, _from_tty):
        if gdb.selected_thread() is None:
            raise gdb.GdbError("connect to the machine first (target remote 127.0.0.1:1234)")
        threads = sorted(gdb.selected_inferior().threads(), key=lambda thread: thread.num)
        for number, thread in enumerate(threads):
            gdb.write(processor(number, thread) + "\n")


DiscoVcpu()
# At a breakpoint in a guest its code need not be in the processor's TLB yet; then QEMU reads none of it, and gdb could
# not step on. So code is taken from the ELF files.
gdb.execute("set trust-readonly-sections on")
