/* SPDX-License-Identifier: BSD-2-Clause */
#include "nextpc.h"

enum {
    REG_RA = 31,
    BC1EQZ = 0x09, /* the rs field of COP1 */
    BC1NEZ = 0x0d,
};

/* The operands of a word, fetched once. */
struct operands {
    uint32_t word;
    unsigned rs, rt;
    uint64_t urs, urt;
    int64_t srs, srt;
    uint64_t pc;
};

static struct operands fetch(uint32_t word, uint64_t pc, const struct mips_gpr *gpr)
{
    struct operands o = {
        .word = word,
        .rs = (word >> 21) & 31,
        .rt = (word >> 16) & 31,
        .pc = pc,
    };

    o.urs = mips_gpr_get(gpr, o.rs);
    o.urt = mips_gpr_get(gpr, o.rt);
    o.srs = (int64_t)o.urs;
    o.srt = (int64_t)o.urt;
    return o;
}

/* Sign-extended low `bits` of the word. */
static uint64_t immediate(uint32_t word, unsigned bits)
{
    uint64_t sign = (uint64_t)1 << (bits - 1);
    uint64_t field = word & ((sign << 1) - 1);

    return (field ^ sign) - sign;
}

/* The target of a pc-relative branch: counted in words from the instruction after it. */
static uint64_t relative(const struct operands *o, unsigned bits)
{
    return o->pc + 4 + immediate(o->word, bits) * 4;
}

static struct mips_branch not_a_branch(const struct operands *o)
{
    return (struct mips_branch){.next = o->pc + 4};
}

static struct mips_branch delayed(const struct operands *o, bool taken, uint64_t target)
{
    return (struct mips_branch){
        .is_branch = true,
        .taken = taken,
        .has_delay_slot = true,
        .target = target,
        .next = taken ? target : o->pc + 8,
    };
}

static struct mips_branch compact(const struct operands *o, bool taken, uint64_t target)
{
    return (struct mips_branch){
        .is_branch = true,
        .taken = taken,
        .is_compact = true,
        .has_forbidden_slot = true,
        .target = target,
        .next = taken ? target : o->pc + 4,
    };
}

static struct mips_branch compact_jump(const struct operands *o, uint64_t target)
{
    struct mips_branch b = compact(o, true, target);

    b.has_forbidden_slot = false;
    return b;
}

static struct mips_branch with_link(struct mips_branch b, const struct operands *o, unsigned reg)
{
    b.links = reg != 0;
    b.link_reg = (uint8_t)reg;
    b.link = o->pc + (b.has_delay_slot ? 8 : 4);
    return b;
}

/* JALR and, with rd = 0, JR; bit 10 is the hazard barrier. Release 6 has no function 0x08 (JR). */
static struct mips_branch special(const struct operands *o)
{
    unsigned rd = (o->word >> 11) & 31;

    if ((o->word & 0x3f) != 0x09 || o->rt != 0) {
        return not_a_branch(o);
    }
    return with_link(delayed(o, true, o->urs), o, rd);
}

/* Of the linking forms only those with rs = 0 are left: NAL, never taken, and BAL, always taken. */
static struct mips_branch regimm(const struct operands *o)
{
    uint64_t target = relative(o, 16);

    switch (o->rt) {
    case 0x00: return delayed(o, o->srs < 0, target);
    case 0x01: return delayed(o, o->srs >= 0, target);
    case 0x10:
    case 0x11:
        if (o->rs == 0) {
            return with_link(delayed(o, o->rt == 0x11, target), o, REG_RA);
        }
        return not_a_branch(o);
    default: return not_a_branch(o);
    }
}

static struct mips_branch jump(const struct operands *o)
{
    uint64_t region = (o->pc + 4) & ~(uint64_t)0x0fffffff;
    uint64_t target = region | ((uint64_t)(o->word & 0x03ffffff) << 2);
    struct mips_branch b = delayed(o, true, target);

    return (o->word >> 26) == 0x03 ? with_link(b, o, REG_RA) : b;
}

/* POP06: BLEZ, BLEZALC, BGEZALC, BGEUC. POP07 is the same with each condition reversed. */
static struct mips_branch pop06_07(const struct operands *o)
{
    bool reverse = (o->word >> 26) == 0x07;
    uint64_t target = relative(o, 16);

    if (o->rt == 0) {
        return delayed(o, (o->srs <= 0) != reverse, target);
    }
    if (o->rs == 0) {
        return with_link(compact(o, (o->srt <= 0) != reverse, target), o, REG_RA);
    }
    if (o->rs == o->rt) {
        return with_link(compact(o, (o->srt >= 0) != reverse, target), o, REG_RA);
    }
    return compact(o, (o->urs >= o->urt) != reverse, target);
}

