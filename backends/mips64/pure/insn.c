/* SPDX-License-Identifier: BSD-2-Clause */
#include "insn.h"

enum {
    OP_REGIMM = 0x01,
    OP_COP0 = 0x10,
    OP_SPECIAL3 = 0x1f,
    OP_CACHE_R2 = 0x2f,
};

/* The 9-bit signed offset of Release 6 memory instructions, bits 15..7. */
static int16_t offset9(uint32_t word)
{
    int32_t field = (int32_t)((word >> 7) & 0x1ff);

    return (int16_t)(field < 0x100 ? field : field - 0x200);
}

static int16_t offset16(uint32_t word)
{
    int32_t field = (int32_t)(word & 0xffff);

    return (int16_t)(field < 0x8000 ? field : field - 0x10000);
}

/* COP0 with the CO bit: the function stands in bits 5..0 and bits 24..6 are zero, with two
 * exceptions: WAIT leaves them to the implementation, ERETNC is ERET with bit 6 set. */
static enum mips_insn_kind decode_co(uint32_t word)
{
    uint32_t middle = (word >> 6) & 0x7ffff;
    uint32_t function = word & 0x3f;

    if (function == 0x20) {
        return MIPS_INSN_WAIT;
    }
    if (middle != 0) {
        return function == 0x18 && middle == 1 ? MIPS_INSN_ERETNC : MIPS_INSN_RESERVED;
    }
    switch (function) {
    case 0x01: return MIPS_INSN_TLBR;
    case 0x02: return MIPS_INSN_TLBWI;
    case 0x03: return MIPS_INSN_TLBINV;
    case 0x04: return MIPS_INSN_TLBINVF;
    case 0x06: return MIPS_INSN_TLBWR;
    case 0x08: return MIPS_INSN_TLBP;
    case 0x18: return MIPS_INSN_ERET;
    case 0x1f: return MIPS_INSN_DERET;
    case 0x28: return MIPS_INSN_HYPCALL;
    default: return MIPS_INSN_RESERVED;
    }
}

/* DI and EI: MFMC0 on Status, bit 5 tells them apart. */
static enum mips_insn_kind decode_mfmc0(uint32_t word)
{
    switch (word & 0xffff) {
    case 0x6000: return MIPS_INSN_DI;
    case 0x6020: return MIPS_INSN_EI;
    default: return MIPS_INSN_RESERVED;
    }
}

static enum mips_insn_kind decode_move(uint32_t word, enum mips_insn_kind kind)
{
    return (word & 0x7f8) == 0 ? kind : MIPS_INSN_RESERVED;
}

static enum mips_insn_kind decode_pgpr(uint32_t word, enum mips_insn_kind kind)
{
    return (word & 0x7ff) == 0 ? kind : MIPS_INSN_RESERVED;
}

static void decode_cop0(uint32_t word, struct mips_insn *insn)
{
    enum mips_insn_kind kind = MIPS_INSN_RESERVED;

    if (insn->rs & 0x10) {
        insn->kind = (uint8_t)decode_co(word);
        return;
    }
    switch (insn->rs) {
    case 0x00: kind = decode_move(word, MIPS_INSN_MFC0); break;
    case 0x01: kind = decode_move(word, MIPS_INSN_DMFC0); break;
    case 0x04: kind = decode_move(word, MIPS_INSN_MTC0); break;
    case 0x05: kind = decode_move(word, MIPS_INSN_DMTC0); break;
    case 0x0a: kind = decode_pgpr(word, MIPS_INSN_RDPGPR); break;
    case 0x0b: kind = decode_mfmc0(word); break;
    case 0x0e: kind = decode_pgpr(word, MIPS_INSN_WRPGPR); break;
    default: break;
    }
    if (kind >= MIPS_INSN_MFC0 && kind <= MIPS_INSN_DMTC0) {
        insn->sel = word & 7;
    }
    insn->kind = (uint8_t)kind;
}

static void decode_offset9(uint32_t word, enum mips_insn_kind kind, struct mips_insn *insn)
{
    /* Bit 6 set is another instruction: LLWP, SCWP and their like. */
    if ((word & 0x40) == 0) {
        insn->kind = (uint8_t)kind;
        insn->imm = offset9(word);
    }
}

static void decode_special3(uint32_t word, struct mips_insn *insn)
{
    switch (word & 0x3f) {
    case 0x25: decode_offset9(word, MIPS_INSN_CACHE, insn); break;
    case 0x26: decode_offset9(word, MIPS_INSN_SC, insn); break;
    case 0x27: decode_offset9(word, MIPS_INSN_SCD, insn); break;
    case 0x36: decode_offset9(word, MIPS_INSN_LL, insn); break;
    case 0x37: decode_offset9(word, MIPS_INSN_LLD, insn); break;
    case 0x3b:
        if ((word & 0x03e00600) == 0) {
            insn->kind = MIPS_INSN_RDHWR;
            insn->sel = (word >> 6) & 7;
        }
        break;
    default: break;
    }
}

struct mips_insn mips_decode(uint32_t word)
{
    struct mips_insn insn = {
        .kind = MIPS_INSN_OTHER,
        .rs = (word >> 21) & 31,
        .rt = (word >> 16) & 31,
        .rd = (word >> 11) & 31,
    };

    switch (word >> 26) {
    case OP_COP0: decode_cop0(word, &insn); break;
    case OP_SPECIAL3: decode_special3(word, &insn); break;
    case OP_REGIMM:
        if (insn.rt == 0x1f) {
            insn.kind = MIPS_INSN_SYNCI;
            insn.imm = offset16(word);
        }
        break;
    case OP_CACHE_R2:
        insn.kind = MIPS_INSN_CACHE_R2;
        insn.imm = offset16(word);
        break;
    default: break;
    }
    return insn;
}
