/* SPDX-License-Identifier: BSD-2-Clause */
/* The decoder against a model that matches words bit by bit with patterns written as text. */
#include <stdbool.h>

#include "pure/insn.h"
#include "rng.h"

/* 0 and 1 stand for themselves; s, t, d, l, i collect rs, rt, rd, sel, the immediate; x is free. */
static const struct pattern {
    const char *text;
    enum mips_insn_kind kind;
} patterns[] = {
    {"010000 00000 ttttt ddddd 00000000 lll", MIPS_INSN_MFC0},
    {"010000 00001 ttttt ddddd 00000000 lll", MIPS_INSN_DMFC0},
    {"010000 00100 ttttt ddddd 00000000 lll", MIPS_INSN_MTC0},
    {"010000 00101 ttttt ddddd 00000000 lll", MIPS_INSN_DMTC0},
    {"010000 01010 ttttt ddddd 00000000000", MIPS_INSN_RDPGPR},
    {"010000 01110 ttttt ddddd 00000000000", MIPS_INSN_WRPGPR},
    {"010000 01011 ttttt 01100 00000 000000", MIPS_INSN_DI},
    {"010000 01011 ttttt 01100 00000 100000", MIPS_INSN_EI},
    {"010000 1 0000000000000000000 000001", MIPS_INSN_TLBR},
    {"010000 1 0000000000000000000 000010", MIPS_INSN_TLBWI},
    {"010000 1 0000000000000000000 000011", MIPS_INSN_TLBINV},
    {"010000 1 0000000000000000000 000100", MIPS_INSN_TLBINVF},
    {"010000 1 0000000000000000000 000110", MIPS_INSN_TLBWR},
    {"010000 1 0000000000000000000 001000", MIPS_INSN_TLBP},
    {"010000 1 0000000000000000000 011000", MIPS_INSN_ERET},
    {"010000 1 0000000000000000001 011000", MIPS_INSN_ERETNC},
    {"010000 1 0000000000000000000 011111", MIPS_INSN_DERET},
    {"010000 1 xxxxxxxxxxxxxxxxxxx 100000", MIPS_INSN_WAIT},
    {"010000 1 0000000000000000000 101000", MIPS_INSN_HYPCALL},
    {"010000 xxxxx xxxxx xxxxx xxxxx xxxxxx", MIPS_INSN_RESERVED},
    {"011111 sssss ttttt iiiiiiiii 0 100101", MIPS_INSN_CACHE},
    {"101111 sssss ttttt iiiiiiiiiiiiiiii", MIPS_INSN_CACHE_R2},
    {"011111 00000 ttttt ddddd 00 lll 111011", MIPS_INSN_RDHWR},
    {"000001 sssss 11111 iiiiiiiiiiiiiiii", MIPS_INSN_SYNCI},
    {"011111 sssss ttttt iiiiiiiii 0 110110", MIPS_INSN_LL},
    {"011111 sssss ttttt iiiiiiiii 0 110111", MIPS_INSN_LLD},
    {"011111 sssss ttttt iiiiiiiii 0 100110", MIPS_INSN_SC},
    {"011111 sssss ttttt iiiiiiiii 0 100111", MIPS_INSN_SCD},
    {"xxxxxx xxxxx xxxxx xxxxx xxxxx xxxxxx", MIPS_INSN_OTHER},
};

#define PATTERNS (sizeof patterns / sizeof patterns[0])

/* By letter, from 'a' on. */
struct fields {
    unsigned value[26];
    unsigned width[26];
};

static bool match(const char *text, uint32_t word, struct fields *f)
{
    int bit = 31;

    *f = (struct fields){0};
    for (const char *p = text; *p != 0; p++) {
        unsigned b = (word >> bit) & 1;

        if (*p == ' ') {
            continue;
        }
        if ((*p == '0' && b != 0) || (*p == '1' && b != 1)) {
            return false;
        }
        if (*p >= 'a') {
            f->value[*p - 'a'] = f->value[*p - 'a'] << 1 | b;
            f->width[*p - 'a']++;
        }
        bit--;
    }
    REQUIRE(bit == -1, "pattern of %d bits: %s", 31 - bit, text);
    return true;
}

static int signed_field(const struct fields *f)
{
    int value = (int)f->value['i' - 'a'], range = 1 << f->width['i' - 'a'];

    return range > 1 && value >= range / 2 ? value - range : value;
}

static enum mips_insn_kind model(uint32_t word, struct fields *f)
{
    size_t n = 0;

    while (!match(patterns[n].text, word, f)) {
        n++;
    }
    return patterns[n].kind;
}

static void check_word(uint32_t word)
{
    struct mips_insn insn = mips_decode(word);
    struct fields f;
    enum mips_insn_kind kind = model(word, &f);

    REQUIRE(insn.kind == kind, "%08x: kind %d, expected %d", word, insn.kind, kind);
    REQUIRE(insn.imm == signed_field(&f), "%08x: imm %d", word, insn.imm);
    REQUIRE(insn.sel == f.value['l' - 'a'], "%08x: sel %d", word, insn.sel);
    REQUIRE(!f.width['s' - 'a'] || insn.rs == f.value['s' - 'a'], "%08x: rs %d", word, insn.rs);
    REQUIRE(!f.width['t' - 'a'] || insn.rt == f.value['t' - 'a'], "%08x: rt %d", word, insn.rt);
    REQUIRE(!f.width['d' - 'a'] || insn.rd == f.value['d' - 'a'], "%08x: rd %d", word, insn.rd);
}