/* POP26: BLEZC, BGEZC, BGEC. POP27 is the same with each condition reversed. */
static struct mips_branch pop26_27(const struct operands *o)
{
    bool reverse = (o->word >> 26) == 0x17;
    uint64_t target = relative(o, 16);

    if (o->rt == 0) {
        return not_a_branch(o);
    }
    if (o->rs == 0) {
        return compact(o, (o->srt <= 0) != reverse, target);
    }
    if (o->rs == o->rt) {
        return compact(o, (o->srt >= 0) != reverse, target);
    }
    return compact(o, (o->srs >= o->srt) != reverse, target);
}

static bool is_word(uint64_t value) { return value == mips_sext32(value); }

/* A 32-bit signed addition overflows; so does, by definition, an operand of more than 32 bits. */
static bool overflows(const struct operands *o)
{
    return !is_word(o->urs) || !is_word(o->urt) || !is_word(o->urs + o->urt);
}

/* POP10: BOVC, BEQZALC, BEQC. POP30 is the same with each condition reversed. */
static struct mips_branch pop10_30(const struct operands *o)
{
    bool reverse = (o->word >> 26) == 0x18;
    uint64_t target = relative(o, 16);

    if (o->rs >= o->rt) {
        return compact(o, overflows(o) != reverse, target);
    }
    if (o->rs == 0) {
        return with_link(compact(o, (o->urt == 0) != reverse, target), o, REG_RA);
    }
    return compact(o, (o->urs == o->urt) != reverse, target);
}

/* POP66: JIC, BEQZC. POP76: JIALC, BNEZC. */
static struct mips_branch pop66_76(const struct operands *o)
{
    bool is_pop76 = (o->word >> 26) == 0x3e;

    if (o->rs == 0) {
        struct mips_branch b = compact_jump(o, o->urt + immediate(o->word, 16));

        return is_pop76 ? with_link(b, o, REG_RA) : b;
    }
    return compact(o, (o->urs == 0) != is_pop76, relative(o, 21));
}

int mips_branch_fpr(uint32_t word)
{
    unsigned rs = (word >> 21) & 31;

    if ((word >> 26) == 0x11 && (rs == BC1EQZ || rs == BC1NEZ)) {
        return (int)((word >> 16) & 31);
    }
    return -1;
}

static struct mips_branch cop1(const struct operands *o, bool fpr_bit0)
{
    if (mips_branch_fpr(o->word) < 0) {
        return not_a_branch(o);
    }
    return delayed(o, fpr_bit0 == (o->rs == BC1NEZ), relative(o, 16));
}

struct mips_branch mips_next_pc(uint32_t word, uint64_t pc, const struct mips_gpr *gpr,
                                bool fpr_bit0)
{
    const struct operands o = fetch(word, pc, gpr);

    switch (word >> 26) {
    case 0x00: return special(&o);
    case 0x01: return regimm(&o);
    case 0x02:
    case 0x03: return jump(&o);
    case 0x04: return delayed(&o, o.urs == o.urt, relative(&o, 16));
    case 0x05: return delayed(&o, o.urs != o.urt, relative(&o, 16));
    case 0x06:
    case 0x07: return pop06_07(&o);
    case 0x08:
    case 0x18: return pop10_30(&o);
    case 0x11: return cop1(&o, fpr_bit0);
    case 0x16:
    case 0x17: return pop26_27(&o);
    case 0x32: return compact_jump(&o, relative(&o, 26));
    case 0x36:
    case 0x3e: return pop66_76(&o);
    case 0x3a: return with_link(compact_jump(&o, relative(&o, 26)), &o, REG_RA);
    default: return not_a_branch(&o);
    }
}

bool mips_resume_pc(bool cause_bd, uint64_t epc, uint32_t branch, struct mips_gpr *gpr,
                    bool fpr_bit0, uint64_t *next)
{
    struct mips_branch b;

    if (!cause_bd) {
        *next = epc + 4;
        return true;
    }
    b = mips_next_pc(branch, epc, gpr, fpr_bit0);
    if (!b.has_delay_slot && !b.has_forbidden_slot) {
        return false;
    }
    if (b.links) {
        mips_gpr_set(gpr, b.link_reg, b.link);
    }
    *next = b.has_delay_slot ? b.next : epc + 8;
    return true;
}
