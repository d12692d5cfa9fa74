/* SPDX-License-Identifier: BSD-2-Clause */
/* Branch evaluation against a model: one row of text for each mnemonic of the manual. */
#include <stdbool.h>
#include <string.h>

#include "pure/nextpc.h"
#include "rng.h"

/* opcode, what rs, rt and the rest must be, slot and link, what is compared:
 *  fields  "rs=0", "rt!=0", "rs=rt", "rs<rt" ...; fixed numbers after '#' stand for rs or rt
 *  slot    d delay slot, f forbidden slot, n none
 *  link    r register 31, d register rd, - none
 *  test    operand, relation, operand; "ovf" and "novf"; "always"; "never"; "fp0", "fp1" */
static const struct row {
    const char *name;
    unsigned opcode;
    const char *fields;
    char slot, link;
    const char *test;
    const char *target; /* a number: width of the pc-relative offset; else named */
} rows[] = {
    {"jalr", 0x00, "rt=0 fn=9", 'd', 'd', "always", "rs"},
    {"bltz", 0x01, "rt=#0", 'd', '-', "rs < 0", "16"},
    {"bgez", 0x01, "rt=#1", 'd', '-', "rs >= 0", "16"},
    {"nal", 0x01, "rs=0 rt=#16", 'd', 'r', "never", "16"},
    {"bal", 0x01, "rs=0 rt=#17", 'd', 'r', "always", "16"},
    {"j", 0x02, "", 'd', '-', "always", "region"},
    {"jal", 0x03, "", 'd', 'r', "always", "region"},
    {"beq", 0x04, "", 'd', '-', "rs == rt", "16"},
    {"bne", 0x05, "", 'd', '-', "rs != rt", "16"},
    {"blez", 0x06, "rt=0", 'd', '-', "rs <= 0", "16"},
    {"blezalc", 0x06, "rs=0 rt!=0", 'f', 'r', "rt <= 0", "16"},
    {"bgezalc", 0x06, "rs=rt rt!=0", 'f', 'r', "rt >= 0", "16"},
    {"bgeuc", 0x06, "rs!=rt rs!=0 rt!=0", 'f', '-', "rs u>= rt", "16"},
    {"bgtz", 0x07, "rt=0", 'd', '-', "rs > 0", "16"},
    {"bgtzalc", 0x07, "rs=0 rt!=0", 'f', 'r', "rt > 0", "16"},
    {"bltzalc", 0x07, "rs=rt rt!=0", 'f', 'r', "rt < 0", "16"},
    {"bltuc", 0x07, "rs!=rt rs!=0 rt!=0", 'f', '-', "rs u< rt", "16"},
    {"bovc", 0x08, "rs>=rt", 'f', '-', "ovf", "16"},
    {"beqzalc", 0x08, "rs=0 rt!=0", 'f', 'r', "rt == 0", "16"},
    {"beqc", 0x08, "rs<rt rs!=0", 'f', '-', "rs == rt", "16"},
    {"bnvc", 0x18, "rs>=rt", 'f', '-', "novf", "16"},
    {"bnezalc", 0x18, "rs=0 rt!=0", 'f', 'r', "rt != 0", "16"},
    {"bnec", 0x18, "rs<rt rs!=0", 'f', '-', "rs != rt", "16"},
    {"bc1eqz", 0x11, "rs=#9", 'd', '-', "fp0", "16"},
    {"bc1nez", 0x11, "rs=#13", 'd', '-', "fp1", "16"},
    {"blezc", 0x16, "rs=0 rt!=0", 'f', '-', "rt <= 0", "16"},
    {"bgezc", 0x16, "rs=rt rt!=0", 'f', '-', "rt >= 0", "16"},
    {"bgec", 0x16, "rs!=rt rs!=0 rt!=0", 'f', '-', "rs >= rt", "16"},
    {"bgtzc", 0x17, "rs=0 rt!=0", 'f', '-', "rt > 0", "16"},
    {"bltzc", 0x17, "rs=rt rt!=0", 'f', '-', "rt < 0", "16"},
    {"bltc", 0x17, "rs!=rt rs!=0 rt!=0", 'f', '-', "rs < rt", "16"},
    {"bc", 0x32, "", 'n', '-', "always", "26"},
    {"balc", 0x3a, "", 'n', 'r', "always", "26"},
    {"jic", 0x36, "rs=0", 'n', '-', "always", "indexed"},
    {"beqzc", 0x36, "rs!=0", 'f', '-', "rs == 0", "21"},
    {"jialc", 0x3e, "rs=0", 'n', 'r', "always", "indexed"},
    {"bnezc", 0x3e, "rs!=0", 'f', '-', "rs != 0", "21"},
};

