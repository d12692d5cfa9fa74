#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Finds instructions between LL and SC that trap to the monitor for sure.

The way back from a trap ends the reservation, and the SC fails: with such an instruction between the two, the loop
around them never ends. Loads and stores may miss and trap once; the next round finds them mapped.

usage: objdump -d --no-show-raw-insn FILE | check-llsc.py

Handlers that the kernel generates at boot are in no file; edits/05-probe-before-ll.patch is about them.
"""

import re
import sys

LL, SC = {"ll", "lld", "lle", "llwp", "lldp"}, {"sc", "scd", "sce", "scwp", "scdp"}
# CP0 accesses and operations, the monitor call (hypcall, for some disassemblers c0), exceptions raised on purpose; rdhwr traps if it is not
# enabled; where a call goes is not known here.
TRAPS = re.compile(r"d?m[ft]h?c0|d?v?p?e?i|di|ei|eret(nc)?|deret|wait|tlb\w+|cachee?|c0|hypcall|rdpgpr|wrpgpr|rdhwr|"
                   r"syscall|break|sdbbp|t(eq|ne|ge|lt|geu|ltu)|jalr?(\.hb)?|jialc|bal\w*|b\w+alc")
LONGEST = 48  # instructions; the windows of Linux have less than ten
# Emulates the lone LL of an old program: no loop of its own depends on the reservation.
EXEMPT = {"mipsr2_decoder"}

FUNCTION = re.compile(r"^[0-9a-f]+ <((?!\.L).+)>:$")
INSTRUCTION = re.compile(r"^ *([0-9a-f]+):\t(\S+)")


def offences(lines):
    """Yield (address, function, what is wrong) for each window that does not hold."""
    function, start, length, windows = "?", None, 0, 0
    for line in lines:
        if name := FUNCTION.match(line):
            if start is not None:
                yield start, function, "LL without SC"
            function, start = name[1], None
        elif function in EXEMPT:
            continue
        elif insn := INSTRUCTION.match(line):
            address, mnemonic = insn[1], insn[2]
            if mnemonic in LL:
                if start is not None:
                    yield start, function, "LL without SC"
                start, length, windows = address, 0, windows + 1
            elif mnemonic in SC:
                start = None
            elif start is not None:
                length += 1
                if TRAPS.fullmatch(mnemonic):
                    yield address, function, f"{mnemonic} between LL and SC"
                elif length == LONGEST:
                    yield start, function, "LL without SC"
                    start = None
    if start is not None:
        yield start, function, "LL without SC"
    if windows == 0:
        yield "?", "?", "no LL in the whole input: is it a disassembly?"


def main():
    found = list(offences(sys.stdin))
    for address, function, what in found:
        print(f"{address} <{function}>: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
