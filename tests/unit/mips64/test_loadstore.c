/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads and stores against the manual's table, spelled out as C's own conversions. */
#include <stdbool.h>
#include <string.h>

#include "pure/loadstore.h"
#include "rng.h"

static const struct row {
    const char *opcode, *name;
} rows[] = {
    {"100000", "LB"},  {"100001", "LH"},  {"100011", "LW"}, {"100100", "LBU"},
    {"100101", "LHU"}, {"100111", "LWU"}, {"110111", "LD"}, {"101000", "SB"},
    {"101001", "SH"},  {"101011", "SW"},  {"111111", "SD"},
};

/* NULL: none of them. */
static const char *model(uint32_t word)
{
    for (size_t n = 0; n < sizeof rows / sizeof rows[0]; n++) {
        bool same = true;

        for (int bit = 0; bit < 6; bit++) {
            same &= (word >> (31 - bit) & 1) == (unsigned)(rows[n].opcode[bit] - '0');
        }
        if (same) {
            return rows[n].name;
        }
    }
    return NULL;
}

static unsigned size_of(const char *name)
{
    switch (name[1]) {
    case 'B': return 1;
    case 'H': return 2;
    case 'W': return 4;
    default: return 8;
    }
}

static uint64_t converted(const char *name, uint64_t value)
{
    if (!strcmp(name, "LB")) {
        return (uint64_t)(int64_t)(int8_t)value;
    }
    if (!strcmp(name, "LH")) {
        return (uint64_t)(int64_t)(int16_t)value;
    }
    if (!strcmp(name, "LW")) {
        return (uint64_t)(int64_t)(int32_t)value;
    }
    switch (size_of(name)) {
    case 1: return (uint8_t)value;
    case 2: return (uint16_t)value;
    case 4: return (uint32_t)value;
    default: return value;
    }
}

static void check_access(const char *name, uint32_t word, const struct mips_loadstore *i,
                         struct rng *r)
{
    struct mips_gpr gpr;
    int64_t offset = word % 0x10000;
    unsigned base = word >> 21 & 31, reg = word >> 16 & 31;
    uint64_t value = rng_value(r);

    for (unsigned n = 0; n < 32; n++) {
        gpr.r[n] = rng_value(r); /* whatever lies in the place of $0, it reads as 0 */
    }
    offset -= offset >= 0x8000 ? 0x10000 : 0;
    REQUIRE(mips_loadstore_address(i, &gpr) == (base ? gpr.r[base] : 0) + (uint64_t)offset,
            "%08x: address", word);
    if (i->store) {
        REQUIRE(mips_store_value(i, &gpr) == converted(name, reg ? gpr.r[reg] : 0), "%08x: stored",
                word);
    } else {
        REQUIRE(mips_load_result(i, value) == converted(name, value), "%08x: loaded", word);
    }
}

static void check_word(uint32_t word, struct rng *r)
{
    const char *name = model(word);
    struct mips_loadstore i;

    REQUIRE(mips_decode_loadstore(word, &i) == (name != NULL), "%08x is %s", word,
            name ? name : "none");
    if (!name) {
        return;
    }
    REQUIRE(i.size == size_of(name) && i.store == (name[0] == 'S'), "%08x: %s", word, name);
    REQUIRE(i.base == (word >> 21 & 31) && i.reg == (word >> 16 & 31), "%08x: registers", word);
    check_access(name, word, &i, r);
}

/* Every opcode with every pair of registers, the offset random. */
START_TEST(all_opcodes)
{
    struct rng r = {1};

    for (uint32_t high = 0; high < 0x10000; high++) {
        check_word(high << 16 | (uint32_t)(rng_next(&r) & 0xffff), &r);
    }
}
END_TEST

START_TEST(random_words)
{
    struct rng r = {2};

    for (int n = 0; n < 1000000; n++) {
        check_word((uint32_t)rng_next(&r), &r);
    }
}
END_TEST

/* What is left to a bus error, in the words of an assembler. */
START_TEST(known_words)
{
    static const uint32_t others[] = {
        0xc4620008, /* lwc1 $f2, 8($3) */
        0xd4620008, /* ldc1 $f2, 8($3) */
        0xf4620008, /* sdc1 $f2, 8($3) */
        0x7c620036, /* ll $2, 0($3) */
        0x7c620026, /* sc $2, 0($3) */
        0xcc620000, /* pref 2, 0($3), before Release 6 */
        0xec480000, /* lwpc $2 */
        0x88620000, /* lwl $2, 0($3), before Release 6 */
    };
    struct mips_loadstore i;

    for (size_t n = 0; n < sizeof others / sizeof others[0]; n++) {
        ck_assert(!mips_decode_loadstore(others[n], &i));
    }
    ck_assert(mips_decode_loadstore(0x9062fff8, &i)); /* lbu $2, -8($3) */
    ck_assert(i.size == 1 && !i.store && !i.sign_extends);
    ck_assert(i.base == 3 && i.reg == 2 && i.offset == -8);
    ck_assert(mips_decode_loadstore(0xfc620010, &i)); /* sd $2, 16($3) */
    ck_assert(i.size == 8 && i.store && i.offset == 16);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("loadstore");

    tcase_add_test(t, all_opcodes);
    tcase_add_test(t, random_words);
    tcase_add_test(t, known_words);
    return run_case("mips64 loadstore", t);
}