START_TEST(random_words)
{
    static const uint32_t opcodes[] = {0x01, 0x10, 0x1f, 0x2f};
    static const uint32_t functions[] = {0x25, 0x26, 0x27, 0x36, 0x37, 0x3b, 0x05};
    struct rng r = {1};

    for (int i = 0; i < 1000000; i++) {
        uint32_t word = (uint32_t)rng_next(&r);

        if (i % 4 != 0) {
            word = (word & 0x03ffffff) | opcodes[rng_below(&r, 4)] << 26;
        }
        if (i % 4 == 2) {
            word = (word & ~0x3fu) | functions[rng_below(&r, 7)];
        }
        if (i % 16 == 6) {
            word &= ~0x03e00600u; /* the must-be-zero fields of RDHWR */
        }
        check_word(word);
    }
}
END_TEST

/* Each pattern, its free bits random, and every word one bit away from it. */
START_TEST(neighbours)
{
    struct rng r = {2};

    for (size_t n = 0; n < PATTERNS; n++) {
        for (int round = 0; round < 500; round++) {
            uint32_t word = 0;

            for (const char *p = patterns[n].text; *p != 0; p++) {
                if (*p != ' ') {
                    word = word << 1 | (*p == '0' || *p == '1' ? *p == '1' : rng_next(&r) & 1);
                }
            }
            check_word(word);
            for (int bit = 0; bit < 32; bit++) {
                check_word(word ^ (uint32_t)1 << bit);
            }
        }
    }
}
END_TEST

/* All 2^26 words of COP0, kind and select; patterns as mask and value, as the text is too slow. */
START_TEST(all_cop0)
{
    uint32_t mask[PATTERNS] = {0}, value[PATTERNS] = {0}, seen[MIPS_INSN_KINDS] = {0};

    for (size_t n = 0; n < PATTERNS; n++) {
        for (const char *p = patterns[n].text; *p != 0; p++) {
            if (*p != ' ') {
                mask[n] = mask[n] << 1 | (*p == '0' || *p == '1');
                value[n] = value[n] << 1 | (*p == '1');
            }
        }
    }
    for (uint32_t word = 0x40000000; word < 0x44000000; word++) {
        struct mips_insn insn = mips_decode(word);
        size_t n = 0;

        while ((word & mask[n]) != value[n]) {
            n++;
        }
        if (insn.kind != patterns[n].kind || insn.sel != (n < 4 ? word % 8 : 0)) {
            ck_abort_msg("%08x: kind %d, sel %d", word, insn.kind, insn.sel);
        }
        seen[insn.kind]++;
    }
    ck_assert_uint_eq(seen[MIPS_INSN_MFC0], 32 * 32 * 8);
    ck_assert_uint_eq(seen[MIPS_INSN_WAIT], 1u << 19);
    ck_assert_uint_eq(seen[MIPS_INSN_HYPCALL], 1);
    ck_assert_uint_eq(seen[MIPS_INSN_DI], 32);
    ck_assert_uint_eq(seen[MIPS_INSN_OTHER], 0);
}
END_TEST

/* Words from the architecture's manual and from the agreement with guests, spelled out. */
START_TEST(known_words)
{
    ck_assert_int_eq(mips_decode(MIPS_INSN_WORD_HYPCALL).kind, MIPS_INSN_HYPCALL);
    ck_assert_int_eq(mips_decode(0x42000828).kind, MIPS_INSN_RESERVED); /* hypcall 1 */
    ck_assert_int_eq(mips_decode(0x42000018).kind, MIPS_INSN_ERET);
    ck_assert_int_eq(mips_decode(0x42000058).kind, MIPS_INSN_ERETNC);
    ck_assert_int_eq(mips_decode(0x40400000).kind, MIPS_INSN_RESERVED); /* mfhc0 */
    ck_assert_int_eq(mips_decode(0x40c00000).kind, MIPS_INSN_RESERVED); /* mthc0 */
    ck_assert_int_eq(mips_decode(0x41600004).kind, MIPS_INSN_RESERVED); /* evp */
    ck_assert_int_eq(mips_decode(0x7c03e83b).kind, MIPS_INSN_RDHWR);    /* rdhwr $3, $29 */
    ck_assert_int_eq(mips_decode(0x00000000).kind, MIPS_INSN_OTHER);
    ck_assert_int_eq(mips_decode(0xffffffff).kind, MIPS_INSN_OTHER);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("decode");

    tcase_add_test(t, random_words);
    tcase_add_test(t, neighbours);
    tcase_add_test(t, all_cop0);
    tcase_add_test(t, known_words);
    return run_case("mips64 insn", t);
}
