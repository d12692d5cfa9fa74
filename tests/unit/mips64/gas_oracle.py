#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""GNU as as an oracle: assemble every mnemonic, see that the decoder and next_pc read it alike.

Usage: gas_oracle.py DECODER, the program built from decode.c. Exit status 77: no assembler here.
"""
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PREFIX = 'mipsisa64r6el-linux-gnuabi64-'
SKIP = 77
HEADER = Path(__file__).resolve().parents[3] / 'backends/mips64/pure/insn.h'

# assembly, kind, fields that must read so
PRIVILEGED = [
    ('mfc0 $3, $12', 'MFC0', dict(rt=3, rd=12, sel=0)),
    ('mfc0 $31, $16, 5', 'MFC0', dict(rt=31, rd=16, sel=5)),
    ('dmfc0 $4, $31, 7', 'DMFC0', dict(rt=4, rd=31, sel=7)),
    ('mtc0 $0, $9', 'MTC0', dict(rt=0, rd=9, sel=0)),
    ('dmtc0 $5, $15, 1', 'DMTC0', dict(rt=5, rd=15, sel=1)),
    ('mfhc0 $2, $2', 'RESERVED', {}),
    ('mthc0 $2, $2', 'RESERVED', {}),
    ('rdpgpr $6, $7', 'RDPGPR', dict(rt=7, rd=6)),
    ('wrpgpr $6, $7', 'WRPGPR', dict(rt=7, rd=6)),
    ('di', 'DI', dict(rt=0)),
    ('di $8', 'DI', dict(rt=8)),
    ('ei $9', 'EI', dict(rt=9)),
    ('tlbr', 'TLBR', {}), ('tlbwi', 'TLBWI', {}), ('tlbwr', 'TLBWR', {}), ('tlbp', 'TLBP', {}),
    ('tlbinv', 'TLBINV', {}), ('tlbinvf', 'TLBINVF', {}),
    ('eret', 'ERET', {}), ('eretnc', 'ERETNC', {}), ('deret', 'DERET', {}),
    ('wait', 'WAIT', {}), ('wait 0x155', 'WAIT', {}),
    ('hypcall', 'HYPCALL', {}), ('hypcall 5', 'RESERVED', {}),
    ('cache 0x15, -256($4)', 'CACHE', dict(rs=4, rt=0x15, imm=-256)),
    ('cache 1, 255($29)', 'CACHE', dict(rs=29, rt=1, imm=255)),
    ('rdhwr $3, $29', 'RDHWR', dict(rt=3, rd=29, sel=0)),
    ('rdhwr $3, $4, 2', 'RDHWR', dict(rt=3, rd=4, sel=2)),
    ('synci -32768($7)', 'SYNCI', dict(rs=7, imm=-32768)),
    ('ll $2, -4($3)', 'LL', dict(rs=3, rt=2, imm=-4)),
    ('lld $2, 248($3)', 'LLD', dict(rs=3, rt=2, imm=248)),
    ('sc $2, 4($3)', 'SC', dict(rs=3, rt=2, imm=4)),
    ('scd $2, -256($3)', 'SCD', dict(rs=3, rt=2, imm=-256)),
    ('addiu $2, $3, 4', 'OTHER', {}), ('syscall', 'OTHER', {}), ('pref 1, 4($2)', 'OTHER', {}),
    ('ldc1 $f2, 8($3)', 'OTHER', {}), ('mfc1 $2, $f3', 'OTHER', {}), ('seb $2, $3', 'OTHER', {}),
]

# assembly (L: the label), delay slot, forbidden slot, link register, target (None: L; NAL ignores
# its offset, which as leaves 0)
BRANCHES = [
    ('j L', 1, 0, 0, None), ('jal L', 1, 0, 31, None),
    ('jr $4', 1, 0, 0, 0), ('jr.hb $4', 1, 0, 0, 0),
    ('jalr $4', 1, 0, 31, 0), ('jalr $5, $4', 1, 0, 5, 0), ('jalr.hb $5, $4', 1, 0, 5, 0),
    ('beq $4, $5, L', 1, 0, 0, None), ('bne $4, $5, L', 1, 0, 0, None), ('b L', 1, 0, 0, None),
    ('blez $4, L', 1, 0, 0, None), ('bgtz $4, L', 1, 0, 0, None),
    ('bltz $4, L', 1, 0, 0, None), ('bgez $4, L', 1, 0, 0, None), ('bal L', 1, 0, 31, None),
    ('nal', 1, 0, 31, 'pc + 4'),
    ('bc1eqz $f3, L', 1, 0, 0, None), ('bc1nez $f31, L', 1, 0, 0, None),
    ('bc L', 0, 0, 0, None), ('balc L', 0, 0, 31, None),
    ('jic $4, -8', 0, 0, 0, -8), ('jialc $4, 0x7fff', 0, 0, 31, 0x7fff),
    ('beqzc $4, L', 0, 1, 0, None), ('bnezc $4, L', 0, 1, 0, None),
    ('beqc $4, $5, L', 0, 1, 0, None), ('bnec $4, $5, L', 0, 1, 0, None),
    ('bltc $5, $4, L', 0, 1, 0, None), ('bgec $5, $4, L', 0, 1, 0, None),
    ('bltuc $5, $4, L', 0, 1, 0, None), ('bgeuc $5, $4, L', 0, 1, 0, None),
    ('blezc $4, L', 0, 1, 0, None), ('bgezc $4, L', 0, 1, 0, None),
    ('bgtzc $4, L', 0, 1, 0, None), ('bltzc $4, L', 0, 1, 0, None),
    ('blezalc $4, L', 0, 1, 31, None), ('bgezalc $4, L', 0, 1, 31, None),
    ('bgtzalc $4, L', 0, 1, 31, None), ('bltzalc $4, L', 0, 1, 31, None),
    ('beqzalc $4, L', 0, 1, 31, None), ('bnezalc $4, L', 0, 1, 31, None),
    ('bovc $5, $4, L', 0, 1, 0, None), ('bnvc $5, $4, L', 0, 1, 0, None),
]


def kind_names():
    """The enumerators of enum mips_insn_kind, in their order."""
    body = re.search(r'enum mips_insn_kind \{(.*?)\n\};', HEADER.read_text(), re.S).group(1)
    return re.findall(r'^\s+MIPS_INSN_(\w+)', body, re.M)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def assemble(lines):
    """One word and its address for each line; L stands before the first and after the last."""
    with tempfile.TemporaryDirectory() as directory:
        source, obj, elf = (Path(directory, n) for n in ('a.s', 'a.o', 'a.elf'))
        text = ['.set noreorder', *(f'I{i}: {line}\nnop' for i, line in enumerate(lines))]
        middle = len(text) // 2
        source.write_text('\n'.join(text[:middle] + ['L:'] + text[middle:]) + '\n')
        run(PREFIX + 'as', '-EL', '-mabi=64', '-march=mips64r6', '-mvirt', '-mxpa',
            '-o', obj, source)
        run(PREFIX + 'ld', '-Ttext=0xffffffffc0100000', '-e', '0', '-o', elf, obj)
        symbols = {}
        for line in run(PREFIX + 'nm', elf).splitlines():
            address, _, name = line.split()
            symbols[name] = int(address, 16)
        code = {}
        for line in run(PREFIX + 'objdump', '-d', '-z', elf).splitlines():
            found = re.match(r'\s*([0-9a-f]+):\s+([0-9a-f]{8})\s', line)
            if found:
                code[int(found.group(1), 16)] = int(found.group(2), 16)
        return [(symbols[f'I{i}'], code[symbols[f'I{i}']]) for i in range(len(lines))], symbols['L']


def decode(program, words):
    text = ''.join(f'{pc:x} {word:x}\n' for pc, word in words)
    out = subprocess.run([program], input=text, check=True, capture_output=True, text=True).stdout
    return [line.split() for line in out.splitlines()]


def main():
    if not all(shutil.which(PREFIX + tool) for tool in ('as', 'ld', 'nm', 'objdump')):
        print('skipped: ' + PREFIX + 'as is not installed')
        return SKIP
    names = kind_names()
    words, label = assemble([p[0] for p in PRIVILEGED] + [b[0] for b in BRANCHES])
    decoded = decode(sys.argv[1], words)
    assert len(decoded) == len(words)
    errors = []

    def expect(what, word, got, wanted):
        if got != wanted:
            errors.append(f'{what} ({word:08x}): got {got}, expected {wanted}')

    for (text, kind, fields), (_, word), line in zip(PRIVILEGED, words, decoded):
        got = dict(zip(('rs', 'rt', 'rd', 'sel', 'imm'), map(int, line[1:6])))
        expect(text, word, (names[int(line[0])], {k: got[k] for k in fields}), (kind, fields))
        expect(text, word, line[6], '0')
    n = len(PRIVILEGED)
    for branch, (pc, word), line in zip(BRANCHES, words[n:], decoded[n:]):
        text, delay, forbidden, link, target = branch
        target = {None: label, 'pc + 4': pc + 4}.get(target, target) % 2**64
        got = (*map(int, line[6:10]), int(line[10], 16))
        expect(text, word, got, (1, delay, forbidden, link, target))
        expect(text, word, names[int(line[0])], 'OTHER')
    print('\n'.join(errors) or f'{len(words)} instructions agree')
    return 1 if errors else 0


if __name__ == '__main__':
    sys.exit(main())
