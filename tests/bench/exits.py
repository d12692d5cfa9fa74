# SPDX-License-Identifier: BSD-2-Clause
"""What the plugin's traces of the monitor are: from a vector to the eret that lets the guest go on."""

from dataclasses import dataclass

import counts
import machine
from launcher import build
from launcher.say import Failure

GENERAL_VECTOR = 0x180

L2TLB_HIT = "TLB miss: L2TLB hit, in assembly"
PMAP_HIT = "TLB miss: unmapped segment, in assembly"
SUPERPAGE_HIT = "TLB miss: superpage of an unmapped segment, in assembly"
FIRST_TOUCH = "TLB miss: unmapped segment, page made"
L2TLB_IN_C = "TLB miss: L2TLB, in C"
GUEST_ENTRY = "TLB miss: guest's TLB or page tables, in C"
REFILL = "TLB miss: passed to the guest"
REFLECTED = "exception passed to the guest"
WRITE_FAULT = "store to a page the monitor protects"
INTERRUPT = "interrupt"
CALLED = "interrupt by another processor"
FPU = "FPU handed over"
OTHER = "other"
SYSCALL = "system call passed to the guest"

# Functions whose execution tells what an exit was about: the monitor has them for themselves (TOLD in backends/mips64).
TAKEN = "mips_ipi"          # takes an interrupt from another processor
SWITCHED = "switch_in"      # puts another virtual CPU onto the processor
IDLE = "mips_idle"
TAGS = (TAKEN, SWITCHED, IDLE, "mips_raise", "disco_vcpu_enter_pair", "disco_vcpu_enter_unmapped", "mips_timer_fire",
        "mips_fpu_unusable", "disco_pmap_write_fault", "mips_emulate_rdhwr", "page_zero")

CP0 = {(0, 0): "Index", (1, 0): "Random", (2, 0): "EntryLo0", (3, 0): "EntryLo1", (4, 0): "Context",
       (4, 2): "UserLocal", (5, 0): "PageMask", (5, 1): "PageGrain", (6, 0): "Wired", (7, 0): "HWREna",
       (8, 0): "BadVAddr", (8, 1): "BadInstr", (8, 2): "BadInstrP", (9, 0): "Count", (10, 0): "EntryHi",
       (11, 0): "Compare", (12, 0): "Status", (13, 0): "Cause", (14, 0): "EPC", (15, 0): "PRId", (15, 1): "EBase",
       **{(16, select): f"Config{select or ''}" for select in range(6)}, (17, 0): "LLAddr", (20, 0): "XContext",
       (30, 0): "ErrorEPC"}
MOVES = {0: "mfc0", 1: "dmfc0", 4: "mtc0", 5: "dmtc0"}
OPERATIONS = {0x01: "tlbr", 0x02: "tlbwi", 0x03: "tlbinv", 0x04: "tlbinvf", 0x06: "tlbwr", 0x08: "tlbp",
              0x18: "eret", 0x1f: "deret", 0x20: "wait", 0x28: "monitor call"}


def instruction(word):
    """Name of a privileged instruction, from what the plugin keeps of its word."""
    if word >> 25 & 1:
        return OPERATIONS.get(word & 63, f"{word:#010x}")
    kind, number, select = word >> 21 & 31, word >> 11 & 31, word & 7
    if kind == 11:
        return "ei" if word & 32 else "di"
    if kind not in MOVES:
        return f"{word:#010x}"
    scratch = f"KScratch{select}" if number == 31 else f"${number},{select}"
    return f"{MOVES[kind]} {CP0.get((number, select), scratch)}"


@dataclass
class Kind:
    """All traces of one kind."""
    name: str
    count: int = 0
    total: int = 0
    least: int = 0
    histogram: dict = None

    def add(self, trace):
        self.least = min(self.least, trace["min"]) if self.count else trace["min"]
        self.count += trace["count"]
        self.total += trace["total"]
        self.histogram = self.histogram or {}
        for length, times in trace["histogram"].items():
            self.histogram[int(length)] = self.histogram.get(int(length), 0) + times

    def usual(self):
        """The most frequent number of instructions."""
        return max(self.histogram, key=self.histogram.get) if self.histogram else None

    def mean(self):
        return self.total / self.count if self.count else 0.0


class Monitor:
    """The monitor's symbols and the plugin options that follow its exits."""

    def __init__(self):
        with build.lock():
            build.cross(machine.ENDIAN)
            self.symbols = counts.Symbols(build.monitor(machine.ENDIAN))
        self.refill = self.symbols.address("mips_vector_refill")
        self.general = self.symbols.address("mips_vectors") + GENERAL_VECTOR

    def options(self, profile=False):
        options = [f"entry=refill:{self.refill:#x}", f"entry=general:{self.general:#x}",
                   *counts.places("tag", TAGS, self.symbols)]
        if profile:
            first, end = self.symbols.text()
            options.append(f"profile={first:#x}:{end:#x}")
        return options

    def name(self, trace):
        """What a trace was, told by where it began and ended, what trapped, and what it ran through."""
        by_assembly = self.assembly(trace)
        if by_assembly:
            return by_assembly
        if trace["cause"]:
            return SYSCALL if trace["cause"] == 0x0c else instruction(trace["cause"])
        return self.by_tags(trace["entry"] == "refill", set(trace["tags"]))

    def assembly(self, trace):
        """The answers that the refill vector gives itself end in an eret of their own."""
        if trace["entry"] != "refill":
            return None
        if self.refill <= trace["end"] < self.symbols.address("mips_vector_refill_end"):
            return L2TLB_HIT
        ends = ((PMAP_HIT, "mips_refill_kernel"), (SUPERPAGE_HIT, "mips_refill_marked"))
        return next((name for name, place in ends
                     if self.symbols.address(place) <= trace["end"] < self.symbols.address(place + "_end")), None)

    @staticmethod
    def by_tags(refill, tags):
        if "mips_timer_fire" in tags:
            return INTERRUPT
        if TAKEN in tags:
            return CALLED
        if "mips_raise" in tags:
            return REFILL if refill else REFLECTED
        if "mips_fpu_unusable" in tags:
            return FPU
        if "mips_emulate_rdhwr" in tags:
            return "rdhwr"
        if "disco_pmap_write_fault" in tags:
            return WRITE_FAULT
        if "disco_vcpu_enter_unmapped" in tags:
            return FIRST_TOUCH
        if "disco_vcpu_enter_pair" in tags:
            return GUEST_ENTRY
        return L2TLB_IN_C if refill else OTHER

    def with_tag(self, data, tag, without=()):
        """The traces that went through one function and not through others, as one kind."""
        kind = Kind(tag)
        for trace in data["traces"]:
            if tag in trace["tags"] and not set(trace["tags"]) & set(without):
                kind.add(trace)
        return kind

    def kinds(self, data):
        """The traces by name, those with most instructions first."""
        found = {}
        if data["traces_lost"]:
            raise Failure("the plugin ran out of room for kinds of traces")
        for trace in data["traces"]:
            name = self.name(trace)
            found.setdefault(name, Kind(name)).add(trace)
        return sorted(found.values(), key=lambda kind: -kind.total)
