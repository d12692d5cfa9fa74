/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Decoder for the instructions a guest cannot execute by itself (MIPS64 Release 6).
 *
 * Pure: one word in, one record out; callable from any context. Must-be-zero fields are checked,
 * so a kind other than RESERVED or OTHER means that the whole word is that instruction.
 */
#ifndef MIPS64_PURE_INSN_H
#define MIPS64_PURE_INSN_H

#include <stdint.h>

/** The monitor call, `hypcall` with code 0. */
#define MIPS_INSN_WORD_HYPCALL 0x42000028u

enum mips_insn_kind {
    MIPS_INSN_OTHER,    /**< nothing of the monitor's concern */
    MIPS_INSN_RESERVED, /**< a COP0 word that the virtual CPU does not have */
    MIPS_INSN_MFC0,
    MIPS_INSN_DMFC0,
    MIPS_INSN_MTC0,
    MIPS_INSN_DMTC0,
    MIPS_INSN_RDPGPR,
    MIPS_INSN_WRPGPR,
    MIPS_INSN_DI,
    MIPS_INSN_EI,
    MIPS_INSN_TLBR,
    MIPS_INSN_TLBWI,
    MIPS_INSN_TLBINV,
    MIPS_INSN_TLBINVF,
    MIPS_INSN_TLBWR,
    MIPS_INSN_TLBP,
    MIPS_INSN_ERET,
    MIPS_INSN_ERETNC,
    MIPS_INSN_DERET,
    MIPS_INSN_WAIT,
    MIPS_INSN_HYPCALL,
    MIPS_INSN_CACHE,    /**< Release 6 encoding */
    MIPS_INSN_CACHE_R2, /**< encoding before Release 6; the hardware raises Reserved Instruction */
    MIPS_INSN_RDHWR,
    MIPS_INSN_SYNCI,
    MIPS_INSN_LL,
    MIPS_INSN_LLD,
    MIPS_INSN_SC,
    MIPS_INSN_SCD,
    MIPS_INSN_KINDS /**< number of kinds */
};

/** A decoded word. `rs`, `rt` and `rd` are the plain bit fields whatever the kind is. */
struct mips_insn {
    uint8_t kind; /**< enum mips_insn_kind */
    uint8_t rs;   /**< bits 25..21; the base register of CACHE, SYNCI, LL, SC */
    uint8_t rt;   /**< bits 20..16; the operation of CACHE */
    uint8_t rd;   /**< bits 15..11; the register of MFC0 and RDHWR */
    uint8_t sel;  /**< select of MFC0 and its like and of RDHWR, else 0 */
    int16_t imm;  /**< signed byte offset of CACHE, SYNCI, LL, SC; else 0 */
};

/** What @p word is. Never fails: what is not known is OTHER, or RESERVED within COP0. */
enum mips_insn_kind mips_insn_kind(uint32_t word);

/** Fields of a word, for who knows its kind. */
static inline unsigned mips_insn_rs(uint32_t word) { return (word >> 21) & 31; }
static inline unsigned mips_insn_rt(uint32_t word) { return (word >> 16) & 31; }
static inline unsigned mips_insn_rd(uint32_t word) { return (word >> 11) & 31; }
/** The select of MFC0 and its like. */
static inline unsigned mips_insn_sel(uint32_t word) { return word & 7; }

/** Decode @p word: mips_insn_kind(), and all its fields. */
struct mips_insn mips_decode(uint32_t word);

#endif