#define ROWS (sizeof rows / sizeof rows[0])

static unsigned field(uint32_t word, unsigned low, unsigned width)
{
    return (word >> low) % (1u << width);
}

static bool fits_field(const char *f, unsigned rs, unsigned rt, unsigned fn)
{
    unsigned left = f[1] == 's' ? rs : rt;
    const char *right = f + 2 + strcspn(f + 2, "r0#");

    if (f[0] == 'f') {
        return fn == 9;
    }
    if (*right == '#') {
        return left == (unsigned)atoi(right + 1);
    }
    return f[2] == '<'   ? left < rt
           : f[2] == '>' ? left >= rt
           : f[2] == '!' ? left != (*right == 'r' ? rt : 0)
                         : left == (*right == 'r' ? rt : 0);
}

static bool fits(const struct row *row, uint32_t word)
{
    const char *f = row->fields;

    if (word >> 26 != row->opcode) {
        return false;
    }
    while (*f != 0) {
        if (!fits_field(f, field(word, 21, 5), field(word, 16, 5), field(word, 0, 6))) {
            return false;
        }
        f += strcspn(f, " ");
        f += *f == ' ';
    }
    return true;
}

static const struct row *find_row(uint32_t word)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (fits(&rows[i], word)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* -1, 0 or 1 as l is less than, equal to or greater than r, mathematically. */
static bool relation(const char *op, __int128 l, __int128 r)
{
    int order = (l > r) - (l < r);

    if (op[0] == '=' || op[0] == '!') {
        return (order == 0) == (op[0] == '=');
    }
    if (op[1] == '=' && order == 0) {
        return true;
    }
    return op[0] == '<' ? order < 0 : order > 0;
}

static bool out_of_word(__int128 v) { return v < INT32_MIN || v > INT32_MAX; }

static bool holds(const char *test, uint64_t rs, uint64_t rt, bool fp)
{
    bool is_unsigned = strstr(test, " u") != NULL;
    __int128 s = is_unsigned ? (__int128)rs : (int64_t)rs;
    __int128 t = is_unsigned ? (__int128)rt : (int64_t)rt;
    const char *op = strchr(test, ' ');

    if (op == NULL) {
        bool ovf = out_of_word(s) || out_of_word(t) || out_of_word(s + t);

        return strcmp(test, "always") == 0 || (strcmp(test, "ovf") == 0 && ovf) ||
               (strcmp(test, "novf") == 0 && !ovf) || strcmp(test, fp ? "fp1" : "fp0") == 0;
    }
    op += is_unsigned ? 2 : 1;
    return relation(op, test[1] == 's' ? s : t, op[strlen(op) - 1] == '0' ? 0 : t);
}

static uint64_t target(const struct row *row, uint32_t word, uint64_t pc, uint64_t rs, uint64_t rt)
{
    unsigned width = (unsigned)atoi(row->target);
    int64_t offset;

    if (strcmp(row->target, "rs") == 0) {
        return rs;
    }
    if (strcmp(row->target, "region") == 0) {
        uint64_t slot = pc + 4;
        return slot - slot % (1u << 28) + 4 * (uint64_t)field(word, 0, 26);
    }
    if (strcmp(row->target, "indexed") == 0) {
        return rt + (uint64_t)(int64_t)(int16_t)field(word, 0, 16);
    }
    offset = field(word, 0, width);
    offset -= offset >= 1 << (width - 1) ? (int64_t)1 << width : 0;
    return pc + 4 + (uint64_t)(offset * 4);
}

static struct mips_branch model(uint32_t word, uint64_t pc, const struct mips_gpr *gpr, bool fp)
{
    const struct row *row = find_row(word);
    unsigned nrs = field(word, 21, 5), nrt = field(word, 16, 5);
    uint64_t rs = nrs ? gpr->r[nrs] : 0, rt = nrt ? gpr->r[nrt] : 0;
    struct mips_branch b = {.next = pc + 4};

    if (row == NULL) {
        return b;
    }
    b.is_branch = true;
    b.taken = holds(row->test, rs, rt, fp);
    b.has_delay_slot = row->slot == 'd';
    b.is_compact = row->slot != 'd';
    b.has_forbidden_slot = row->slot == 'f';
    b.target = target(row, word, pc, rs, rt);
    b.next = b.taken ? b.target : pc + (row->slot == 'd' ? 8 : 4);
    b.link_reg = row->link == 'r' ? 31 : row->link == 'd' ? (uint8_t)field(word, 11, 5) : 0;
    b.links = b.link_reg != 0;
    b.link = row->link == '-' ? 0 : pc + (row->slot == 'd' ? 8 : 4);
    return b;
}

static void check_equal(uint32_t word, const struct mips_branch *a, const struct mips_branch *b)
{
    const struct row *row = find_row(word);
    const char *name = row ? row->name : "no branch";

    REQUIRE(a->is_branch == b->is_branch && a->has_delay_slot == b->has_delay_slot &&
                a->is_compact == b->is_compact && a->has_forbidden_slot == b->has_forbidden_slot,
            "%08x %s: form", word, name);
    REQUIRE(a->taken == b->taken, "%08x %s: taken %d", word, name, a->taken);
    REQUIRE(a->next == b->next, "%08x %s: next %lx not %lx", word, name, (long)a->next,
            (long)b->next);
    REQUIRE(a->target == b->target, "%08x %s: target %lx not %lx", word, name, (long)a->target,
            (long)b->target);
    REQUIRE(a->links == b->links && a->link_reg == b->link_reg, "%08x %s: link register", word,
            name);
    REQUIRE(!a->links || a->link == b->link, "%08x %s: link", word, name);
}

/* A word of an interesting opcode; registers are often equal or 0, so that each form comes up. */
static uint32_t random_word(struct rng *r)
{
    static const uint8_t rest[] = {0, 1, 9, 13, 16, 17, 31};
    uint32_t word = (uint32_t)rng_next(r);

    if (rng_below(r, 8) != 0) {
        word = (word & 0x03ffffff) | rows[rng_below(r, ROWS)].opcode << 26;
    }
    if (rng_below(r, 3) == 0) {
        word = (word & ~(31u << 21)) | (uint32_t)rest[rng_below(r, 7)] << 21;
    }
    if (rng_below(r, 2) == 0) {
        word = (word & ~(31u << 16)) | (uint32_t)rest[rng_below(r, 7)] << 16;
    }
    if (rng_below(r, 4) == 0) {
        word = (word & ~(31u << 16)) | field(word, 21, 5) << 16;
    }
    return rng_below(r, 4) == 0 ? (word & ~0x3fu) | 9 : word;
}

static void random_registers(struct rng *r, struct mips_gpr *gpr)
{
    for (int i = 0; i < 32; i++) {
        gpr->r[i] = i > 0 && rng_below(r, 4) == 0 ? gpr->r[i - 1] : rng_value(r);
    }
}

START_TEST(random_branches)
{
    struct rng r = {3};
    struct mips_gpr gpr, before;
    unsigned seen[ROWS][2] = {{0}};

    for (int i = 0; i < 1500000; i++) {
        uint32_t word = random_word(&r);
        uint64_t pc = rng_value(&r) & ~UINT64_C(3);
        bool fp = rng_next(&r) & 1;
        struct mips_branch got, want;

        if (i % 16 == 0) {
            random_registers(&r, &gpr);
            before = gpr;
        }
        got = mips_next_pc(word, pc, &gpr, fp);
        want = model(word, pc, &gpr, fp);
        check_equal(word, &got, &want);
        if (want.is_branch) {
            seen[find_row(word) - rows][want.taken]++;
        }
        REQUIRE(memcmp(&gpr, &before, sizeof gpr) == 0, "%08x: registers changed", word);
    }
    for (size_t i = 0; i < ROWS; i++) {
        bool may_take = strcmp(rows[i].test, "never") != 0;
        bool may_fall = strcmp(rows[i].test, "always") != 0;

        ck_assert_msg(!may_take || seen[i][1] > 100, "%s: hardly ever taken", rows[i].name);
        ck_assert_msg(!may_fall || seen[i][0] > 100, "%s: hardly ever not taken", rows[i].name);
    }
}
END_TEST

/* Each branch with an instruction in its slot: where to go on, and the link register. */
START_TEST(resume)
{
    struct rng r = {4};
    unsigned with_slot = 0;

    for (int i = 0; i < 300000; i++) {
        uint32_t word = random_word(&r);
        uint64_t pc = rng_value(&r) & ~UINT64_C(3), next = 0x5a5a;
        bool fp = rng_next(&r) & 1, ok;
        struct mips_gpr gpr, expected;
        struct mips_branch b;

        random_registers(&r, &gpr);
        expected = gpr;
        b = model(word, pc, &gpr, fp);
        ok = mips_resume_pc(true, pc, word, &gpr, fp, &next);
        REQUIRE(ok == (b.has_delay_slot || b.has_forbidden_slot), "%08x: slot %d", word, ok);
        if (ok && b.links) {
            expected.r[b.link_reg] = b.link;
        }
        REQUIRE(memcmp(&gpr, &expected, sizeof gpr) == 0, "%08x: registers", word);
        REQUIRE(next == (!ok ? 0x5a5a : b.has_delay_slot ? b.next : pc + 8), "%08x: next", word);
        with_slot += ok;
        ck_assert(i % 1024 != 0 || mips_resume_pc(false, pc, word, &gpr, fp, &next));
        REQUIRE(i % 1024 != 0 || next == pc + 4, "%08x: next without BD", word);
    }
    ck_assert_uint_gt(with_slot, 100000);
}
END_TEST

/* jalr $5, $5 jumps to the old $5 and links afterwards. */
START_TEST(jalr_reads_before_link)
{
    struct mips_gpr gpr = {.r = {[5] = 0x1000}};
    struct mips_branch b = mips_next_pc(0x00a02809, 0x400, &gpr, false);

    ck_assert_uint_eq(b.next, 0x1000);
    ck_assert_uint_eq(b.link_reg, 5);
    ck_assert_uint_eq(b.link, 0x408);
}
END_TEST

/* `mfc0 $31, $12` in the slot of a `bal`: the emulated result is the last to be written. */
START_TEST(slot_result_overrides_link)
{
    struct mips_gpr gpr = {{0}, 0};
    uint64_t next = 0;

    ck_assert(mips_resume_pc(true, 0x400, 0x04110010, &gpr, false, &next));
    mips_gpr_set(&gpr, 31, 0x77);
    ck_assert_uint_eq(next, 0x444);
    ck_assert_uint_eq(gpr.r[31], 0x77);
}
END_TEST

/* The slot of `beqz $4` writes $4: the branch has read the old value. */
START_TEST(branch_before_slot_result)
{
    struct mips_gpr gpr = {{0}, 0};
    uint64_t next = 0;

    ck_assert(mips_resume_pc(true, 0x400, 0x10800010, &gpr, false, &next));
    mips_gpr_set(&gpr, 4, 1);
    ck_assert_uint_eq(next, 0x444);
}
END_TEST

START_TEST(register_zero)
{
    struct mips_gpr gpr = {{0}, 0};

    gpr.r[0] = 5; /* garbage in the slot must not be seen */
    ck_assert(mips_next_pc(0x10000010, 0, &gpr, false).taken);                /* beq $0, $0 */
    ck_assert(!mips_next_pc(0x14000010, 0, &gpr, false).taken);               /* bne $0, $0 */
    ck_assert_uint_eq(mips_next_pc(0xd8000010, 0, &gpr, false).target, 0x10); /* jic $0, 16 */
    mips_gpr_set(&gpr, 0, 9);
    ck_assert_uint_eq(gpr.r[0], 5);
    ck_assert_uint_eq(mips_gpr_get(&gpr, 32), 0);
}
END_TEST

START_TEST(fpu_register)
{
    ck_assert_int_eq(mips_branch_fpr(0x45230000), 3);  /* bc1eqz $f3 */
    ck_assert_int_eq(mips_branch_fpr(0x45bf0000), 31); /* bc1nez $f31 */
    ck_assert_int_eq(mips_branch_fpr(0x49230000), -1); /* bc2eqz */
    ck_assert_int_eq(mips_branch_fpr(0x10000000), -1);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("next pc");

    tcase_add_test(t, random_branches);
    tcase_add_test(t, resume);
    tcase_add_test(t, jalr_reads_before_link);
    tcase_add_test(t, slot_result_overrides_link);
    tcase_add_test(t, branch_before_slot_result);
    tcase_add_test(t, register_zero);
    tcase_add_test(t, fpu_register);
    return run_case("mips64 next pc", t);
}
