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

static enum mips_insn_kind co_function(uint32_t function)
{
    switch (function) {
    case 0x01: return MIPS_INSN_TLBR;
    case 0x02: return MIPS_INSN_TLBWI;
    case 0x03: return MIPS_INSN_TLBINV;
    case 0x04: return MIPS_INSN_TLBINVF;
    case 0x06: return MIPS_INSN_TLBWR;
    case 0x08: return MIPS_INSN_TLBP;
    case 0x18: return MIPS_INSN_ERET;
    case 0x1f: return MIPS_INSN_DERET;
    case 0x20: return MIPS_INSN_WAIT;
    case 0x28: return MIPS_INSN_HYPCALL;
    default: return MIPS_INSN_RESERVED;
    }
}

/* COP0 with the CO bit: the function stands in bits 5..0 and bits 24..6 are zero, with two
 * exceptions: WAIT leaves them to the implementation, ERETNC is ERET with bit 6 set. */
static enum mips_insn_kind co(uint32_t word)
{
    uint32_t middle = (word >> 6) & 0x7ffff;
    enum mips_insn_kind kind = co_function(word & 0x3f);

    if (middle == 0 || kind == MIPS_INSN_WAIT) {
        return kind;
    }
    return kind == MIPS_INSN_ERET && middle == 1 ? MIPS_INSN_ERETNC : MIPS_INSN_RESERVED;
}

/* DI and EI: MFMC0 on Status, bit 5 tells them apart. */
static enum mips_insn_kind mfmc0(uint32_t word)
{
    switch (word & 0xffff) {
    case 0x6000: return MIPS_INSN_DI;
    case 0x6020: return MIPS_INSN_EI;
    default: return MIPS_INSN_RESERVED;
    }
}

/* The kind, if the bits that have to be zero are. */
static enum mips_insn_kind strict(uint32_t word, uint32_t zero, enum mips_insn_kind kind)
{
    return (word & zero) == 0 ? kind : MIPS_INSN_RESERVED;
}

static enum mips_insn_kind cop0(uint32_t word)
{
    if (word & 0x02000000) {
        return co(word);
    }
    switch (mips_insn_rs(word)) {
    case 0x00: return strict(word, 0x7f8, MIPS_INSN_MFC0);
    case 0x01: return strict(word, 0x7f8, MIPS_INSN_DMFC0);
    case 0x04: return strict(word, 0x7f8, MIPS_INSN_MTC0);
    case 0x05: return strict(word, 0x7f8, MIPS_INSN_DMTC0);
    case 0x0a: return strict(word, 0x7ff, MIPS_INSN_RDPGPR);
    case 0x0b: return mfmc0(word);
    case 0x0e: return strict(word, 0x7ff, MIPS_INSN_WRPGPR);
    default: return MIPS_INSN_RESERVED;
    }
}

/* With an offset of 9 bits; bit 6 set is another instruction: LLWP, SCWP and their like. */
static enum mips_insn_kind memory(uint32_t word, enum mips_insn_kind kind)
{
    return (word & 0x40) == 0 ? kind : MIPS_INSN_OTHER;
}

static enum mips_insn_kind special3(uint32_t word)
{
    switch (word & 0x3f) {
    case 0x25: return memory(word, MIPS_INSN_CACHE);
    case 0x26: return memory(word, MIPS_INSN_SC);
    case 0x27: return memory(word, MIPS_INSN_SCD);
    case 0x36: return memory(word, MIPS_INSN_LL);
    case 0x37: return memory(word, MIPS_INSN_LLD);
    case 0x3b: return (word & 0x03e00600) == 0 ? MIPS_INSN_RDHWR : MIPS_INSN_OTHER;
    default: return MIPS_INSN_OTHER;
    }
}

enum mips_insn_kind mips_insn_kind(uint32_t word)
{
    if (word >> 26 == OP_COP0) {
        return cop0(word);
    }
    switch (word >> 26) {
    case OP_SPECIAL3: return special3(word);
    case OP_REGIMM: return mips_insn_rt(word) == 0x1f ? MIPS_INSN_SYNCI : MIPS_INSN_OTHER;
    case OP_CACHE_R2: return MIPS_INSN_CACHE_R2;
    default: return MIPS_INSN_OTHER;
    }
}

static uint8_t select_of(uint32_t word, enum mips_insn_kind kind)
{
    switch (kind) {
    case MIPS_INSN_MFC0:
    case MIPS_INSN_DMFC0:
    case MIPS_INSN_MTC0:
    case MIPS_INSN_DMTC0: return (uint8_t)mips_insn_sel(word);
    case MIPS_INSN_RDHWR: return (word >> 6) & 7;
    default: return 0;
    }
}

static int16_t offset(uint32_t word, enum mips_insn_kind kind)
{
    switch (kind) {
    case MIPS_INSN_CACHE:
    case MIPS_INSN_LL:
    case MIPS_INSN_LLD:
    case MIPS_INSN_SC:
    case MIPS_INSN_SCD: return offset9(word);
    case MIPS_INSN_SYNCI:
    case MIPS_INSN_CACHE_R2: return offset16(word);
    default: return 0;
    }
}

struct mips_insn mips_decode(uint32_t word)
{
    enum mips_insn_kind kind = mips_insn_kind(word);

    return (struct mips_insn){
        .kind = (uint8_t)kind,
        .rs = (uint8_t)mips_insn_rs(word),
        .rt = (uint8_t)mips_insn_rt(word),
        .rd = (uint8_t)mips_insn_rd(word),
        .sel = select_of(word, kind),
        .imm = offset(word, kind),
    };
}
